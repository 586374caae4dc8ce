// Which versions stand, against F-8 written out plainly; and what it costs.

import Support
import Testing
import TransparencyLog

@testable import EventStore
@testable import TimelineModel

@Suite("Versions of an event")
struct VersionGraphTests {
  typealias Version = EventHistory.Version

  static let replicas = (1...4).map {
    ReplicaID("00000000-0000-4000-8000-00000000000\($0)")!
  }

  static func id(_ number: Int) -> EventID { EventID(importedName: "version \(number)") }

  static func version(
    _ number: Int, log: Int, seq: UInt64, at time: Int64, names: [Int] = [],
    upTo: [Int: UInt64] = [:], words: UInt8? = nil
  ) -> Version {
    let facts = EventFacts(first: Day(number: 0), last: Day(number: 0), type: .test)
    let position = Position(
      Dictionary(uniqueKeysWithValues: upTo.map { (replicas[$0.key], $0.value) }))
    return Version(
      id: id(number), ref: LineRef(replica: log, seq: seq), replica: replicas[log],
      recorded: RecordedTime(microseconds: time),
      supersedes: Superseded(names.map(id), upTo: position),
      content: number == 0 ? .original(facts) : .correction(facts),
      fingerprint: words.map { byte in
        var hasher = SHA256()
        return [byte].withUnsafeBufferPointer { hasher.hash($0) }
      })
  }

  static func history(_ versions: [Version]) -> EventHistory {
    var history = EventHistory()
    for version in versions { history.add(version) }
    return history
  }

  @Test("F-8: the versions that stand are those of its words, in whatever order lines come")
  func property() {
    for seed in UInt64(1)...400 {
      var random = SplitMix(seed: seed)
      let versions = Self.random(using: &random)
      let expected = Plain(versions)
      for _ in 0..<4 {
        let history = Self.history(versions.shuffled(using: &random))
        let standing = Set(history.standing.map(\.ref))
        #expect(standing == expected.standing, "seed \(seed)")
        #expect(history.shown?.version.ref == expected.shown?.ref, "seed \(seed)")
        #expect(history.shown?.isContested ?? false == expected.isContested, "seed \(seed)")
        let again = history.shown { _ in true }
        #expect(again?.version.ref == expected.shown?.ref, "seed \(seed)")
        #expect(again?.isContested ?? false == expected.isContested, "seed \(seed)")
      }
    }
  }

  /// Lines of four logs: copies of one id, names of versions that never come, `up_to` that reaches anywhere.
  private static func random(using random: inout SplitMix) -> [Version] {
    var versions = [version(0, log: 0, seq: 1, at: 1, words: 0)]
    if Bool.random(using: &random) {
      versions.append(
        version(0, log: 1, seq: 1, at: 2, words: UInt8.random(in: 0...1, using: &random)))
    }
    var sizes: [UInt64] = [1, 1, 1, 1]
    for number in 1...Int.random(in: 1...50, using: &random) {
      let log = Int.random(in: 0...3, using: &random)
      sizes[log] += UInt64.random(in: 1...3, using: &random)
      // Most name what came before; some what comes later, or never.
      let names = (0..<Int.random(in: 0...3, using: &random)).map { _ in
        Int.random(in: 0...9, using: &random) == 0
          ? Int.random(in: 0...60, using: &random)
          : Int.random(in: max(0, number - 6)..<number, using: &random)
      }
      var upTo: [Int: UInt64] = [:]
      if Int.random(in: 0...4, using: &random) == 0 {
        for log in 0...3 { upTo[log] = UInt64.random(in: 1...120, using: &random) }
      }
      // A second line of an id that is there already.
      let own = Int.random(in: 0...14, using: &random) == 0 ? max(1, number - 2) : number
      versions.append(
        version(
          own, log: log, seq: sizes[log], at: Int64.random(in: 3...200, using: &random),
          names: names,
          upTo: upTo))
    }
    return versions
  }

  /// F-8 to the letter.
  private struct Plain {
    var standing: Set<LineRef> = []
    var shown: Version?
    var isContested = false

    init(_ versions: [Version]) {
      let byID = Dictionary(grouping: versions, by: \.id)
      let speakers = byID.mapValues { lines in
        lines.min { ($0.recorded, $0.replica) < ($1.recorded, $1.replica) }!
      }
      func named(_ version: Version) -> [EventID] {
        version.supersedes.named.filter { $0 != version.id }
      }
      var rounds: [EventID: Int] = [:]
      var hasGrown = true
      while hasGrown {
        hasGrown = false
        for (id, version) in speakers where rounds[id] == nil {
          let below = named(version).map { rounds[$0] }
          guard !below.contains(nil) else { continue }
          rounds[id] =
            (below.compactMap { $0 }.max() ?? 0) + (version.supersedes.upTo.sizes.isEmpty ? 0 : 1)
          hasGrown = true
        }
      }
      let effective = rounds.keys.map { speakers[$0]! }
      let current = rounds.keys.filter { id in
        !effective.contains { version in
          named(version).contains(id)
            || rounds[version.id]! > rounds[id]!
              && byID[id]!.contains { version.supersedes.upTo.contains($0.replica, $0.ref.seq) }
        }
      }
      standing = Set(current.flatMap { byID[$0]!.map(\.ref) })
      shown = current.map { speakers[$0]! }.max { $1.isLater(than: $0) }
      isContested =
        current.count > 1
        || current.contains { Set(byID[$0]!.filter(\.isOriginal).map(\.fingerprint)).count > 1 }
    }
  }

  /// Corrections of two people who never look at each other's.
  private static func conflict(_ count: Int) -> [Version] {
    [version(0, log: 0, seq: 1, at: 1)]
      + (1...count).map { number in
        version(
          number, log: number % 2, seq: UInt64(number + 1), at: Int64(number + 1),
          names: [max(0, number - 2)])
      }
  }

  /// The same by people who look at nothing.
  private static func crowd(_ count: Int) -> [Version] {
    [version(0, log: 0, seq: 1, at: 1)]
      + (1...count).map { number in
        version(
          number, log: number % 2, seq: UInt64(number + 1), at: Int64(number + 1), names: [0])
      }
  }

  @Test("Twice the versions are little more than twice the work", arguments: [true, false])
  func work(isCrowd: Bool) {
    let works = [8_000, 16_000].map { count in
      Self.history(isCrowd ? Self.crowd(count) : Self.conflict(count)).work
    }
    #expect(works[0] > 8_000 && works[0] < 8_000 * 128)
    #expect(works[1] < works[0] * 5 / 2, "\(works)")
  }

  @Test("F-8: one short line settles twenty thousand versions, also where it comes first")
  func settled() {
    let crowd = Self.crowd(20_000)
    let settling = Self.version(
      90_000, log: 2, seq: 1, at: 30_000, names: [17], upTo: [0: 20_001, 1: 20_001])
    for versions in [crowd + [settling], [settling] + crowd] {
      let history = Self.history(versions)
      #expect(history.shown?.version.id == settling.id && history.shown?.isContested == false)
      #expect(history.standing.map(\.id) == [settling.id])
      #expect(history.work < 20_000 * 128)
    }
    // What it does not reach stands against it.
    let late = Self.version(90_001, log: 1, seq: 20_002, at: 29_000, names: [0])
    let history = Self.history([settling] + crowd + [late])
    #expect(history.shown?.version.id == settling.id && history.shown?.isContested == true)
    #expect(Set(history.standing.map(\.id)) == [settling.id, late.id])
    // Settled once more, by one who names both or the higher of them.
    let again = Self.version(
      90_002, log: 0, seq: 30_000, at: 31_000, names: [90_000], upTo: [1: 20_002, 2: 1])
    #expect(Self.history([again, settling] + crowd + [late]).standing.map(\.id) == [again.id])
  }

  @Test("F-8: nobody supersedes what will be said after him")
  func future() {
    let event = Self.version(0, log: 0, seq: 1, at: 1)
    let liar = Self.version(
      1, log: 2, seq: 1, at: 2, names: [0], upTo: [0: 1 << 40, 1: 1 << 40, 2: 1 << 40])
    let answer = Self.version(2, log: 1, seq: 5, at: 3, names: [1])
    let further = Self.version(3, log: 0, seq: 9, at: 4, names: [2])
    #expect(Self.history([event, liar]).standing.map(\.id) == [liar.id])
    #expect(Self.history([answer, liar, event]).standing.map(\.id) == [answer.id])
    #expect(Self.history([further, answer, liar, event]).standing.map(\.id) == [further.id])
  }
}

// Snapshots to cite: what one says is the same on every machine that has its lines, whatever came in
// which order, and nothing where a line is missing or damaged. A failure prints its seed: `CITE_SEED=N`
// repeats it, `CITE_RUNS=N` (20) is how many are tried.

import Foundation
import Support
import Testing
import TimelineModel

@testable import EventStore

extension Timeline {
  @discardableResult
  fileprivate func name(_ name: String, at microseconds: Int64 = 1_000_000) throws -> Staged {
    let named = try lines.named(SnapshotName(name), note: nil)
    var chance: UInt64 = 7
    let recording = Recording(
      author: "ann", now: RecordedTime(microseconds: microseconds),
      random: {
        chance &+= 1
        return chance
      }, newID: { EventID(.random()) })
    let staged = try Result { () throws(AppendError) in
      try stage(named, author: nil, recording)
    }.get()
    try commit()
    return staged
  }

  fileprivate func stageOnly(_ json: String) throws {
    let recording = Recording(
      author: "ann", now: RecordedTime(microseconds: 1), random: { 1 },
      newID: { EventID(.random()) })
    _ = try Array(json.utf8).withUnsafeBufferPointer { text in
      Result { () throws(AppendError) in try stage(text, recording) }
    }.get()
  }

  /// Takes some lines of a log over from another machine, as a sync does.
  fileprivate func take(_ count: Int, of replica: ReplicaID, from other: Timeline) throws {
    let first = position[replica] + 1
    let (all, bytes) = other.view.run(of: replica, from: first, linesMax: .max, bytesMax: .max)
    var end = 0
    for _ in 0..<min(count, Int(all)) { end += bytes[end...].firstIndex(of: 0x0A)! + 1 - end }
    guard end > 0 else { return }
    _ = try Result { () throws(IngestError) in
      try ingest(
        UnsafeBufferPointer(rebasing: bytes[..<end]), of: replica, from: first, by: .owner,
        now: RecordedTime(microseconds: 2_000_000))
    }.get()
    try commit()
  }
}

extension EventID {
  /// Few, so that the same ones are used on several machines.
  fileprivate static let known = (0..<6).map {
    EventID("0123456\($0)-89ab-4cde-8f01-23456789abcd")!
  }
}

/// All that can be asked of a snapshot: answers as their bytes; an error where there is none.
private func picture(_ timeline: Timeline, _ word: String) throws -> String {
  let view = timeline.view
  let cited = try view.cited(word)
  var text = "\(cited.named.json.text) at \(cited.recorded)\n"
  for filter in [
    "", "actor=PRK", "author=bob", "author=ann", "type=test", "tag=t1", "text~word",
    "date>=2016 party=X-1", "id=0",
  ] {
    for (order, limit) in [(Query.Order.oldestFirst, nil), (.newestFirst, 3)] as [(_, Int?)] {
      var query = Query(try Filter(filter), order: order, limit: limit)
      query.cited = cited
      let events = EventList(query, in: view)
      if let damaged = events.damaged { throw damaged }
      text += "\(filter) \(events.count)\n"
      for index in 0..<events.count {
        var bytes: [UInt8] = []
        guard let event = events[index], view.append(event, to: &bytes) else {
          throw events.line(of: index)
        }
        text += String(decoding: bytes, as: UTF8.self) + "\n"
      }
      let (count, _, damaged) = view.tally(query)
      if let damaged { throw damaged }
      #expect(count == events.count)
    }
  }
  for actor in view.registry(knownAt: cited.position).all
  where ActorRegistry.shipped[actor.code] != actor {
    text += "\(actor)\n"
  }
  return text
}

@Suite("Snapshots to cite")
struct CitingTests {
  private static let environment = ProcessInfo.processInfo.environment

  /// Three machines record, correct and retract what they like under few ids, and pass on whose lines
  /// they like.
  @Test("The same answer on every machine, whatever came when")
  func sameEverywhere() throws {
    let given = Self.environment["CITE_SEED"].flatMap { UInt64($0) }
    let first = given ?? UInt64.random(in: 0..<1 << 32)
    let runs = given == nil ? Self.environment["CITE_RUNS"].flatMap { UInt64($0) } ?? 20 : 1
    var compared = 0
    for seed in first..<first + runs {
      do {
        var run = try Machines(seed)
        for step in 0..<70 { try run.step(step) }
        try run.syncAll()
        compared += try run.compareAll(mustAnswer: true)
        try run.eraseSome()
        try run.syncAll()
        try run.compareWithEachOther()
      } catch {
        Issue.record("seed \(seed): \(error)")
      }
    }
    print("cited answers compared: \(compared), seeds from \(first)")
    #expect(compared > 0)
  }

  @Test("Of copies that were known the one recorded first shows, whichever came first")
  func copies() throws {
    let scratches = (0..<4).map { _ in Scratch() }
    let machines = try scratches.map { try $0.open() }
    let timelines = machines.map(\.1)
    let event = body("the same", more: #","id":"\#(EventID.known[0])""#)
    for (index, timeline) in timelines.prefix(3).enumerated() {
      try timeline.record(event, at: Int64(1_000_000 + index))
    }
    // The first one is not known to whom it is asked as.
    let position = Position([timelines[1].replica: 1, timelines[2].replica: 1])
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      let (directory, timeline) = try Scratch().open()
      for index in order {
        try timeline.take(1, of: timelines[index].replica, from: timelines[index])
      }
      var shown: [DamagedLine] = []
      timeline.view.visit(Query(knownAt: position)) { event in
        shown.append(timeline.view.damaged(event))
        return true
      }
      #expect(shown.map(\.replica) == [timelines[1].replica], "\(order)")
      withExtendedLifetime(directory) {}
    }
    withExtendedLifetime(machines) {}
  }

  @Test(
    "Of versions with one id and one time that of the smaller replica shows, whichever came first")
  func ties() {
    let replicas = [ReplicaID(.random()), ReplicaID(.random())].sorted()
    let original = EventHistory.Version(
      id: EventID.known[0], ref: LineRef(replica: 0, seq: 1), replica: replicas[0],
      recorded: RecordedTime(microseconds: 1), supersedes: Superseded([]), content: .retraction)
    let versions = replicas.enumerated().map { index, replica in
      EventHistory.Version(
        id: EventID.known[1], ref: LineRef(replica: index, seq: 2), replica: replica,
        recorded: RecordedTime(microseconds: 2), supersedes: Superseded([original.id]),
        content: .retraction)
    }
    for versions in [versions, versions.reversed()] {
      var history = EventHistory()
      history.add(original)
      for version in versions { history.add(version) }
      #expect(history.shown?.version.replica == replicas[0])
    }
  }

  /// A directory with two logs, a correction, a conflict, a snapshot and what came later, and what the
  /// snapshot says.
  private func filled() throws -> (Scratch, EventID, String) {
    let (scratch, elsewhere) = (Scratch(), Scratch())
    let (directory, timeline) = try scratch.open()
    let (otherDirectory, other) = try elsewhere.open()
    let id = #","id":"\#(EventID.known[0])""#
    try other.record(#"{"type":"log.actor","code":"X-1","name":"Ours"}"#)
    try other.record(body("elsewhere", more: id))
    try timeline.record(body("here, differently", more: id))
    try timeline.record(body("as it was"))
    let wrong = try timeline.record(body("a wrong word"))
    try timeline.record(
      #"{"type":"log.correct","corrects":"\#(wrong.id)","supersedes":["\#(wrong.id)"],"#
        + #""reason":"typo","body":\#(body("a right word"))}"#)
    try timeline.take(.max, of: other.replica, from: other)
    let snapshot = try timeline.name("cited")
    let expected = try picture(timeline, "cited")
    try timeline.record(body("later"))
    try other.record(body("later elsewhere"))
    try timeline.take(.max, of: other.replica, from: other)
    withExtendedLifetime((directory, otherDirectory)) {}
    return (scratch, snapshot.id, expected)
  }

  @Test(
    "With a byte damaged anywhere the same is said or nothing",
    arguments: [Damaged.before, .beforeWithIndex, .meanwhile])
  private func damaged(_ when: Damaged) throws {
    let (scratch, id, expected) = try filled()
    let logs = scratch.path + "/timelines/main/logs/"
    let index = scratch.path + "/timelines/main/index/events.idx"
    var said: [String: Int] = [:]
    for log in try FileManager.default.contentsOfDirectory(atPath: logs) {
      let path = logs + log + "/00000000000000000001.jsonl"
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
      for offset in bytes.indices where offset % 7 == 0 || bytes[offset] == 0x0A {
        if when == .beforeWithIndex {
          let (directory, timeline) = try scratch.open()
          try Timeline.IndexSave(
            view: timeline.view, path: index, fileSystem: PosixFileSystem(),
            permit: IndexPermit()
          ).write()
          withExtendedLifetime(directory) {}
        }
        let machine = when == .meanwhile ? try scratch.open() : nil
        try Self.write(bytes[offset] ^ 1 << UInt8(offset % 8), to: path, at: offset)
        let (directory, timeline) = try machine ?? scratch.open()
        do {
          let found = try picture(timeline, id.description)
          let isSame = found == expected
          #expect(isSame, "\(path), byte \(offset)")
          said["the same", default: 0] += 1
        } catch is CitationError {
          said["not here", default: 0] += 1
        } catch is DamagedLine {
          said["damaged", default: 0] += 1
        }
        withExtendedLifetime(directory) {}
        // A torn tail was cut.
        try bytes.write(to: URL(fileURLWithPath: path))
        try? FileManager.default.removeItem(atPath: index)
      }
    }
    print("a byte damaged \(when): \(said.sorted { $0.key < $1.key })")
    #expect(said["the same", default: 0] > 0)
    #expect(said["not here", default: 0] + said["damaged", default: 0] > 0)
  }

  enum Damaged { case before, beforeWithIndex, meanwhile }

  private static func write(_ byte: UInt8, to path: String, at offset: Int) throws {
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.seek(toOffset: UInt64(offset))
    try file.write(contentsOf: [byte])
    try file.close()
  }

  @Test("A word that was damaged is not passed over where all lines are read for it")
  func scanned() throws {
    let scratch = Scratch()
    let (directory, timeline) = try scratch.open()
    try timeline.record(body("first"))
    for number in 0..<5000 { try timeline.stageOnly(body("number \(number) has words")) }
    try timeline.commit()
    try timeline.name("cited")
    try timeline.record(body("later has words"))
    func count() throws -> Int {
      let view = timeline.view
      var query = Query(try Filter("text~words"))
      query.cited = try view.cited("cited")
      let (count, _, damaged) = view.tally(query)
      if let damaged { throw damaged }
      return count
    }
    #expect(try count() == 5000)
    let path = try scratch.segment()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let later = try #require(bytes.range(of: Data("later has w".utf8)))
    try Self.write(0x57, to: path, at: later.upperBound - 1)
    #expect(try count() == 5000)
    let within = try #require(bytes.range(of: Data("number 2500 has w".utf8)))
    try Self.write(0x57, to: path, at: within.upperBound - 1)
    #expect(throws: DamagedLine(replica: timeline.replica, seq: 2502)) { try count() }
    withExtendedLifetime(directory) {}
  }

  @Test("An event that was damaged before it was corrected is not passed over")
  func damagedThenCorrected() throws {
    let scratch = Scratch()
    let (directory, timeline) = try scratch.open()
    let event = try timeline.record(body("once right"))
    try timeline.name("cited")
    let path = try scratch.segment()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let range = try #require(bytes.range(of: Data("once right".utf8)))
    try Self.write(0x57, to: path, at: range.lowerBound)
    try timeline.record(
      #"{"type":"log.correct","corrects":"\#(event.id)","supersedes":["\#(event.id)"],"#
        + #""reason":"r","body":\#(body("corrected"))}"#)
    var query = Query()
    query.cited = try timeline.view.cited("cited")
    #expect(
      timeline.view.tally(query).damaged == DamagedLine(replica: timeline.replica, seq: 1))
    withExtendedLifetime(directory) {}
  }

  private struct Machines {
    private let seed: UInt64
    private var chance: SplitMix
    private var scratches: [Scratch] = []
    private var machines: [(directory: DataDirectory, timeline: Timeline)] = []
    private var now: Int64 = 1_000_000
    private var names = 0
    /// What each snapshot said where it was made, when it was made.
    private var pictures: [(id: EventID, picture: String)] = []

    init(_ seed: UInt64) throws {
      self.seed = seed
      chance = SplitMix(seed: seed)
      for _ in 0..<3 {
        scratches.append(Scratch())
        machines.append(try scratches.last!.open())
      }
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value {
      values.randomElement(using: &chance)!
    }

    private mutating func isOneOf(_ count: Int) -> Bool {
      Int.random(in: 0..<count, using: &chance) == 0
    }

    private mutating func body() -> String {
      let codes = pick([#""PRK""#, #""USA","PRK""#, #""X-1""#])
      return
        #"{"type":"\#(pick(["test", "aid"]))","date":"20\#(pick(["14", "17-11", "17-11-29"]))","#
        + #""actors":[\#(codes)],"title":"\#(pick(["a word", "b", "c"]))","unsourced":true,"#
        + #""tags":["\#(pick(["t1", "t2"]))"]"#
    }

    mutating func step(_ step: Int) throws {
      let index = Int.random(in: 0..<3, using: &chance)
      let timeline = machines[index].timeline
      // Clocks stand still now and then: two machines record at one moment.
      if !isOneOf(3) { now += 1 }
      let author = isOneOf(2) ? #","author":"bob""# : ""
      // A line of another machine may have any id, one that stands for something else included.
      let id = isOneOf(4) ? "" : #","id":"\#(pick(EventID.known))""#
      switch Int.random(in: 0..<12, using: &chance) {
      case 0...3:
        // Mostly what the others record under that id: as it is with an import on each machine.
        let known = EventID.known.randomElement(using: &chance)!
        try record(
          timeline,
          isOneOf(3)
            ? body() + author + id + "}"
            : #"{"type":"test","date":"2014","actors":["PRK"],"title":"\#(known)","unsourced":true,"#
              + #""id":"\#(known)"\#(author)}"#)
      case 4, 5:
        guard let (target, supersedes) = target(timeline) else { return }
        try record(
          timeline,
          #"{"type":"log.correct","corrects":"\#(target)","supersedes":[\#(supersedes)],"reason":"r","#
            + #""body":\#(body())}\#(author)\#(id)}"#)
      case 6:
        guard let (target, supersedes) = target(timeline) else { return }
        try record(
          timeline,
          #"{"type":"log.retract","retracts":"\#(target)","supersedes":[\#(supersedes)],"#
            + #""reason":"r"\#(author)\#(id)}"#)
      case 7:
        try record(
          timeline,
          #"{"type":"log.actor","code":"X-\#(pick(["1", "2"]))","name":"N\#(step)"\#(author)\#(id)}"#
        )
      case 8:
        guard !timeline.position.sizes.isEmpty else { return }
        names += 1
        let staged = try timeline.name("snapshot-\(names)", at: now)
        let id = staged.id.description
        pictures.append((staged.id, try picture(timeline, id)))
        // What comes later on the same machine does not show.
        #expect(try picture(timeline, "snapshot-\(names)") == pictures.last!.picture)
      case 9 where isOneOf(3):
        // A restart, with the index on disk or without.
        if isOneOf(2) {
          try Timeline.IndexSave(
            view: timeline.view,
            path: scratches[index].path + "/timelines/main/index/events.idx",
            fileSystem: PosixFileSystem(), permit: IndexPermit()
          ).write()
        }
        try restart(index)
      default:
        let other = machines[(index + 1 + Int.random(in: 0..<2, using: &chance)) % 3].timeline
        let replica = pick(machines.map(\.timeline.replica))
        try timeline.take(Int.random(in: 1...5, using: &chance), of: replica, from: other)
      }
      if step % 10 == 0 { _ = try compareAll() }
    }

    private mutating func restart(_ index: Int) throws {
      machines.remove(at: index)
      machines.insert(try scratches[index].open(), at: index)
    }

    /// What is refused here may come from elsewhere.
    private func record(_ timeline: Timeline, _ json: String) throws {
      do { try timeline.record(json, at: now) } catch is AppendError {}
    }

    private mutating func target(_ timeline: Timeline) -> (String, String)? {
      let view = timeline.view
      var ids: [EventID] = []
      view.visit(Query()) { event in
        ids.append(event.id)
        return true
      }
      guard let id = ids.randomElement(using: &chance) else { return nil }
      let versions = view.standing(of: id)?.ids ?? []
      let some = isOneOf(3) ? Array(versions.prefix(1)) : versions
      return (id.description, some.map { "\"\($0)\"" }.joined(separator: ","))
    }

    /// Takes the words of some events away, each on one machine.
    mutating func eraseSome() throws {
      for _ in 0..<2 {
        let timeline = pick(machines).timeline
        guard let (id, _) = target(timeline), let id = EventID(id) else { continue }
        let recording = Timeline.Recording(
          author: "ann", now: RecordedTime(microseconds: now), random: { 3 },
          newID: { EventID(.random()) })
        do throws(AppendError) {
          _ = try timeline.stageErasure(of: id, reason: "r", recording)
        } catch { continue }
        try timeline.commit()
      }
    }

    /// Once all machines know what was erased, they say the same again, also of what they read anew.
    mutating func compareWithEachOther() throws {
      for (id, _) in pictures {
        let found = try machines.map { try picture($0.timeline, id.description) }
        #expect(Set(found).count == 1, "seed \(seed), \(id)")
      }
      let before = try pictures.map { try picture(machines[0].timeline, $0.id.description) }
      try restart(0)
      #expect(try pictures.map { try picture(machines[0].timeline, $0.id.description) } == before)
    }

    mutating func syncAll() throws {
      for _ in 0..<3 {
        for index in 0..<3 {
          for from in 0..<3 where from != index {
            for replica in machines.map(\.timeline.replica) {
              try machines[index].timeline.take(.max, of: replica, from: machines[from].timeline)
            }
          }
        }
      }
      let positions = Set(machines.map(\.timeline.position))
      #expect(positions.count == 1, "seed \(seed)")
    }

    /// Compares what each machine says of each snapshot with what it said when it was made.
    func compareAll(mustAnswer: Bool = false) throws -> Int {
      var compared = 0
      for (index, machine) in machines.enumerated() {
        for (id, expected) in pictures {
          do {
            let found = try picture(machine.timeline, id.description)
            compared += 1
            guard found != expected else { continue }
            let lines = zip(found.split(separator: "\n"), expected.split(separator: "\n"))
            let (here, there) = lines.first { $0 != $1 } ?? ("more", "or less")
            Issue.record("seed \(seed), machine \(index), \(id):\n\(here)\ninstead of\n\(there)")
          } catch CitationError.missing, CitationError.unknown {
            #expect(!mustAnswer, "seed \(seed), machine \(index): no answer from \(id)")
          }
        }
      }
      return compared
    }
  }
}

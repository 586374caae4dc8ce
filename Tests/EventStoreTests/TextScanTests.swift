// Words looked for in the bytes of whole segments, against looking at the strings of every event. A failure
// prints its seed: `SCAN_SEED=N` repeats it.

import Foundation
import Support
import Testing
import TimelineModel

@testable import EventStore

@Suite("Words in a whole log")
struct TextScanTests {
  private static let words = [
    "summit", "Pyongyang", "Chŏngjin", "CHONGJIN", "Genève", "Gene\u{300}ve", "金", "Straße", "and",
    #"\u0043h\u014fngjin"#, #"Gen\u00e8ve"#, #"\"sincerity\""#, #"line\nbreak"#, "–", "x",
  ]

  private static let needles = [
    "chongjin", "Geneve", "genève", "e", "SUMMIT", "金", "strasse", #""sincerity""#, "line\nbreak",
    "–",
    "and summit", "x x", "nowhere", "eve", "title", "replica", "of others", "K",
  ]

  private static func text(_ chance: inout SplitMix) -> String {
    // Half of them are plain ASCII.
    let few = Bool.random(using: &chance) ? ["summit", "Pyongyang", "and", "x"] : words
    return (0...Int.random(in: 1...20, using: &chance)).map { _ in
      few.randomElement(using: &chance)!
    }.joined(separator: " ")
  }

  private static func body(_ chance: inout SplitMix) -> String {
    EventStoreTests.body(
      text(&chance).replacingOccurrences(of: #"\n"#, with: " "),
      date: "201\(chance.next() % 10)-0\(1 + chance.next() % 9)",
      more: #","summary":"\#(text(&chance))","other":[{"title":["\#(text(&chance))",1]}]"#)
  }

  private static func log(_ number: UInt64, _ chance: inout SplitMix) -> ForeignLog {
    var log = ForeignLog(number)
    var ids: [EventID] = []
    // A fifth of them at most is lost, and some more say nothing of an event.
    while log.lines.count < 3000 {
      if let id = ids.randomElement(using: &chance), chance.next() % 50 == 0 {
        let what =
          chance.next() % 2 == 0
          ? #""log.retract","retracts":"\#(id)""#
          : #""log.correct","corrects":"\#(id)","body":\#(body(&chance))"#
        log.add(#"{"type":\#(what),"supersedes":["\#(id)"],"reason":"x of others"}"#)
      } else {
        ids.append(EventID(UUIDBytes(high: chance.next(), low: chance.next())))
        log.add(body(&chance), id: ids.last!)
      }
    }
    return log
  }

  /// Puts a log on the disk, in several segments: one is lost, lines have lost their words or are damaged,
  /// or have bytes that are none behind them.
  private static func write(
    _ log: ForeignLog, to directory: String, _ chance: inout SplitMix
  ) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let length = log.lines.count / 10
    let cuts =
      [0] + (1...8).map { $0 * length + Int.random(in: 0..<length, using: &chance) }
      + [log.lines.count]
    for (index, (start, end)) in zip(cuts, cuts.dropFirst()).enumerated() where index != 3 {
      var bytes: [UInt8] = []
      for (offset, line) in log.lines[start..<end].enumerated() {
        var line = line
        // The last one stays: what is behind the last good line is another matter.
        if offset + start + 1 < end {
          switch chance.next() % 60 {
          case 0: line = ForeignLog.stub(of: line)
          case 1: line[Int.random(in: 0..<line.count, using: &chance)] ^= 1
          case 2: line += Array("a summit x x and no line\n".utf8)
          default: break
          }
        }
        bytes += line
      }
      let name = String(format: "/%020d.jsonl", start + 1)
      try Data(bytes).write(to: URL(fileURLWithPath: directory + name))
    }
  }

  /// The strings that words are looked for in, folded.
  private static func strings(_ value: JSONValue) -> [String] {
    switch value {
    case .string(let text): [TextNeedle.fold(text)]
    case .array(let values): values.flatMap(strings)
    case .object(let members): members.flatMap { strings($0.value) }
    default: []
    }
  }

  @Test("Every answer is what looking at all events finds, whatever became of the lines")
  func sameAsLookingAtAll() throws {
    let seed =
      ProcessInfo.processInfo.environment["SCAN_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 0..<1_000_000)
    var chance = SplitMix(seed: seed)
    let scratch = Scratch()
    do { _ = try scratch.open() }
    for number in 1...2 {
      let log = Self.log(UInt64(number), &chance)
      try Self.write(
        log, to: scratch.path + "/timelines/main/logs/\(log.replica)", &chance)
    }
    let (directory, timeline) = try scratch.open()
    let view = timeline.view
    #expect(!timeline.damage.isEmpty && view.erased > 0)
    let middle = Position(Dictionary(view.logs.map { ($0.id, $0.size / 2) }) { $1 })
    for knownAt in [nil, middle] {
      var events: [(id: EventID, strings: [String])] = []
      view.visit(Query(knownAt: knownAt)) { event in
        var bytes: [UInt8] = []
        guard view.append(event, to: &bytes),
          let json = try? bytes.withUnsafeBufferPointer({ try JSONValue(parsing: $0) })
        else {
          Issue.record("\(event.id) cannot be read, SCAN_SEED=\(seed)")
          return true
        }
        let body = (json.members ?? []).filter {
          !IndexEntry.envelope.contains($0.key) && $0.key != "version" && $0.key != "contested"
        }
        events.append((event.id, Self.strings(.object(body))))
        return true
      }
      if knownAt == nil { #expect(events.count > 4096, "too few for a scan, SCAN_SEED=\(seed)") }
      for needle in Self.needles {
        let folded = TextNeedle.fold(needle)
        let expected = events.filter { $0.strings.contains { $0.contains(folded) } }.map(\.id)
        var filter = Filter()
        filter.texts = [needle]
        let order = Query.Order.allCases.randomElement(using: &chance)!
        var found: [EventID] = []
        view.visit(Query(filter, knownAt: knownAt, order: order)) {
          found.append($0.id)
          return true
        }
        #expect(
          found == (order == .oldestFirst ? expected : expected.reversed()),
          "\(needle.debugDescription) \(order) SCAN_SEED=\(seed)")
      }
      // Either of several words.
      var filter = Filter()
      filter.texts = ["金", "pyongyang pyongyang"]
      let either = filter.texts.map(TextNeedle.fold)
      #expect(
        view.count(Query(filter, knownAt: knownAt))
          == events.count { event in
            event.strings.contains { text in either.contains { text.contains($0) } }
          }, "SCAN_SEED=\(seed)")
    }
    withExtendedLifetime(directory) {}
  }
}

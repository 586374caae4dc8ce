import Foundation
import Testing
import TimelineModel
import TransparencyLog

@testable import EventStore

/// A log that another machine wrote, line by line, as it likes.
struct ForeignLog {
  let replica: ReplicaID
  private(set) var lines: [[UInt8]] = []
  private var recorded: Int64

  init(_ number: UInt64, from recorded: Int64 = 1_000_000) {
    replica = ReplicaID(UUIDBytes(high: 0xF0, low: 1 << 63 | number))
    self.recorded = recorded
  }

  var bytes: [UInt8] { Array(lines.joined()) }

  /// - Parameter json: the body, in braces.
  mutating func add(_ json: String, id: EventID = EventID(.random()), seq: UInt64? = nil) {
    recorded += 1
    var line: [UInt8] = []
    Array(json.utf8.dropFirst().dropLast()).withUnsafeBufferPointer {
      Line.append(
        to: &line, replica: replica, seq: seq ?? UInt64(lines.count) + 1,
        recorded: RecordedTime(microseconds: recorded), id: id, author: "eve", body: $0,
        salt: (1, UInt64(lines.count)))
    }
    lines.append(line)
  }

  mutating func erase(_ id: EventID, _ addresses: [(ReplicaID, UInt64)]) {
    let addresses = addresses.map { #"["\#($0.0)",\#($0.1)]"# }.joined(separator: ",")
    add(#"{"type":"log.erase","erases":"\#(id)","lines":[\#(addresses)],"reason":"why not"}"#)
  }

  /// A line without its words.
  static func stub(of line: [UInt8]) -> [UInt8] {
    line.withUnsafeBufferPointer { text in
      var hasher = SHA256()
      return Array(try! Line(text).stub(of: text, using: &hasher))
    }
  }
}

extension Scratch {
  /// Files of the data directory that hold a word.
  func files(with word: String) throws -> [String] {
    let all = FileManager.default.enumerator(atPath: path)!.compactMap { $0 as? String }
    return all.filter { name in
      FileManager.default.contents(atPath: path + "/" + name)?.range(of: Data(word.utf8)) != nil
    }
  }

  func segment(of replica: ReplicaID) -> String {
    path + "/timelines/main/logs/\(replica)/00000000000000000001.jsonl"
  }
}

@Suite("Lines that were made to do harm")
struct HostileLineTests {
  @Test(
    "An erasure may name lines that no log has",
    arguments: [1 << 46, 1 << 47, 1 << 48, 1 << 48 | 1, 7 << 48 | 1, 1 << 53] as [UInt64])
  func farLines(seq: UInt64) throws {
    let scratch = Scratch()
    do {
      let (_, timeline) = try scratch.open()
      let own = try timeline.record(body("mine"))
      var log = ForeignLog(1)
      log.erase(EventID(.random()), [(own.replica, seq), (log.replica, seq)])
      try timeline.take(log.bytes, of: log.replica)
      #expect(timeline.titles == ["mine"])
    }
    let (_, timeline) = try scratch.open()
    #expect(timeline.titles == ["mine"])
  }

  @Test("A line whose number is far beyond the one before it is none of the log")
  func farLine() throws {
    let scratch = Scratch()
    var log = ForeignLog(1)
    do {
      let (_, timeline) = try scratch.open()
      log.add(body("one"))
      log.add(body("two"))
      try timeline.take(log.bytes, of: log.replica)
    }
    log.add(body("far"), seq: 200_000_000)
    try Data(log.bytes).write(to: URL(fileURLWithPath: scratch.segment(of: log.replica)))
    let (_, timeline) = try scratch.open()
    #expect(timeline.titles.sorted() == ["one", "two"])
    #expect(timeline.position[log.replica] <= 3)
    #expect(!timeline.damage.isEmpty)
  }

  @Test("A correction that came before its event loses its words, whichever comes first")
  func correctionAhead() throws {
    let id = EventID(.random())
    var (event, correction, erasure) = (ForeignLog(1), ForeignLog(2), ForeignLog(3))
    event.add(body("Zanzibar"), id: id)
    correction.add(
      #"{"type":"log.correct","corrects":"\#(id)","supersedes":["\#(id)"],"reason":"typo","#
        + #""body":\#(body("Zanzibar again"))}"#)
    // Its recorder knows of the event alone.
    erasure.erase(id, [(event.replica, 1)])
    let logs = [event, correction, erasure]
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
      let scratch = Scratch()
      do {
        let (_, timeline) = try scratch.open()
        for log in order.map({ logs[$0] }) {
          try timeline.take(log.bytes, of: log.replica)
          try timeline.extendErasures()
        }
        #expect(timeline.titles.isEmpty)
        #expect(timeline.lines.missingBodies.isEmpty)
      }
      #expect(try scratch.files(with: "Zanzibar") == [], "\(order)")
    }
  }
}

import Foundation
import Testing
import TimelineModel

@testable import EventStore

/// A data directory of its own; all are removed when the process ends.
struct Scratch {
  private static let root: String = {
    let root = NSTemporaryDirectory() + "timeline-tests-\(getpid())/"
    try? FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: Scratch.root) }
    return root
  }()

  let path = root + UUIDBytes.random().text

  func open() throws -> (DataDirectory, Timeline) {
    let directory = try DataDirectory(path, fileSystem: PosixFileSystem())
    return (
      directory, try directory.openTimeline("main", newReplica: ReplicaID(UUIDBytes.random()))
    )
  }

  /// The newest segment of the only log.
  func segment() throws -> String {
    let logs = path + "/timelines/main/logs/"
    let log = logs + (try FileManager.default.contentsOfDirectory(atPath: logs)[0]) + "/"
    return log
      + (try FileManager.default.contentsOfDirectory(atPath: log).filter { $0.hasSuffix(".jsonl") }
        .sorted().last!)
  }
}

func body(_ title: String, date: String = "2017-11-29", more: String = "") -> String {
  #"{"type":"test","subtype":"icbm","date":"\#(date)","actors":["PRK"],"title":"\#(title)","#
    + #""unsourced":true\#(more)}"#
}

extension Timeline {
  @discardableResult
  func record(_ json: String, at microseconds: Int64 = 1_000_000) throws -> Staged {
    var chance: UInt64 = 1
    let recording = Recording(
      author: "ann", now: RecordedTime(microseconds: microseconds),
      random: {
        chance &+= 1
        return chance
      }, newID: { EventID(.random()) })
    let staged = try Array(json.utf8).withUnsafeBufferPointer { text in
      Result { () throws(AppendError) in try stage(text, recording) }
    }.get()
    try commit()
    return staged
  }

  var titles: [String] { titles(Query()) }

  func titles(_ query: Query) -> [String] {
    var titles: [String] = []
    let snapshot = snapshot
    snapshot.visit(query) {
      titles.append(snapshot.event($0)?.title ?? "?")
      return true
    }
    return titles
  }

  /// All lines of a replica, as a peer would send them.
  func lines(of replica: ReplicaID) -> [UInt8] {
    Array(snapshot.run(of: replica, from: 1, bytesMax: .max).bytes)
  }

  func take(_ lines: [UInt8], of replica: ReplicaID) throws {
    try lines.withUnsafeBufferPointer { bytes in
      Result { () throws(IngestError) in
        try ingest(bytes, of: replica, now: RecordedTime(microseconds: 2_000_000))
      }
    }.get()
    try commit()
  }
}

@Suite("The log on disk")
struct TimelineTests {
  @Test("What was committed is there after a restart, in the order of days")
  func restart() throws {
    let scratch = Scratch()
    do {
      let (_, timeline) = try scratch.open()
      try timeline.record(body("second", date: "2017-09-03"))
      try timeline.record(body("first", date: "2006-10"))
    }
    let (_, timeline) = try scratch.open()
    #expect(timeline.titles == ["first", "second"])
    #expect(timeline.damage.isEmpty)
  }

  @Test("A torn tail is cut, reported and kept aside; the log goes on", arguments: [1, 50, 300])
  func tornTail(lost: Int) throws {
    let scratch = Scratch()
    do {
      let (_, timeline) = try scratch.open()
      try timeline.record(body("kept"))
      try timeline.record(body("torn"))
    }
    let path = try scratch.segment()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.dropLast(lost).write(to: URL(fileURLWithPath: path))
    do {
      let (_, timeline) = try scratch.open()
      #expect(timeline.titles == ["kept"])
      #expect(timeline.damage.count == 1)
      #expect(FileManager.default.fileExists(atPath: path + ".torn"))
      try timeline.record(body("after"))
    }
    let (_, timeline) = try scratch.open()
    #expect(timeline.titles.sorted() == ["after", "kept"])
    #expect(timeline.damage.isEmpty)
  }

  @Test("Every flipped bit in the middle is named, never cut, and hides its own line only")
  func damage() throws {
    let scratch = Scratch()
    do {
      let (_, timeline) = try scratch.open()
      for title in ["one", "two", "three"] { try timeline.record(body(title)) }
    }
    let url = URL(fileURLWithPath: try scratch.segment())
    let bytes = try Data(contentsOf: url)
    let second = bytes.firstIndex(of: 0x0A)! + 1
    let length = bytes[second...].firstIndex(of: 0x0A)! - second
    for offset in stride(from: 0, through: length, by: 7) {
      var flipped = bytes
      flipped[second + offset] ^= 0x02
      try flipped.write(to: url)
      let (_, timeline) = try scratch.open()
      #expect(timeline.titles.sorted() == ["one", "three"], "bit at \(offset)")
      #expect(
        timeline.damage.map(\.kind).contains {
          if case .lines(2, 2, _) = $0 { true } else { false }
        })
      #expect(try Data(contentsOf: url) == flipped)
    }
  }

  @Test("The same event again is a duplicate, another one under its id is refused")
  func duplicates() throws {
    let (_, timeline) = try Scratch().open()
    let id = #","id":"01234567-89ab-4cde-8f01-23456789abcd""#
    let first = try timeline.record(body("a", more: id))
    let again = try timeline.record(body("a", more: " " + id))
    #expect(again.isDuplicate && again.seq == first.seq)
    #expect(throws: AppendError.exists(first.id)) { try timeline.record(body("b", more: id)) }
    #expect(timeline.titles == ["a"])
  }

  @Test("One writer per data directory; another format version is left alone")
  func opening() throws {
    let scratch = Scratch()
    let holder = try scratch.open()
    #expect(throws: OpenError.inUse(path: scratch.path)) { try scratch.open() }
    withExtendedLifetime(holder) {}
    let other = Scratch()
    try FileManager.default.createDirectory(atPath: other.path, withIntermediateDirectories: true)
    try #"{"format":"timeline-data","version":2}"#.write(
      toFile: other.path + "/data.json", atomically: false, encoding: .utf8)
    #expect(throws: OpenError.otherVersion(path: other.path, found: "2")) { try other.open() }
    #expect(try FileManager.default.contentsOfDirectory(atPath: other.path) == ["data.json"])
  }

  @Test("Corrections, retractions and conflicts come out the same in every order of arrival")
  func versions() throws {
    let (_, here) = try Scratch().open()
    let (_, there) = try Scratch().open()
    let event = try here.record(body("wrong"), at: 1_000_000)
    try there.take(here.lines(of: here.replica), of: here.replica)
    func correct(_ title: String) -> String {
      #"{"type":"log.correct","corrects":"\#(event.id)","supersedes":["\#(event.id)"],"#
        + #""reason":"typo","body":\#(body(title, date: "2017-11-28"))}"#
    }
    try here.record(correct("right"), at: 3_000_000)
    try there.record(correct("also right"), at: 4_000_000)
    let (ours, theirs) = (here.lines(of: here.replica), there.lines(of: there.replica))
    let logs = [(here.replica, ours), (there.replica, theirs)]
    for order in [logs, logs.reversed()] {
      let (_, third) = try Scratch().open()
      for (replica, lines) in order { try third.take(lines, of: replica) }
      #expect(third.titles == ["also right"])
      #expect(third.snapshot.contested == [event.id])
      // As known before the corrections: the event as first recorded.
      let then = third.snapshot.position(at: RecordedTime(microseconds: 2_000_000))
      #expect(third.titles(Query(knownAt: then)) == ["wrong"])
      // One that supersedes both ends the conflict.
      let versions = JSONValue.strings(third.snapshot.currentVersions(of: event.id)).text
      try third.record(
        #"{"type":"log.retract","retracts":"\#(event.id)","supersedes":\#(versions),"reason":"x"}"#,
        at: 5_000_000)
      #expect(third.titles == [])
      #expect(third.snapshot.contested == [])
    }
  }
}

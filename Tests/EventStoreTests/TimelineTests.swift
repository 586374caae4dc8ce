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
      directory,
      try directory.openTimeline("main", by: LogMaker(keys: nil) { .random(in: 0 ... .max) })
    )
  }

  /// The newest segment of the longest log.
  func segment() throws -> String {
    let files = FileManager.default
    let logs = path + "/timelines/main/logs/"
    let segments = try files.contentsOfDirectory(atPath: logs).compactMap { log in
      try files.contentsOfDirectory(atPath: logs + log).filter { $0.hasSuffix(".jsonl") }
        .sorted().last.map { logs + log + "/" + $0 }
    }
    func size(_ path: String) throws -> Int {
      try files.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }
    return try segments.max { try size($0) < size($1) }!
  }
}

func body(_ title: String, date: String = "2017-11-29", more: String = "") -> String {
  #"{"type":"test","subtype":"icbm","date":"\#(date)","actors":["PRK"],"title":"\#(title)","#
    + #""unsourced":true\#(more)}"#
}

extension Timeline {
  private func recording(at microseconds: Int64) -> Recording {
    var chance: UInt64 = 1
    return Recording(
      author: "ann", now: RecordedTime(microseconds: microseconds),
      random: {
        chance &+= 1
        return chance
      }, newID: { EventID(.random()) })
  }

  /// What the daemon does behind a commit: further lines of an erased event are named.
  func extendErasures() throws {
    defer { checkInvariants() }
    guard hasFurtherErasures else { return }
    stageFurtherErasures(recording(at: 3_000_000))
    try commit()
  }

  @discardableResult
  func record(_ json: String, at microseconds: Int64 = 1_000_000) throws -> Staged {
    let recording = recording(at: microseconds)
    defer { checkInvariants() }
    let staged = try Array(json.utf8).withUnsafeBufferPointer { text in
      Result { () throws(AppendError) in try stage(text, recording) }
    }.get()
    try commit()
    return staged
  }

  var titles: [String] { titles(Query()) }

  func titles(_ query: Query) -> [String] {
    var titles: [String] = []
    let view = view
    view.visit(query) {
      titles.append(view.event($0)?.title ?? "?")
      return true
    }
    return titles
  }

  /// All lines of a replica, as a peer would send them.
  func lines(of replica: ReplicaID) -> [UInt8] {
    Array(view.run(of: replica, from: 1, linesMax: .max, bytesMax: .max).bytes)
  }

  func take(_ lines: [UInt8], of replica: ReplicaID) throws {
    defer { checkInvariants() }
    _ = try lines.withUnsafeBufferPointer { bytes in
      Result { () throws(IngestError) in
        try ingest(
          bytes, of: replica, from: 1, by: .owner, now: RecordedTime(microseconds: 2_000_000))
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
    #expect(throws: OpenError.inUse(path: scratch.path, process: Int(getpid()))) {
      try scratch.open()
    }
    withExtendedLifetime(holder) {}
    let other = Scratch()
    try FileManager.default.createDirectory(atPath: other.path, withIntermediateDirectories: true)
    try #"{"format":"timeline-data","version":4}"#.write(
      toFile: other.path + "/data.json", atomically: false, encoding: .utf8)
    #expect(throws: OpenError.otherVersion(path: other.path, found: "4")) { try other.open() }
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
      #expect(third.view.contested == [event.id])
      // As known before the corrections: the event as first recorded.
      let then = third.view.position(at: RecordedTime(microseconds: 2_000_000))
      #expect(third.titles(Query(knownAt: then)) == ["wrong"])
      // One that supersedes both ends the conflict.
      let versions = JSONValue.strings(third.view.standing(of: event.id)?.ids ?? []).text
      try third.record(
        #"{"type":"log.retract","retracts":"\#(event.id)","supersedes":\#(versions),"reason":"x"}"#,
        at: 5_000_000)
      #expect(third.titles == [])
      #expect(third.view.contested == [])
    }
  }

  @Test("Whole lines with wrong bytes at the end are damage: named, kept, and written behind")
  func damagedEnd() throws {
    let scratch = Scratch()
    do {
      let (_, timeline) = try scratch.open()
      for title in ["one", "two"] { try timeline.record(body(title)) }
    }
    let url = URL(fileURLWithPath: try scratch.segment())
    var bytes = try Data(contentsOf: url)
    bytes[bytes.count - 40] ^= 0x02
    try bytes.write(to: url)
    do {
      let (_, timeline) = try scratch.open()
      #expect(timeline.titles == ["one"])
      #expect(
        timeline.damage.map(\.kind).contains {
          if case .lines(2, 2, _) = $0 { true } else { false }
        })
      #expect(try timeline.record(body("three")).seq == 3)
    }
    #expect(try Data(contentsOf: url).starts(with: bytes))
    let (_, timeline) = try scratch.open()
    #expect(timeline.titles.sorted() == ["one", "three"])
  }

  @Test("What was torn off is kept each time, and never written over")
  func tornTwice() throws {
    let scratch = Scratch()
    for _ in 0..<2 {
      do {
        let (_, timeline) = try scratch.open()
        try timeline.record(body("torn"))
      }
      let url = URL(fileURLWithPath: try scratch.segment())
      try Data(contentsOf: url).dropLast(5).write(to: url)
    }
    do { _ = try scratch.open() }
    let log = (try scratch.segment() as NSString).deletingLastPathComponent
    let kept = try FileManager.default.contentsOfDirectory(atPath: log).filter {
      $0.contains(".torn")
    }
    #expect(kept.count == 2)
  }

  @Test(
    "A file with a far number among the segments is named and left alone",
    arguments: [
      "00000000099999999999.jsonl", "18446744073709551615.jsonl",
    ])
  func stranger(name: String) throws {
    let scratch = Scratch()
    do {
      let (_, timeline) = try scratch.open()
      try timeline.record(body("one"))
    }
    let log = (try scratch.segment() as NSString).deletingLastPathComponent
    try Data().write(to: URL(fileURLWithPath: log + "/" + name))
    let (_, timeline) = try scratch.open()
    #expect(timeline.titles == ["one"])
    #expect(timeline.damage.map(\.kind) == [.stranger])
    #expect(try timeline.record(body("two")).seq == 2)
  }

  @Test("Versions that supersede themselves, or each other in a circle, change nothing")
  func circles() throws {
    let (_, here) = try Scratch().open()
    let event = try here.record(body("stands"))
    var bytes: [UInt8] = []
    let ids = (0..<2).map { EventID(UUIDBytes(high: 0x4000, low: 1 << 63 | UInt64($0))) }
    let replica = ReplicaID(UUIDBytes(high: 7, low: 7))
    for index in 0..<2 {
      let correction =
        #""type":"log.correct","corrects":"\#(event.id)","supersedes":["\#(event.id)","#
        + #""\#(ids[1 - index])"],"reason":"x","body":\#(body("never"))"#
      Array(correction.utf8).withUnsafeBufferPointer {
        Line.append(
          to: &bytes, replica: replica, seq: UInt64(index + 1),
          recorded: RecordedTime(microseconds: Int64(index + 5)), id: ids[index], author: "x",
          body: $0, salt: (1, 2))
      }
    }
    try here.take(bytes, of: replica)
    #expect(here.titles == ["stands"])
    #expect(here.view.standing(of: event.id)?.ids == [event.id])
  }

  @Test("A peer's line that differs from the one that is here is a fork, and not taken")
  func fork() throws {
    let (_, here) = try Scratch().open()
    let (_, there) = try Scratch().open()
    try there.record(body("one"))
    let lines = there.lines(of: there.replica)
    try here.take(lines, of: there.replica)
    try here.take(lines, of: there.replica)
    #expect(here.titles == ["one"])
    var other: [UInt8] = []
    let members = Array(#""type":"test""#.utf8)
    members.withUnsafeBufferPointer {
      Line.append(
        to: &other, replica: there.replica, seq: 1, recorded: RecordedTime(microseconds: 9),
        id: EventID(.random()), author: "x", body: $0, salt: (1, 2))
    }
    #expect(throws: IngestError.fork(seq: 1)) { try here.take(other, of: there.replica) }
    #expect(here.titles == ["one"])
  }

  @Test("After a restart the clock is still later than every line that was accepted")
  func clock() throws {
    let scratch = Scratch()
    let (_, there) = try Scratch().open()
    try there.record(body("theirs"), at: 500_000_000)
    do {
      let (_, here) = try scratch.open()
      try here.take(there.lines(of: there.replica), of: there.replica)
    }
    let (_, here) = try scratch.open()
    try here.record(body("ours"), at: 1_000_000)
    let ours = here.lines(of: here.replica)
    let recorded = try ours.withUnsafeBufferPointer { try Line($0).recorded }
    #expect(recorded > RecordedTime(microseconds: 500_000_000))
  }

  @Test("An id that names an event and a line of the log is the event, in every order of arrival")
  func idOfTwoKinds() throws {
    let id = #","id":"01234567-89ab-4cde-8f01-23456789abcd""#
    let actor = #"{"type":"log.actor","code":"X-ONE","name":"One"\#(id)}"#
    let (_, here) = try Scratch().open()
    let (_, there) = try Scratch().open()
    try here.record(body("event", more: id))
    try there.record(actor)
    let logs = [
      (here.replica, here.lines(of: here.replica)), (there.replica, there.lines(of: there.replica)),
    ]
    for order in [logs, logs.reversed()] {
      let (_, third) = try Scratch().open()
      for (replica, lines) in order { try third.take(lines, of: replica) }
      #expect(third.titles == ["event"])
      #expect(third.view.registry.contains(ActorCode("X-ONE")!))
    }
  }

  @Test("What is checked leaves nothing behind: no actor, no moment, no event")
  func check() throws {
    let (_, timeline) = try Scratch().open()
    let texts = [
      #"{"type":"log.actor","code":"X-ONE","name":"One"}"#,
      #"{"type":"test","date":"2017","actors":["X-ONE"],"title":"a","unsourced":true}"#,
    ].map { Array($0.utf8) }
    let recording = Timeline.Recording(
      author: "a", now: RecordedTime(microseconds: 5), random: { 1 },
      newID: { EventID(.random()) })
    texts[0].withUnsafeBufferPointer { first in
      texts[1].withUnsafeBufferPointer { second in
        let verdicts = timeline.check([first, second], recording)
        #expect(verdicts.allSatisfy { if case .success = $0 { true } else { false } })
      }
    }
    #expect(throws: AppendError.self) {
      try timeline.record(String(decoding: texts[1], as: UTF8.self))
    }
    #expect(timeline.titles == [] && !timeline.hasStaged)
  }

  @Test("A correction names versions of its own event, also where they are not committed yet")
  func pendingVersions() throws {
    let (_, timeline) = try Scratch().open()
    func id(_ digit: Int) -> String { "01234567-89ab-4cde-8f01-23456789abc\(digit)" }
    func correct(_ subject: Int, _ superseded: Int) -> String {
      #"{"type":"log.correct","corrects":"\#(id(subject))","supersedes":["\#(id(superseded))"],"#
        + #""reason":"x","body":\#(body("right"))}"#
    }
    let events = (1...2).map { body("e\($0)", more: #","id":"\#(id($0))""#) }
    let actor = #"{"type":"log.actor","code":"X-ONE","name":"One","id":"\#(id(3))"}"#
    func outcome(_ lines: [String]) -> Bool {
      let all = lines.map { Array($0.utf8) }
      let bytes = Array(all.joined())
      return bytes.withUnsafeBufferPointer { buffer in
        var start = 0
        let texts = all.map { line in
          defer { start += line.count }
          return UnsafeBufferPointer(rebasing: buffer[start..<start + line.count])
        }
        let recording = Timeline.Recording(
          author: "a", now: RecordedTime(microseconds: 5), random: { 1 },
          newID: { EventID(.random()) })
        return timeline.check(texts, recording).allSatisfy {
          if case .success = $0 { true } else { false }
        }
      }
    }
    #expect(outcome(events + [correct(1, 1)]))
    #expect(!outcome(events + [correct(1, 2)]))
    #expect(!outcome([actor, correct(3, 3)]))
  }
}

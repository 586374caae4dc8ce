import Foundation
import Testing
import TimelineModel

@testable import EventStore

/// All that questions can see of a timeline, as text.
private func picture(_ timeline: Timeline) -> String {
  let view = timeline.view
  var lines: [String] = []
  for query in [
    Query(), Query(order: .newestFirst), Query(try! Filter("actor=PRK")),
    Query(try! Filter("actor=X-ONE")), Query(try! Filter("tag=kept text~name")),
    Query(knownAt: view.position(at: RecordedTime(microseconds: 2_000_000))),
  ] {
    view.visit(query) { event in
      var bytes: [UInt8] = []
      _ = view.append(event, to: &bytes)
      lines.append(String(decoding: bytes, as: UTF8.self))
      return true
    }
    lines.append("--")
  }
  lines.append("\(view.contested) \(view.unreadable) \(view.registry.all.count)")
  return lines.joined(separator: "\n")
}

/// A timeline with some of everything: copies from another machine, a correction that waits, a
/// conflict, a retraction, an actor of its own.
private func fill(_ timeline: Timeline, _ other: Timeline) throws {
  let id = #","id":"01234567-89ab-4cde-8f01-23456789abcd""#
  try timeline.record(
    #"{"type":"log.actor","code":"X-ONE","name":"One of ours"}"#, at: 1_000_000)
  for number in 0..<1200 {
    try timeline.record(
      body(
        "name \(number)", date: "20\(10 + number % 10)-0\(1 + number % 9)",
        more: number % 3 == 0 ? #","tags":["kept"],"targets":["X-ONE"]"# : ""))
  }
  try timeline.record(body("twice", more: id), at: 1_500_000)
  try other.record(body("twice, differently", more: id), at: 1_400_000)
  // Two actors under one id of a line.
  let line = #","id":"01234567-89ab-4cde-8f01-23456789abce""#
  try timeline.record(#"{"type":"log.actor","code":"X-TWO","name":"Two"\#(line)}"#)
  try other.record(#"{"type":"log.actor","code":"X-THREE","name":"Three"\#(line)}"#)
  let wrong = try timeline.record(body("wrong"))
  try timeline.record(
    #"{"type":"log.correct","corrects":"\#(wrong.id)","supersedes":["\#(wrong.id)"],"#
      + #""reason":"typo","body":\#(body("right", date: "2001"))}"#, at: 3_000_000)
  let gone = try timeline.record(body("gone"))
  try timeline.record(
    #"{"type":"log.retract","retracts":"\#(gone.id)","supersedes":["\#(gone.id)"],"reason":"x"}"#)
  try timeline.take(other.lines(of: other.replica), of: other.replica)
}

@Suite("The index on disk")
struct IndexFileTests {
  @Test(
    "A new type needs no new version: what an older or newer build wrote is taken where it can be")
  func types() {
    let known = EventType.allCases.map(\.word)
    func fits(_ words: [String], hasUnreadable: Bool) -> Bool {
      IndexFile.fitsTypes(.strings(words), hasUnreadable: hasUnreadable)
    }
    #expect(fits(known, hasUnreadable: false) && fits(known, hasUnreadable: true))
    #expect(fits(Array(known.dropLast()), hasUnreadable: false))
    #expect(!fits(Array(known.dropLast()), hasUnreadable: true))
    #expect(!fits(known + ["visit"], hasUnreadable: false))
    #expect(!IndexFile.fitsTypes(nil, hasUnreadable: false))
  }

  /// A filled directory with its index, what it answers, and where the index is.
  private func filled() throws -> (Scratch, String, String) {
    let scratch = Scratch()
    let (_, other) = try Scratch().open()
    let (directory, timeline) = try scratch.open()
    try fill(timeline, other)
    try #require(timeline.indexToSave(isQuiet: true)).write()
    let picture = picture(timeline)
    withExtendedLifetime(directory) {}
    return (scratch, picture, scratch.path + "/timelines/main/index/events.idx")
  }

  private func answer(_ scratch: Scratch) throws -> (picture: String, isTakenOver: Bool) {
    let (directory, timeline) = try scratch.open()
    defer { withExtendedLifetime(directory) {} }
    #expect(timeline.damage.isEmpty)
    return (picture(timeline), timeline.unverified != nil)
  }

  @Test("A start takes it over, and answers as one that reads everything")
  func takeOver() throws {
    let (scratch, expected, index) = try filled()
    #expect(try answer(scratch) == (expected, true))
    // What came since is read; what is there already is not written again.
    do {
      let (_, timeline) = try scratch.open()
      #expect(timeline.indexToSave(isQuiet: true) == nil)
      try timeline.record(body("since", date: "1999"))
    }
    let (after, isTakenOver) = try answer(scratch)
    #expect(isTakenOver && after.contains("\"since\"") && after != expected)
    try FileManager.default.removeItem(atPath: index)
    #expect(try answer(scratch) == (after, false))
  }

  @Test(
    "Where lines have come since, what they did not change is gone on with in the memory of the file"
  )
  func adoptInPart() throws {
    let (directory, timeline) = try Scratch().open()
    let first = try timeline.record(body("first", date: "1998"))
    let ids = try (0..<2500).map { number in
      try timeline.record(body("event \(number)", date: "1999-0\(1 + number % 9)")).id
    }
    let save = try #require(timeline.indexToSave(isQuiet: true))
    try save.write()
    let saved = try #require(try save.readBack())
    try timeline.record(body("since", date: "1997"))
    try timeline.record(
      #"{"type":"log.correct","corrects":"\#(first.id)","supersedes":["\#(first.id)"],"#
        + #""reason":"r","body":\#(body("corrected"))}"#)
    let before = picture(timeline)
    timeline.adopt(saved)
    func isInFile(_ chunk: Int) -> Bool {
      let (here, there) = (timeline.view.index.rows, saved.index.rows)
      return here.chunks[chunk].isSame(as: there.chunks[chunk])
    }
    // The row of the one that was corrected is in the first, what came since in the last.
    #expect([0, 1, 2].map(isInFile) == [false, true, false])
    #expect(picture(timeline) == before)
    // What is changed in the file's memory later is changed in a copy.
    let id = ids[1100]
    try timeline.record(
      #"{"type":"log.retract","retracts":"\#(id)","supersedes":["\#(id)"],"reason":"r"}"#)
    #expect(!isInFile(1))
    let after = picture(timeline)
    #expect(!after.contains("event 1100\"") && after.contains("\"since\""))
    withExtendedLifetime(directory) {}
  }

  @Test("What was saved is gone on with in the memory of its file, unless lines have come since")
  func adopt() throws {
    let (directory, timeline) = try Scratch().open()
    let (_, other) = try Scratch().open()
    try fill(timeline, other)
    let before = picture(timeline)
    let save = try #require(timeline.indexToSave(isQuiet: true))
    try save.write()
    let saved = try #require(try save.readBack())
    timeline.adopt(saved)
    #expect(picture(timeline) == before)
    try timeline.record(body("after", date: "1998"))
    for number in 0..<50 { try other.record(body("theirs \(number)", date: "2000-01")) }
    try timeline.take(other.lines(of: other.replica), of: other.replica)
    let after = picture(timeline)
    #expect(after.contains("\"after\"") && after != before)
    // What came since is not lost by an index that does not know it.
    timeline.adopt(saved)
    #expect(picture(timeline) == after)
    withExtendedLifetime(directory) {}
  }

  @Test("Damaged anywhere, cut or empty, it is passed over")
  func damaged() throws {
    let (scratch, expected, path) = try filled()
    let url = URL(fileURLWithPath: path)
    let bytes = try Data(contentsOf: url)
    for offset in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 60)) {
      var flipped = bytes
      flipped[offset] ^= 0x10
      try flipped.write(to: url)
      #expect(try answer(scratch) == (expected, false), "byte \(offset)")
    }
    for count in [0, 10, 35, 2000, bytes.count - 1] {
      try bytes.prefix(count).write(to: url)
      #expect(try answer(scratch) == (expected, false), "\(count) bytes")
    }
    try bytes.write(to: url)
    #expect(try answer(scratch) == (expected, true))
  }

  @Test("The file of an older timelined is removed, at the latest before an erasure is done")
  func older() throws {
    let (scratch, expected, index) = try filled()
    let older = scratch.path + "/timelines/main/index/checkpoint"
    func leave() throws {
      for name in [older, older + ".new"] {
        try Data("words".utf8).write(to: .init(filePath: name))
      }
    }
    func isThere() -> Bool {
      [older, older + ".new"].contains(where: FileManager.default.fileExists)
    }
    try leave()
    #expect(try answer(scratch) == (expected, true))
    #expect(!isThere())
    // One that cannot be removed keeps nobody from opening the timeline.
    try FileManager.default.createDirectory(atPath: older, withIntermediateDirectories: false)
    let (directory, timeline) = try scratch.open()
    defer { withExtendedLifetime(directory) {} }
    #expect(picture(timeline) == expected && isThere())
    try FileManager.default.removeItem(atPath: older)
    try leave()
    let recording = Timeline.Recording(
      author: "ann", now: RecordedTime(microseconds: 4_000_000), random: { 7 },
      newID: { EventID(.random()) })
    let event = try timeline.record(body("to go"))
    _ = try timeline.stageErasure(of: event.id, reason: "r", recording)
    try timeline.commit()
    #expect(timeline.unfinishedErasure == nil && !isThere())
    #expect(try Data(contentsOf: .init(filePath: index)).isEmpty)
  }

  @Test("Made from another log, or from more of this one, it is passed over")
  func stale() throws {
    let (scratch, _, path) = try filled()
    let (other, expected, otherPath) = try filled()
    try FileManager.default.removeItem(atPath: otherPath)
    try FileManager.default.copyItem(atPath: path, toPath: otherPath)
    #expect(try answer(other) == (expected, false))
    // An older copy of the log was put back.
    let segment = URL(fileURLWithPath: try scratch.segment())
    let bytes = try Data(contentsOf: segment)
    let shorter = bytes.prefix(bytes.dropLast().lastIndex(of: 0x0A)! + 1)
    try shorter.write(to: segment)
    #expect(try !answer(scratch).isTakenOver)
  }

  @Test("A flipped bit in a line that it knows is found behind the start, and the line named")
  func bitRot() throws {
    let (scratch, _, _) = try filled()
    let url = URL(fileURLWithPath: try scratch.segment())
    var bytes = try Data(contentsOf: url)
    bytes[bytes.count / 2] ^= 0x01
    try bytes.write(to: url)
    let (directory, timeline) = try scratch.open()
    defer { withExtendedLifetime(directory) {} }
    let unverified = try #require(timeline.unverified)
    #expect(!unverified.isWhole())
    // Even before, it is not served as truth.
    let before = timeline.titles.count { $0 == "?" }
    #expect(before == 1)
    try timeline.readAgain()
    #expect(timeline.damage.count == 1)
    #expect(!timeline.titles.contains("?"))
    try timeline.record(body("goes on"))
    #expect(timeline.titles.contains("goes on"))
    // A log with damage has no index written; the old one that stands there is not taken for it.
    for number in 0..<1000 { try timeline.record(body("later \(number)")) }
    let save = try #require(timeline.indexToSave(isQuiet: true))
    try save.write()
    let isReadBack = try save.readBack() != nil
    #expect(!isReadBack)
  }
}

import Dispatch
import Foundation
import Testing
import TimelineModel

@testable import EventStore

private func id(_ number: Int) -> String {
  "01234567-89ab-4cde-8f01-\(String(100_000_000_000 + number))"
}

private func named(_ number: Int, _ title: String? = nil) -> String {
  body(title ?? "event \(number)", more: #","id":"\#(id(number))""#)
}

extension Timeline {
  /// Stages one event.
  @discardableResult
  fileprivate func put(_ json: String, at position: Position? = nil) throws -> Staged {
    let recording = Recording(
      author: "ann", now: RecordedTime(microseconds: 1_000_000), random: { 7 },
      newID: { EventID(.random()) }, position: position)
    defer { checkInvariants() }
    return try Array(json.utf8).withUnsafeBufferPointer { text in
      Result { () throws(AppendError) in try stage(text, recording) }
    }.get()
  }

  fileprivate func stageErasure(_ id: EventID) throws -> Staged {
    let recording = Recording(
      author: "ann", now: RecordedTime(microseconds: 1_000_000), random: { 7 },
      newID: { EventID(.random()) })
    defer { checkInvariants() }
    return try stageErasure(of: id, reason: "r", recording)
  }

  fileprivate func receive(_ lines: ArraySlice<[UInt8]>, of log: ForeignLog, from first: UInt64)
    throws
  {
    defer { checkInvariants() }
    _ = try Array(lines.joined()).withUnsafeBufferPointer { bytes in
      try ingest(
        bytes, of: log.replica, from: first, by: .owner,
        now: RecordedTime(microseconds: 2_000_000))
    }
  }

  fileprivate func finish(_ done: Commit.Done) throws {
    defer { checkInvariants() }
    try finishCommit(done)
  }
}

@Suite("A commit that is under way")
struct CommitTests {
  @Test("What is under way shows nowhere; what is staged meanwhile is numbered behind it")
  func numbers() throws {
    let scratch = Scratch()
    do {
      let (_, timeline) = try scratch.open()
      #expect(timeline.beginCommit() == nil)
      let first = try timeline.put(named(1))
      let commit = try #require(timeline.beginCommit())
      #expect(timeline.isCommitting && !timeline.hasStaged && timeline.isOpenForStaging)
      #expect(commit.bytes > 0)
      let second = try timeline.put(named(2))
      #expect((first.seq, second.seq) == (1, 2))
      #expect(timeline.titles == [] && timeline.position == Position())
      let done = commit.perform()
      #expect(timeline.titles == [] && !timeline.isDurable(first))
      try timeline.finish(done)
      #expect(timeline.titles == ["event 1"] && !timeline.isCommitting && timeline.hasStaged)
      #expect(timeline.isDurable(first) && !timeline.isDurable(second))
      try timeline.commit()
      #expect(timeline.isDurable(second) && timeline.position[timeline.replica] == 2)
    }
    let (_, timeline) = try scratch.open()
    #expect(timeline.titles == ["event 1", "event 2"] && timeline.damage.isEmpty)
  }

  @Test("What is staged finds what is under way: ids, corrections, actors, names, the position")
  func lookups() throws {
    let (_, timeline) = try Scratch().open()
    try timeline.put(#"{"type":"log.actor","code":"X-ONE","name":"One"}"#)
    let first = try timeline.put(named(1))
    let commit = try #require(timeline.beginCommit())
    let again = try timeline.put(named(1))
    #expect(again.isDuplicate && again.seq == first.seq && !timeline.isDurable(again))
    #expect(throws: AppendError.exists(first.id)) { try timeline.put(named(1, "other")) }
    try timeline.put(
      #"{"type":"log.correct","corrects":"\#(id(1))","supersedes":["\#(id(1))"],"reason":"r","#
        + #""body":\#(body("right"))}"#)
    try timeline.put(
      #"{"type":"test","date":"2017","actors":["X-ONE"],"title":"his","unsourced":true}"#)
    #expect(throws: AppendError.self) {
      try timeline.put(#"{"type":"log.actor","code":"X-ONE","name":"Another"}"#)
    }
    let here = Position([timeline.replica: 4])
    #expect(throws: AppendError.wrongPosition(here)) {
      try timeline.put(named(9), at: Position())
    }
    #expect(try timeline.put(named(3), at: here).seq == 5)
    try timeline.finish(commit.perform())
    #expect(timeline.isDurable(again))
    try timeline.commit()
    #expect(timeline.titles.sorted() == ["event 3", "his", "right"])
  }

  @Test("A check leaves what is under way, and what was staged, as it is")
  func check() throws {
    let (_, timeline) = try Scratch().open()
    try timeline.put(named(1))
    let commit = try #require(timeline.beginCommit())
    try timeline.put(named(2))
    let recording = Timeline.Recording(
      author: "a", now: RecordedTime(microseconds: 5), random: { 1 },
      newID: { EventID(.random()) })
    let verdicts = Array(named(1).utf8).withUnsafeBufferPointer { one in
      Array(named(3).utf8).withUnsafeBufferPointer { timeline.check([one, $0], recording) }
    }
    #expect(verdicts.map { try? $0.get().isDuplicate } == [true, false])
    timeline.checkInvariants()
    try timeline.finish(commit.perform())
    try timeline.commit()
    #expect(timeline.titles == ["event 1", "event 2"])
  }

  @Test("A circle is found across the border of two batches, corrections included")
  func links() throws {
    func event(_ number: Int, _ target: Int?) -> String {
      #"{"id":"\#(id(number))","type":"message","date":"2001","actors":["PRK"],"title":"t","#
        + #""unsourced":true"#
        + (target.map { #","links":[{"rel":"follows","id":"\#(id($0))"}]"# } ?? "") + "}"
    }
    let (_, timeline) = try Scratch().open()
    try timeline.put(event(1, 3))
    var commit = try #require(timeline.beginCommit())
    try timeline.put(event(2, 1))
    #expect(throws: AppendError.self) { try timeline.put(event(3, 2)) }
    try timeline.finish(commit.perform())
    #expect(throws: AppendError.self) { try timeline.put(event(3, 2)) }
    try timeline.commit()
    // Once the first leads nowhere, the third may follow.
    try timeline.put(
      #"{"type":"log.correct","corrects":"\#(id(1))","supersedes":["\#(id(1))"],"reason":"r","#
        + #""body":{"type":"message","date":"2001","actors":["PRK"],"title":"t","unsourced":true}}"#
    )
    commit = try #require(timeline.beginCommit())
    try timeline.put(event(3, 2))
    try timeline.finish(commit.perform())
    try timeline.commit()
    #expect(timeline.titles.count == 3)
  }

  @Test("One replica's lines from two peers, of which one sends what is under way from the other")
  func twoPeers() throws {
    let (_, timeline) = try Scratch().open()
    var log = ForeignLog(1)
    for number in 1...6 { log.add(body("theirs \(number)")) }
    try timeline.receive(log.lines[..<3], of: log, from: 1)
    let commit = try #require(timeline.beginCommit())
    try timeline.receive(log.lines[1..<3], of: log, from: 2)
    #expect(!timeline.hasStaged)
    try timeline.receive(log.lines[1..<5], of: log, from: 2)
    try timeline.receive(log.lines[3...], of: log, from: 4)
    var other = ForeignLog(1)
    other.add(body("another"))
    #expect(throws: IngestError.fork(seq: 1)) {
      try timeline.receive(other.lines[...], of: other, from: 1)
    }
    #expect(timeline.position[log.replica] == 0)
    try timeline.finish(commit.perform())
    #expect(timeline.position[log.replica] == 3)
    try timeline.commit()
    #expect(timeline.position[log.replica] == 6 && timeline.titles.count == 6)
  }

  @Test("What is staged behind a batch that fails is dropped with it, and never taken for durable")
  func failure() throws {
    let run = CrashRun()
    try run.open()
    try run.append("kept")
    let timeline = run.timeline!
    let first = try timeline.put(named(1))
    let commit = try #require(timeline.beginCommit())
    let (again, second) = (try timeline.put(named(1)), try timeline.put(named(2)))
    run.fileSystem.fault = CrashingFileSystem.Fault(number: 1, cause: .noRoom, goesOn: false)
    let done = commit.perform()
    #expect(throws: AppendError.self) { try timeline.finish(done) }
    run.fileSystem.fault = nil
    #expect(!timeline.hasStaged && timeline.readOnly == nil)
    for refused in [first, again, second] { #expect(!timeline.isDurable(refused)) }
    // Their numbers are given out again.
    let third = try timeline.put(named(3))
    try timeline.put(named(4))
    try timeline.commit()
    #expect(third.seq == first.seq && timeline.isDurable(third))
    for refused in [first, again, second] { #expect(!timeline.isDurable(refused)) }
    #expect(timeline.titles.sorted() == ["event 3", "event 4", "kept"])
  }

  @Test("While a commit is under way that erases, nothing is staged; behind it all goes on")
  func erasing() throws {
    let scratch = Scratch()
    let (_, timeline) = try scratch.open()
    let event = try timeline.put(named(1, "Zanzibar"))
    try timeline.commit()
    #expect(try timeline.stageErasure(event.id).seq == 2)
    let commit = try #require(timeline.beginCommit())
    #expect(!timeline.isOpenForStaging)
    try timeline.finish(commit.perform())
    #expect(timeline.isOpenForStaging)
    #expect(try scratch.files(with: "Zanzibar") == [])
    try timeline.put(named(2))
    try timeline.commit()
    #expect(timeline.titles == ["event 2"])
  }

  @Test("An index saved before is gone on with while a commit is under way, and loses nothing")
  func adopting() throws {
    let (_, timeline) = try Scratch().open()
    for number in 1...1500 { try timeline.put(named(number)) }
    try timeline.commit()
    let save = try #require(timeline.indexToSave(isQuiet: true))
    try save.write()
    let saved = try #require(try save.readBack())
    try timeline.put(named(2000))
    let commit = try #require(timeline.beginCommit())
    try timeline.put(named(2001))
    timeline.adopt(saved)
    timeline.checkInvariants()
    try timeline.finish(commit.perform())
    try timeline.commit()
    #expect(timeline.titles.count == 1502)
    #expect(try timeline.put(named(700)).isDuplicate)
  }

  @Test(
    "On two threads: batches are written while the next ones are staged and what is here is read")
  func threads() throws {
    let scratch = Scratch()
    let count = 400
    do {
      let (_, timeline) = try scratch.open()
      let writer = DispatchQueue(label: "writer")
      for number in 1...count {
        try timeline.put(named(number))
        guard let commit = timeline.beginCommit() else { continue }
        nonisolated(unsafe) var done: Commit.Done?
        let group = DispatchGroup()
        writer.async(group: group) { done = commit.perform() }
        if number % 3 == 0 { try timeline.put(named(1000 + number)) }
        #expect(timeline.view.count(Query()) >= number - 1)
        group.wait()
        try timeline.finish(done!)
      }
      try timeline.commit()
    }
    let (_, timeline) = try scratch.open()
    #expect(timeline.titles.count == count + count / 3 && timeline.damage.isEmpty)
  }
}

@Suite("The store is one value")
struct OpenStoreTests {
  @Test(
    "A directory that appears next to the logs while they are open is read with the next erasure")
  func directoryAppears() throws {
    let (source, target) = (Scratch(), Scratch())
    let other: ReplicaID
    do {
      let (_, timeline) = try source.open()
      try timeline.record(body("theirs"))
      other = timeline.replica
    }
    let (_, timeline) = try target.open()
    let event = try timeline.record(body("Zanzibar"))
    let logs = "/timelines/main/logs/\(other)"
    try FileManager.default.copyItem(atPath: source.path + logs, toPath: target.path + logs)
    _ = try timeline.stageErasure(event.id)
    try timeline.commit()
    try timeline.record(body("after"))
    #expect(timeline.titles.sorted() == ["after", "theirs"])
  }

  @Test("Where files stand that were not read, no line is taken for their log")
  func unread() throws {
    let scratch = Scratch()
    let (_, timeline) = try scratch.open()
    var log = ForeignLog(1)
    log.add(body("theirs"))
    let file = scratch.segment(of: log.replica)
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(log.bytes).write(to: URL(fileURLWithPath: file))
    #expect(throws: IngestError.unread(log.replica)) {
      try timeline.receive(log.lines[...], of: log, from: 1)
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == Data(log.bytes))
  }

  @Test("What is staged is not lost by reading again: that stops the process, and says why")
  func replacedTooEarly() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let (_, timeline) = try Scratch().open()
      try timeline.put(named(1))
      try timeline.readAgain()
    }
    let words = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(words.contains("staged lines 1"), "\(words)")
  }

  @Test("A log is added with its first checked line, and never one too many")
  func logsMax() throws {
    let run = CrashRun()
    try run.open()
    run.close()
    func open() throws -> Timeline {
      try Timeline(
        HostedTimeline(
          id: TimelineID(UUIDBytes(high: 1, low: 1)), name: "main", directory: "main",
          log: (CrashRun.replica, nil)),
        keys: nil, directory: CrashRun.path + "/timelines/main", fileSystem: run.fileSystem,
        logsMax: 2)
    }
    let timeline = try open()
    var (one, two) = (ForeignLog(1), ForeignLog(2))
    one.add(body("one"))
    two.add(body("two"))
    var broken = one.lines
    broken[0][60] ^= 1
    #expect(throws: IngestError.self) {
      try timeline.receive(broken[...], of: one, from: 1)
    }
    try timeline.receive([], of: one, from: 1)
    #expect(timeline.store.logs.count == 1)
    try timeline.receive(one.lines[...], of: one, from: 1)
    #expect(timeline.store.logs.count == 2)
    #expect(throws: IngestError.tooManyLogs(two.replica, max: 2)) {
      try timeline.receive(two.lines[...], of: two, from: 1)
    }
    try timeline.commit()
    // A start with more directories names those that it leaves out.
    let logs = CrashRun.path + "/timelines/main/logs"
    try run.fileSystem.createDirectory("\(logs)/\(two.replica)")
    let again = try open()
    #expect(again.damage.map(\.kind) == [.leftOut(max: 2)])
    #expect(again.damage[0].replica == two.replica && again.titles == ["one"])
  }
}

@Suite("The end of a segment")
struct RecoveryTableTests {
  @Test("Every combination of facts fits exactly one row, and every case has one")
  func table() {
    var seen: Set<SegmentEnd> = []
    for file in SegmentEnd.Facts.File.allCases {
      for tail in SegmentEnd.Facts.Tail.allCases {
        for number in 0..<8 {
          let facts = SegmentEnd.Facts(
            file: file, hasWrongLines: number & 1 != 0, tail: tail, isUnderHead: number & 2 != 0,
            hasRoom: number & 4 != 0)
          let rows = SegmentEnd.rows.filter { $0.fits(facts) }
          #expect(rows.count == 1, "\(facts): \(rows.map(\.end))")
          seen.insert(SegmentEnd(facts))
        }
      }
    }
    #expect(seen == Set(SegmentEnd.allCases))
  }
}

import Testing
import TimelineModel

@testable import EventStore

/// An event with an id of its own.
private func message(
  _ number: Int, _ date: String = "2001-01-01", links: [(String, Int, String?)] = [],
  keys: [String] = [], title: String? = nil
) -> String {
  let links = links.map { relation, target, key in
    #"{"rel":"\#(relation)","id":"\#(id(target))""# + (key.map { #","key":"\#($0)""# } ?? "") + "}"
  }
  let promises = keys.map { #"{"key":"\#($0)","by":["PRK"],"what":"w"}"# }
  return #"{"id":"\#(id(number))","type":"\#(keys.isEmpty ? "message" : "agreement")","#
    + #""date":"\#(date)","actors":["PRK"],"title":"\#(title ?? "number \(number)")","unsourced":true"#
    + (links.isEmpty ? "" : #","links":[\#(links.joined(separator: ","))]"#)
    + (keys.isEmpty ? "" : #","commitments":[\#(promises.joined(separator: ","))]"#) + "}"
}

private func id(_ number: Int) -> EventID {
  EventID(
    UUIDBytes(high: 0xAB << 56 | UInt64(number) << 32 | 0x4000, low: 1 << 63 | UInt64(number)))
}

private func correction(_ number: Int, _ body: String) -> String {
  #"{"type":"log.correct","corrects":"\#(id(number))","supersedes":["\#(id(number))"],"reason":"r","#
    + #""body":\#(body.replacing(#""id":"\#(id(number))","#, with: "", maxReplacements: 1))}"#
}

extension Timeline {
  /// Why an event is refused; nil where it is recorded.
  fileprivate func refusal(_ json: String) throws -> String? {
    do { try record(json) } catch {
      guard case .badEvent(let error) = error as? AppendError else { throw error }
      return error.text
    }
    return nil
  }

  fileprivate func texts<Result>(
    _ lines: [String], _ body: ([UnsafeBufferPointer<UInt8>], Recording) -> Result
  ) -> Result {
    let recording = Recording(
      author: "ann", now: RecordedTime(microseconds: 9_000_000), random: { 1 },
      newID: { EventID(.random()) })
    let bytes = Array(lines.joined(separator: "\n").utf8)
    return bytes.withUnsafeBufferPointer { all in
      body(all.split(separator: 0x0A).map { UnsafeBufferPointer(rebasing: $0) }, recording)
    }
  }
}

@Suite("Links of what is recorded here")
struct LinkRecordingTests {
  @Test("A link says which event it means and why it cannot stand")
  func faults() throws {
    let (_, timeline) = try Scratch().open()
    try timeline.record(message(1, "2001-01-01", keys: ["freeze", "oil"], title: "The deal"))
    let shown = "\(id(1).short) \"The deal\" (2001-01-01)"
    for (event, field, words) in [
      (message(2, links: [("answers", 2, nil)]), "links[0].id", ["this event itself"]),
      (
        message(2, "2000-12", links: [("answers", 1, nil)]), "links[0].id",
        [shown, "counts from 2000-12-01"]
      ),
      (
        message(2, links: [("part-of", 1, nil), ("fulfils", 1, "freez")]), "links[1].key",
        [shown, "did you mean freeze"]
      ),
    ] {
      let text = try #require(try timeline.refusal(event))
      #expect(text.hasPrefix(field + ": "), "\(text)")
      for word in words { #expect(text.contains(word), "\(text)") }
    }
    #expect(timeline.titles == ["The deal"])
    // A part may come before the whole; what is not here may come.
    #expect(
      try timeline.refusal(
        message(2, "2000-12-01", links: [("part-of", 1, nil), ("answers", 99, nil)])) == nil)
    // A key of what has no promises.
    let none = try #require(try timeline.refusal(message(3, links: [("fulfils", 2, "x")])))
    #expect(none.contains("has no commitments"))
  }

  @Test(
    "A circle is refused where it closes: by an event that was named before, or by a correction")
  func circles() throws {
    let (_, timeline) = try Scratch().open()
    try timeline.record(message(1, links: [("follows", 9, nil)]))
    try timeline.record(message(2, links: [("follows", 1, nil)]))
    let closing = try #require(try timeline.refusal(message(9, links: [("follows", 2, nil)])))
    #expect(closing.contains("lead back to this event (by \(id(1).short))"), "\(closing)")
    #expect(try timeline.refusal(message(9)) == nil)
    let corrected = try #require(
      try timeline.refusal(correction(9, message(9, links: [("follows", 2, nil)]))))
    #expect(corrected.contains("lead back"), "\(corrected)")
    #expect(try timeline.refusal(correction(1, message(1, title: "without"))) == nil)
    // Now it leads nowhere.
    #expect(try timeline.refusal(correction(9, message(9, links: [("follows", 2, nil)]))) == nil)
  }

  @Test("Events of one request know each other; a check leaves nothing behind")
  func staged() throws {
    let (_, timeline) = try Scratch().open()
    let ring = [
      message(1, links: [("follows", 3, nil)]), message(2, links: [("follows", 1, nil)]),
      message(3, links: [("follows", 2, nil)]),
    ]
    for _ in 0..<2 {
      let verdicts = timeline.texts(ring) { timeline.check($0, $1) }
      #expect(verdicts.map { (try? $0.get()) != nil } == [true, true, false])
    }
    let all = timeline.texts(ring) { timeline.stageAll($0, $1) }
    guard case .failure(let failure) = all else { return #expect(Bool(false)) }
    #expect(failure.index == 2)
    let wrong = [message(1, "2001-02-01"), message(2, "2001-01-31", links: [("follows", 1, nil)])]
    #expect(timeline.texts(wrong) { (try? timeline.check($0, $1)[1].get()) == nil })
    // Nothing that was only tried is taken for known.
    let tried = [message(9, links: [("follows", 50, nil)])]
    #expect(timeline.texts(tried) { (try? timeline.check($0, $1)[0].get()) != nil })
    try timeline.record(message(8, links: [("follows", 9, nil)]))
    #expect(try timeline.refusal(message(9, links: [("follows", 8, nil)])) != nil)
    // What is corrected in the same request counts as corrected.
    try timeline.record(message(5, links: [("follows", 6, nil)]))
    let freed = [correction(5, message(5)), message(6, links: [("follows", 5, nil)])]
    guard case .success = timeline.texts(freed, { timeline.stageAll($0, $1) }) else {
      return #expect(Bool(false))
    }
    try timeline.commit()
    #expect(timeline.titles.count == 3)
  }

  @Test("What was walked is not believed once links changed in another way")
  func changed() throws {
    let (_, timeline) = try Scratch().open()
    func stage(_ lines: [String]) -> Bool {
      if case .success = timeline.texts(lines, { timeline.stageAll($0, $1) }) {
        true
      } else {
        false
      }
    }
    func check(_ lines: [String]) -> [Bool] {
      timeline.texts(lines) { timeline.check($0, $1) }.map { (try? $0.get()) != nil }
    }
    // A line of a peer is staged, and an event that links to what it will correct in the same turn.
    try timeline.record(message(1))
    var log = ForeignLog(1)
    log.add(correction(1, message(1, links: [("follows", 9, nil)])))
    _ = try log.bytes.withUnsafeBufferPointer { bytes in
      try timeline.ingest(
        bytes, of: log.replica, from: 1, by: .owner, now: RecordedTime(microseconds: 9_000_000))
    }
    #expect(stage([message(2, links: [("follows", 1, nil)])]))
    try timeline.commit()
    #expect(
      try timeline.refusal(message(9, links: [("follows", 2, nil)]))?.contains("back") ?? false)
    // A correction that is staged stays so, whatever is only tried behind it.
    try timeline.record(message(5, links: [("follows", 6, nil)]))
    #expect(stage([correction(5, message(5, title: "free"))]))
    #expect(check([correction(5, message(5, title: "another"))]) == [true])
    #expect(stage([message(6, links: [("follows", 5, nil)])]))
    try timeline.commit()
    // Further fields of an event's body make it no correction.
    let odd = message(7, "2001-03-01").dropLast() + #","corrects":1}"#
    #expect(
      check([String(odd), message(8, "2001-02-01", links: [("follows", 7, nil)])]) == [true, false])
  }

  @Test("What another machine sends is kept; a word is corrected without correcting its links")
  func synced() throws {
    let (_, timeline) = try Scratch().open()
    try timeline.record(message(1, "2001-02-01"))
    var log = ForeignLog(1)
    let late = message(2, "2001-01-01", links: [("follows", 1, nil)])
    log.add(late.replacing(#""id":"\#(id(2))","#, with: ""), id: id(2))
    let own = message(3, links: [("follows", 3, nil)])
    log.add(own.replacing(#""id":"\#(id(3))","#, with: ""), id: id(3))
    log.add(
      #"{"type":"agreement","date":"2007-01-01","actors":["PRK"],"title":"due","unsourced":true,"#
        + #""commitments":[{"key":"k","by":["PRK"],"what":"w","due":"2006"}]}"#)
    try timeline.take(log.bytes, of: log.replica)
    #expect(timeline.titles.sorted() == ["due", "number 1", "number 2", "number 3"])
    #expect(timeline.view.unreadable == 0)
    let corrected = message(2, "2001-01-01", links: [("follows", 1, nil)], title: "corrected")
    #expect(try timeline.refusal(correction(2, corrected)) == nil)
    let moved = message(2, "2001-01-02", links: [("follows", 1, nil)], title: "moved")
    #expect(try timeline.refusal(correction(2, moved))?.contains("begins after") ?? false)
    // The same event from elsewhere is a duplicate, whatever its links are.
    #expect(try timeline.record(late).isDuplicate)
  }

  @Test(
    "Ten thousand events in a circle from elsewhere, and one with a thousand links, stop nothing")
  func hostile() throws {
    let (_, timeline) = try Scratch().open()
    var log = ForeignLog(1)
    for number in 1...10_000 {
      let body = message(number, links: [("follows", number % 10_000 + 1, nil)])
      log.add(body.replacing(#""id":"\#(id(number))","#, with: ""), id: id(number))
    }
    let many = message(20_001, links: (1...800).map { ("follows", $0, nil) })
    log.add(many.replacing(#""id":"\#(id(20_001))","#, with: ""), id: id(20_001))
    try timeline.take(log.bytes, of: log.replica)
    #expect(try timeline.refusal(message(20_000, links: [("follows", 1, nil)])) == nil)
    #expect(timeline.titles.count == 10_002)
    let corrected = correction(20_000, message(20_000, links: [("follows", 20_001, nil)]))
    #expect(try timeline.refusal(corrected) == nil)
    let back = correction(20_001, message(20_001, links: [("follows", 20_000, nil)]))
    #expect(try timeline.refusal(back)?.contains("at once") ?? false)
  }
}

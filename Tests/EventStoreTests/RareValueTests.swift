// Questions for values that few events have, which are looked for in marked blocks of rows, against
// looking at every event. A failure prints its seed: `QUERY_SEED=N` repeats it.

import Foundation
import Support
import Testing
import TimelineModel

@testable import EventStore

/// What an answer says of one event, read from its text.
private struct Answered: Equatable {
  var id: String
  var day: String
  var type: String
  var subtype: String
  var author: String
  var tags: [String]
  var actors: [String]

  init(_ event: ShownEvent, _ view: ReadView) throws {
    var bytes: [UInt8] = []
    #expect(view.append(event, to: &bytes))
    let json = try bytes.withUnsafeBufferPointer { try JSONValue(parsing: $0) }
    func strings(_ key: String) -> [String] { (json[key]?.array ?? []).compactMap(\.string) }
    id = json["id"]?.string ?? ""
    day = json["date"]?.string ?? ""
    type = json["type"]?.string ?? ""
    subtype = json["subtype"]?.string ?? ""
    author = json["author"]?.string ?? ""
    (tags, actors) = (strings("tags"), strings("actors"))
  }

  func fits(_ words: [String: String]) -> Bool {
    words.allSatisfy { key, value in
      switch key {
      case "type": type == value
      case "subtype": subtype == value
      case "author": author == value
      case "tag": tags.contains(value)
      case "actor": actors.contains(value)
      default: day >= value
      }
    }
  }
}

@Suite("Rare values")
struct RareValueTests {
  private static let words: [[String: String]] = [
    ["tag": "seldom"], ["tag": "never"], ["tag": "often"], ["author": "auditor"],
    ["author": #"a "quoted" one"#], ["author": "ann"], ["author": "nobody"], ["type": "aid"],
    ["type": "aid", "author": "auditor"], ["subtype": "odd"], ["subtype": "odd", "actor": "USA"],
    ["type": "test", "tag": "often"], ["tag": "seldom", "from": "2015-01-01"],
    ["tag": "corrected"], ["author": "ann", "tag": "corrected"], ["author": "second"],
  ]

  /// A body with some of everything, common and rare.
  private static func body(
    _ chance: inout SplitMix, tag: String? = nil, isSigned: Bool = true
  ) -> String {
    func one(in count: Int) -> Bool { Int(chance.next() % UInt64(count)) == 0 }
    let type = one(in: 700) ? "aid" : "test"
    let subtype = one(in: 900) ? "odd" : "icbm"
    let tags =
      (one(in: 3) ? ["often"] : []) + (one(in: 1000) ? ["seldom"] : []) + (tag.map { [$0] } ?? [])
    let author =
      !isSigned
      ? ""
      : one(in: 800)
        ? #","author":"auditor""# : one(in: 800) ? #","author":"a \"quoted\" one""# : ""
    let actor = one(in: 4) ? "USA" : "PRK"
    let date = "20\(10 + chance.next() % 10)-0\(1 + chance.next() % 9)-1\(chance.next() % 9)"
    return #"{"type":"\#(type)","subtype":"\#(subtype)","date":"\#(date)","actors":["\#(actor)"],"#
      + #""title":"t","unsourced":true,"tags":\#(JSONValue.strings(tags).text)\#(author)}"#
  }

  private static func fill(_ timeline: Timeline, _ chance: inout SplitMix) throws {
    var ids: [EventID] = []
    for _ in 0..<4 {
      let bodies = (0..<1000).map { _ in body(&chance) }
      let texts = bodies.map { Array($0.utf8) }.map { text -> UnsafeBufferPointer<UInt8> in
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
        _ = copy.initialize(from: text)
        return UnsafeBufferPointer(copy)
      }
      defer { for text in texts { text.deallocate() } }
      var random = chance
      let recording = Timeline.Recording(
        author: "ann", now: RecordedTime(microseconds: 1_000_000), random: { random.next() },
        newID: { EventID(.random()) })
      ids += try timeline.stageAll(texts, recording).get().map(\.id)
      try timeline.commit()
    }
    for number in 0..<30 {
      let id = ids[Int(chance.next() % UInt64(ids.count))]
      guard timeline.view.standing(of: id)?.ids == [id] else { continue }
      let what =
        number % 3 == 0
        ? #""type":"log.retract","retracts":"\#(id)""#
        : #""type":"log.correct","corrects":"\#(id)","body":"#
          + Self.body(&chance, tag: "corrected", isSigned: false)
      let author = number % 2 == 0 ? #","author":"second""# : ""
      try timeline.record(#"{\#(what),"supersedes":["\#(id)"],"reason":"r"\#(author)}"#)
    }
  }

  @Test("Every answer is what looking at all events finds, before and after a restart")
  func sameAsLookingAtAll() throws {
    let seed =
      ProcessInfo.processInfo.environment["QUERY_SEED"].flatMap { UInt64($0) }
      ?? UInt64.random(in: 0..<1_000_000)
    var chance = SplitMix(seed: seed)
    let scratch = Scratch()
    do {
      let (directory, timeline) = try scratch.open()
      try Self.fill(timeline, &chance)
      try check(timeline.view, seed)
      try #require(timeline.indexToSave(isQuiet: true)).write()
      withExtendedLifetime(directory) {}
    }
    let (directory, timeline) = try scratch.open()
    #expect(timeline.unverified != nil)
    try check(timeline.view, seed)
    // What comes behind an index that was taken over is marked too.
    try timeline.record(Self.body(&chance, tag: "never"))
    try check(timeline.view, seed)
    withExtendedLifetime(directory) {}
  }

  private func check(_ view: ReadView, _ seed: UInt64) throws {
    func ask(_ query: Query) throws -> [Answered] {
      var answers: [Answered] = []
      var failure: (any Error)?
      view.visit(query) { event in
        do { answers.append(try Answered(event, view)) } catch { failure = error }
        return failure == nil
      }
      if let failure { throw failure }
      return answers
    }
    for knownAt in [nil, view.position] {
      for order in Query.Order.allCases {
        let all = try ask(Query(knownAt: knownAt, order: order))
        for words in Self.words {
          let filter = try Filter(
            json: .object(words.map { JSONValue.Member($0.key, .string($0.value)) }))
          let expected = all.filter { $0.fits(words) }
          for limit in [nil, 3] {
            let found = try ask(Query(filter, knownAt: knownAt, order: order, limit: limit))
            #expect(
              found == Array(expected.prefix(limit ?? .max)),
              "\(words) \(order) limit \(limit.map(String.init) ?? "none") QUERY_SEED=\(seed)")
          }
        }
      }
    }
  }

  @Test("Authors beyond the last number are found by their lines")
  func furtherAuthors() throws {
    let (directory, timeline) = try Scratch().open()
    let vocabulary = timeline.view.index.vocabulary
    for number in 0..<70_000 { _ = vocabulary.number(ofAuthor: "author \(number)") }
    for title in ["one", "two"] {
      try timeline.record(EventStoreTests.body(title, more: #","author":"late \#(title)""#))
    }
    try timeline.record(EventStoreTests.body("three", more: #","author":"author 5""#))
    #expect(timeline.titles(Query(try Filter(#"author="late two""#))) == ["two"])
    #expect(timeline.titles(Query(try Filter(#"author="author 5""#))) == ["three"])
    withExtendedLifetime(directory) {}
  }
}

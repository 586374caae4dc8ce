import Coding
import Testing
import TimelineModel

@Suite("Lint: each kind of gap, and what is none")
struct LintTests {
  @Test("Sources: none, without an address, with one")
  func sources() {
    let events = [
      linted("a", "test", "2001-01-01", #""unsourced":true"#),
      linted("b", "test", "2001-01-02", #""sources":[{"title":"t"}]"#),
      linted("c", "test", "2001-01-03", #""sources":[{"title":"t"},{"doi":"10.1/x"}]"#),
      linted("d", "test", "2001-01-04", #""unsourced":true,"tags":["x","lint:no-source"]"#),
    ]
    #expect(findings(events, .noSource, .noAddress).map(\.ids) == [[id("a")], [id("b")]])
    var lint = Lint(on: Day("2020-01-01")!)
    for event in events { lint.take(event) }
    _ = lint.finish { _ in .unknown }
    #expect(lint.accepted == 1)
    #expect(lint.counts == [.noSource: 1, .noAddress: 1])
  }

  static let offer = #""unsourced":true,"offer":{"then":["x"],"condition":"none"}"#

  @Test(
    "An offer is reported from the 90th day on, unless somebody answered, it was withdrawn, replaced or has lapsed",
    arguments: [
      (nil, "2001-04-01", true), (nil, "2001-03-31", false),
      (("statement", "declines", ["PRK"]), "2003-01-01", false),
      (("message", "answers", ["KOR"]), "2003-01-01", true),
      (("statement", "withdraws", ["USA"]), "2003-01-01", false),
      (("statement", "follows", ["USA"]), "2003-01-01", true),
      (("statement", "part-of", ["PRK"]), "2003-01-01", true),
    ] as [((String, String, [String])?, String, Bool)])
  func offers(by: (type: String, rel: String, actors: [String])?, day: String, isTold: Bool) {
    var events = [linted("offer", "message", "2001-01-01", Self.offer)]
    if let by {
      events.append(
        linted("later", by.type, "2002-01-01", actors: by.actors, links("\(by.rel):offer")))
    }
    let found = findings(events, on: day, .unanswered)
    #expect(found.map(\.ids) == (isTold ? [[id("offer")]] : []))
    #expect(found.first?.days ?? 90 >= 90)
  }

  @Test(
    "An answer of days to come is none yet; a lapsed offer and one that was replaced are settled")
  func settledOffers() {
    let answer = linted("a", "statement", "2002-01-01", actors: ["PRK"], links("accepts:offer"))
    let offer = linted("offer", "message", "2001-01-01", Self.offer)
    #expect(findings([offer, answer], on: "2001-12-31", .unanswered).count == 1)
    #expect(findings([offer, answer], on: "2002-01-01", .unanswered).isEmpty)
    // A key of what has no commitments is reported, and the answer counts all the same, as in the figures.
    let keyed = linted("k", "statement", "2002-01-01", actors: ["PRK"], links("accepts:offer#x"))
    #expect(findings([offer, keyed], .badLink).map(\.reason) == [.noSuchKey])
    #expect(findings([offer, keyed], .unanswered).isEmpty)
    let lapsed = linted(
      "offer", "message", "2001-01-01",
      #""unsourced":true,"offer":{"then":["x"],"condition":"none","expires":"2001-03"}"#)
    #expect(findings([lapsed], .unanswered).isEmpty)
    let next = linted(
      "next", "message", "2019-12-01",
      Self.offer + ",\"links\":[{\"rel\":\"follows\",\"id\":\"\(id("offer"))\"}]")
    #expect(findings([offer, next], .unanswered).isEmpty)
  }

  @Test("An answer that the offer links to on the same day is none, and a circle")
  func mutual() {
    let mutual = [
      linted(
        "offer", "message", "2001-01-01",
        Self.offer + ",\"links\":[{\"rel\":\"answers\",\"id\":\"\(id("a"))\"}]"),
      linted("a", "statement", "2001-01-01", actors: ["PRK"], links("accepts:offer")),
    ]
    #expect(findings(mutual, .unanswered).map { $0.ids[0] } == [id("offer")])
    #expect(findings(mutual, .badLink).map(\.reason) == [.circle])
  }

  static let deal = linted(
    "deal", "agreement", "2007-02-13", actors: ["USA", "PRK"], targets: [],
    #""unsourced":true,"commitments":["#
      + #"{"key":"shut","by":["PRK"],"what":"w","due":"2007-04-14"},{"key":"oil","by":["USA"],"what":"w"}]"#
  )

  @Test("Promises: overdue ones and those without a day, as long as nobody spoke of them")
  func promises() {
    func keys(_ events: [LintedEvent], _ day: String = "2007-04-15") -> [String] {
      findings([Self.deal] + events, on: day, .overdue, .noDue).map { "\($0.kind) \($0.key!)" }
    }
    #expect(keys([]) == ["overdue shut", "noDue oil"])
    #expect(keys([], "2007-04-14") == ["noDue oil"])
    func step(_ word: String) -> LintedEvent {
      linted("step", "step", "2007-03-01", actors: ["PRK"], links(word))
    }
    #expect(keys([step("fulfils:deal#shut")]) == ["noDue oil"])
    #expect(keys([step("verifies:deal#oil")]) == ["overdue shut"])
    #expect(keys([step("suspends:deal")]) == [])
    // It does not say which one.
    #expect(keys([step("fulfils:deal")]) == ["overdue shut", "noDue oil"])
  }

  @Test("Links that say nothing: each reason of E-1.6, and a step that names no promise")
  func badLinks() {
    let events = [
      linted("own", "message", "2001-01-01", links("answers:own")),
      linted("late", "message", "2001-02-01", links("answers:reply", "part-of:reply")),
      linted("reply", "message", "2001-03-01", links("answers:gone")),
      Self.deal,
      linted(
        "step", "step", "2008-01-01", links("fulfils:deal#nope", "fulfils:deal", "fulfils:own#x")),
    ]
    let found = findings(events, .badLink)
    #expect(found.map(\.reason) == [.itself, .later, .noSuchKey, .noKey, .noSuchKey])
    #expect(found.map { $0.ids[0] } == ["own", "late", "step", "step", "step"].map(id))
    let missing = findings(events, .missingTarget)
    #expect(missing.map(\.ids) == [[id("reply"), id("gone")]])
    #expect(missing[0].text.contains("not here"))
    let retracted = findings(events, .missingTarget) { _ in .retracted }
    #expect(retracted[0].text.contains("retracted"))
    let there = findings(events, .missingTarget, .badLink) { wanted in
      .event(LinkedEvent(id: wanted, first: Day("2001-04-01")!, date: "2001-04", title: "gone"))
    }
    #expect(there.map(\.reason).filter { $0 == .later }.count == 2)
  }

  @Test("What is not theirs to say: an answer to oneself or by one not asked, a step by a stranger")
  func notTheirs() {
    let events = [
      linted("offer", "message", "2001-01-01", links("follows:gone")),
      linted("self", "message", "2001-02-01", links("answers:offer")),
      linted("other", "message", "2001-03-01", actors: ["KOR"], links("declines:offer")),
      linted(
        "reply", "message", "2001-04-01", actors: ["PRK"], targets: ["USA"], links("accepts:offer")),
      Self.deal,
      linted("step", "step", "2008-01-01", actors: ["JPN"], links("fulfils:deal#shut")),
      linted("seen", "step", "2008-01-02", actors: ["IAE"], links("verifies:deal#shut")),
    ]
    let found = findings(events, .badLink)
    #expect(found.map(\.reason) == [.ownWords, .notTheirs, .notTheirs])
    #expect(
      found.map(\.ids)
        == [["self", "offer"], ["other", "offer"], ["step", "deal"]].map { $0.map(id) })
    #expect(found[2].key == "shut")
    // A step that is nobody's keeps no promise.
    let late = findings(Array(events.dropLast()), on: "2008-02-01", .overdue)
    #expect(late.map(\.key) == ["shut"])
  }

  @Test("A circle of links is reported once, with all that are in it; ten thousand do not stop it")
  func circles() {
    func ring(_ count: Int, tagged: Int? = nil) -> [LintedEvent] {
      (0..<count).map { index in
        let more = links("follows:r\((index + 1) % count)")
        return linted(
          "r\(index)", "message", "2001-01-01", title: "t\(index)x",
          index == tagged
            ? more.replacing("lint:no-source\"", with: "lint:no-source\",\"lint:bad-link\"")
            : more)
      }
    }
    let three = findings(ring(3), .badLink)
    #expect(three.map(\.reason) == [.circle])
    #expect(Set(three[0].ids) == Set(["r0", "r1", "r2"].map(id)))
    // Where one of them is tagged it is known.
    var tagged = Lint(on: Day("2020-01-01")!)
    for event in ring(3, tagged: 1) { tagged.take(event) }
    #expect(!tagged.finish { _ in .unknown }.contains { $0.kind == .badLink })
    #expect(tagged.accepted == 4)  // the circle, and what all three say of their sources
    let many = findings(ring(10_000), .badLink)
    #expect(many.map(\.count) == [10_000])
    #expect(many[0].ids.count == Finding.idsMax)
  }

  @Test("Intervals whose end never came, by what they are")
  func ends() {
    let events = [
      linted("drill", "exercise", "2019-09-01/.."), linted("old", "deployment", "2018-12-31/.."),
      linted("new", "deployment", "2019-06-01/.."), linted("unknown", "aid", "2019-12-01/"),
      linted("young", "talks", "2019-12-01/.."), linted("done", "talks", "2019-01-01/2019-01-03"),
    ]
    #expect(
      Set(findings(events, .noEnd).map { $0.ids[0] }) == Set(["drill", "old", "unknown"].map(id)))
  }

  @Test("What runs backwards, is to come, is contested, and what nobody knows")
  func oddities() {
    let events = [
      linted(
        "deal", "agreement", "2007-02-13",
        #""unsourced":true,"commitments":[{"key":"k","by":["PRK"],"what":"w","due":"2006"}]"#),
      linted(
        "offer", "message", "2007-02-14",
        #""unsourced":true,"offer":{"then":["x"],"condition":"none","expires":"2007-02-13"}"#),
      linted("who", "test", "2010-01-01", actors: ["QQX"], #""unsourced":true,"subtype":"icmb""#),
      linted("two", "test", "2010-01-02", contested: true),
      linted("soon", "talks", "2020-01-11"),
    ]
    #expect(findings(events, .backwards).map { $0.ids[0] } == [id("deal"), id("offer")])
    #expect(findings(events, .unknownActor).map { $0.text.prefix(3) } == ["QQX"])
    #expect(findings(events, .unknownSubtype).map(\.text) == ["test/icmb; meant may be icbm"])
    #expect(findings(events, .contested).map { $0.ids[0] } == [id("two")])
    #expect(findings(events, .future).map(\.days) == [10])
  }

  @Test(
    "Findings of wanted events alone; others still answer. Counts are whole where lists are not")
  func wanted() {
    let offer = linted("offer", "message", "2001-01-01", Self.offer)
    let answer = linted("a", "statement", "2002-01-01", actors: ["PRK"], links("accepts:offer"))
    var lint = Lint(on: Day("2020-01-01")!, isWanted: { $0 == id("offer") })
    for event in [offer, answer] { lint.take(event) }
    #expect(lint.finish { _ in .unknown }.map(\.kind) == [.noSource])
    var short = Lint(on: Day("2020-01-01")!, limit: 2)
    for index in 0..<5 {
      short.take(linted("e\(index)", "test", "2001-01-0\(index + 1)", #""unsourced":true"#))
    }
    #expect(short.finish { _ in .unknown }.count == 2)
    #expect(short.counts[.noSource] == 5)
  }
}

import Coding
import Testing
import TimelineModel

@Suite("Probable duplicates")
struct DuplicateTests {
  @Test(
    "Titles are alike from half of their words on, unless each has a number that the other has not",
    arguments: [
      ("First Hwasong-15 ICBM flight", "Hwasong-15 ICBM flight", true),
      ("First Hwasong-15 ICBM flight", "North Korea flies a Hwasong-15 ICBM first", true),
      ("Two Hwasong-11A (KN-23) are launched", "Five Hwasong-11D (KN-35) are launched", false),
      ("Generated event 1", "Generated event 2", false),
      ("Talks in Beijing", "Talks in Berlin about fuel and food", false),
      ("Chŏngjin is reached", "CHONGJIN is reached", true),
      ("평양 회담", "평양 회담", true), ("", "", false), ("…", "—", false),
      ("Six tests", "Six tests\u{7}\u{202E}", true),
    ])
  func titles(one: String, other: String, isAlike: Bool) {
    #expect(TitleWords(one).isAlike(TitleWords(other)) == isAlike)
    #expect(TitleWords(other).isAlike(TitleWords(one)) == isAlike)
  }

  @Test("The same day, type and parties")
  func one() {
    func count(_ other: LintedEvent) -> Int {
      findings([linted("a", "test", "2017-11-29", title: "First ICBM flight"), other], .duplicate)
        .count
    }
    #expect(count(linted("b", "test", "2017-11-29", title: "ICBM flight")) == 1)
    #expect(count(linted("b", "test", "2017-11-29", title: "ICBM flight", targets: [])) == 1)
    #expect(count(linted("b", "test", "2017-11-30", title: "ICBM flight")) == 0)
    #expect(count(linted("b", "incident", "2017-11-29", title: "ICBM flight")) == 0)
    #expect(count(linted("b", "test", "2017-11-29", title: "ICBM flight", targets: ["KOR"])) == 0)
    #expect(count(linted("b", "test", "2017-11-29", title: "ICBM flight", actors: ["RUS"])) == 0)
    let tagged = #""unsourced":true,"tags":["lint:duplicate"]"#
    #expect(count(linted("b", "test", "2017-11-29", title: "ICBM flight", tagged)) == 0)
  }

  @Test("Many of one day are one finding, and a crowd costs no square")
  func crowds() {
    let same = (0..<50).map { linted("s\($0)", "test", "2017-11-29", title: "The same words") }
    #expect(findings(same, .duplicate).map(\.count) == [50])
    // All have words in common, and each has one of its own.
    let crowd = (0..<20_000).map {
      linted("c\($0)", "test", "2017-11-29", title: "launch of a missile \($0)x")
    }
    let twin = linted("twin", "test", "2017-11-29", title: "launch of a missile 777x")
    let found = findings(crowd + [twin], .duplicate)
    #expect(found.map(\.ids) == [[id("c777"), id("twin")]])
  }

  private func pairs(
    _ events: [LintedEvent], limit: Int = 100, apart: Set<EventPair> = []
  ) -> Duplicates {
    var duplicates = Duplicates(limit: limit, apart: apart)
    for event in events { duplicates.take(event) }
    return duplicates
  }

  @Test("A score is the sum of its parts, and says why")
  func scores() {
    let events = [
      linted("a", "test", "2017-11-28", title: "First ICBM flight"),
      linted("b", "test", "2017-11-29", title: "First ICBM flight"),
      linted("c", "test", "2017-11-29", title: "ICBM flight", targets: []),
      linted("d", "test", "2017-12-01", title: "First ICBM flight"),
    ]
    let found = pairs(events)
    #expect(
      found.pairs.map(\.ids) == [[id("a"), id("b")], [id("b"), id("c")], [id("a"), id("c")]])
    #expect(found.pairs.map(\.likeness.score) == [90, 84, 74])
    for pair in found.pairs {
      #expect(pair.likeness.parts.map(\.name) == ["day", "type", "parties", "title", "source"])
      #expect(
        pair.likeness.parts.allSatisfy { (0...$0.max).contains($0.points) && !$0.why.isEmpty })
      #expect(pair.likeness.parts.reduce(0) { $0 + $1.max } == 100)
    }
    // What people said are two is no pair; nor is one that a number parts.
    let apart = EventPair(id("b"), id("a"))!
    #expect(pairs(events, apart: [apart]).pairs.map(\.ids).first == [id("b"), id("c")])
    #expect(findings(events, .duplicate).map(\.ids) == [[id("b"), id("c")]])
    let numbers = ["Two launches of the 11A", "Two launches of the 11D"].map {
      linted($0, "test", "2017-11-29", title: $0)
    }
    #expect(pairs(numbers).count == 0)
  }

  @Test("One act of the same actors is asked about, whatever the titles say, on its day alone")
  func acts() {
    let subtype = #""subtype":"icbm","unsourced":true"#
    let one = linted("a", "test", "2017-11-29", title: "Hwasong", subtype)
    #expect(pairs([one, linted("b", "test", "2017-11-29", title: "Flight", subtype)]).count == 1)
    #expect(pairs([one, linted("b", "test", "2017-11-30", title: "Flight", subtype)]).count == 0)
  }

  @Test("The list is as long as it may be, whatever is found, and a crowd costs no square")
  func bounded() {
    let crowd = (0..<20_000).map {
      linted("c\($0)", "test", "2017-11-29", title: "launch of a missile \($0 % 3)")
    }
    let found = pairs(crowd, limit: 10)
    #expect(found.pairs.count == 10 && found.count > 100_000 && found.count < 20_000 * 33)
    #expect(found.pairs.allSatisfy { $0.likeness.score == 100 })
    #expect(found.pairs.map { $0.ids[0] } == found.pairs.map { $0.ids[0] }.sorted())
  }
}

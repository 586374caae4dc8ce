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
}

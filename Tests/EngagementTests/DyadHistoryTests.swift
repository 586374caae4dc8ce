import Engagement
import Testing
import TimelineModel

@Suite("The state of a dyad")
struct DyadHistoryTests {
  let offer = event(
    "offer", .message, "letter", "2002-11-03", [dprk], [us],
    offer: Offer(if: ["a"], then: ["b"], condition: .prior))

  @Test(
    "E-4: a message stays open until the other side answers, and later answers are not seen before")
  func messages() {
    let answer = event(
      "no", .statement, "position", "2003-01-14", links: [(.declines, "offer", nil)])
    func outcome(_ day: String) -> JSONValue? {
      state([offer, answer], day)["messages"]?.array?.first?["state"]
    }
    #expect(outcome("2003-01-13") == .string("open"))
    #expect(outcome("2003-01-14") == .string("declined"))
    #expect(state([offer, answer], "2002-12-03")["unanswered"]?.array?.first?["age"] == .int(30))
    // Its own side cannot answer it, nor can it answer itself.
    let own = event(
      "own", .statement, nil, "2003-01-01", [dprk], [us], links: [(.answers, "offer", nil)])
    #expect(
      state([offer, own], "2004-01-01")["messages"]?.array?.first?["state"] == .string("open"))
  }

  @Test("E-6: a promise is open, due, overdue, then what the last link says")
  func commitments() {
    let agreement = event(
      "deal", .agreement, "accord", "1994-10-21", [us, dprk], [],
      commitments: [
        Commitment(key: "freeze", by: [dprk], to: [us], what: "x", due: try! EventDate("1994-11"))
      ])
    let step = event(
      "step", .step, "fulfilment", "1995-01-20", [dprk], [us], links: [(.fulfils, "deal", "freeze")]
    )
    func standing(_ day: String) -> JSONValue? {
      state([step, agreement], day)["commitments"]?.array?.first?["state"]
    }
    #expect(standing("1994-10-30") == .string("open"))
    #expect(standing("1994-11-05") == .string("due"))
    #expect(standing("1994-12-01") == .string("overdue"))
    #expect(standing("1995-01-20") == .string("fulfilled"))
    #expect(state([step, agreement], "1995-02-01")["phase"]?["name"] == .string("probing"))
  }

  @Test("E-7: the climate halves in 90 days, and its shares add up to it")
  func climate() {
    let events = [
      event("t", .test, "nuclear", "2016-01-06", [dprk], []),
      event("e", .exercise, "field", "2016-03-07/2016-04-30", [us, ActorCode("KOR")!], []),
      offer,
    ]
    let one = state([events[0]], "2016-04-05")["climate"]?["PRK"]
    #expect(one?.text == "-4.500")
    var history = DyadHistory(Dyad(dprk, us)!)
    history.insert(events)
    let day = Day("2016-06-01")!
    let shares = history.climateShares(on: day)
    #expect(shares.count == 3)
    let sum = shares.reduce(0) { $0 + $1.share }
    #expect(
      JSONValue.thousandths(sum).text == history.state(on: day).json["climate"]?["total"]?.text)
  }

  @Test(
    "E-8: the first phase that holds",
    arguments: [
      ("2017-09-10", "crisis"), ("2018-06-20", "negotiating"), ("2018-12-01", "probing"),
      ("2019-06-01", "stalled"), ("2022-01-01", "estranged"),
    ])
  func phases(day: String, expected: String) {
    let events = [
      event("n", .test, "nuclear", "2017-09-03", [dprk], []),
      event("s", .talks, "summit", "2018-06-12", [us, dprk], []),
    ]
    #expect(state(events, day)["phase"]?["name"] == .string(expected))
  }

  @Test("Order of arrival never matters, and later events are not seen")
  func order() {
    let events = [
      offer, event("a", .talks, "official", "2003-04-23/2003-04-25", [us, dprk], []),
      event("b", .test, "srbm", "2003-04-24", [dprk], []),
      event("c", .sanction, "impose", "2003-04-24"),
    ]
    let expected = state(events, "2003-04-24")
    for shift in 1..<4 {
      #expect(state(Array(events[shift...] + events[..<shift]), "2003-04-24") == expected)
    }
    let later = event("z", .test, "nuclear", "2006-10-09", [dprk], [])
    #expect(state(events + [later], "2003-04-24") == expected)
    #expect(expected["under_way"]?.array?.count == 2)
  }

  @Test(
    "E-3, E-8: talks that began long ago are contact and negotiation as long as they go on",
    arguments: [
      ("2016-03-31", "negotiating", 0), ("2020-01-01", "negotiating", 0),
      ("2021-07-01", "negotiating", 1), ("2021-09-29", "probing", 91),
      ("2022-06-01", "stalled", 336),
    ])
  func longTalks(day: String, phase: String, neglect: Int) {
    let state = state(
      [
        event("t", .talks, "official", "2015-01-01/2021-06-30", [us, dprk], []),
        event("m", .message, "letter", "2015-02-01", [dprk], [us]),
      ], day)
    #expect(state["phase"]?["name"] == .string(phase))
    #expect(state["contact"]?["neglect"] == .int(neglect))
    #expect(
      state["contact"]?["last"]?.array?.map { $0["title"] } == [.string("t"), .string("t")])
  }

  @Test("E-8: talks without an end go on until they break down")
  func openTalks() {
    let talks = event("t", .talks, "official", "2015-01-01/..", [us, dprk], [])
    #expect(state([talks], "2030-01-01")["phase"]?["name"] == .string("negotiating"))
    let end = event("e", .talks, "breakdown", "2020-05-01")
    // Then they are contact still: that they are over is for a correction of their date to say.
    #expect(state([talks, end], "2021-01-01")["phase"]?["name"] == .string("probing"))
  }
}

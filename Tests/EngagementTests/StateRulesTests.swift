import Engagement
import Testing
import TimelineModel

@Suite("Testimony, steps, silence, criteria")
struct StateRulesTests {
  let deal = event(
    "deal", .agreement, "accord", "2007-02-13", [us, dprk], [],
    commitments: [
      Commitment(
        key: "shut", by: [dprk], to: [us], what: "shut it", due: try! EventDate("2007-04-14"),
        verifier: [iaea]),
      Commitment(key: "oil", by: [us], to: [dprk], what: "oil"),
    ])

  @Test("E-1.4: a third party verifies a promise, and weighs nothing")
  func testimony() {
    let seen = event(
      "seen", .step, "verification", "2007-07-18", [iaea], [dprk],
      links: [(.verifies, "deal", "shut")])
    let other = event("other", .step, "verification", "2007-07-18", [iaea], [dprk])
    let early = event(
      "early", .step, "verification", "2007-01-01", [iaea], [dprk],
      links: [(.verifies, "deal", "shut")])
    let state = state([seen, other, early, deal], "2007-08-01")
    #expect(state["events"] == .int(2))
    #expect(state["commitments"]?.array?[0]["state"] == .string("verified"))
    #expect(state["climate"]?["joint"]?.number != 0)
    #expect(state["climate"]?["PRK"]?.text == "0.000")
    #expect(state["phase"]?["name"] == .string("implementing"))
    // Without the agreement it is no event of the two.
    #expect(
      Engagement.DyadHistory.empty(with: [seen]).state(on: Day("2007-08-01")!).events == 0)
  }

  @Test(
    "E-1.4, E-6.1: promises to others are not theirs; talks with others may keep one, and no more")
  func promisesOfMany() {
    let many = event(
      "many", .agreement, "accord", "2007-02-13", [us, dprk, iaea], [],
      commitments: [
        Commitment(key: "groups", by: [us, dprk, iaea], to: [us, dprk, iaea], what: "meet"),
        Commitment(key: "aid", by: [iaea], to: [dprk], what: "aid"),
        Commitment(key: "own", by: [us], to: [iaea], what: "fees"),
      ])
    let met = event(
      "met", .talks, nil, "2007-03-05/2007-03-06", [iaea, dprk], [],
      links: [(.fulfils, "many", "groups")])
    let state = state([many, met], "2008-07-01")
    #expect(state["commitments"]?.array?.map { $0["key"] } == [.string("groups")])
    #expect(state["commitments"]?.array?.first?["event"] == id("met"))
    #expect(state["contact"]?["neglect"]?.int == Day("2008-07-01")! - Day("2007-02-13")!)
    #expect(state["phase"]?["name"] == .string("estranged"))
  }

  @Test(
    "E-6.6: who moved last and alone waits for the other; what is overdue is owed whoever moved")
  func turns() {
    let step = event(
      "step", .step, "fulfilment", "2007-04-01", [dprk], [us], links: [(.fulfils, "deal", "shut")])
    let oil = event(
      "tons", .step, "fulfilment", "2007-05-01", links: [(.fulfils, "deal", "oil")])
    func turn(_ events: [Event], _ day: String) -> [JSONValue?] {
      let agreement = state(events + [deal], day)["agreements"]?.array?.first
      return [agreement?["moved_last"], agreement?["owed"]]
    }
    let none = JSONValue.array([])
    #expect(turn([], "2007-03-01") == [none, none])
    #expect(turn([], "2007-04-15") == [none, .array([.string("USA")])])
    #expect(turn([step], "2007-04-15") == [.array([.string("PRK")]), .array([.string("PRK")])])
    #expect(turn([step, oil], "2007-06-01") == [.array([.string("USA")]), none])
    let broken = event(
      "stop", .step, "suspension", "2007-06-15", links: [(.suspends, "deal", "oil")])
    #expect(turn([step, broken], "2007-06-20") == [none, none])
    // E-6.5: to whom it was promised, she can say that it was kept; she did not move.
    let thanks = event(
      "thanks", .step, "fulfilment", "2007-04-01", links: [(.fulfils, "deal", "shut")])
    #expect(turn([thanks], "2007-04-15") == turn([step], "2007-04-15"))
    let both = event(
      "both", .step, "fulfilment", "2007-05-01",
      links: [(.fulfils, "deal", "shut"), (.fulfils, "deal", "oil")])
    #expect(
      turn([both], "2007-06-01") == [.array([.string("PRK"), .string("USA")]), none])
    let says = state([deal, step], "2007-04-15")["agreements"]?.array?.first?["moves"]?.array?.first
    #expect(says?["says"]?.text == #"[{"rel":"fulfils","key":"shut"}]"#)
  }

  @Test("E-1.6: links that say nothing are left out, with the reason")
  func leftOut() {
    let offer = Offer(if: [], then: ["x"], condition: .none)
    let events = [
      event("own", .message, nil, "2001-01-01", offer: offer, links: [(.answers, "own", nil)]),
      event("late", .message, nil, "2001-02-01", [dprk], [us], links: [(.answers, "reply", nil)]),
      event("reply", .message, nil, "2001-03-01", links: [(.answers, "twin", nil)]),
      event("twin", .message, nil, "2001-03-01", [dprk], [us], links: [(.answers, "reply", nil)]),
      event("bad", .step, "fulfilment", "2008-01-01", links: [(.fulfils, "deal", "nope")]),
    ]
    func reasons(_ day: String) -> [String] {
      (state(events + [deal], day)["left_out"]?.array ?? []).compactMap { $0["reason"]?.string }
    }
    #expect(reasons("2001-02-15") == ["itself"])
    #expect(reasons("2008-01-01") == ["itself", "later", "circle", "circle", "no such key"])
    #expect(state(events, "2001-04-01")["unanswered"]?.array?.count == 4)
  }

  @Test(
    "E-1.7: what is not theirs to say is left out; a step of a stranger keeps nothing, breaks nothing"
  )
  func notTheirs() {
    let kor = ActorCode("KOR")!
    let many = event(
      "many", .agreement, "accord", "2007-02-13", [us, dprk, kor], [],
      commitments: [
        Commitment(key: "shut", by: [dprk], to: [us, kor], what: "shut"),
        Commitment(key: "oil", by: [us, kor], to: [dprk], what: "oil"),
        Commitment(key: "rice", by: [kor], to: [dprk], what: "rice"),
      ])
    let talks = event("talks", .talks, nil, "2007-02-08/2007-02-13", [us, dprk], [])
    let events = [
      event(
        "stop", .step, "withdrawal", "2007-02-20", [iaea], [dprk],
        links: [(.withdraws, "many", nil)]),
      event(
        "kept", .step, "fulfilment", "2007-02-21", [kor], [dprk],
        links: [(.fulfils, "many", "shut")]),
      event(
        "rice", .step, "suspension", "2007-02-22", [kor], [dprk],
        links: [(.suspends, "many", "rice")]),
    ]
    let before = state([many, talks], "2007-03-01")
    let after = state([many, talks] + events, "2007-03-01")
    #expect(after["left_out"]?.array?.map { $0["id"] } == [id("stop"), id("kept")])
    #expect(after["left_out"]?.array?.map { $0["reason"]?.string } == ["not theirs", "not theirs"])
    #expect(after["commitments"] == before["commitments"])
    #expect(after["agreements"] == before["agreements"])
    // None of the three is a step or a break here, that on rice concerns others.
    #expect(after["phase"] == before["phase"])
    #expect(after["criteria"]?["joint_action"] == before["criteria"]?["joint_action"])
    // Who made a promise together with one of the two speaks of that one alone.
    let oil = event(
      "oil", .step, "suspension", "2007-02-23", [kor], [dprk], links: [(.suspends, "many", nil)])
    let broken = state([many, talks, oil], "2007-03-01")
    #expect(broken["left_out"] == .array([]))
    #expect(broken["commitments"]?.array?.map { $0["state"]?.string } == ["open", "suspended"])
    #expect(broken["phase"]?["name"] != .string("negotiating"))
    // Whether a step is one is found again when its agreement changes.
    var history = DyadHistory(Dyad(us, dprk)!)
    history.insert([many, talks, events[1]])
    #expect(
      history.state(on: Day("2007-03-01")!)[.jointAction]?.verdict == .partly)
    var corrected = many
    corrected.commitments[0].by = [dprk, kor]
    history.replace([many.id], with: [corrected])
    let now = history.state(on: Day("2007-03-01")!).json
    #expect(now["criteria"]?["joint_action"]?["verdict"] == .string("met"))
    #expect(now["commitments"]?.array?[0]["state"] == .string("fulfilled"))
  }

  @Test("E-1.7: nobody answers himself, and who was not asked does not answer")
  func ownWords() {
    let offer = Offer(if: [], then: ["x"], condition: .none)
    let events = [
      event("offer", .message, nil, "2001-01-01", offer: offer),
      event("self", .statement, nil, "2001-01-02", links: [(.accepts, "offer", nil)]),
      event("joint", .talks, nil, "2001-01-03", [us, dprk], [], offer: offer),
      event("both", .talks, nil, "2001-01-04", [us, dprk], [], links: [(.answers, "joint", nil)]),
      event("ours", .message, nil, "2001-01-05", [us], [iaea, dprk], offer: offer),
      event("sanction", .sanction, "impose", "2001-01-06"),
      event(
        "lifted", .statement, nil, "2001-01-07", [dprk], [us],
        links: [(.withdraws, "sanction", nil), (.withdraws, "offer", nil)]),
    ]
    let state = state(events, "2001-02-01")
    #expect(
      state["left_out"]?.array?.map { $0["reason"]?.string } == [
        "own words", "not theirs", "not theirs",
      ])
    #expect(state["offers"]?.array?.map { $0["state"]?.string } == ["open", "open"])
    #expect(state["under_way"]?.array?.map { $0["id"] } == [id("sanction")])
  }

  @Test("E-3.5: the longest silence is a gap between contacts, or the one that goes on")
  func silence() {
    let events = [
      event("a", .talks, nil, "2000-01-01/2000-03-01", [us, dprk], []),
      event("b", .message, nil, "2000-02-01"),
      event("c", .message, nil, "2000-03-11"),
      event("d", .message, nil, "2000-03-21"),
    ]
    func longest(_ day: String) -> String? {
      state(events, day)["contact"]?["longest_silence"]?.text
    }
    #expect(longest("2000-02-15") == nil)
    #expect(longest("2000-03-25") == #"{"days":10,"from":"2000-03-01","to":"2000-03-11"}"#)
    #expect(longest("2000-04-01") == #"{"days":11,"from":"2000-03-21","to":"2000-04-01"}"#)
  }

  @Test("E-13: each criterion at its borders")
  func criteria() {
    func verdict(_ name: String, _ events: [Event]) -> String? {
      state(events, "2010-12-31")["criteria"]?[name]?["verdict"]?.string
    }
    func many(_ count: Int, _ name: String, _ type: EventType, _ subtype: String?, by: ActorCode)
      -> [Event]
    {
      (0..<count).map { index in
        event(
          "\(name)\(index)", type, subtype, "2010-06-\(10 + index)", [by], [by == us ? dprk : us])
      }
    }
    let ours = many(3, "o", .statement, "assurance", by: us)
    let theirs = many(1, "t", .release, "detainee", by: dprk)
    let tests = many(2, "n", .test, "srbm", by: dprk)
    #expect(verdict("conducive", []) == "no evidence")
    #expect(verdict("conducive", ours + theirs + tests) == "met")
    #expect(verdict("conducive", ours + tests) == "partly")
    #expect(verdict("conducive", Array(ours[..<1]) + tests) == "partly")
    #expect(verdict("conducive", tests) == "not met")
    let talks = many(1, "k", .talks, "official", by: us)
    #expect(verdict("joint_action", talks) == "partly")
    #expect(verdict("joint_action", talks + many(1, "x", .exchange, "ngo", by: us)) == "met")
    #expect(verdict("joint_action", tests) == "not met")
    #expect(verdict("rewards", tests) == "no evidence")
    #expect(verdict("rewards", ours) == "not met")
    #expect(verdict("rewards", Array(ours[..<2]) + theirs) == "met")
    #expect(verdict("rewards", ours + many(3, "i", .exchange, nil, by: dprk)) == "met")
    // Blows of 30 and more drown what was given, 10: four of 7 do not, five do.
    let rewarded = Array(ours[..<2]) + theirs
    #expect(verdict("rewards", rewarded + many(4, "z", .test, "icbm", by: dprk)) == "met")
    #expect(verdict("rewards", rewarded + many(5, "z", .test, "icbm", by: dprk)) == "not met")
    let letters = many(3, "l", .message, "letter", by: dprk)
    let answers = (0..<2).map {
      event(
        "a\($0)", .statement, "position", "2010-07-0\($0 + 1)", links: [(.answers, "l\($0)", nil)])
    }
    #expect(verdict("respect", letters) == "partly")
    #expect(verdict("respect", letters + answers) == "met")
    #expect(verdict("respect", letters + answers[..<1]) == "partly")
    let threat = many(1, "h", .statement, "threat", by: us)
    #expect(verdict("respect", letters + answers + threat) == "partly")
    #expect(verdict("respect", letters + threat) == "not met")
    #expect(verdict("respect", threat) == "not met")
    #expect(verdict("respect", tests) == "no evidence")
  }

  @Test("E-13.4: a no that mocks is no answer of respect; a plain no is one")
  func scorn() {
    func respect(_ answers: (Link.Relation, String)..., on day: String = "2020-06-20") -> JSONValue?
    {
      let offer = event(
        "offer", .message, "oral", "2020-06-15",
        offer: Offer(if: [], then: ["envoys"], condition: .none))
      let replies = answers.enumerated().map { index, answer in
        event(
          "a\(index)", .statement, answer.1, "2020-06-1\(7 + index)", [dprk], [us],
          links: [(answer.0, "offer", nil)])
      }
      return state([offer] + replies, day)["criteria"]?["respect"]
    }
    #expect(respect((.declines, "position"))?["verdict"] == .string("met"))
    let mocked = respect((.declines, "accusation"))
    #expect(mocked?["verdict"] == .string("partly"))
    #expect(mocked?["for"]?["count"] == .int(0))
    #expect(mocked?["against"]?["latest"] == .array([id("offer")]))
    // A threat counts for itself too.
    #expect(respect((.declines, "threat"))?["against"]?["count"] == .int(2))
    // What is not a refusal is an answer, whatever its words; so is what comes after the scorn.
    #expect(respect((.counters, "accusation"))?["verdict"] == .string("met"))
    #expect(
      respect((.declines, "accusation"), (.answers, "position"))?["verdict"] == .string("met"))
    #expect(respect()?["verdict"] == .string("no evidence"))
    #expect(respect()?["against"]?["count"] == .int(0))
  }

  @Test("E-2: words weigh by their kind")
  func words() {
    let weights = ["position", "accusation", "demand", "threat"].map { word in
      state([event("w", .statement, word, "2002-10-03")], "2002-10-03")["climate"]?["total"]?.text
    }
    #expect(weights == ["0.000", "-2.000", "-3.000", "-5.000"])
  }

  @Test("E-5.2: an interest counts for those to whom an offer is made")
  func interests() {
    let offer = event(
      "o", .message, "letter", "2003-10-19",
      offer: Offer(if: ["x"], then: ["y"], condition: .prior, interests: ["assurance"]),
      tags: ["interest:development", "interest:nuclear-freeze"])
    let spoken = (state([offer], "2003-10-20")["interests"]?.array ?? [])
      .filter { $0["offers"]?.array?.isEmpty == false }
    #expect(spoken.map { $0["party"] } == [.string("PRK"), .string("PRK")])
    #expect(spoken.map { $0["key"] } == [.string("assurance"), .string("development")])
    #expect(spoken[0]["offers"]?.array?.first?["state"] == .string("open"))
  }

  @Test("E-8.2: talks of governments negotiate; former presidents and conferences make contact")
  func tracks() {
    func name(_ subtype: String, _ day: String) -> String? {
      let talks = event("t", .talks, subtype, "2017-05-08/2017-05-09", [us, dprk], [])
      return state([talks], day)["phase"]?["name"]?.string
    }
    for subtype in ["summit", "ministerial", "official", "working-level", "multilateral"] {
      #expect(name(subtype, "2017-07-05") == "negotiating")
    }
    for subtype in ["track-1.5", "track-2"] {
      #expect(name(subtype, "2017-05-08") == "probing")
      #expect(name(subtype, "2017-07-05") == "probing")
      #expect(name(subtype, "2018-07-05") == "estranged")
    }
  }

  @Test("E-8.2: a step implements the agreement that it carries out, while something of it is open")
  func carriesOut() {
    func name(_ links: [(Link.Relation, String, String?)], _ more: Event..., on day: String)
      -> String?
    {
      let step = event("s", .step, "fulfilment", "2008-05-24", [dprk], [us], links: links)
      return state([deal, step] + more, day)["phase"]?["name"]?.string
    }
    #expect(name([(.fulfils, "deal", "shut")], on: "2008-06-01") == "implementing")
    #expect(name([(.partOf, "deal", nil)], on: "2008-06-01") == "implementing")
    #expect(name([], on: "2008-06-01") == "estranged")
    let vow = event("vow", .test, "moratorium", "2008-04-20", [dprk], [us])
    #expect(name([(.fulfils, "vow", nil)], vow, on: "2008-06-01") == "estranged")
    #expect(name([(.fulfils, "deal", "shut")], on: "2009-05-25") == "stalled")
    let oil = event("o", .aid, "fuel", "2008-05-30", links: [(.fulfils, "deal", "oil")])
    #expect(name([(.fulfils, "deal", "shut")], oil, on: "2008-05-29") == "implementing")
    #expect(name([(.fulfils, "deal", "shut")], oil, on: "2008-05-30") == "stalled")
    // Another agreement with something open does not help.
    let other = event(
      "other", .agreement, nil, "2000-01-01", [us, dprk], [],
      commitments: [Commitment(key: "k", by: [us], to: [dprk], what: "w")])
    #expect(name([(.fulfils, "deal", "shut")], oil, other, on: "2008-05-30") == "stalled")
  }

  @Test("E-8.4: a phase says what it was before, and what moved it")
  func moved() {
    let events = [
      event("k", .talks, "official", "2005-09-01/2005-09-10", [us, dprk], []),
      event("b", .talks, "breakdown", "2005-10-01", [dprk], [us]),
    ]
    let probing = state(events, "2005-12-01")["phase"]
    #expect(probing?["from"] == .string("negotiating"))
    #expect(probing?["moved"] == .array([id("b")]))
    let stalled = state(events, "2006-06-01")["phase"]
    #expect(stalled?["name"] == .string("stalled"))
    #expect(stalled?["moved"] == .array([]))
  }

  @Test("E-2, E-8.2: short-range missiles weigh half: it takes nine in a month for a crisis")
  func salvos() {
    func name(_ count: Int, _ subtype: String) -> String? {
      let salvos = (10..<10 + count).map {
        event("s\($0)", .test, subtype, "2014-07-\($0)", [dprk], [])
      }
      return state(salvos, "2014-07-20")["phase"]?["name"]?.string
    }
    #expect(name(8, "srbm") == "estranged")
    #expect(name(9, "srbm") == "crisis")
    #expect(name(4, "irbm") == "estranged")
    #expect(name(5, "irbm") == "crisis")
  }

  @Test("E-9: a sanction is in force until it is withdrawn, or to the end that its date states")
  func sanctions() {
    let events = [
      event("a", .sanction, "impose", "2000-01-01"),
      event("b", .sanction, "impose", "2000-01-01/2001-01-01"),
      event("l", .sanction, "lift", "2002-01-01", links: [(.withdraws, "a", nil)]),
    ]
    func count(_ day: String) -> Int? { state(events, day)["under_way"]?.array?.count }
    #expect(count("2001-01-01") == 2)
    #expect(count("2001-01-02") == 1)
    #expect(count("2002-01-01") == 0)
  }

  @Test(
    "Talks without a known start do not stop the rules", arguments: ["1990-01-01", "2030-01-01"])
  func openStart(day: String) {
    let talks = event("t", .talks, nil, "../2019", [us, dprk], [])
    let phase = state([talks, event("m", .message, nil, "1989-01-01")], day)["phase"]?["name"]
    #expect(phase == .string(day < "2000" ? "negotiating" : "estranged"))
  }
}

extension DyadHistory {
  static func empty(with events: [Event]) -> DyadHistory {
    var history = DyadHistory(Dyad(us, dprk)!)
    history.insert(events)
    return history
  }
}

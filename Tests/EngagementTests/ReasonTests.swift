import Engagement
import Testing
import TimelineModel

@Suite("Reasons: why each event is behind a figure, and what came and went")
struct ReasonTests {
  static let seeds = (0..<16).map { UInt64($0) &* 7919 &+ 5 }

  private func history(_ events: [Event]) -> DyadHistory {
    var history = DyadHistory(Dyad(us, dprk)!)
    history.insert(events)
    return history
  }

  @Test("All rows of what is no sum have one, and a criterion has its verdict", arguments: seeds)
  func reasons(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let history = history(random.events(80))
    for _ in 0..<6 {
      let day = random.day()
      let state = history.state(on: day).json
      for figure in DyadHistory.figures {
        let why = history.answer(figure, on: day)
        for row in why?["events"]?.array ?? [] {
          let isSum = ["climate", "trend", "reciprocity"].contains(figure)
          #expect(
            isSum ? row["reason"] == nil : row["reason"]?.string?.isEmpty == false,
            "seed \(seed), \(figure), \(day): \(row.text)")
        }
        #expect(why?["verdict"] == state["criteria"]?[figure]?["verdict"], "seed \(seed), \(day)")
      }
    }
  }

  /// What `why` says of each event of a figure.
  private func said(_ history: DyadHistory, _ change: StateChange, _ day: Day) -> Set<[JSONValue?]>
  {
    let figure = change.what == .criterion ? change.key ?? "" : change.what.rawValue
    let rows = history.answer(figure, on: day)?["events"]?.array ?? []
    return Set(
      rows.filter { change.what != .approach || $0["from"]?.string == change.key }
        .map { [$0["id"], $0["side"], $0["reason"], $0["share"]] })
  }

  @Test("What came and what is gone is what the two answers have each alone", arguments: seeds)
  func changes(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let events = random.events(80)
    let (whole, half) = (history(events), history(Array(events.dropLast(30))))
    for _ in 0..<6 {
      let (day, other) = (random.day(), random.day())
      for (before, after) in [
        (DatedHistory(half, on: day), DatedHistory(whole, on: day)),
        (DatedHistory(whole, on: min(day, other)), DatedHistory(whole, on: max(day, other))),
      ] {
        let changes = StateChanges.between(before.state, after.state)
        let told = StateDifference(before, after).reasonsJSON
        let wanted = changes.filter { [.criterion, .approach, .reciprocity].contains($0.what) }
        #expect(told.count == wanted.count, "seed \(seed)")
        for (reason, change) in zip(told, wanted) {
          #expect(reason["key"]?.string == change.key, "seed \(seed)")
          let (old, new) = (
            said(before.history, change, before.day), said(after.history, change, after.day)
          )
          for (list, all) in [("came", new.subtracting(old)), ("gone", old.subtracting(new))] {
            let events = reason[list]?["events"]?.array ?? []
            #expect(reason[list]?["count"]?.int == all.count, "seed \(seed), \(day)")
            #expect(events.count == min(all.count, 20), "seed \(seed), \(day)")
            #expect(
              Set(events.map { [$0["id"], $0["side"], $0["reason"], $0["share"]] })
                .isSubset(of: all), "seed \(seed), \(day)")
          }
        }
      }
    }
  }

  @Test("A message is for respect, then against it; an offer for rewards, then against them")
  func turns() {
    let offer = Offer(if: [], then: ["t"], condition: .prior, expires: try! EventDate("2020-03"))
    let letter = event("letter", .message, "letter", "2020-01-01")
    let proposal = event("proposal", .statement, nil, "2020-02-01", offer: offer)
    let late = event(
      "late", .message, nil, "2020-06-01", [dprk], [us], links: [(.answers, "letter", nil)])
    let history = history([letter, proposal, late])
    func reasons(_ figure: String, _ day: String) -> [String: [String]] {
      let rows = history.answer(figure, on: Day(day)!)?["events"]?.array ?? []
      return Dictionary(
        rows.map { row in
          (row["title"]?.string ?? "", [row["side"]?.string ?? "", row["reason"]?.string ?? ""])
        }
      ) { $0 + $1 }
    }
    #expect(reasons("respect", "2020-03-01").isEmpty)
    #expect(reasons("respect", "2020-05-01")["letter"] == ["against", "no answer within 90 days"])
    #expect(
      reasons("respect", "2020-06-01")["letter"] == ["against", "answered after more than 90 days"])
    #expect(reasons("rewards", "2020-03-31")["proposal"] == ["for", "an offer that is open"])
    #expect(reasons("rewards", "2020-04-01")["proposal"] == ["against", "an offer that expired"])
    // It stays against it, for another reason.
    let threat = event("threat", .statement, "threat", "2020-06-01")
    let threatened = self.history([letter, late, threat])
    let (before, after) = (
      DatedHistory(threatened, on: Day("2020-05-01")!),
      DatedHistory(threatened, on: Day("2020-06-01")!)
    )
    let told = StateDifference(before, after).reasonsJSON.filter { $0["key"] == .string("respect") }
    func list(_ name: String) -> [String?] {
      (told.first?[name]?["events"]?.array ?? []).map { $0["reason"]?.string }
    }
    #expect(list("came") == ["answered after more than 90 days", "a threat"])
    #expect(list("gone") == ["no answer within 90 days"])
    #expect(
      reasons("approach", "2020-04-01")["proposal"]
        == ["", "asks the other side to go first: sticks and carrots"])
  }

  @Test("A message declined with scorn says so; of a threat, where it is a message, both are said")
  func scorn() {
    let letter = event("letter", .message, "letter", "2020-01-01")
    let no = event(
      "no", .statement, "accusation", "2020-01-03", [dprk], [us],
      links: [(.declines, "letter", nil)])
    let late = event(
      "late", .message, nil, "2020-06-01", [dprk], [us], links: [(.answers, "letter", nil)])
    func reason(_ title: String, _ events: [Event], _ day: String) -> [String?] {
      (history(events).answer("respect", on: Day(day)!)?["events"]?.array ?? [])
        .filter { $0["title"]?.string == title }.map { $0["reason"]?.string }
    }
    #expect(reason("letter", [letter, no], "2020-01-03") == ["declined with scorn"])
    #expect(reason("letter", [letter, no], "2020-05-01") == ["declined with scorn"])
    #expect(
      reason("letter", [letter, no, late], "2020-06-01")
        == ["declined with scorn; answered after more than 90 days"])
    let threat = event(
      "threat", .statement, "threat", "2020-01-01",
      offer: Offer(if: [], then: ["t"], condition: .prior))
    let scorned = event(
      "scorned", .statement, "threat", "2020-01-03", [dprk], [us],
      links: [(.declines, "threat", nil)])
    let answer = event(
      "answer", .message, nil, "2020-01-04", [dprk], [us], links: [(.answers, "threat", nil)])
    #expect(
      reason("threat", [threat, scorned], "2020-01-04") == ["a threat; declined with scorn"])
    #expect(
      Set(reason("threat", [threat, scorned, answer], "2020-01-04"))
        == ["answered within 90 days", "a threat"])
  }

  @Test("What makes no difference says why")
  func idle() {
    let day = Day("2020-06-01")!
    let recorded = event("recorded", .message, nil, "2020-01-01")
    let new = event("new", .message, nil, "2020-02-01")
    let later = event("later", .message, nil, "2020-06-02")
    let foreign = event("foreign", .message, nil, "2020-02-01", [iaea], [dprk])
    let alone = event("alone", .message, nil, "2020-02-01", [dprk], [dprk])
    let agreement = event(
      "agreement", .agreement, nil, "2020-01-01", [us, dprk], [],
      commitments: [
        Commitment(key: "k", by: [dprk], to: [], what: "w", due: nil, verifier: [])
      ])
    let testimony = event(
      "testimony", .step, nil, "2020-02-01", [iaea], [dprk], links: [(.verifies, "agreement", "k")])
    let before = history([recorded, agreement])
    let events = [recorded, new, later, foreign, alone, testimony]
    let laid = WhatIf(events: Array(events.dropFirst())).laid(over: before)
    let idle = WhatIf.idle(
      events, without: [agreement.id, new.id], known: [recorded.id: .recorded],
      DatedHistory(before, on: day), DatedHistory(laid, on: day)
    ).map(\.json)
    #expect(
      idle.map { $0["id"] }
        == [id("recorded"), id("later"), id("foreign"), id("alone"), id("new")])
    #expect(
      idle.map { $0["reason"]?.string }
        == ["recorded", "later", "other parties", "oneself", "other parties"])
    #expect(idle[1]["begins"] == .string("2020-06-02"))
  }
}

extension StateDifference {
  fileprivate var reasonsJSON: [JSONValue] {
    JSONValue.object(members(of: Dyad(us, dprk)!))["reasons"]?.array ?? []
  }
}

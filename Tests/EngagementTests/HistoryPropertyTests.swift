import Engagement
import Testing
import TimelineModel

@Suite("What holds for any events")
struct HistoryPropertyTests {
  static let seeds = (0..<24).map { UInt64($0) &* 7919 &+ 1 }

  private func state(_ events: [Event], _ day: Day) -> DyadState {
    DyadHistory.empty(with: events).state(on: day)
  }

  @Test("Order of arrival, pieces and corrections never change a state", arguments: seeds)
  func arrival(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let events = random.events(60)
    var history = DyadHistory(Dyad(us, dprk)!)
    var waiting = events
    var wrong: Set<EventID> = []
    while !waiting.isEmpty {
      var piece: [Event] = []
      for _ in 0...random.next(random.next(3) == 0 ? 30 : 3) where !waiting.isEmpty {
        piece.append(waiting.remove(at: random.next(waiting.count)))
      }
      // Some come with another date first, and are corrected later.
      var first = piece
      if random.next(2) == 0 {
        first[0].date = try! EventDate(random.dates(around: random.day()))
        wrong.insert(first[0].id)
      }
      // An event that nobody wanted is retracted again.
      history.insert(first)
      if random.next(3) == 0, !wrong.isEmpty {
        history.replace(wrong, with: events.filter { wrong.contains($0.id) })
        wrong = []
      }
    }
    history.replace(wrong, with: events.filter { wrong.contains($0.id) })
    for _ in 0..<8 {
      let day = random.day()
      #expect(history.state(on: day) == state(events, day), "seed \(seed), \(day)")
    }
  }

  @Test("What one who stands by said of a promise goes with its retraction")
  func testimonyRetracted() {
    let deal = event(
      "deal", .agreement, "accord", "2007-02-13", [us, dprk], [],
      commitments: [Commitment(key: "shut", by: [dprk], to: [us], what: "x")])
    let seen = event(
      "seen", .step, "verification", "2007-07-16", [iaea], [dprk],
      links: [(.verifies, "deal", "shut")])
    let day = Day("2007-08-01")!
    var history = DyadHistory.empty(with: [deal, seen])
    let before = history.state(on: day).agreements.first?.commitments.first
    #expect(before?.standing == .verified)
    history.replace([seen.id], with: [])
    #expect(history.state(on: day) == state([deal], day))
    // Nor does it come back with the next event.
    let later = event("later", .message, "letter", "2007-07-20", [dprk], [us])
    history.insert([later])
    #expect(history.state(on: day) == state([deal, later], day))
    #expect(history.state(on: day).events == 2)
  }

  @Test("An agreement that comes last changes phases for as long as it is carried out")
  func lateAgreement() {
    let deal = event(
      "deal", .agreement, "accord", "1994-10-21", [us, dprk], [],
      commitments: ["fuel", "reactor"].map {
        Commitment(key: $0, by: [us], to: [dprk], what: "x")
      })
    let events = [
      event("first", .message, "letter", "1990-01-01", [dprk], [us]),
      event("step", .step, "fulfilment", "2002-06-01", links: [(.fulfils, "deal", "fuel")]),
      event("last", .message, "letter", "2004-01-01", [dprk], [us]),
    ]
    var history = DyadHistory.empty(with: events)
    history.insert([deal])
    let day = Day("2002-12-01")!
    #expect(history.state(on: day) == state(events + [deal], day))
    #expect(history.state(on: day).phase.phase == .implementing)
  }

  @Test(
    "A late event without links changes what it can reach, and no more", arguments: seeds.prefix(6))
  func late(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    // Some decades, so that there are days that it cannot reach.
    let events = random.events(60).map { event in
      var event = event
      event.offer = nil
      event.links = []
      event.commitments = []
      let first = Day(number: 10_000 + Int32(random.next(15_000)))
      let last = first.advanced(by: random.next(3) == 0 ? random.next(200) : 0)
      event.date = try! EventDate("\(first)/\(last)")
      return event
    }
    var history = DyadHistory.empty(with: Array(events[..<50]))
    for index in 50..<60 {
      if random.next(3) == 0 { history.replace([events[index - 40].id], with: []) }
      history.replace([events[index - 40].id], with: [events[index - 40], events[index]])
      let fresh = DyadHistory.empty(with: Array(events[...index]))
      let days = (0..<60).map { Day(number: 10_000 + 290 * Int32($0)) }
      #expect(
        history.series(days, every: .month) == fresh.series(days, every: .month), "seed \(seed)")
      let day = Day(number: 10_000 + Int32(random.next(17_000)))
      #expect(history.state(on: day) == fresh.state(on: day), "seed \(seed), \(day)")
    }
  }

  @Test(
    "By a team's tables too: order, pieces, retractions, and the cut at a day",
    arguments: seeds)
  func tables(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let events = random.events(60)
    let rules = random.rules()
    let day = random.day()
    func fresh(_ events: [Event]) -> DyadHistory {
      var history = DyadHistory(Dyad(us, dprk)!, rules: rules)
      history.insert(events)
      return history
    }
    var history = DyadHistory(Dyad(us, dprk)!, rules: rules)
    var waiting = events
    var gone: Set<EventID> = []
    while !waiting.isEmpty {
      let new = waiting.remove(at: random.next(waiting.count))
      if random.next(4) == 0 { gone.insert(new.id) }
      history.insert([new])
    }
    let comment: Comment = "seed \(seed), \(day), tables \(rules.tables.all.map(\.version))"
    #expect(history.state(on: day) == fresh(events).state(on: day), comment)
    for id in gone { history.replace([id], with: []) }
    let left = fresh(events.filter { !gone.contains($0.id) })
    let days = (0..<90).map { Day(number: 9_900 + 60 * Int32($0)) }
    #expect(history.series(days, every: .month) == left.series(days, every: .month), comment)
    #expect(history.state(on: day) == left.state(on: day), comment)
    let past = fresh(events.filter { !gone.contains($0.id) && $0.date.first <= day })
    #expect(history.state(on: day) == past.state(on: day), comment)
    #expect(history.state(on: day).rules == history.rules.versions)
  }

  @Test("Retracting is the same as never having recorded", arguments: seeds)
  func retracting(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let events = random.events(60)
    var history = DyadHistory.empty(with: events)
    let gone = Set(events.map(\.id).filter { _ in random.next(3) == 0 })
    history.replace(gone, with: [])
    let left = events.filter { !gone.contains($0.id) }
    for _ in 0..<8 {
      let day = random.day()
      #expect(history.state(on: day) == state(left, day), "seed \(seed), \(day)")
    }
  }

  @Test("A day's state is that of a log cut at that day", arguments: seeds)
  func cut(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let events = random.events(60)
    let history = DyadHistory.empty(with: events)
    for _ in 0..<8 {
      let day = random.day()
      let past = events.filter { $0.date.first <= day }
      #expect(history.state(on: day) == state(past, day), "seed \(seed), \(day)")
    }
  }

  @Test("The shares of a figure add up to it, and a row says what the state says", arguments: seeds)
  func shares(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let history = DyadHistory.empty(with: random.events(80))
    for _ in 0..<8 {
      let day = random.day()
      for figure in ["climate", "trend"] {
        let why = history.answer(figure, on: day)
        let sum = (why?["events"]?.array ?? []).reduce(0) { $0 + ($1["share"]?.number ?? 0) }
        #expect(abs(sum - (why?["value"]?.number ?? .nan)) < 1e-9, "seed \(seed), \(day)")
      }
      let state = history.state(on: day).json
      let row = history.series([day], every: .month)[0].json(of: history.dyad)
      let states = { (key: String) in
        (state["commitments"]?.array ?? []).count { $0["state"]?.string == key }
      }
      #expect(row["phase"] == state["phase"]?["name"])
      #expect(row["climate"]?.text == state["climate"]?["total"]?.text)
      #expect(row["trend"]?.text == state["climate"]?["trend"]?.text)
      #expect(row["neglect"] == state["contact"]?["neglect"])
      #expect(row["unanswered"]?.int == state["unanswered"]?.array?.count, "seed \(seed), \(day)")
      #expect(
        row["open_offers"]?.int
          == state["offers"]?.array?.count { $0["state"]?.string == "open" })
      #expect(row["overdue"]?.int == states("overdue"), "seed \(seed), \(day)")
      #expect(
        row["outstanding"]?.int == states("overdue") + states("due") + states("open"))
      let gave = (history.answer("reciprocity", on: day)?["events"]?.array ?? []).reduce(0) {
        $0 + ($1["by"]?.array?.contains(.string("PRK")) == true ? $1["share"]?.number ?? 0 : 0)
      }
      #expect(JSONValue.thousandths(gave).text == state["reciprocity"]?["PRK"]?.text)
      for criterion in ["conducive", "joint_action", "rewards", "respect"] {
        let rows = history.answer(criterion, on: day)?["events"]?.array ?? []
        for side in ["for", "against"] {
          #expect(
            rows.count { $0["side"]?.string == side }
              == state["criteria"]?[criterion]?[side]?["count"]?.int)
        }
      }
    }
  }
}

import Testing
import TimelineModel

@testable import Engagement

/// Phases are found on the days that the rules state, and again as far as a change reaches. Here each is held
/// against what is found on every single day. A failure names its seed.
@Suite("E-8: a phase rule states the days on which it can change, and how far it reaches")
struct PhaseRuleTests {
  static let seeds = (0..<48).map { UInt64($0) &* 15_485_863 &+ 11 }

  private struct Case {
    var history: DyadHistory
    let events: [Event]
    let comment: Comment

    /// All days from before the first event to behind all that it can bring about.
    var days: [Day] {
      let known = history.entries.map(\.first).filter { $0 != .distantPast }
      guard let first = known.min(), let last = known.max() else { return [] }
      return (-2..<(last - first + 1500)).map { first.advanced(by: $0) }
    }
  }

  /// Dense or sparse, by shipped tables or a team's, calm or not, with talks that never end.
  private func made(_ seed: UInt64) -> Case {
    var random = RandomEvents(seed: seed)
    var events = random.events(4 + random.next(70))
    switch random.next(9) {
    case 0: events.removeAll { [.message, .talks, .release, .exchange].contains($0.type) }
    case 1: events.removeAll { [.test, .incident, .exercise, .sanction].contains($0.type) }
    case 2:
      // One kind alone: nothing hides that its rule forgot a day.
      let type = EventType.ofEvents[random.next(EventType.ofEvents.count)]
      events.removeAll { $0.type != type && $0.type != .agreement && $0.type != .step }
    case 3, 7: events = random.kept()
    case 4, 8: events = random.brokenOff()
    case 5:
      // Attacks and nuclear tests that weigh nothing.
      events = events.filter { $0.type != .statement }.map { event in
        var event = event
        if random.next(2) == 0 { event.subtype = event.type == .test ? "nuclear" : "attack" }
        event.weight = 0
        return event
      }
    default: break
    }
    let rules = random.next(2) == 0 ? .shipped : random.rules()
    var history = DyadHistory(Dyad(us, dprk)!, rules: rules)
    history.insert(events)
    return Case(
      history: history, events: events,
      comment: "seed \(seed), \(events.count) events, \(rules.tables.all.map(\.version))")
  }

  @Test("A rule begins and ceases to hold on days that it states alone", arguments: seeds)
  func transitions(seed: UInt64) {
    let one = made(seed)
    let days = one.days
    guard let start = days.first else { return }
    for rule in one.history.rules.phases.all {
      var stated = TransitionDays(after: start, through: nil)
      rule.addTransitions(in: one.history, to: &stated)
      let known = Set(stated.days)
      var held = rule.grounds(in: one.history, on: start) != nil
      for day in days.dropFirst() {
        let holds = rule.grounds(in: one.history, on: day) != nil
        if holds != held, !known.contains(day) {
          Issue.record("\(rule.phase) changes on \(day) and does not state it; \(one.comment)")
          return
        }
        held = holds
      }
    }
  }

  @Test("The runs of phases are those that judging every single day finds", arguments: seeds)
  func everyDay(seed: UInt64) {
    let one = made(seed)
    var lastActive: Day?
    guard let first = one.history.firstDay else { return }
    for day in one.days where day >= first {
      var phase = one.history.classify(day).phase
      if phase == .estranged,
        one.history.rules.phases.stalled.holds(on: day, lastActive: lastActive)
      {
        phase = .stalled
      }
      if phase.isActive { lastActive = day }
      guard one.history.phaseName(on: day) == phase else {
        Issue.record("\(day) is \(phase), found \(one.history.phaseName(on: day)); \(one.comment)")
        return
      }
    }
  }

  @Test("Behind its reach an event changes no rule", arguments: seeds)
  func horizon(seed: UInt64) {
    var one = made(seed)
    var random = RandomEvents(seed: seed &+ 2)
    // Blows and breaks of one day, beside what there is: what has links reaches to the end in any case.
    for _ in 0..<4 {
      let kinds: [(EventType, String?)] = [
        (.test, "nuclear"), (.incident, nil), (.talks, "breakdown"), (.talks, nil),
        (.message, nil), (.step, "violation"), (.exercise, "field"),
      ]
      let kind = kinds[random.next(kinds.count)]
      let new = event(
        "new \(seed) \(random.next(1 << 30))", kind.0, kind.1, random.day().description,
        random.next(2) == 0 ? [us] : [us, dprk], [dprk])
      let before = one.history
      one.history.insert([new])
      guard let entry = one.history.entries.first(where: { $0.event.id == new.id }) else {
        continue
      }
      var change = HistoryChange()
      change.add(entry, isSaidOf: false)
      for rule in one.history.rules.phases.all {
        let reach = rule.reach(of: change, in: one.history)
        guard reach != .distantFuture else { continue }
        // What lasts longer than is stated shows on the first days behind.
        let changed = (1...60).map { reach.advanced(by: $0) }.first { day in
          (rule.grounds(in: before, on: day) == nil)
            != (rule.grounds(in: one.history, on: day) == nil)
        }
        if let changed {
          Issue.record(
            "\(rule.phase) differs on \(changed), behind \(reach); \(new); \(one.comment)")
          return
        }
      }
    }
  }

  @Test("What comes late or goes changes phases no further than the rules say", arguments: seeds)
  func reach(seed: UInt64) {
    var one = made(seed)
    var random = RandomEvents(seed: seed &+ 1)
    // Without links and offers: what has these reaches to the end in any case.
    func plain(_ event: Event) -> Event {
      var event = event
      event.offer = nil
      event.links = []
      event.commitments = []
      return event
    }
    var events = one.events.map { random.next(4) == 0 ? $0 : plain($0) }
    one.history.replace(Set(events.map(\.id)), with: events)
    for new in random.events(12).map(plain) {
      if random.next(3) == 0, !events.isEmpty {
        let gone = events.remove(at: random.next(events.count)).id
        one.history.replace([gone], with: [new])
      } else {
        one.history.insert([new])
      }
      events.append(new)
      var fresh = DyadHistory(one.history.dyad, rules: one.history.rules)
      fresh.insert(events)
      guard one.history.phases == fresh.phases else {
        Issue.record("\(one.history.phases), anew \(fresh.phases); \(new); \(one.comment)")
        return
      }
    }
  }

  @Test("A break that comes late ends talks for as long as they go on, years behind it")
  func lateBreak() {
    let events = [
      event("talks", .talks, "official", "2010-01-01/..", [us, dprk], []),
      event("shock", .test, "nuclear", "2016-01-01", [dprk], []),
    ]
    let end = event("break", .talks, "breakdown", "2011-01-01")
    var late = DyadHistory.empty(with: events)
    late.insert([end])
    #expect(late.phases == DyadHistory.empty(with: events + [end]).phases)
    #expect(late.phaseName(on: Day("2017-01-01")!) != .negotiating)
    late.replace([end.id], with: [])
    #expect(late.phases == DyadHistory.empty(with: events).phases)
  }
}

extension RandomEvents {
  /// A day in the first of some years.
  fileprivate mutating func dayText(_ length: Int = 900) -> String {
    Day(number: 10_000 + Int32(next(length))).description
  }

  /// Agreements that are carried out step by step, to the last promise or not, with a break now and then.
  fileprivate mutating func kept() -> [Event] {
    var events = (0...next(2)).map { index in
      event(
        "deal\(index)", .agreement, "accord", dayText(200), [us, dprk], [],
        commitments: (0...next(2)).map { key in
          Commitment(key: "k\(key)", by: [us, dprk], to: [us, dprk], what: "w")
        })
    }
    let deals = events
    for index in 0..<4 + next(7) {
      let deal = deals[next(deals.count)]
      let key = deal.commitments[next(deal.commitments.count)].key
      events.append(
        event(
          "step\(index)", next(2) == 0 ? .step : .aid, "fulfilment", dayText(1500),
          links: [
            next(2) == 0 ? (.partOf, deal.title, nil) : (.fulfils, deal.title, key)
          ]))
    }
    for index in 0..<next(3) {
      events.append(event("break\(index)", .step, "violation", dayText(1500)))
    }
    return events
  }

  /// Talks of a day, of months and without an end, broken off now and then, and offers that lapse.
  fileprivate mutating func brokenOff() -> [Event] {
    var events = (0...next(3)).map { index in
      let first = dayText()
      let last = Day(first)!.advanced(by: next(600)).description
      let ends = ["", "/..", "/\(last)", "/\(last)"]
      return event(
        "talks\(index)", .talks, "official", first + ends[next(ends.count)], [us, dprk], [])
    }
    for index in 0..<next(4) {
      events.append(event("break\(index)", .talks, "breakdown", dayText(1500)))
    }
    if next(3) == 0 { events.removeAll() }
    for index in 0..<next(4) {
      let first = dayText(1500)
      let end = Day(first)!.advanced(by: next(60)).description
      events.append(
        event(
          "offer\(index)", .statement, nil, first,
          offer: Offer(if: [], then: ["t"], condition: .none, expires: try! EventDate(end))))
    }
    return events
  }
}

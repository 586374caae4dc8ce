// E-8: the phase of a dyad: the first of seven that holds. "Over n days" are the n days that end with
// the day asked for; "n days ago" is at most n days back.

import TimelineModel

public enum Phase: String, Sendable, CaseIterable {
  case crisis, negotiating, implementing, confrontation, probing, stalled, estranged
}

/// An unbroken run of days in one phase: until the next one begins.
struct PhaseRun: Sendable {
  var phase: Phase
  var since: Day
}

/// A phase with the events that it rests on.
public struct PhaseState: Sendable {
  public var phase: Phase
  public var causes: [EventID]
  /// The first day of the unbroken run of days in this phase.
  public var since: Day
}

extension DyadHistory {
  private static let stallDays = 1095
  private static let talksEchoDays = 90
  private static let probingDays = 180
  private static let openOfferDays = 365
  /// Days after the last turn of things, a beginning or an end, in which a phase can still change by
  /// time alone: no rule looks back further than a year, and then `stalled` passes.
  private static let echoDays = 366 + talksEchoDays + stallDays + 1

  /// The phase on a day.
  func phase(on day: Day) -> PhaseState {
    let run = lowerBound(phases.count) { phases[$0].since <= day } - 1
    guard run >= 0 else { return PhaseState(phase: .estranged, causes: [], since: day) }
    let (phase, causes) = judge(day)
    // A stalled phase rests on no event: on what does not come.
    return PhaseState(
      phase: phases[run].phase, causes: phase == phases[run].phase ? ids(causes) : [],
      since: phases[run].since)
  }

  /// The runs of phases, found day by day from the dyad's first event, since `stalled` remembers. No
  /// rule looks ahead, so the run of a day is the same whatever came after it.
  func allPhases() -> [PhaseRun] {
    guard var day = firstDay else { return [] }
    let turns = turns()
    var turn = 0
    let outstanding = Outstanding(self)
    var lastActive: Day?
    var runs: [PhaseRun] = []
    while true {
      var phase = judge(day, outstanding).phase
      if phase == .estranged, let lastActive, day - lastActive <= Self.stallDays {
        phase = .stalled
      }
      if phase == .negotiating || phase == .implementing { lastActive = day }
      if phase != runs.last?.phase { runs.append(PhaseRun(phase: phase, since: day)) }
      day = day.advanced(by: 1)
      while turn < turns.count, turns[turn] <= day { turn += 1 }
      // Long after the last turn nothing changes until the next one.
      if turn > 0, day - turns[turn - 1] > Self.echoDays {
        guard turn < turns.count else { return runs }
        day = turns[turn]
      }
    }
  }

  /// The days on which something begins, and those after which something that lasted is over; rising.
  private func turns() -> [Day] {
    let ends = events.filter { $0.date.last > $0.date.first && $0.date.last != .distantFuture }
      .map { $0.date.last.advanced(by: 1) }
    let begins = events.map(\.date.first).filter { $0 != .distantPast }
    return (begins + ends).sorted()
  }

  /// The phase by the events alone, with the places of those that it rests on; `estranged` where none
  /// of the others holds.
  private func judge(
    _ day: Day, _ outstanding: Outstanding? = nil
  ) -> (phase: Phase, causes: ArraySlice<Int>) {
    if let causes = crisis(day) { return (.crisis, causes) }
    if let causes = negotiating(day) { return (.negotiating, causes) }
    if let causes = implementing(day, outstanding) { return (.implementing, causes) }
    if let causes = confrontation(day) { return (.confrontation, causes) }
    if let causes = probing(day) { return (.probing, causes) }
    return (.estranged, [])
  }

  private func crisis(_ day: Day) -> ArraySlice<Int>? {
    let shocks = kinds.shocks[over(31, to: day)]
    if !shocks.isEmpty { return shocks }
    let window = over(30, to: day)
    return sums.over(window).all.taken >= 18_000 ? kinds.negative[window] : nil
  }

  private func negotiating(_ day: Day) -> ArraySlice<Int>? {
    // Those that were long, and of the others those that can have ended so lately.
    let recent = kinds.talks[over(Kinds.talksDaysMax + Self.talksEchoDays + 1, to: day)]
    let going = (kinds.longTalks[upTo(day)] + recent).filter { place in
      let date = events[place].date
      guard date.last >= day || day - date.last <= Self.talksEchoDays else { return false }
      let since = date.last >= day ? date.first : date.last
      return kinds.breaks[over(max(1, day - since + 1), to: day)].isEmpty
    }
    return going.isEmpty ? nil : Set(going).sorted()[...]
  }

  private func implementing(_ day: Day, _ outstanding: Outstanding?) -> ArraySlice<Int>? {
    let steps = kinds.steps[over(366, to: day)]
    guard let last = steps.last,
      kinds.breaks[over(day - events[last].date.first + 1, to: day)].isEmpty,
      (outstanding ?? Outstanding(self)).holds(day)
    else { return nil }
    return steps
  }

  private func confrontation(_ day: Day) -> ArraySlice<Int>? {
    let window = over(180, to: day)
    let (all, first, second) = sums.over(window)
    guard first.taken >= 6000, second.taken >= 6000, all.taken >= 3 * all.given else { return nil }
    return kinds.negative[window]
  }

  private func probing(_ day: Day) -> ArraySlice<Int>? {
    let lasting = kinds.longContacts[upTo(day)].filter { place in
      let last = events[place].date.last
      return last >= day || day - last <= Self.probingDays
    }
    let contacts = lasting + kinds.contacts[over(Self.probingDays + 1, to: day)]
    if !contacts.isEmpty { return Set(contacts).sorted()[...] }
    let offers = kinds.messages[over(Self.openOfferDays + 1, to: day)].filter { place in
      events[place].offer != nil && (message(events[place], on: day)?.isOpen ?? false)
    }
    return offers.isEmpty ? nil : offers[...]
  }
}

/// On which days a promise is outstanding: from its agreement until the first event that says
/// anything of it.
private struct Outstanding {
  /// By first day; `until` is the latest end of all up to here.
  private var spans: [(first: Day, until: Day)] = []

  init(_ history: DyadHistory) {
    for place in history.kinds.agreements.all {
      let agreement = history.events[place]
      for said in history.saidOfCommitments(of: agreement, upTo: .distantFuture) {
        let end = said.first?.event.date.first ?? .distantFuture
        spans.append((agreement.date.first, max(end, spans.last?.until ?? end)))
      }
    }
  }

  func holds(_ day: Day) -> Bool {
    let count = lowerBound(spans.count) { spans[$0].first <= day }
    return count > 0 && spans[count - 1].until > day
  }
}

// E-8: the phase of a dyad: the first of seven that holds. "Over n days" are the n days that end with
// the day asked for; "n days ago" is at most n days back.

import TimelineModel

public enum Phase: String, Sendable, CaseIterable {
  case crisis, negotiating, implementing, confrontation, probing, stalled, estranged
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

  /// The phase on a day: found day by day from the dyad's first event, since `stalled` remembers.
  func phase(on day: Day) -> PhaseState {
    guard var current = upTo(day).first(where: { $0.date.first != .distantPast })?.date.first else {
      return PhaseState(phase: .estranged, causes: [], since: day)
    }
    var lastActive: Day?
    var state = PhaseState(phase: .estranged, causes: [], since: current)
    while current <= day {
      var (phase, causes) = judge(current)
      if phase == .estranged, let lastActive, current - lastActive <= Self.stallDays {
        (phase, causes) = (.stalled, [])
      }
      if phase == .negotiating || phase == .implementing { lastActive = current }
      if phase != state.phase { state = PhaseState(phase: phase, causes: causes, since: current) }
      if current == day { state.causes = causes }
      current = current.advanced(by: 1)
    }
    return state
  }

  /// The phase by the events alone; `estranged` where none of the others holds.
  private func judge(_ day: Day) -> (Phase, [EventID]) {
    if let causes = crisis(day) { return (.crisis, causes) }
    if let causes = negotiating(day) { return (.negotiating, causes) }
    if let causes = implementing(day) { return (.implementing, causes) }
    if let causes = confrontation(day) { return (.confrontation, causes) }
    if let causes = probing(day) { return (.probing, causes) }
    return (.estranged, [])
  }

  private func crisis(_ day: Day) -> [EventID]? {
    let shocks = over(31, to: day).filter {
      ($0.type, $0.subtype) == (.incident, "attack") || ($0.type, $0.subtype) == (.test, "nuclear")
    }
    if !shocks.isEmpty { return shocks.map(\.id) }
    let negative = over(30, to: day).filter { weight($0) < 0 }
    return negative.reduce(0) { $0 - weight($1) } >= 18_000 ? negative.map(\.id) : nil
  }

  private func negotiating(_ day: Day) -> [EventID]? {
    // Talks that ended at most 90 days ago may have begun long before; a year covers all known ones.
    let talks = over(366 + 90, to: day).filter { event in
      event.type == .talks && event.subtype != "breakdown"
        && (event.date.last >= day || day - event.date.last <= 90)
    }
    let going = talks.filter { talks in
      let since = talks.date.last >= day ? talks.date.first : talks.date.last
      return !over(max(1, day - since + 1), to: day).contains { isBreak($0) }
    }
    return going.isEmpty ? nil : going.map(\.id)
  }

  private func implementing(_ day: Day) -> [EventID]? {
    let steps = over(366, to: day).filter {
      $0.type == .step && ($0.subtype == "fulfilment" || $0.subtype == "verification")
    }
    guard let last = steps.last,
      !over(day - last.date.first + 1, to: day).contains(where: { isBreak($0) }),
      commitments(on: day).contains(where: \.isOutstanding)
    else { return nil }
    return steps.map(\.id)
  }

  private func confrontation(_ day: Day) -> [EventID]? {
    let window = over(180, to: day)
    func negative(_ party: ActorCode) -> Int {
      window.filter { acts(party, in: $0) }.reduce(0) { $0 + max(0, -weight($1)) }
    }
    let allNegative = window.reduce(0) { $0 + max(0, -weight($1)) }
    let allPositive = window.reduce(0) { $0 + max(0, weight($1)) }
    guard negative(dyad.first) >= 6000, negative(dyad.second) >= 6000,
      allNegative >= 3 * allPositive
    else { return nil }
    return window.filter { weight($0) < 0 }.map(\.id)
  }

  private func probing(_ day: Day) -> [EventID]? {
    let contacts = over(181, to: day).filter { isContact($0) }
    if !contacts.isEmpty { return contacts.map(\.id) }
    let offers = over(366, to: day).filter { event in
      event.offer != nil && (message(event, on: day)?.isOpen ?? false)
    }
    return offers.isEmpty ? nil : offers.map(\.id)
  }
}

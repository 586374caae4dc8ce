// E-8.3: the runs of phases, found from the dyad's first event on, since `stalled` remembers; on transition days
// alone. No rule looks ahead, so the run of a day is the same whatever came after it: of the runs that were
// found before, those of days that a change cannot reach are kept.

import TimelineModel

/// An unbroken run of days in one phase: until the next one begins.
struct PhaseRun: Sendable, Equatable {
  var phase: Phase
  var since: Day
}

extension DyadHistory {
  func allPhases(keeping old: [PhaseRun], _ change: HistoryChange) -> [PhaseRun] {
    guard let first = firstDay else { return [] }
    guard let changed = change.first else { return old }
    var runs: [PhaseRun] = []
    var day = first
    var lastActive: Day?
    // Days before the change are as they were, where the dyad began when it did.
    if old.first?.since == first, changed > first {
      runs = Array(old.prefix { $0.since < changed })
      lastActive = Self.lastActive(in: runs, before: changed)
      day = changed
    }
    // From here on they are again.
    let unchanged = old.first?.since == first ? firstUnchangedDay(change) : nil
    let transitions = transitions(after: day, through: unchanged)
    let stalled = rules.phases.stalled
    var coming = 0
    while true {
      var phase = classify(day).phase
      if phase == .estranged, stalled.holds(on: day, lastActive: lastActive) { phase = .stalled }
      if phase != runs.last?.phase { runs.append(PhaseRun(phase: phase, since: day)) }
      if let unchanged, day >= unchanged { return runs + old.drop { $0.since <= day } }
      while coming < transitions.count, transitions[coming] <= day { coming += 1 }
      var next = coming < transitions.count ? transitions[coming] : nil
      if phase == .stalled, let end = lastActive.map({ stalled.end(lastActive: $0) }) {
        next = min(next ?? end, end)
      }
      guard let next else { return runs }
      if phase.isActive { lastActive = next.advanced(by: -1) }
      day = next
    }
  }

  private static func lastActive(in runs: [PhaseRun], before day: Day) -> Day? {
    guard let last = runs.lastIndex(where: \.phase.isActive) else { return nil }
    return (last + 1 < runs.count ? runs[last + 1].since : day).advanced(by: -1)
  }

  /// The first day on which all is as it was before the change; nil where there may be none.
  private func firstUnchangedDay(_ change: HistoryChange) -> Day? {
    let reach = rules.phases.all.map { $0.reach(of: change, in: self) }.max() ?? change.last
    return reach == .distantFuture
      ? nil : rules.phases.stalled.reach(of: reach).advanced(by: 1)
  }

  /// What the rules state, rising; the end too, where there is one.
  private func transitions(after start: Day, through end: Day?) -> [Day] {
    var transitions = TransitionDays(after: start, through: end)
    for rule in rules.phases.all { rule.addTransitions(in: self, to: &transitions) }
    if let end { transitions.add(end) }
    return transitions.days.sorted()
  }
}

// E-8.2, 1: an attack or a nuclear test of late, or blows that add up.

import TimelineModel

struct CrisisRule: PhaseRule {
  let phase = Phase.crisis
  private let days: Int
  /// In thousandths.
  private let weight: Int

  init(_ windows: Windows) {
    days = windows[.crisisDays]
    weight = windows.weight(.crisisWeight)
  }

  func grounds(in history: DyadHistory, on day: Day) -> ArraySlice<Int>? {
    let shocks = shocks(in: history, on: day)
    if !shocks.isEmpty { return shocks }
    let window = history.over(days, to: day)
    return history.sums.over(window).all.taken >= weight ? history.kinds.negative[window] : nil
  }

  private func shocks(in history: DyadHistory, on day: Day) -> ArraySlice<Int> {
    history.kinds.shocks[history.over(days + 1, to: day)]
  }

  func addTransitions(in history: DyadHistory, to transitions: inout TransitionDays) {
    let indices = transitions.indices(in: history, within: days + 1)
    for index in history.kinds.shocks[indices] {
      transitions.add(history.first(index))
      transitions.add(history.first(index).advanced(by: days + 1))
    }
    for index in history.kinds.negative[indices] {
      transitions.add(history.first(index))
      transitions.add(history.first(index).advanced(by: days))
    }
  }

  func reach(of change: HistoryChange, in history: DyadHistory) -> Day {
    change.last.advanced(by: days)
  }

  func reason(_ index: Int, in history: DyadHistory, on day: Day) -> String {
    guard sums(in: history, on: day) == nil else { return "" }
    let what = history.entries[index].event.type == .test ? "a nuclear test" : "an attack"
    return "\(what), at most \(days) days ago"
  }

  func sums(in history: DyadHistory, on day: Day) -> PhaseSums? {
    guard shocks(in: history, on: day).isEmpty else { return nil }
    let taken = history.sums.over(history.over(days, to: day)).all.taken
    return PhaseSums(
      sums: [FigureSum(value: Thousandths(count: -taken), threshold: Thousandths(count: -weight))])
  }
}

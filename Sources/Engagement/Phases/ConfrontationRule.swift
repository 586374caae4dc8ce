// E-8.2, 4: blows of both sides, three times as heavy as what was given.

import TimelineModel

struct ConfrontationRule: PhaseRule {
  let phase = Phase.confrontation
  private let days: Int
  /// In thousandths.
  private let weight: Int
  private static let ratio = 3

  init(_ windows: Windows) {
    days = windows[.confrontationDays]
    weight = windows.weight(.confrontationWeight)
  }

  func grounds(in history: DyadHistory, on day: Day) -> ArraySlice<Int>? {
    let window = history.over(days, to: day)
    let (all, first, second) = history.sums.over(window)
    guard first.taken >= weight, second.taken >= weight, all.taken >= Self.ratio * all.given else {
      return nil
    }
    return history.kinds.negative[window]
  }

  func addTransitions(in history: DyadHistory, to transitions: inout TransitionDays) {
    let indices = transitions.indices(in: history, within: days)
    for kind in [history.kinds.negative, history.kinds.positive] {
      for index in kind[indices] {
        transitions.add(history.first(index))
        transitions.add(history.first(index).advanced(by: days))
      }
    }
  }

  func reach(of change: HistoryChange, in history: DyadHistory) -> Day {
    change.last.advanced(by: days - 1)
  }

  /// It rests on sums alone.
  func reason(_ index: Int, in history: DyadHistory, on day: Day) -> String { "" }

  func sums(in history: DyadHistory, on day: Day) -> PhaseSums? {
    let window = history.over(days, to: day)
    let (all, first, second) = history.sums.over(window)
    func sum(_ party: ActorCode?, _ taken: Int, _ threshold: Int) -> FigureSum {
      FigureSum(
        party: party, value: Thousandths(count: -taken), threshold: Thousandths(count: -threshold))
    }
    return PhaseSums(
      sums: [
        sum(history.dyad.first, first.taken, weight),
        sum(history.dyad.second, second.taken, weight),
        sum(nil, all.taken, Self.ratio * all.given),
      ], opposing: history.kinds.positive[window])
  }
}

// E-8.2, 3: steps of late that carry out an agreement of which something is outstanding.

import TimelineModel

struct ImplementingRule: PhaseRule {
  let phase = Phase.implementing
  private let days: Int

  init(_ windows: Windows) { days = windows[.stepDays] }

  func grounds(in history: DyadHistory, on day: Day) -> ArraySlice<Int>? {
    let kinds = history.kinds
    let steps = kinds.steps.offsets(history.over(days + 1, to: day))
      .filter { history.promiseSpans.stepEnds[$0] > day }.map { kinds.steps.all[$0] }
    guard let last = steps.last,
      kinds.breaks[history.from(history.first(last), to: day)].isEmpty
    else { return nil }
    return steps[...]
  }

  func addTransitions(in history: DyadHistory, to transitions: inout TransitionDays) {
    for (index, end) in zip(history.kinds.steps.all, history.promiseSpans.stepEnds) {
      transitions.add(history.first(index))
      transitions.add(history.first(index).advanced(by: days + 1))
      // The day on which something is said of the last promise.
      transitions.add(end)
    }
    for index in history.kinds.breaks.all { transitions.add(history.first(index)) }
  }

  func reach(of change: HistoryChange, in history: DyadHistory) -> Day {
    change.last.advanced(by: days)
  }

  func reason(_ index: Int, in history: DyadHistory, on day: Day) -> String {
    "a step at most \(days) days ago"
  }
}

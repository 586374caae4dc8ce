// What a rule of E-8.2 has to say, in one place: when it holds, on which days that can change, how far an
// event reaches, and why each event is among its grounds.
//
//     grounds(day)        indices of the events that it rests on, nil where it does not hold
//     addTransitions      every day on which `grounds` may turn from nil or to nil
//     reach(of change)    the last day on which events that came or went can make it otherwise
//
// Phases are found on transition days alone, so a day that is missing here is a day on which the phase is wrong.
// PhaseRuleTests compares each rule with itself on every day of random histories.
//
// To add a rule: a type next to these, its place in `PhaseRules.all`, its windows in WindowName and
// data/windows.csv, a case of `Phase`, and its number in docs/reference/engagement.md.

import TimelineModel

protocol PhaseRule: Sendable {
  var phase: Phase { get }

  /// The indices of the events that the phase rests on, rising; nil where it does not hold on the day.
  func grounds(in history: DyadHistory, on day: Day) -> ArraySlice<Int>?

  /// States each day on which the rule can begin or cease to hold, though no event comes in.
  func addTransitions(in history: DyadHistory, to days: inout TransitionDays)

  /// The influence horizon: the last day on which the rule may hold otherwise for events that came or went.
  /// - Parameter history: the one that has the change.
  func reach(of change: HistoryChange, in history: DyadHistory) -> Day

  /// Why the event of an index is among the grounds; empty where that is for its weight in a sum.
  func reason(_ index: Int, in history: DyadHistory, on day: Day) -> String

  /// The sums by which it holds on a day; none where it rests on no sum.
  func sums(in history: DyadHistory, on day: Day) -> PhaseSums?
}

extension PhaseRule {
  func sums(in history: DyadHistory, on day: Day) -> PhaseSums? { nil }
}

/// The sums by which a phase holds, and the indices of the events with weights above 0 that it holds against.
struct PhaseSums {
  var sums: [FigureSum]
  var opposing: ArraySlice<Int> = []
}

/// The days on which a phase can change. On the days between, nothing that a rule asks is different.
struct TransitionDays {
  /// Only days after this one are wanted.
  let start: Day
  /// The last day that is wanted, if there is one.
  let end: Day?
  private(set) var days: [Day] = []

  init(after start: Day, through end: Day?) {
    self.start = start
    self.end = end
  }

  /// Open ends are no days.
  mutating func add(_ day: Day) {
    if day > start, day != .distantFuture, end.map({ day <= $0 }) ?? true { days.append(day) }
  }

  /// The indices of events that can turn a rule in these days so many days after they began.
  func indices(in history: DyadHistory, within length: Int) -> Range<Int> {
    history.from(start.advanced(by: -length), to: end ?? .distantFuture)
  }
}

/// The rules by the windows of a table.
struct PhaseRules: Sendable {
  /// Those of single days: of those that hold the first.
  let all: [any PhaseRule]
  let stalled: StalledRule

  init(_ windows: Windows) {
    all = [
      CrisisRule(windows), NegotiatingRule(windows), ImplementingRule(windows),
      ConfrontationRule(windows), ProbingRule(windows),
    ]
    stalled = StalledRule(windows)
  }

  /// Nil for phases that rest on no event.
  subscript(phase: Phase) -> (any PhaseRule)? { all.first { $0.phase == phase } }
}

extension DyadHistory {
  /// The phase by the events of a day alone, with the indices of those that it rests on; `estranged` where
  /// none of the others holds.
  func classify(_ day: Day) -> (phase: Phase, grounds: ArraySlice<Int>) {
    for rule in rules.phases.all {
      if let grounds = rule.grounds(in: self, on: day) { return (rule.phase, grounds) }
    }
    return (.estranged, [])
  }
}

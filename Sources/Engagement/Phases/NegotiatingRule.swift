// E-8.2, 2: talks of governments that go on or were of late, and were not broken off.

import TimelineModel

struct NegotiatingRule: PhaseRule {
  let phase = Phase.negotiating
  private let days: Int

  init(_ windows: Windows) { days = windows[.talksDays] }

  func grounds(in history: DyadHistory, on day: Day) -> ArraySlice<Int>? {
    let kinds = history.kinds
    // Those that were long, and of the others those that can have ended so lately.
    let recent = kinds.talks[history.over(KindIndices.talksDaysMax + days + 1, to: day)]
    if recent.isEmpty, kinds.longTalks.all.isEmpty { return nil }
    let going = (kinds.longTalks[history.upTo(day)] + recent).filter { index in
      let entry = history.entries[index]
      guard entry.last >= day || day - entry.last <= days else { return false }
      let since = entry.last >= day ? entry.first : entry.last
      return kinds.breaks[history.from(since, to: day)].isEmpty
    }
    return going.isEmpty ? nil : Set(going).sorted()[...]
  }

  func addTransitions(in history: DyadHistory, to transitions: inout TransitionDays) {
    for index in history.kinds.talks.all {
      let entry = history.entries[index]
      transitions.add(entry.first)
      // A break while they went on counts no more when they are over.
      transitions.add(entry.last.advanced(by: 1))
      transitions.add(entry.last.advanced(by: days + 1))
    }
    for index in history.kinds.breaks.all { transitions.add(history.first(index)) }
  }

  /// A break holds against talks for as long as they go on.
  func reach(of change: HistoryChange, in history: DyadHistory) -> Day {
    let last = change.last.advanced(by: days)
    guard change.hasBreak else { return last }
    let talks = history.kinds.talks[history.upTo(change.last)].map { history.entries[$0].last }
    return max(last, (talks.max() ?? .distantPast).advanced(by: days))
  }

  func reason(_ index: Int, in history: DyadHistory, on day: Day) -> String {
    history.entries[index].last >= day ? "talks going on" : "talks at most \(days) days ago"
  }
}

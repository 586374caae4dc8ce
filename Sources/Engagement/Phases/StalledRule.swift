// E-8.2, 6: the one rule with a memory. It rests on no event: on what does not come.

import TimelineModel

struct StalledRule: Sendable {
  let days: Int

  init(_ windows: Windows) { days = windows[.stalledDays] }

  /// - Parameter lastActive: the last day before that was negotiating or implementing.
  func holds(on day: Day, lastActive: Day?) -> Bool {
    lastActive.map { day - $0 <= days } ?? false
  }

  /// The first day on which it holds no more.
  func end(lastActive: Day) -> Day { lastActive.advanced(by: days + 1) }

  /// How long a day that reads otherwise is remembered.
  func reach(of last: Day) -> Day { last.advanced(by: days + 1) }
}

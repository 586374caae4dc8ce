// Which days can have another phase after events came or went; how far each rule looks is for the rules to say.

import TimelineModel

struct HistoryChange {
  /// The first day of the first of them; nil where nothing changed.
  private(set) var first: Day?
  /// The last day of the last of them; no end where links or promises are among them, since what these bring
  /// about may lie far behind.
  private(set) var last = Day.distantPast
  /// Whether a break (E-8.1) is among them.
  private(set) var hasBreak = false

  mutating func add(_ entry: PlacedEvent, isSaidOf: Bool) {
    let event = entry.event
    let reachesFar =
      isSaidOf || !event.links.isEmpty || event.offer != nil || !event.commitments.isEmpty
    first = min(first ?? entry.first, entry.first)
    last = max(last, reachesFar ? .distantFuture : entry.last)
    hasBreak = hasBreak || entry.kinds.contains(.breaking)
  }
}

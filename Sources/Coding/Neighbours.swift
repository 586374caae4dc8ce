// Events of one day and the day before, compared with each other: which of them may be one. Of a crowd each event
// is compared with few others, those that share a word of its title, or what was done by whom, and came
// last, so that no day costs the square of its events.

import TimelineModel

struct Neighbours: Sendable {
  private enum Key: Hashable {
    case word(EventType, UInt64)
    case act(EventType, String, [ActorCode])
  }

  private static let comparedMax = 32

  private(set) var day: Day?
  /// Of this day and the one before, in the order in which they came.
  private(set) var events: [LintedEvent] = []
  private var firstOfDay = 0
  private var indicesByKey: [Key: [Int]] = [:]

  /// The events that an event may be the same as, by their indices, rising, each with why. In the order of
  /// (first day, id).
  func like(_ event: LintedEvent) -> [(index: Int, likeness: Likeness)] {
    guard !event.accepted.contains(.duplicate) else { return [] }
    var candidates: Set<Int> = []
    for key in Self.keys(event) {
      candidates.formUnion((indicesByKey[key] ?? []).suffix(Self.comparedMax))
    }
    return candidates.sorted().compactMap { index in
      Likeness(event.traits, events[index].traits).map { (index, $0) }
    }
  }

  /// Takes an event that others behind it may be the same as.
  mutating func add(_ event: LintedEvent) {
    begin(event.first)
    if !event.accepted.contains(.duplicate) { append(event) }
  }

  private mutating func append(_ event: LintedEvent) {
    for key in Self.keys(event) { indicesByKey[key, default: []].append(events.count) }
    events.append(event)
  }

  /// Forgets what is more than a day before.
  mutating func begin(_ new: Day) {
    guard day != new else { return }
    let kept = day.map { new - $0 == 1 } ?? false ? events[firstOfDay...] : []
    (events, indicesByKey) = ([], [:])
    for event in kept { append(event) }
    (day, firstOfDay) = (new, events.count)
  }

  private static func keys(_ event: LintedEvent) -> [Key] {
    let type = event.type
    return event.title.words.map { .word(type, $0) }
      + (event.subtype.map { [.act(type, $0, event.parties.actors.sorted())] } ?? [])
  }
}

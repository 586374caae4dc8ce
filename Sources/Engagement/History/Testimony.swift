// E-1.4: events with others that speak of a promise between the two.

import TimelineModel

/// Events with others that may be testimony: those with a link that could make them so. Which of them are
/// depends on the agreements that are there.
struct TestimonyCandidates: Sendable {
  private var events: [Event] = []

  var isEmpty: Bool { events.isEmpty }

  static func mayTestify(_ event: Event) -> Bool {
    event.links.contains { Link.Relation.ofPromises.contains($0.relation) }
  }

  mutating func add(_ event: Event) { events.append(event) }
  mutating func remove(_ ids: Set<EventID>) { events.removeAll { ids.contains($0.id) } }

  /// Those that are testimony on these events.
  func testimony(
    beside entries: [PlacedEvent], _ dyad: Dyad
  ) -> [(event: Event, testimony: PlacedEvent.Testimony)] {
    let agreements = Dictionary(
      uniqueKeysWithValues: entries.lazy.filter { $0.kinds.contains(.ledger) }.map {
        ($0.event.id, $0)
      })
    return events.compactMap { event in
      Self.testimony(event, agreements, dyad).map { (event, $0) }
    }
  }

  private static func testimony(
    _ event: Event, _ agreements: [EventID: PlacedEvent], _ dyad: Dyad
  ) -> PlacedEvent.Testimony? {
    var found: PlacedEvent.Testimony?
    for link in event.links where Link.Relation.ofPromises.contains(link.relation) {
      guard let agreement = agreements[link.id], agreement.first <= event.date.first else {
        continue
      }
      if DyadHistory.concerns(link, agreement.promises),
        LeftOutLink.reason(event, link, agreement, dyad) == nil
      {
        return .ofMoves
      }
      found = .ofNone
    }
    return found
  }
}

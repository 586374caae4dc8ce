// E-1.6, E-1.7: which links count between the events of a dyad, and those that are left out.

import TimelineModel

struct ResolvedLinks: Sendable {
  /// A link that counts, by the index of the event that says it.
  struct Said: Sendable {
    var index: Int
    var link: Link
  }

  /// By the event that is spoken of; indices rise.
  private var said: [EventID: [Said]] = [:]
  private(set) var leftOut: [LeftOutLink] = []

  init() {}

  init(_ entries: [PlacedEvent], _ dyad: Dyad) {
    guard entries.contains(where: { !$0.event.links.isEmpty }) else { return }
    let byID = Dictionary(uniqueKeysWithValues: entries.map { ($0.event.id, $0) })
    for (index, entry) in entries.enumerated() {
      for link in entry.event.links {
        guard let target = byID[link.id] else { continue }
        if let reason = LeftOutLink.reason(entry.event, link, target, dyad) {
          leftOut.append(
            LeftOutLink(
              index: index, link: link, reason: reason, seen: max(entry.first, target.first)))
        } else {
          said[link.id, default: []].append(Said(index: index, link: link))
        }
      }
    }
  }

  /// What is said of an event.
  subscript(id: EventID) -> [Said] { said[id] ?? [] }
}

extension DyadHistory {
  /// What is said of an event by links that count, up to a day: in order.
  func links(
    to event: Event, _ relations: Set<Link.Relation>, upTo day: Day
  ) -> [(event: Event, link: Link)] {
    let said = links[event.id]
    guard !said.isEmpty else { return [] }
    let end = upTo(day).upperBound
    return said.compactMap { one in
      guard one.index < end, relations.contains(one.link.relation) else { return nil }
      return (entries[one.index].event, one.link)
    }
  }

  /// Whether any link of the event counts.
  func saysSomething(_ index: Int) -> Bool {
    entries[index].event.links.contains { link in links[link.id].contains { $0.index == index } }
  }
}

extension Link.Relation {
  /// What can be said of a promise.
  static let ofPromises: Set<Link.Relation> = [
    .fulfils, .verifies, .suspends, .violates, .withdraws,
  ]
}

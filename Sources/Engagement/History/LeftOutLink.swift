// E-1.6, E-1.7: a link that no figure reads.

import TimelineModel

/// A link that is left out of every figure, as a state lists it.
public struct LeftOutState: Sendable, Hashable {
  public enum Reason: String, Sendable {
    case itself, later, circle
    case noSuchKey = "no such key"
    case ownWords = "own words"
    case notTheirs = "not theirs"
  }

  public var id: EventID
  public var relation: Link.Relation
  public var to: EventID
  public var reason: Reason
}

struct LeftOutLink: Sendable {
  typealias Reason = LeftOutState.Reason

  var index: Int
  var link: Link
  var reason: Reason
  /// The first day on which both events are seen.
  var seen: Day

  static func reason(
    _ event: Event, _ link: Link, _ target: PlacedEvent, _ dyad: Dyad
  ) -> Reason? {
    let other = target.event
    if other.id == event.id { return .itself }
    if target.first > event.date.first { return .later }
    if target.first == event.date.first, other.links.contains(where: { $0.id == event.id }) {
      return .circle
    }
    if let key = link.key, !other.commitments.isEmpty,
      !other.commitments.contains(where: { $0.key == key })
    {
      return .noSuchKey
    }
    switch link.speakerFault(by: event.actors, of: other) {
    case .ownWords: return .ownWords
    case nil: break
    default: return .notTheirs
    }
    return concernsOthers(event, link, target, dyad) ? .notTheirs : nil
  }

  /// A promise between the two is kept or broken by one of them, or by who made it with one of them.
  private static func concernsOthers(
    _ event: Event, _ link: Link, _ target: PlacedEvent, _ dyad: Dyad
  ) -> Bool {
    guard link.relation.isOfParties, target.kinds.contains(.ledger),
      !event.actors.contains(where: { $0 == dyad.first || $0 == dyad.second })
    else { return false }
    let promises = target.promises.filter { link.key == nil || $0.key == link.key }
    return !promises.isEmpty && !promises.contains { $0.by.contains(where: event.actors.contains) }
  }
}

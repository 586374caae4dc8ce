// What a line says of two records: that both are of one happening, and which of them shows (log.same), or
// that they are of two (log.apart).

/// Two events, whichever was named first.
public struct EventPair: Sendable, Hashable, Comparable {
  public let smaller: EventID
  public let larger: EventID

  /// Nil where both are one.
  public init?(_ one: EventID, _ other: EventID) {
    guard one != other else { return nil }
    (smaller, larger) = one < other ? (one, other) : (other, one)
  }

  public var ids: [EventID] { [smaller, larger] }

  public func other(than id: EventID) -> EventID { id == smaller ? larger : smaller }

  public static func < (left: EventPair, right: EventPair) -> Bool {
    (left.smaller, left.larger) < (right.smaller, right.larger)
  }
}

public struct SameRecord: Sendable, Hashable {
  public var pair: EventPair
  /// The one of the two that shows; nil where they are said to be apart.
  public var shows: EventID?

  public init(_ pair: EventPair, shows: EventID?) {
    self.pair = pair
    self.shows = shows
  }
}

extension [Link] {
  /// The links of an event, to the events that show; one that would lead back to the event itself, or
  /// says the same twice then, is left out.
  /// - Parameter shown: the event that shows in the place of another.
  public func leading(to shown: [EventID: EventID], from own: EventID?) -> [Link] {
    guard contains(where: { shown[$0.id] != nil }) else { return self }
    var links: [Link] = []
    for var link in self {
      let isMoved = shown[link.id] != nil
      link.id = shown[link.id] ?? link.id
      if isMoved && link.id == own || links.contains(link) { continue }
      links.append(link)
    }
    return links
  }
}

extension Event {
  /// The same with its links to the events that show in the place of others.
  public func leading(to shown: [EventID: EventID]) -> Event {
    guard !shown.isEmpty, !links.isEmpty else { return self }
    var event = self
    event.links = links.leading(to: shown, from: id)
    return event
  }
}

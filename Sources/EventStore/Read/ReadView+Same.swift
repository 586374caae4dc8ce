// Which event shows where several are records of one happening, and what a history is at a horizon.

import TimelineModel

extension ReadView {
  /// The event that shows in the place of others, by their ids.
  public func shownIDs(knownAt position: Position? = nil) -> [EventID: EventID] {
    guard let position, !index.sames.all.isEmpty else { return index.sames.shown }
    let horizon = horizon(position)
    let known = index.sames.all.filter { horizon.knows($0.ref) }
    return SameEvents(
      of: known,
      isThere: { id in
        if case .shown = find(id, knownAt: position) { true } else { false }
      }
    ).shown
  }

  /// The event that shows in the place of one; the event itself where it shows.
  public func shownID(of id: EventID, knownAt position: Position? = nil) -> EventID {
    // Few logs join anything, and links are many.
    if index.sames.all.isEmpty { return id }
    return (position == nil ? index.sames.shown : shownIDs(knownAt: position))[id] ?? id
  }

  /// All records of the happening that an event is a record of, itself among them.
  public func records(ofSameAs id: EventID) -> [EventID] { index.sames.group(of: id) }

  /// What somebody said are two happenings, and nobody contradicted.
  public func apart(knownAt position: Position? = nil) -> Set<EventPair> {
    guard let position else { return index.sames.apart }
    let horizon = horizon(position)
    return SameEvents(of: index.sames.all.filter { horizon.knows($0.ref) }) { _ in false }.apart
  }
}

extension EventHistory {
  func shown(in horizon: ReadView.Horizon) -> Shown? {
    horizon.sizes == nil ? shown : shown(where: horizon.knows)
  }

  func standing(in horizon: ReadView.Horizon) -> [Version] {
    horizon.sizes == nil ? standing : standing(where: horizon.knows)
  }
}

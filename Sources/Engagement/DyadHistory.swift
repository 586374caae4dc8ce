// The events between two parties: a value that takes them in any order and answers any day. All rules
// stand here and in the files beside it, numbered as in docs/engagement.md; none reads the order of
// arrival, none reads events that begin after the day asked for.

import TimelineModel

public struct DyadHistory: Sendable {
  public let dyad: Dyad
  public let weights: Weights
  /// By (first day, id).
  public private(set) var events: [Event] = []
  private let exerciseTargets: [ActorCode: [ActorCode]]
  /// For each event that is linked to: which events say so, by their place in `events`, rising.
  private var said: [EventID: [(place: Int, link: Link)]] = [:]

  public init(
    _ dyad: Dyad, weights: Weights = .shipped,
    exerciseTargets: [ActorCode: [ActorCode]] = ActorRegistry.shipped.exerciseTargets
  ) {
    self.dyad = dyad
    self.weights = weights
    self.exerciseTargets = exerciseTargets
  }

  /// Takes events in; those of other parties are passed over.
  public mutating func insert(_ new: some Sequence<Event>) {
    events += new.filter { dyad.holds($0, exerciseTargets: exerciseTargets) }
    events.sort { ($0.date.first, $0.id) < ($1.date.first, $1.id) }
    said = [:]
    for (place, event) in events.enumerated() {
      for link in event.links { said[link.id, default: []].append((place, link)) }
    }
  }

  // MARK: What the rules have in common

  /// The events that began on the day or before.
  func upTo(_ day: Day) -> ArraySlice<Event> { events[..<firstIndex(after: day)] }

  /// The events that began in the `days` days that end with this one.
  func over(_ days: Int, to day: Day) -> ArraySlice<Event> {
    events[firstIndex(after: day.advanced(by: -days))..<firstIndex(after: day)]
  }

  private func firstIndex(after day: Day) -> Int {
    var low = 0
    var high = events.count
    while low < high {
      let middle = (low + high) / 2
      if events[middle].date.first <= day { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func weight(_ event: Event) -> Int { weights.weight(of: event) }

  func acts(_ party: ActorCode, in event: Event) -> Bool { event.actors.contains(party) }

  func isJoint(_ event: Event) -> Bool {
    acts(dyad.first, in: event) && acts(dyad.second, in: event)
  }

  /// E-3: direct contact: message, talks that were held, exchange, release, agreement.
  func isContact(_ event: Event) -> Bool {
    switch event.type {
    case .message, .exchange, .release, .agreement: true
    case .talks: event.subtype != "breakdown"
    default: false
    }
  }

  /// What ends talks or an agreement's run.
  func isBreak(_ event: Event) -> Bool {
    switch (event.type, event.subtype) {
    case (.talks, "breakdown"), (.step, "suspension"), (.step, "violation"), (.step, "withdrawal"):
      true
    default: false
    }
  }

  /// What others say of an event by their links, up to a day: earliest first. An event does not
  /// answer itself, nor one that came later.
  func links(
    to event: Event, _ relations: Set<Link.Relation>, upTo day: Day
  ) -> [(event: Event, link: Link)] {
    let end = firstIndex(after: day)
    return (said[event.id] ?? []).compactMap { place, link in
      let other = events[place]
      guard place < end, relations.contains(link.relation), other.id != event.id,
        other.date.first >= event.date.first
      else { return nil }
      return (other, link)
    }
  }
}

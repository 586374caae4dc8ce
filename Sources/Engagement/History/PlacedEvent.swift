// An event as a history keeps it: what the rules ask of it again and again is found once.

import TimelineModel

final class PlacedEvent: Sendable {
  let event: Event
  /// In thousandths; 0 for testimony.
  let weight: Int
  let isByFirst: Bool
  let isBySecond: Bool
  let testimony: Testimony?
  let kinds: EventKinds
  /// E-6.1: the promises between the two.
  let promises: [Commitment]

  /// Of an event with others that links to an agreement between the two (E-1.4): whether it says
  /// something of their promises.
  enum Testimony { case ofMoves, ofNone }

  init(_ event: Event, _ dyad: Dyad, weight: Int, testimony: Testimony? = nil) {
    self.event = event
    self.weight = weight
    self.testimony = testimony
    isByFirst = event.actors.contains(dyad.first)
    isBySecond = event.actors.contains(dyad.second)
    promises = event.commitments.filter { $0.isBetween(dyad) }
    kinds =
      testimony == .ofNone || testimony != nil && event.type != .step
      ? [] : EventKinds(event, weight: weight, hasPromises: !promises.isEmpty)
  }

  var isTestimony: Bool { testimony != nil }
  var first: Day { event.date.first }
  var last: Day { event.date.last }
  var isJoint: Bool { isByFirst && isBySecond }

  static func isBefore(_ left: PlacedEvent, _ right: PlacedEvent) -> Bool {
    (left.first, left.event.id) < (right.first, right.event.id)
  }
}

/// Which rules an event concerns.
struct EventKinds: OptionSet {
  let rawValue: UInt32

  /// E-3.1.
  static let contact = EventKinds(rawValue: 1 << 0)
  static let message = EventKinds(rawValue: 1 << 1)
  /// Agreements with promises between the two.
  static let ledger = EventKinds(rawValue: 1 << 2)
  /// Talks of governments that were held.
  static let talks = EventKinds(rawValue: 1 << 3)
  /// E-8.1.
  static let breaking = EventKinds(rawValue: 1 << 4)
  static let step = EventKinds(rawValue: 1 << 5)
  /// Attacks and nuclear tests.
  static let shock = EventKinds(rawValue: 1 << 6)
  /// What may be under way for longer than a day.
  static let lasting = EventKinds(rawValue: 1 << 7)
  static let test = EventKinds(rawValue: 1 << 8)
  static let exercise = EventKinds(rawValue: 1 << 9)
  /// E-13.1.
  static let easing = EventKinds(rawValue: 1 << 10)
  static let straining = EventKinds(rawValue: 1 << 11)
  static let threat = EventKinds(rawValue: 1 << 12)
  /// E-13.2.
  static let meeting = EventKinds(rawValue: 1 << 13)
  static let sharing = EventKinds(rawValue: 1 << 14)
  static let negative = EventKinds(rawValue: 1 << 15)
  static let positive = EventKinds(rawValue: 1 << 16)

  init(rawValue: UInt32) { self.rawValue = rawValue }

  init(_ event: Event, weight: Int, hasPromises: Bool) {
    var kinds = Self.of(event.type, event.subtype)
    if event.type == .message || event.offer != nil { kinds.insert(.message) }
    if event.type == .agreement, hasPromises { kinds.insert(.ledger) }
    if weight < 0 { kinds.insert(.negative) }
    if weight > 0 { kinds.insert(.positive) }
    self = kinds
  }

  private static func of(_ type: EventType, _ subtype: String?) -> EventKinds {
    switch (type, subtype) {
    case (.message, _): .contact
    case (.statement, "assurance"): .easing
    case (.statement, "threat"): [.straining, .threat]
    case (.talks, "breakdown"): .breaking
    case (.talks, "track-1.5"), (.talks, "track-2"): [.contact, .meeting, .lasting]
    case (.talks, _): [.contact, .talks, .meeting, .lasting]
    case (.agreement, _): [.contact, .meeting]
    case (.step, "suspension"), (.step, "violation"), (.step, "withdrawal"): .breaking
    case (.step, "fulfilment"), (.step, "verification"): [.step, .sharing]
    case (.exercise, "cancelled"), (.exercise, "postponed"): .easing
    case (.exercise, _): [.exercise, .straining, .lasting]
    case (.test, "moratorium"): .easing
    case (.test, "nuclear"): [.test, .straining, .shock]
    case (.test, _): [.test, .straining]
    case (.deployment, "withdrawal"): .easing
    case (.deployment, _): [.straining, .lasting]
    case (.sanction, "impose"), (.sanction, "extend"), (.sanction, "designate"):
      [.straining, .lasting]
    case (.sanction, "ease"), (.sanction, "waive"), (.sanction, "lift"): .easing
    case (.exchange, _): [.contact, .sharing]
    case (.incident, "attack"): [.straining, .shock]
    case (.incident, _): .straining
    case (.release, _): [.contact, .easing]
    case (.statement, _), (.step, _), (.sanction, _), (.aid, _), (.report, _): []
    // No default: who adds a type says here what it is to the rules.
    case (.logCorrect, _), (.logRetract, _), (.logSame, _), (.logApart, _), (.logErase, _),
      (.logMember, _), (.logMemberEnd, _), (.logSnapshot, _), (.logImport, _), (.logRules, _),
      (.logActor, _), (.logTimeline, _), (.logReplica, _):
      []
    }
  }
}

extension Commitment {
  func isBetween(_ dyad: Dyad) -> Bool {
    [dyad.first, dyad.second].contains { party in
      by.contains(party) && (to.isEmpty || to.contains(dyad.other(party)))
    }
  }
}

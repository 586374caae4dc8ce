// How things stand between two parties on a day: what the rules compute, as values that can be compared. The
// JSON of docs/reference/engagement.md is made of them in Codec/, and there alone.
//
// To add a figure: a member here, computed below and in Rules/; its JSON in Codec/DyadState+JSON.swift, both
// ways; where it can differ between two states, a row in Changes/StateChanges.swift.

import TimelineModel

/// The state of engagement of two parties on a day. Two are equal where their answers are the same JSON.
public struct DyadState: Sendable, Hashable {
  public var dyad: Dyad
  public var day: Day
  /// The text of the rules and the tables that it was computed by.
  public var rules: RuleVersions
  /// E-1.5: how many events it rests on, testimony included.
  public var events: Int
  /// E-1.5: those of them that are contested, in order.
  public var provisional: [EventID]
  /// E-1.6, E-1.7: links that no figure reads.
  public var leftOut: [LeftOutState]
  public var phase: PhaseState
  public var contact: ContactState
  /// E-4: all messages, and all events with an offer, in order.
  public var messages: [MessageState]
  /// E-5.2: for each party in turn, in the order of the table.
  public var interests: [InterestState]
  /// E-6: agreements with a promise between the two, in order.
  public var agreements: [AgreementState]
  /// E-9.
  public var underWay: [EventBrief]
  /// E-10: the latest test of each kind, the latest of all first.
  public var lastTests: [EventBrief]
  public var climate: ClimateState
  public var reciprocity: ReciprocityState
  /// E-13: the four, in the order of their names.
  public var criteria: [CriterionState]
  /// E-12: of each party.
  public var approaches: [ApproachState]

  /// E-4.5: the oldest first.
  public var unanswered: [MessageState] { messages.filter(\.isOpen) }

  public subscript(criterion: CriterionName) -> CriterionState? {
    criteria.first { $0.name == criterion }
  }
}

/// An event in a list.
public struct EventBrief: Sendable, Hashable {
  public var id: EventID
  public var date: EventDate
  public var type: EventType
  public var subtype: String?
  public var title: String
  /// From its last day to the day asked for; at least 0.
  public var days: Int

  init(_ event: Event, on day: Day) {
    self.init(
      id: event.id, date: event.date, type: event.type, subtype: event.subtype, title: event.title,
      days: max(0, day - min(event.date.last, day)))
  }

  init(
    id: EventID, date: EventDate, type: EventType, subtype: String?, title: String, days: Int
  ) {
    self.id = id
    self.date = date
    self.type = type
    self.subtype = subtype
    self.title = title
    self.days = days
  }
}

/// A number to three decimals, rounded half away from zero from the double times 1000; −0 is 0 (E-0.7).
public struct Thousandths: Sendable, Hashable, Comparable {
  public let count: Int

  public init(count: Int) { self.count = count }

  public init(_ number: Double) {
    let size = Int((abs(number) * 1000).rounded(.toNearestOrAwayFromZero))
    count = number < 0 ? -size : size
  }

  public var number: Double { Double(count) / 1000 }

  public static func < (left: Self, right: Self) -> Bool { left.count < right.count }
}

extension DyadHistory {
  /// The state on a day, from the events that began by then.
  public func state(on day: Day) -> DyadState {
    let past = upTo(day)
    let messages = messages(on: day).map(\.state)
    return DyadState(
      dyad: dyad, day: day, rules: rules.versions, events: past.count,
      provisional: ids(kinds.contested[past]),
      leftOut: links.leftOut.filter { $0.seen <= day }.map { link in
        LeftOutState(
          id: entries[link.index].event.id, relation: link.link.relation, to: link.link.id,
          reason: link.reason)
      },
      phase: phase(on: day), contact: contact(on: day), messages: messages,
      interests: interests(in: messages), agreements: agreements(on: day),
      underWay: underWay(on: day).map { EventBrief($0, on: day) },
      lastTests: lastTests(on: day).map { EventBrief($0, on: day) },
      climate: climateState(on: day), reciprocity: reciprocity(on: day),
      criteria: criteria(on: day).map(criterionState), approaches: approaches(in: messages))
  }
}

// E-16: one difference between two states of the same parties.

import TimelineModel

public struct StateChange: Sendable, Hashable {
  /// What can be different; what matters most comes first.
  public enum What: String, Sendable, CaseIterable {
    case phase, since, silence, offer, message, commitment, owed
    case movedLast = "moved_last"
    case inForce = "in_force"
    case criterion, approach, reciprocity, climate, contact, neglect, interest
    case underWay = "under_way"
    case test, events, provisional
    case leftOut = "left_out"

    /// Whether it changes at a turn, and not with every day: what a watch tells.
    public var isTold: Bool {
      [.phase, .silence, .offer, .message, .commitment].contains(self)
    }
  }

  /// What there was, or is. Two are the same where they read the same.
  public enum Value: Sendable, Hashable {
    case word(String)
    case count(Int)
    case number(Thousandths)
    case isTrue(Bool)
    case day(Day)
    case event(EventID)
    case parties([ActorCode])
  }

  public let what: What
  /// Whose interest it is.
  public var party: ActorCode?
  /// Which of several: a promise, a criterion, a part of the climate.
  public var key: String?
  public var id: EventID?
  public var title: String?
  /// Nil where there was nothing.
  public var from: Value?
  public var to: Value?
  /// The events that say so, where single ones do; none where only time passed.
  public var by: [EventID]?

  init(
    _ what: What, party: ActorCode? = nil, key: String? = nil, id: EventID? = nil,
    title: String? = nil, from: Value?, to: Value?, by: [EventID]? = nil
  ) {
    self.what = what
    self.party = party
    self.key = key
    self.id = id
    self.title = title
    self.from = from
    self.to = to
    self.by = by
  }
}

extension StateChange.Value {
  init(_ phase: Phase) { self = .word(phase.rawValue) }
  init(_ outcome: MessageState.Outcome) { self = .word(outcome.rawValue) }
  init(_ standing: CommitmentState.Standing) { self = .word(standing.rawValue) }
}

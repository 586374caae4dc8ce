// The answer of `why`: the events behind a figure, and what they are compared with.

import TimelineModel

public struct FigureRows: Sendable, Hashable {
  /// The figure itself.
  public enum Value: Sendable, Hashable {
    /// What the shares add up to.
    case sum(Double)
    case days(Int)
  }

  public var dyad: Dyad
  public var day: Day
  public var rules: RuleVersions
  public var figure: Figure
  /// Of a criterion.
  public var verdict: CriterionState.Verdict?
  public var value: Value?
  /// What each side has in it; shares by side add up to these.
  public var parts: FigureParts?
  /// Sums that are compared with something.
  public var sums: [FigureSum]
  public var rows: [FigureRow]

  /// The contested ones among its events, each once.
  public var provisional: [EventID] {
    var seen: Set<EventID> = []
    return rows.filter(\.isContested).map(\.event.id).filter { seen.insert($0).inserted }
  }
}

/// What is by the first party, by the second, and by both where that counts apart.
public struct FigureParts: Sendable, Hashable {
  public var first: Double
  public var second: Double
  public var joint: Double?
}

/// A sum of weights that a figure is found by; it is met where it is the threshold or below.
public struct FigureSum: Sendable, Hashable {
  /// Nil for all events.
  public var party: ActorCode?
  public var value: Thousandths
  public var threshold: Thousandths
}

/// An event behind a figure.
public struct FigureRow: Sendable, Hashable {
  public enum Side: String, Sendable {
    case supporting = "for"
    case opposing = "against"
  }

  /// Of an offer: by whom, what became of it and what it asks.
  public struct Offer: Sendable, Hashable {
    public var from: ActorCode
    public var outcome: MessageState.Outcome
    public var condition: TimelineModel.Offer.Condition
  }

  public var event: EventBrief
  public var side: Side?
  /// What it adds to the figure, where that is a sum.
  public var share: Double?
  /// Of an event with a share: which of the two it is by.
  public var by: [ActorCode]?
  /// The rule that put it there, in a few words.
  public var reason: String?
  public var offer: Offer?
  /// More than one version of the event stands.
  public var isContested = false

  init(
    _ event: EventBrief, side: Side? = nil, share: Double? = nil, by: [ActorCode]? = nil,
    reason: String? = nil, offer: Offer? = nil
  ) {
    self.event = event
    self.side = side
    self.share = share
    self.by = by
    self.reason = reason
    self.offer = offer
  }
}

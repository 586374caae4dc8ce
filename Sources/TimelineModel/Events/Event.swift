// An event as the projections see it: decoded from the body of one line, already validated
// (EventValidator is where the rules stand). docs/reference/event-format.md describes every field.
// Types and fields stand in EventSchema; how to add one: docs/internals/adding-a-type.md.

/// What happened between parties, in the version that shows.
public struct Event: Sendable, Hashable {
  public var id: EventID
  public var type: EventType
  public var subtype: String?
  public var date: EventDate
  public var actors: [ActorCode]
  public var targets: [ActorCode]
  public var title: String
  /// The event's own weight in thousandths, where it states one (with a reason); else nil.
  public var weight: Int32?
  public var confidence: Confidence?
  public var offer: Offer?
  public var commitments: [Commitment]
  public var links: [Link]
  public var tags: [String]
  /// More than one current version: every figure that rests on it is provisional.
  public var isContested: Bool

  public init(
    id: EventID, type: EventType, subtype: String? = nil, date: EventDate, actors: [ActorCode],
    targets: [ActorCode] = [], title: String, weight: Int32? = nil, confidence: Confidence? = nil,
    offer: Offer? = nil, commitments: [Commitment] = [], links: [Link] = [], tags: [String] = [],
    isContested: Bool = false
  ) {
    self.id = id
    self.type = type
    self.subtype = subtype
    self.date = date
    self.actors = actors
    self.targets = targets
    self.title = title
    self.weight = weight
    self.confidence = confidence
    self.offer = offer
    self.commitments = commitments
    self.links = links
    self.tags = tags
    self.isContested = isContested
  }
}

/// How sure the coder is that it happened as written.
public enum Confidence: String, Sendable, Hashable, CaseIterable {
  case high, medium, low
}

/// A conditional offer: what the other side is to do, what the offering side would do then.
public struct Offer: Sendable, Hashable {
  public enum Condition: String, Sendable, Hashable, CaseIterable {
    /// The other side moves first.
    case prior
    /// Both move together.
    case simultaneous
    /// Nothing is asked.
    case none
  }

  public var `if`: [String]
  public var then: [String]
  public var condition: Condition
  public var expires: EventDate?
  /// Keys of `data/interests.csv`.
  public var interests: [String]

  public init(
    if asked: [String], then given: [String], condition: Condition, expires: EventDate? = nil,
    interests: [String] = []
  ) {
    self.if = asked
    self.then = given
    self.condition = condition
    self.expires = expires
    self.interests = interests
  }
}

/// One promise of an agreement.
public struct Commitment: Sendable, Hashable {
  /// Names the commitment within its agreement; links refer to it.
  public var key: String
  public var by: [ActorCode]
  public var to: [ActorCode]
  public var what: String
  public var due: EventDate?
  public var verifier: [ActorCode]

  public init(
    key: String, by: [ActorCode], to: [ActorCode], what: String, due: EventDate? = nil,
    verifier: [ActorCode] = []
  ) {
    self.key = key
    self.by = by
    self.to = to
    self.what = what
    self.due = due
    self.verifier = verifier
  }
}

/// What one event says about another.
public struct Link: Sendable, Hashable {
  public enum Relation: String, Sendable, Hashable, CaseIterable {
    case answers, accepts, declines, counters, fulfils, verifies, violates, suspends, withdraws
    case extends, follows, same, corrects
    case partOf = "part-of"
  }

  public var relation: Relation
  public var id: EventID
  /// The key of a commitment of that event.
  public var key: String?

  public init(relation: Relation, id: EventID, key: String? = nil) {
    self.relation = relation
    self.id = id
    self.key = key
  }
}

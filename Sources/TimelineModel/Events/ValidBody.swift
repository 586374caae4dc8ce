// A body that was accepted: what the index keeps of an event, and what a control record says.

import TransparencyLog

/// What the index keeps of an event: plain numbers, those of shared values from a `Vocabulary`.
public struct EventFacts: Sendable, Equatable, BitwiseCopyable {
  public var first: Day
  public var last: Day
  public var parties: UInt32 = 0
  public var tags: UInt32 = 0
  public var subtype: UInt32 = 0
  public var type: EventType
  public var hasLinks = false
  /// The envelope says it, not the body: the reader of the line puts it here.
  public var author: UInt16 = 0
}

/// A line about the log, not about the world: of an event, an actor, a member, a timeline …
public enum ControlRecord: Sendable {
  /// `body` is the node of the event as it should be.
  case correct(EventID, supersedes: Superseded, body: Int, facts: EventFacts)
  case retract(EventID, supersedes: Superseded)
  /// Two records are of one happening, or they are not.
  case same(SameRecord)
  case actor(Actor)
  /// The event's words are to go, with the lines that hold them, as far as its recorder knew of any.
  case erase(EventID, lines: [LineAddress])
  /// The key that the heads of a replica's log are signed with.
  case member(ReplicaID, NoteVerifier)
  /// What the id of a timeline is made from.
  case timeline(TimelineFounding)
  case snapshot(NamedSnapshot)
  /// A team's own table of rules.
  case rules(RuleTable)
  /// One of another machine that is unusable, and why.
  case unusableRules(String)
  case other
}

/// Which versions of an event a correction or retraction replaces (F-8): those that it names, and all older
/// ones that stand within a position.
public struct Superseded: Sendable, Hashable {
  public var named: [EventID]
  public var upTo: Position

  public init(_ named: [EventID], upTo: Position = Position()) {
    self.named = named
    self.upTo = upTo
  }

  /// As a line says it.
  public var json: [JSONValue.Member] {
    [JSONValue.Member("supersedes", .strings(named))]
      + (upTo.sizes.isEmpty ? [] : [JSONValue.Member("up_to", upTo.json)])
  }
}

/// A body that was accepted.
public enum ValidBody: Sendable {
  case event(EventFacts)
  indirect case controlRecord(EventType, ControlRecord)

  /// The same by an author.
  public func by(_ author: UInt16) -> ValidBody {
    switch self {
    case .event(var facts):
      facts.author = author
      return .event(facts)
    case .controlRecord(let type, .correct(let id, let supersedes, let body, var facts)):
      facts.author = author
      return .controlRecord(type, .correct(id, supersedes: supersedes, body: body, facts: facts))
    case .controlRecord: return self
    }
  }
}

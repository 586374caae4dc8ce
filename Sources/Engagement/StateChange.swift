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

  public let what: What
  /// Whose interest it is.
  public var party: String?
  /// Which of several: a promise, a criterion, a part of the climate.
  public var key: String?
  public var id: String?
  public var title: String?
  /// Nil where there was nothing.
  public var from: JSONValue?
  public var to: JSONValue?
  /// The events that say so, where single ones do; none where only time passed.
  public var by: [String]?

  init(
    _ what: What, party: String? = nil, key: String? = nil, id: String? = nil,
    title: String? = nil, from: JSONValue?, to: JSONValue?, by: [String]? = nil
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

  public var members: [JSONValue.Member] {
    let members: KeyValuePairs<String, JSONValue?> = [
      "what": .string(what.rawValue), "party": party.map { .string($0) },
      "key": key.map { .string($0) }, "id": id.map { .string($0) },
      "title": title.map { .string($0) }, "from": from, "to": to, "by": by.map { .strings($0) },
    ]
    return members.compactMap { key, value in value.map { JSONValue.Member(key, $0) } }
  }

  public var json: JSONValue { .object(members) }
}

// A link to another event as people write it: REL:ID, REL:ID#KEY for one commitment of an agreement.
// `=` does for `:`. The id may be a name, or the first characters.

import TimelineModel

struct EventLink {
  /// Nil only in one that names links to take away.
  let relation: String?
  let id: String
  let key: String?

  init(_ text: String) throws(Failure) {
    self.init(parsing: text)
    guard let relation, !id.isEmpty else {
      throw Failure(
        .usage, "link: \"\(text)\"; write REL:ID, such as answers:1f2e3d4c or fulfils:1f2e3d4c#KEY")
    }
    let relations = Link.Relation.allCases.map(\.rawValue)
    guard relations.contains(relation) else {
      let advice = EditDistance.advice(
        on: relation, in: relations, else: "they are \(relations.joined(separator: ", "))")
      throw Failure(.usage, "link: \"\(relation)\" is no relation; \(advice)")
    }
  }

  init(removing text: String) throws(Failure) {
    self.init(parsing: text)
    guard !id.isEmpty else {
      throw Failure(.usage, "--no-link \(text): write an id, REL:ID or ID#KEY")
    }
  }

  private init(parsing text: String) {
    let sides = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    key = sides.count == 2 && !sides[1].trimmed.isEmpty ? sides[1].trimmed : nil
    guard let at = sides[0].firstIndex(where: { $0 == ":" || $0 == "=" }) else {
      relation = nil
      id = sides[0].trimmed
      return
    }
    relation = sides[0][..<at].trimmed
    id = sides[0][sides[0].index(after: at)...].trimmed
  }

  /// The event that a word names.
  struct Target {
    /// Whole.
    var id: String
    /// Of its commitments.
    var keys: [String] = []

    init(id: String, _ event: EventBody) {
      self.id = id
      keys = event.items("commitments").compactMap { $0["key"]?.string }
    }
  }

  /// What is stored, with the whole id.
  func json(_ find: (String) throws(Failure) -> Target) throws(Failure) -> JSONValue {
    let target = try find(id)
    return .object([
      "rel": relation.map { .string($0) }, "id": .string(target.id),
      "key": try key(in: target).map { .string($0) },
    ])
  }

  /// A step says which promise it keeps (E-6.2): of one there is no doubt, of several it counts for none.
  private func key(in target: Target) throws(Failure) -> String? {
    let isOfOne = relation.flatMap(Link.Relation.init(rawValue:)).map {
      [.fulfils, .verifies].contains($0)
    }
    guard key == nil, isOfOne ?? false, let first = target.keys.first else { return key }
    let word = "\(relation ?? ""):\(target.id.prefix(8))"
    guard target.keys.count == 1 else {
      throw Failure(
        .usage,
        "link: \(word) does not say which of its \(target.keys.count) commitments; write"
          + " \(word)#KEY with one of \(target.keys.joined(separator: ", "))")
    }
    Terminal.say("timelinectl: link: taken as \(word)#\(first), its one commitment")
    return first
  }

  /// Whether a link is one of those that are meant, by the first characters of its event's id.
  func matches(_ link: JSONValue, id: String) -> Bool {
    (link["id"]?.string ?? "").hasPrefix(id)
      && relation.map { $0 == link["rel"]?.string } ?? true
      && key.map { $0 == link["key"]?.string } ?? true
  }

  static func text(_ link: JSONValue) -> String {
    "\(link["rel"]?.string ?? ""):\(link["id"]?.string ?? "")"
      + (link["key"]?.string.map { "#\($0)" } ?? "")
  }
}

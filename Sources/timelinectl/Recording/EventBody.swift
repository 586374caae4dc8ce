// What is said of an event, without what the daemon adds: the members that `add` fills and `correct`
// changes. Members that this client does not know stay as they are.

import TimelineModel

struct EventBody: Equatable {
  private(set) var members: [JSONValue.Member]

  /// What a line or an answer has in addition to the body.
  private static let envelope = BodyMember.answered.union(BodyMember.recorder)

  init(_ members: [JSONValue.Member] = []) { self.members = members }

  /// The body within an event as it is stored or answered.
  init(of event: JSONValue) {
    members = (event.members ?? []).filter { !Self.envelope.contains($0.key) }
  }

  var json: JSONValue { .object(members) }
  var isEmpty: Bool { members.isEmpty }

  /// The order in which a new body is written, that of F-6 in docs/reference/event-format.md.
  private static let order = BodyMember.ofEvents.map(\.name)

  private static func rank(_ key: String) -> Int { order.firstIndex(of: key) ?? order.count }

  /// Nil takes a member away; a new one comes where it belongs.
  subscript(key: String) -> JSONValue? {
    get { members.first { $0.key == key }?.value }
    set {
      guard let index = members.firstIndex(where: { $0.key == key }) else {
        guard let newValue else { return }
        let next = members.firstIndex { Self.rank($0.key) > Self.rank(key) }
        return members.insert(JSONValue.Member(key, newValue), at: next ?? members.endIndex)
      }
      if let newValue { members[index].value = newValue } else { members.remove(at: index) }
    }
  }

  /// The items of a member that is a list.
  func items(_ key: String) -> [JSONValue] { self[key]?.array ?? [] }

  /// Sets a list; an empty one is left out.
  mutating func setItems(_ key: String, _ items: [JSONValue]) {
    self[key] = items.isEmpty ? nil : .array(items)
  }

  /// A word that may be near a known subtype but is none: what was probably meant.
  var subtypeHint: String? {
    guard let type = self["type"]?.string.flatMap(EventType.init(word:)),
      let subtype = self["subtype"]?.string, !type.knownSubtypes.contains(subtype)
    else { return nil }
    let near = EditDistance.nearest(to: subtype, in: type.knownSubtypes)
    guard !near.isEmpty else { return nil }
    return
      "subtype \"\(subtype)\" is none of those known for \(type.word), and is kept as it is; did you mean \(near.joined(separator: ", "))?"
  }
}

// What is said where a link is recorded that says nothing of the message it leads to: only those to whom a
// message is written can answer it, only those who wrote it can withdraw it (E-4.2 of docs/engagement.md).

import TimelineModel

enum LinkHint {
  private static let answers = ["answers", "accepts", "declines", "counters"]

  /// - Parameter before: the event as it stood: what that said already is not told again.
  static func hints(
    _ body: EventBody, before: EventBody = EventBody(), _ client: Client
  ) throws(Failure) -> [String] {
    let old = before.items("links")
    var hints: [String] = []
    for link in body.items("links") where !old.contains(link) {
      let relation = link["rel"]?.string ?? ""
      guard answers.contains(relation) || relation == "withdraws", let id = link["id"]?.string,
        let message = try event(id, client),
        message["offer"] != nil || message["type"]?.string == "message"
      else { continue }
      let able = codes(message, relation == "withdraws" ? "actors" : "targets")
      guard !able.isEmpty, !codes(body, "actors").contains(where: able.contains) else { continue }
      hints.append(
        "link \(relation):\(id.prefix(8)) says nothing: that is \(EventText.parties(message.json)), so "
          + "\(able.joined(separator: ", ")) would have to be among the actors")
    }
    return hints
  }

  /// Nil where it is not here: it may come.
  private static func event(_ id: String, _ client: Client) throws(Failure) -> EventBody? {
    do throws(Failure) { return try EventVersions(id, client).body } catch {
      guard error.code == "not-found" else { throw error }
      return nil
    }
  }

  private static func codes(_ event: EventBody, _ key: String) -> [String] {
    event.items(key).compactMap(\.string)
  }
}

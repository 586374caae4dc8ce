// What people call an event: its id, the first characters of it, or the name that it was imported by.
// A name is made into an id; one such as 2004-02-02 may also begin another id, and then both are reported.

import TimelineModel

enum EventName {
  /// The id, or a beginning of it, by which the daemon finds the event that is meant.
  static func id(_ word: String, _ client: Client) throws(Failure) -> String {
    let text = word.lowercased()
    if EventID(text) != nil { return text }
    let named = EventID(importedName: word).description
    let isThere = try finds(named, client) != nil
    let isBeginning =
      text.count < UUIDBytes.textLength
      && text.allSatisfy { $0 == "-" || ($0.isASCII && $0.isHexDigit) }
    guard isBeginning else {
      guard isThere else {
        throw Failure(
          .failed, code: "not-found",
          "no event is named \"\(word)\"; \(Again.timelinectl) log finds it by its words, date or parties"
        )
      }
      return named
    }
    if text.count < 4 {
      guard isThere else {
        throw Failure(
          .usage,
          "no event is named \"\(word)\"; of an id give at least the first 4 characters")
      }
      return named
    }
    let other = try finds(text, client)
    guard isThere else {
      guard let other else {
        throw Failure(
          .failed, code: "not-found",
          "no event is named \"\(word)\", and no id begins so; \(Again.timelinectl) log finds it by its words,"
            + " date or parties")
      }
      return other
    }
    if let other, other != named {
      throw Failure(
        .usage,
        "\"\(word)\" is the name of one event and begins the id of another: write \(named) or"
          + " \(other)")
    }
    return named
  }

  /// The id of the event that the daemon finds so.
  private static func finds(_ text: String, _ client: Client) throws(Failure) -> String? {
    do throws(Failure) {
      var id: String?
      _ = try client.stream(.get(text)) { word, json in
        // A retracted event has its lines only.
        if word == "EVENT" || id == nil { id = Client.json(json)["id"]?.string }
      }
      return id ?? text
    } catch {
      guard error.reply?.code == .notFound else { throw error }
      return nil
    }
  }
}

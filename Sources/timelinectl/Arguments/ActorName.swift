// What an actor can be called: every table of every machine on the timeline will show it, for ever.

import TimelineModel

enum ActorName {
  /// As long as the longest that ships, twice over.
  private static let charactersMax = 120

  /// Refuses names that would spoil a table, and other names that are somebody's already.
  static func check(_ name: String, aliases: [String], _ client: Client) throws(Failure) {
    try checkForm(name, "--name")
    for alias in aliases { try checkForm(alias, "--alias") }
    var taken: [String: String] = [:]
    _ = try client.stream(.actors()) { _, json in
      let actor = Client.json(json)
      let code = actor["code"]?.string ?? ""
      let names = (actor["aliases"]?.array ?? []).compactMap(\.string)
      for word in [code, actor["name"]?.string ?? ""] + names { taken[word.lowercased()] = code }
    }
    for (flag, word) in [("--name", name)] + aliases.map({ ("--alias", $0) }) {
      if let code = taken[word.lowercased()] {
        throw Failure(.usage, "\(flag): \"\(word)\" is what \(code) is called already")
      }
    }
  }

  private static func checkForm(_ name: String, _ flag: String) throws(Failure) {
    guard !name.trimmed.isEmpty else { throw Failure(.usage, "\(flag) is empty") }
    if let scalar = name.unicodeScalars.first(where: SafeText.isDangerous) {
      let digits = String(scalar.value, radix: 16, uppercase: true)
      let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
      throw Failure(
        .usage, "\(flag): it holds the control character U+\(padded); one line of plain text only")
    }
    guard name.count <= charactersMax else {
      throw Failure(.usage, "\(flag): \(name.count) characters; at most \(charactersMax)")
    }
  }
}

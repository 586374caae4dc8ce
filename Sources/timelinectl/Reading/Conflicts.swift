// `conflicts`: events whose versions nobody settled, and who says what. A conflict of thousands is counted
// whole, and its newest versions are shown.

import TimelineModel

extension Command {
  static let conflicts = Command(
    name: "conflicts", arguments: "[FILTER]",
    summary: "list events of which people say different things, and who says what",
    examples: ["conflicts", "conflicts actor=PRK 'date>=2017'", "conflicts --json --limit 1000"],
    flags: [
      Flag(name: "--limit", value: "N", help: "the first N (-n N, -nN; 20)"),
      Flag(name: "--exit-code", value: nil, help: "exit 3 where nothing matched"),
    ] + Moment.flags + FilterTerms.flags,
    notes: """
      An event is contested while more than one version of it stands: corrections or retractions \
      whose authors did not know of each other. The newest shows, and what rests on it is marked \
      as provisional, until timelinectl resolve settles it.

      \(FilterTerms.help)
      """
  ) { (context) throws(Failure) in
    let words = context.words
    let limit = try Limit.of(words, usual: context.isJSON ? 1000 : 20)
    let members =
      try FilterTerms(words).members + Moment.members(words)
      + [JSONValue.Member("limit", .int(limit))]
    var rows: [JSONValue] = []
    let end = try context.connect().stream(.conflicts(.object(members))) { _, row in
      rows.append(Client.json(row))
    }
    Moment.tell(end)
    let count = end["count"]?.int ?? 0
    var text = rows.map { ConflictText.whole($0, context.terminal) }.joined(separator: "\n")
    if count == 0 { text = "no event is contested\n" }
    context.finish(
      .object((end.members ?? []) + [JSONValue.Member("conflicts", .array(rows))]), text)
    if rows.count < count, !context.isJSON {
      Terminal.say("\(rows.count) of \(Count.events(count)), -n N for more")
    }
    return count == 0 && words.has("--exit-code") ? .nothingMatched : .done
  }
}

/// How many rows a person asks for.
enum Limit {
  static let max = 10_000

  static func of(_ words: Words, usual: Int) throws(Failure) -> Int {
    guard let text = words["--limit"] else { return usual }
    guard let number = Int(text), (0...max).contains(number) else {
      throw Failure(.usage, "--limit takes a whole number from 0 to \(max); not \(text)")
    }
    return number
  }
}

enum ConflictText {
  /// The event, who says what of it by field, and how it is settled.
  static func whole(_ conflict: JSONValue, _ terminal: Terminal) -> String {
    let id = (conflict["id"]?.string ?? "").prefix(8)
    let title = conflict["title"]?.string ?? "(retracted)"
    var text =
      terminal.bold("\(id)  \(conflict["date"]?.string ?? "")  \(Terminal.plain(title))") + "\n"
    for version in conflict["versions"]?.array ?? [] {
      text += line(version, isShown: version["id"] == conflict["shows"], terminal)
    }
    let told = conflict["versions"]?.array?.count ?? 0
    if let count = conflict["count"]?.int, count > told {
      text += "  and \(count - told) older versions that stand\n"
    }
    for field in conflict["fields"]?.array ?? [] { text += said(field, terminal) }
    return text + "  to settle it: \(Again.timelinectl) resolve \(id) --take VERSION --reason …\n"
  }

  private static func line(
    _ version: JSONValue, isShown: Bool, _ terminal: Terminal
  ) -> String {
    let reason = version["reason"].map { ": \(value($0))" } ?? ""
    let said =
      "\(version["kind"]?.string ?? "") by \(version["author"]?.string ?? "?") on"
      + " \((version["replica"]?.string ?? "").prefix(8))\(reason)"
    return terminal.hanging(
      "  \((version["id"]?.string ?? "").prefix(8))  \(version["recorded"]?.string ?? "")"
        + "  \(Terminal.plain(said))\(isShown ? " (this one shows)" : "")", indent: 12)
  }

  /// `title: A [1f2e3d4c] · B [5e6f7a8b]`
  private static func said(_ field: JSONValue, _ terminal: Terminal) -> String {
    let name = field["field"]?.string ?? ""
    return (field["values"]?.array ?? []).map { value in
      let ids = (value["versions"]?.array ?? []).compactMap { $0.string?.prefix(8) }
      let said = value["value"].map(Self.value) ?? "(left out)"
      return terminal.hanging(
        "  \(name): \(Terminal.plain(said)) [\(ids.joined(separator: " "))]", indent: 6)
    }.joined()
  }

  /// A value, or how a long one begins.
  private static func value(_ value: JSONValue) -> String {
    value["begins"]?.string.map { "\($0)…" } ?? EventText.value(value)
  }
}

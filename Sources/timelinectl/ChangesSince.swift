// `state --since`: what changed since a day, or since the log stood at a position.

import Engagement
import TimelineModel

enum ChangesSince {
  static let flag = Flag(
    name: "--since", value: "WHEN",
    help: "what changed since that day; or, by what came into the log since a time or position")

  static func run(_ context: Context) throws(Failure) -> ExitCode {
    let words = context.words
    try Command.checkDays(words, ["--as-of"])
    let since = words["--since"] ?? ""
    let isMoment = since.trimmed.hasPrefix("{") || since.contains("T")
    if !isMoment { try Command.checkDays(words, ["--since"]) }
    let client = try context.connect()
    let moment = try Moment.members(words)
    let names = try Parties.distinct(words.plain, client, moment)
    let parties = JSONValue.Member("parties", .strings(names))
    let day = words["--as-of"] ?? (words.has("--at") ? nil : Day.today.description)
    let answer =
      isMoment
      ? try compared(since, parties, day, moment, client)
      : try client.ask(
        "CHANGES "
          + JSONValue.object(
            [parties, JSONValue.Member("from", .string(since))] + member("to", day) + moment
          ).text)
    Moment.tell(answer)
    context.finish(answer, text(answer, since, context.terminal))
    return .done
  }

  private static func member(_ key: String, _ day: String?) -> [JSONValue.Member] {
    day.map { [JSONValue.Member(key, .string($0))] } ?? []
  }

  /// The state of one day, by what the log held then and by what it holds now.
  private static func compared(
    _ since: String, _ parties: JSONValue.Member, _ day: String?, _ moment: [JSONValue.Member],
    _ client: Client
  ) throws(Failure) -> JSONValue {
    func ask(_ moment: [JSONValue.Member]) throws(Failure) -> JSONValue {
      try client.ask("STATE \(JSONValue.object([parties] + member("as_of", day) + moment).text)")
    }
    let known = JSONValue.Member("known_at", try Moment.json(since, "--since"))
    let after = try ask(moment)
    // A snapshot has a day of its own, which both are asked for.
    let before = try client.ask(
      "STATE "
        + JSONValue.object([parties] + member("as_of", after["day"]?.string) + [known]).text)
    var head = [
      parties, JSONValue.Member("since", known.value),
      JSONValue.Member("day", after["day"] ?? .null),
      JSONValue.Member("rules", after["rules"] ?? .null),
    ]
    let found = zip(dyads(before), dyads(after)).map { before, after in
      (after["parties"] ?? .null, JSONValue.array(StateChanges.between(before, after).map(\.json)))
    }
    if after["dyads"] == nil {
      head.append(JSONValue.Member("changes", found[0].1))
    } else {
      let dyads = found.map { JSONValue.object(["parties": $0, "changes": $1]) }
      head.append(JSONValue.Member("dyads", .array(dyads)))
    }
    if let snapshot = after["snapshot"] { head.append(JSONValue.Member("snapshot", snapshot)) }
    return .object(head)
  }

  /// The answer on two parties, or on every two of a group.
  static func dyads(_ answer: JSONValue) -> [JSONValue] { answer["dyads"]?.array ?? [answer] }

  static func names(_ answer: JSONValue) -> String {
    (answer["parties"]?.array ?? []).compactMap(\.string).joined(separator: " – ")
  }

  private static func text(
    _ answer: JSONValue, _ since: String, _ terminal: Terminal
  ) -> String {
    let span =
      answer["to"].map { "from \(since) to \($0.string ?? "")" }
      ?? "on \(answer["day"]?.string ?? ""), by what was recorded after \(since)"
    return dyads(answer).map { dyad in
      terminal.bold(SafeText.line("\(names(dyad)): what changed \(span)")) + "\n\n"
        + ChangesText.list(dyad, terminal)
    }.joined(separator: "\n")
  }
}

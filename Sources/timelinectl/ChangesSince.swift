// `state --since`: what changed since a day, or since the log stood at a position.

import Engagement
import TimelineModel

enum ChangesSince {
  static let flag = Flag(
    name: "--since", value: "WHEN",
    help: "what changed since that day; or, by what came into the log since a time or position")

  static func run(_ context: Context) throws(Failure) -> ExitCode {
    let words = context.words
    let asOf = try DayOption.day(words, "--as-of")
    let since = (words["--since"] ?? "").trimmed
    let isDate = since.first.map { $0.isASCII && $0.isNumber || $0 == "-" } ?? false
    let isMoment = since.hasPrefix("{") || isDate && since.contains("T")
    guard isMoment || isDate else {
      throw Failure(.usage, "--since: \"\(since)\" is no moment; \(forms)")
    }
    let first = isMoment ? nil : try DayOption.day(words, "--since")
    if isMoment { _ = try known(since) }
    let client = try context.connect()
    let moment = try Moment.members(words)
    let names = try Parties.distinct(words.plain, client, moment)
    let parties = JSONValue.Member("parties", .strings(names))
    let day = asOf?.description ?? (words.has("--at") ? nil : Day.today.description)
    let answer =
      isMoment
      ? try compared(try known(since), parties, day, moment, client)
      : try client.ask(
        "CHANGES "
          + JSONValue.object(
            [parties] + member("from", first?.description) + member("to", day) + moment
          )
          .text)
    Moment.tell(answer)
    context.finish(answer, text(answer, since, context.terminal))
    return .done
  }

  private static let forms =
    "give a day (2026-11-01; of a month or year its first), to see what changed since; or a time"
    + " (2026-11-23T22:20:00Z) or a position ('{\"REPLICA\":10}', as timelinectl status --json has it),"
    + " to see what came into the log since"

  private static func known(_ since: String) throws(Failure) -> JSONValue.Member {
    do throws(Failure) {
      return JSONValue.Member("known_at", try Moment.json(since, "--since"))
    } catch {
      guard since.hasPrefix("{") else { throw error }
      throw Failure(.usage, "--since: \(since) is no position; \(forms)")
    }
  }

  private static func member(_ key: String, _ day: String?) -> [JSONValue.Member] {
    day.map { [JSONValue.Member(key, .string($0))] } ?? []
  }

  /// The state of one day, by what the log held then and by what it holds now.
  private static func compared(
    _ known: JSONValue.Member, _ parties: JSONValue.Member, _ day: String?,
    _ moment: [JSONValue.Member], _ client: Client
  ) throws(Failure) -> JSONValue {
    func ask(_ moment: [JSONValue.Member]) throws(Failure) -> JSONValue {
      try client.ask("STATE \(JSONValue.object([parties] + member("as_of", day) + moment).text)")
    }
    let after = try ask(moment)
    // A snapshot has a day of its own, which both are asked for.
    let before = try client.ask(
      "STATE "
        + JSONValue.object([parties] + member("as_of", after["day"]?.string) + [known]).text)
    var head = [
      JSONValue.Member("parties", after["parties"] ?? parties.value),
      JSONValue.Member("since", known.value),
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
      answer["to"].map { "from \(answer["from"]?.string ?? "") to \($0.string ?? "")" }
      ?? "on \(answer["day"]?.string ?? ""), by what was recorded after \(since)"
    return dyads(answer).map { dyad in
      terminal.bold(SafeText.line("\(names(dyad)): what changed \(span)")) + "\n\n"
        + ChangesText.list(dyad, terminal)
    }.joined(separator: "\n")
  }
}

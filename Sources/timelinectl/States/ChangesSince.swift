// `state --since`: what changed since a day, or since the log stood at a position.

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
    let known = isMoment ? try position(since) : nil
    let client = try context.connect()
    let moment = try Moment.members(words)
    let names = try Parties.distinct(words.plain, client, moment)
    let day = asOf?.description ?? (words.has("--at") ? nil : Day.today.description)
    let asked = JSONValue.object([
      "parties": .strings(names), "from": first.map { .string($0.description) },
      "since": known, "to": day.map { .string($0) },
    ])
    let answer = try client.ask(.changes(JSONValue.object((asked.members ?? []) + moment)))
    Moment.tell(answer)
    context.finish(answer, text(answer, since, context.terminal))
    return .done
  }

  private static let forms =
    "give a day (2026-11-01; of a month or year its first), to see what changed since; or a time"
    + " (2026-11-23T22:20:00Z) or a position ('{\"REPLICA\":10}', as timelinectl status --json has it),"
    + " to see what came into the log since"

  private static func position(_ since: String) throws(Failure) -> JSONValue {
    do throws(Failure) { return try Moment.json(since, "--since") } catch {
      guard since.hasPrefix("{") else { throw error }
      throw Failure(.usage, "--since: \(since) is no position; \(forms)")
    }
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

// `state`, `why`: how things stand between two parties, and which events say so.

import Foundation
import TimelineModel

extension Command {
  private static let stateFlags = [
    Flag(name: "--as-of", value: "DAY", help: "on this day (today)"),
    Flag(name: "--known-at", value: "WHEN", help: "from what was recorded by then"),
  ]

  private static func question(
    _ context: Context, _ more: [JSONValue.Member] = []
  ) throws(Failure) -> String {
    let words = context.words
    guard words.plain.count >= 2 else {
      throw Failure(.usage, "name two parties, as: timelinectl state USA PRK")
    }
    if let text = words["--as-of"], Day(text) == nil {
      do throws(DateError) { _ = try EventDate(text) } catch {
        throw Failure(.usage, "--as-of: \(error.message)")
      }
      throw Failure(.usage, "--as-of takes a whole day, such as 2017-11-30")
    }
    return JSONValue.object(
      [
        JSONValue.Member("parties", .strings(words.plain.prefix(2))),
        JSONValue.Member("as_of", .string(words["--as-of"] ?? today)),
      ] + (words["--known-at"].map { [JSONValue.Member("known_at", .string($0))] } ?? []) + more
    ).text
  }

  /// The client's own day.
  private static var today: String {
    let parts = Calendar.current.dateComponents([.year, .month, .day], from: Date())
    return Day(year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1)!.description
  }

  static let state = Command(
    name: "state", arguments: "PARTY PARTY",
    summary: "how things stand between two parties, on any day",
    examples: ["state USA PRK", "state USA PRK --as-of 2017-11-30 --json"], flags: stateFlags
  ) { (context) throws(Failure) in
    let state = try context.connect().ask("STATE \(question(context))")
    context.finish(state, StateText.text(state, context.terminal))
    return .done
  }

  static let why = Command(
    name: "why", arguments: "PARTY PARTY FIGURE",
    summary: "the events behind a figure of the state",
    examples: ["why USA PRK phase", "why USA PRK climate --as-of 2016-07-20"],
    flags: stateFlags + [Flag(name: "--all", value: nil, help: "all events, on a terminal too")]
  ) { (context) throws(Failure) in
    guard context.words.plain.count == 3 else {
      throw Failure(.usage, "name two parties and a figure, as: timelinectl why USA PRK phase")
    }
    let figure = JSONValue.Member("figure", .string(context.words.plain[2]))
    let answer = try context.connect().ask("EXPLAIN \(question(context, [figure]))")
    let events = answer["events"]?.array ?? []
    let isCut = context.terminal.isTerminal && !context.words.has("--all") && events.count > 40
    let rows = events.prefix(isCut ? 40 : events.count).map { event in
      [
        event["share"]?.number.map { JSONValue.threeDecimals($0) } ?? "",
        event["date"]?.string ?? "", EventText.kind(event),
        String((event["id"]?.string ?? "").prefix(8)),
        Terminal.plain(event["title"]?.string ?? ""),
      ]
    }
    context.finish(
      answer, context.terminal.table(Array(rows), header: ["SHARE", "DATE", "TYPE", "ID", "TITLE"]))
    if isCut { Terminal.say("40 of \(events.count) events, --all for the rest") }
    return .done
  }
}

enum StateText {
  static func text(_ state: JSONValue, _ terminal: Terminal) -> String {
    let parties = (state["parties"]?.array ?? []).compactMap(\.string)
    let phase = state["phase"]
    var text =
      terminal.bold("\(parties.joined(separator: " – ")) on \(state["day"]?.string ?? "")") + "\n\n"
    func row(_ name: String, _ value: String) {
      text += terminal.field(name, SafeText.line(value))
    }
    func id(_ event: JSONValue) -> String { String((event["id"]?.string ?? "").prefix(8)) }
    row(
      "phase",
      "\(phase?["name"]?.string ?? "") since \(phase?["since"]?.string ?? "") (\(phase?["days"]?.int ?? 0) days)"
    )
    for event in state["contact"]?["last"]?.array ?? [] {
      row(
        "contact",
        "\(event["from"]?.string ?? "") \(event["days"]?.int ?? 0) days ago: \(event["title"]?.string ?? "") [\(id(event))]"
      )
    }
    let climate = state["climate"]
    row(
      "climate",
      "\(decimal(climate?["total"])), trend \(decimal(climate?["trend"]))"
        + " (\(parties.map { "\($0) \(decimal(climate?[$0]))" }.joined(separator: ", ")), joint \(decimal(climate?["joint"])))"
    )
    let reciprocity = state["reciprocity"]
    row("reciprocity", reciprocity?.string ?? decimal(reciprocity))
    row(
      "approach",
      parties.map { "\($0) \(state["approach"]?[$0]?.string ?? "")" }.joined(separator: ", "))
    if let test = state["tests"]?["last"]?.array?.first {
      row(
        "last test",
        "\(test["days"]?.int ?? 0) days ago: \(test["title"]?.string ?? "") [\(id(test))]")
    }
    list("under way", (state["under_way"]?.array ?? []).filter { $0["type"]?.string != "sanction" })
    {
      "\($0["date"]?.string ?? "")  \($0["title"]?.string ?? "") [\(id($0))]"
    }
    let sanctions = (state["under_way"]?.array ?? []).count { $0["type"]?.string == "sanction" }
    if sanctions > 0 { row("sanctions", "\(sanctions) in force (why … under_way)") }
    list("unanswered", state["unanswered"]?.array ?? []) {
      "\($0["age"]?.int ?? 0) days, \($0["from"]?.string ?? "") → \($0["to"]?.string ?? ""): \($0["title"]?.string ?? "") [\(id($0))]"
    }
    let standing = (state["commitments"]?.array ?? []).filter { $0["state"]?.string != "withdrawn" }
    list("commitments", standing) {
      "\($0["state"]?.string ?? "")  \(($0["by"]?.array ?? []).compactMap(\.string).joined(separator: "+")): \($0["what"]?.string ?? "")"
    }
    return text

    func list(_ name: String, _ items: [JSONValue], _ line: (JSONValue) -> String) {
      guard !items.isEmpty else { return }
      text += "\n" + terminal.bold(name) + "\n"
      let shown = terminal.isTerminal ? items.suffix(12) : items[...]
      for item in shown { text += terminal.hanging("  " + line(item), indent: 4) }
      if shown.count < items.count {
        text += terminal.dim("  the newest \(shown.count) of \(items.count), --json for all") + "\n"
      }
    }
  }

  private static func decimal(_ value: JSONValue?) -> String {
    value?.number.map { JSONValue.threeDecimals($0) } ?? "none"
  }
}

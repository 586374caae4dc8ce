// `lint`: gaps and faults of the events, by kind, and what to do about each. What is looked for stands in
// Coding/LintKind.

import Coding
import TimelineModel

extension Command {
  /// Findings of a kind that are shown where not all are asked for.
  private static let shownMax = 5
  /// As many as the daemon lists of a kind.
  private static let listedMax = 10_000

  static let lint = Command(
    name: "lint", arguments: "[FILTER]",
    summary: "gaps and faults: what lacks a source, an answer, an end; what is there twice",
    examples: [
      "lint", "lint party=PRK 'date>=2017' --all", "lint --kind unanswered-offer --json",
      "lint --exit-code",
    ],
    flags: [
      Flag(name: "--kind", value: "WORD", help: "this kind alone; twice means or"),
      Flag(
        name: "--as-of", value: "DAY",
        help: "open, overdue, to come on this day (today); of a month or year its last"),
      Flag(name: "--all", value: nil, help: "all findings of each kind, not the first 5"),
      Flag(
        name: "--exit-code", value: nil,
        help: "exit code 7 where there is a finding that is not a soft one"),
    ] + Moment.flags + FilterTerms.flags,
    notes: """
      A FILTER says of which events findings are told; all events are looked at. \(FilterTerms.help)

      Kinds, the soft ones in brackets:
      \(LintKind.allCases.map { "  " + ($0.isSoft ? "[\($0.rawValue)]" : $0.rawValue) + ": " + $0.title }.joined(separator: "\n"))

      What is known and so is tagged lint:KIND, and told no more.
      """
  ) { (context) throws(Failure) in
    let words = context.words
    let kinds = try wantedKinds(words)
    let terms = try FilterTerms(words)
    var question = terms.members + (try Moment.members(words))
    if let day = try DayOption.day(words, "--as-of") ?? (words.has("--at") ? nil : Day.today) {
      question.append(JSONValue.Member("day", .string(day.description)))
    }
    let isAll = words.has("--all") || context.isJSON
    question.append(JSONValue.Member("limit", .int(isAll ? listedMax : shownMax)))
    let client = try context.connect()
    var findings: [JSONValue] = []
    var progress: Progress?
    let end = try client.stream(.lint(JSONValue.object(question))) { _, row in
      let row = Client.json(row)
      guard let done = row["done"]?.int, let total = row["total"]?.int else {
        if kinds.contains(where: { $0.rawValue == row["kind"]?.string }) { findings.append(row) }
        return
      }
      if progress == nil { progress = Progress("linting", total: total) }
      progress?.advance(to: done)
    }
    Moment.tell(end)
    let counts = kinds.map { (kind: $0, count: end["counts"]?[$0.rawValue]?.int ?? 0) }
    context.finish(
      json(findings, counts, end), text(findings, counts, end, isAll: isAll, context.terminal))
    let isFaulty = counts.contains { $0.count > 0 && !$0.kind.isSoft }
    return words.has("--exit-code") && isFaulty ? .verificationFailed : .done
  }

  private static func wantedKinds(_ words: Words) throws(Failure) -> [LintKind] {
    let named = words.all("--kind")
    for word in named where LintKind(rawValue: word) == nil {
      let all = LintKind.allCases.map(\.rawValue)
      let advice = EditDistance.advice(
        on: word, in: all, else: "kinds are \(all.joined(separator: ", "))")
      throw Failure(.usage, "--kind: there is no \"\(word)\"; \(advice)")
    }
    return LintKind.allCases.filter { named.isEmpty || named.contains($0.rawValue) }
  }

  private static func json(
    _ findings: [JSONValue], _ counts: [(kind: LintKind, count: Int)], _ end: JSONValue
  ) -> JSONValue {
    let kinds = counts.filter { $0.count > 0 }.map { kind, count in
      JSONValue.object([
        "kind": .string(kind.rawValue), "count": .int(count), "title": .string(kind.title),
        "advice": .string(kind.advice), "soft": .bool(kind.isSoft),
      ])
    }
    let rest = (end.members ?? []).filter { $0.key != "counts" }
    return .object(
      rest + [
        JSONValue.Member("kinds", .array(kinds)), JSONValue.Member("findings", .array(findings)),
      ])
  }

  private static func text(
    _ findings: [JSONValue], _ counts: [(kind: LintKind, count: Int)], _ end: JSONValue,
    isAll: Bool, _ terminal: Terminal
  ) -> String {
    let events = Count.events(end["events"]?.int ?? 0)
    let day = end["day"]?.string ?? ""
    guard counts.contains(where: { $0.count > 0 }) else {
      return "nothing was found in \(events) on \(day)\n"
    }
    var text = ""
    for (kind, count) in counts where count > 0 {
      let rows = findings.filter { $0["kind"]?.string == kind.rawValue }
      text += terminal.bold("\(kind.title): \(count)") + "  \(kind.rawValue)\n"
      text += terminal.hanging("  to do: \(kind.advice)", indent: 9)
      text += terminal.table(rows.map(row), header: ["  ID", "DATE", "FOUND", "TITLE"])
      if rows.count < count {
        text +=
          isAll
          ? "  and \(count - rows.count) more; ask for fewer events by a FILTER\n"
          : "  and \(count - rows.count) more (--all)\n"
      }
      text += "\n"
    }
    let accepted = end["accepted"]?.int ?? 0
    return text + "in \(events) on \(day)"
      + (accepted > 0 ? "; \(accepted) more tagged as known (lint:KIND)" : "") + "\n"
  }

  private static func row(_ finding: JSONValue) -> [String] {
    let id = (finding["ids"]?.array ?? []).first?.string ?? ""
    return [
      "  \(id.prefix(8))", finding["date"]?.string ?? "", finding["text"]?.string ?? "",
      Terminal.plain(finding["title"]?.string ?? ""),
    ]
  }
}

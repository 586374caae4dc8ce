// What a what-if says to people: the events, what they would change, and the figures side by side.

import TimelineModel

enum WhatIfText {
  static func text(
    _ answer: JSONValue, _ hypotheses: HypothesisFiles, _ terminal: Terminal
  ) -> String {
    let day = answer["day"]?.string ?? ""
    var text = ""
    let ids = (answer["events"]?.array ?? []).compactMap(\.string)
    let rows = zip(ids, events(hypotheses, ids)).map { id, event in
      [
        event["date"]?.string ?? "", EventText.kind(event), EventText.parties(event),
        String(id.prefix(8)), Terminal.plain(event["title"]?.string ?? ""),
      ]
    }
    if !rows.isEmpty {
      text += terminal.bold("if it were so (nothing is recorded)") + "\n"
      text += terminal.table(rows, header: ["DATE", "TYPE", "PARTIES", "ID", "TITLE"]) + "\n"
    }
    let without = (answer["without"]?.array ?? []).compactMap(\.string)
    if !without.isEmpty {
      text += terminal.bold("if it had not been (nothing is retracted)") + "\n"
      for id in without {
        let title = hypotheses.titles[id].map { "  " + Terminal.plain($0) } ?? ""
        text += id.prefix(8) + title + "\n"
      }
      text += "\n"
    }
    let foreign = foreign(ChangesSince.dyads(answer))
    for dyad in ChangesSince.dyads(answer) {
      text += terminal.bold("\(ChangesSince.names(dyad)) on \(day): what would be different") + "\n"
      text += ChangesText.list(dyad, terminal) + idle(dyad, foreign) + "\n"
      text += sides(dyad["before"] ?? .null, dyad["after"] ?? .null, terminal) + "\n"
    }
    return text
  }

  private static let idleMax = 5

  private static func isForeign(_ event: JSONValue) -> Bool {
    event["reason"]?.string == "other parties"
  }

  /// The events that concern no two of a group: those of some two are foreign to most others.
  private static func foreign(_ dyads: [JSONValue]) -> Set<String> {
    let each = dyads.map { dyad in
      Set(
        (dyad["without_effect"]?.array ?? []).filter(isForeign).compactMap { $0["id"]?.string })
    }
    return each.dropFirst().reduce(each.first ?? []) { $0.intersection($1) }
  }

  /// Which events make no difference to two parties, and why.
  private static func idle(_ dyad: JSONValue, _ foreign: Set<String>) -> String {
    let all = (dyad["without_effect"]?.array ?? []).filter { event in
      !isForeign(event) || foreign.contains(event["id"]?.string ?? "")
    }
    let lines = all.prefix(idleMax).map { event in
      let why =
        switch event["reason"]?.string {
        case "recorded": "is recorded already"
        case "retracted": "was recorded, and is retracted"
        case "later": "begins on \(event["begins"]?.string ?? ""), after that day"
        case "oneself": "has one party alone: what it does to itself is between no two"
        default: "does not concern \(ChangesSince.names(dyad))"
        }
      return "without effect: \((event["id"]?.string ?? "").prefix(8)) \(why)\n"
    }
    let more = all.count - lines.count
    return lines.joined() + (more > 0 ? "without effect: \(more) more (--json lists all)\n" : "")
  }

  /// The events of the ids; one that came twice has one id.
  private static func events(_ hypotheses: HypothesisFiles, _ ids: [String]) -> [JSONValue] {
    var unnamed = hypotheses.events.filter { $0["id"] == nil }
    let named = hypotheses.events.filter { $0["id"] != nil }
    return ids.map { id in
      named.first { $0["id"]?.string == id } ?? (unnamed.isEmpty ? .null : unnamed.removeFirst())
    }
  }

  private static func sides(
    _ before: JSONValue, _ after: JSONValue, _ terminal: Terminal
  ) -> String {
    let parties = (before["parties"]?.array ?? []).compactMap(\.string)
    func decimal(_ value: JSONValue?) -> String {
      value?.string ?? value?.number.map { JSONValue.threeDecimals($0) } ?? "none"
    }
    func count(_ state: JSONValue, _ key: String, _ words: [String]) -> String {
      String((state[key]?.array ?? []).count { words.contains($0["state"]?.string ?? "") })
    }
    var figures: [(String, (JSONValue) -> String)] = [
      ("phase", { $0["phase"]?["name"]?.string ?? "" }),
      ("  since", { $0["phase"]?["since"]?.string ?? "" }),
      ("contact", { $0["contact"]?["neglect"]?.int.map { Count.ago($0) } ?? "never" }),
      ("climate", { decimal($0["climate"]?["total"]) }),
      ("  trend", { decimal($0["climate"]?["trend"]) }),
    ]
    for part in parties + ["joint"] {
      figures.append(("  \(part)", { decimal($0["climate"]?[part]) }))
    }
    figures.append(("reciprocity", { decimal($0["reciprocity"]?["ratio"]) }))
    for key in ["conducive", "joint_action", "rewards", "respect"] {
      figures.append(
        (key.replacing("_", with: " "), { $0["criteria"]?[key]?["verdict"]?.string ?? "" }))
    }
    figures.append(("open offers", { count($0, "offers", ["open"]) }))
    figures.append(("unanswered", { String($0["unanswered"]?.array?.count ?? 0) }))
    let outstanding = ["open", "due", "overdue"]
    figures.append(("outstanding", { count($0, "commitments", outstanding) }))
    figures.append(("overdue", { count($0, "commitments", ["overdue"]) }))
    return terminal.table(
      figures.map { name, value in [name, value(before), value(after)] },
      header: ["FIGURE", "AS IT IS", "IF IT WERE SO"])
  }
}

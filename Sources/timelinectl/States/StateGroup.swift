// `state` of several parties: every two of them side by side, a row each.

import TimelineModel

enum StateGroup {
  static func text(_ answer: JSONValue, _ terminal: Terminal) -> String {
    let parties = (answer["parties"]?.array ?? []).compactMap(\.string)
    let title = "\(parties.joined(separator: " – ")) on \(answer["day"]?.string ?? "")"
    let rows = (answer["dyads"]?.array ?? []).map(row)
    let isProvisional = (answer["dyads"]?.array ?? []).contains(where: isProvisional)
    return terminal.bold(title) + "\n\n"
      + terminal.table(
        rows,
        header: [
          "PARTIES", "PHASE", "SINCE", "CLIMATE", "TREND", "CONTACT", "OPEN OFFERS", "OVERDUE",
          "CRITERIA",
        ])
      + "\n"
      + terminal.hanging(
        "criteria: conducive, joint action, rewards, respect; + met, ~ partly, - not met,"
          + " . no evidence"
          + (isProvisional ? ";\(Provisional.mark) provisional, rests on contested events" : ""),
        indent: 2)
  }

  private static func isProvisional(_ state: JSONValue) -> Bool {
    !(state["provisional"]?.array ?? []).isEmpty
  }

  private static func row(_ state: JSONValue) -> [String] {
    let parties =
      (state["parties"]?.array ?? []).compactMap(\.string).joined(separator: " – ")
      + (isProvisional(state) ? Provisional.mark : "")
    guard state["events"]?.int ?? 0 > 0 else {
      return [parties, "no events", "", "", "", "", "", "", ""]
    }
    func decimal(_ key: String) -> String {
      state["climate"]?[key]?.number.map { JSONValue.threeDecimals($0) } ?? ""
    }
    func count(_ key: String, _ word: String) -> String {
      String((state[key]?.array ?? []).count { $0["state"]?.string == word })
    }
    let marks = ["met": "+", "partly": "~", "not met": "-", "no evidence": "."]
    let criteria = (state["criteria"]?.members ?? []).map { criterion in
      marks[criterion.value["verdict"]?.string ?? ""] ?? "?"
    }
    return [
      parties, state["phase"]?["name"]?.string ?? "", state["phase"]?["since"]?.string ?? "",
      decimal("total"), decimal("trend"),
      state["contact"]?["neglect"]?.int.map { Count.ago($0) } ?? "never",
      count("offers", "open"), count("commitments", "overdue"), criteria.joined(separator: " "),
    ]
  }
}

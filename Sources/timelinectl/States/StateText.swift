// The state of two parties as people read it: one line a figure, then lists. All of it stands in the
// JSON too, under the names that `why` takes.

import TimelineModel

struct StateText {
  private let state: JSONValue
  /// Behind a command that is to see the log as this answer does.
  private let moment: String
  /// The moment by which things were recorded, where one was asked for.
  private let knownAt: String?
  private let terminal: Terminal
  /// The promises of each agreement.
  private let promises: [String: [JSONValue]]
  private var text = ""

  static func text(
    _ state: JSONValue, _ moment: String, knownAt: String?, _ terminal: Terminal
  ) -> String {
    let promises = Dictionary(grouping: state["commitments"]?.array ?? []) {
      $0["agreement"]?.string ?? ""
    }
    var result = StateText(
      state: state, moment: moment, knownAt: knownAt, terminal: terminal, promises: promises)
    result.write()
    return result.text
  }

  private static let criteria = [
    ("conducive", "conducive"), ("joint act", "joint_action"), ("rewards", "rewards"),
    ("respect", "respect"),
  ]

  private var parties: [String] { (state["parties"]?.array ?? []).compactMap(\.string) }
  private var names: String { parties.joined(separator: " – ") }
  private var cited: String {
    state["snapshot"].map { snapshot in
      ", as of snapshot \(snapshot["name"]?.string ?? "") [\(id(snapshot))]"
    } ?? ""
  }
  private var day: String { state["day"]?.string ?? "" }

  private mutating func write() {
    let known = knownAt.map { SafeText.line(", by what was recorded by \($0)") } ?? ""
    text += terminal.bold("\(names) on \(day)\(known)") + "\n\n"
    guard state["events"]?.int ?? 0 > 0 else {
      text +=
        knownAt == nil
        ? "nothing is recorded between the two by that day\n"
        : "of what was recorded by then nothing is between the two by that day\n"
      return
    }
    figures()
    let underWay = state["under_way"]?.array ?? []
    let lasting = underWay.filter { $0["type"]?.string != "sanction" }
    list("under way", lasting.map { "\($0["date"]?.string ?? "")  \(titled($0))" })
    let sanctions = underWay.count { $0["type"]?.string == "sanction" }
    if sanctions > 0 { row("sanctions", "\(sanctions) in force (\(why("under_way")))") }
    let offers = (state["offers"]?.array ?? []).filter { $0["state"]?.string == "open" }
    list("open offers", offers.map(offer))
    let unanswered = state["unanswered"]?.array ?? []
    list("unanswered", unanswered.map { "\(age($0)), \(direction($0)): \(titled($0))" })
    list("interests spoken to", interests)
    for agreement in state["agreements"]?.array ?? [] where isOutstanding(agreement) {
      list(
        "step for step: \(agreement["date"]?.string ?? "")  \(titled(agreement))", steps(agreement))
    }
    list(
      "broken off",
      (state["agreements"]?.array ?? []).filter { !isOutstanding($0) }.compactMap(brokenOff))
    text += "\n"
    let leftOut = state["left_out"]?.array ?? []
    if !leftOut.isEmpty {
      let shown = leftOut.prefix(3).map { link in
        "\(id(link)) \(link["rel"]?.string ?? "") (\(link["reason"]?.string ?? ""))"
      }
      row(
        "left out",
        (leftOut.count == 1
          ? "1 link that says nothing: " : "\(leftOut.count) links that say nothing: ")
          + shown.joined(separator: ", ") + (leftOut.count > 3 ? ", …" : ""))
    }
    if let text = Provisional.text(state["provisional"]) { row("provisional", text) }
    row(
      "from",
      "\(Count.events(state["events"]?.int ?? 0)), by rules \(state["rules"]?["version"]?.string ?? "?")"
        + ", \(table("weights")), \(table("windows")) and \(table("interests"))\(cited)")
  }

  private mutating func figures() {
    let phase = state["phase"]
    row(
      "phase",
      "\(phase?["name"]?.string ?? "") since \(phase?["since"]?.string ?? "")"
        + " (\(Count.days(phase?["days"]?.int ?? 0)))")
    let moved = (phase?["moved"]?.array ?? []).compactMap(\.string).map { String($0.prefix(8)) }
    if let before = phase?["from"]?.string {
      row(
        "  from",
        before + (moved.isEmpty ? ", by time alone" : ", moved by \(moved.joined(separator: " "))"))
    }
    let causes = (phase?["events"]?.array ?? []).compactMap(\.string)
    if !causes.isEmpty {
      let shown = causes.prefix(3).map { String($0.prefix(8)) }.joined(separator: " ")
      row(
        "  for",
        causes.count > 3
          ? "\(shown) and \(causes.count - 3) more (\(why("phase")))" : "\(shown) (\(why("phase")))"
      )
    }
    for event in state["contact"]?["last"]?.array ?? [] {
      row("contact", "\(event["from"]?.string ?? "") \(ago(event)): \(titled(event))")
    }
    if let silence = state["contact"]?["longest_silence"] {
      row(
        "  silence",
        "longest \(Count.days(silence["days"]?.int ?? 0)),"
          + " \(silence["from"]?.string ?? "") to \(silence["to"]?.string ?? "")")
    }
    let climate = state["climate"]
    let parts = parties.map { "\($0) \(decimal(climate?[$0]))" }.joined(separator: ", ")
    row(
      "climate",
      "\(decimal(climate?["total"])), trend \(decimal(climate?["trend"]))"
        + " (\(parts), joint \(decimal(climate?["joint"])))")
    let reciprocity = state["reciprocity"]
    let gave = parties.map { "\($0) gave \(decimal(reciprocity?[$0]))" }
    row(
      "reciprocity",
      "\(reciprocity?["ratio"]?.string ?? decimal(reciprocity?["ratio"]))"
        + " (\(gave.joined(separator: ", ")))")
    for (name, key) in Self.criteria {
      let criterion = state["criteria"]?[key]
      let (pro, contra) = (count(criterion?["for"]), count(criterion?["against"]))
      row(
        name,
        "\(criterion?["verdict"]?.string ?? "") (\(pro) for, \(contra) against; \(why(key)))")
    }
    row(
      "approach",
      parties.map { "\($0) \(state["approach"]?[$0]?["word"]?.string ?? "")" }
        .joined(separator: ", "))
    if let test = state["tests"]?["last"]?.array?.first {
      row("last test", "\(ago(test)): \(titled(test))")
    }
  }

  // MARK: Pieces

  /// A table by its version; a team's own with its event.
  private func table(_ name: String) -> String {
    let event = state["rules"]?["events"]?[name]?.string.map { " [\($0.prefix(8))]" }
    return "\(name) \(state["rules"]?[name]?.string ?? "?")\(event ?? "")"
  }

  private func why(_ figure: String) -> String {
    "\(Again.timelinectl) why \(parties.joined(separator: " ")) \(figure) --as-of \(day)\(moment)"
  }

  private func id(_ event: JSONValue) -> String { String((event["id"]?.string ?? "").prefix(8)) }
  private func titled(_ event: JSONValue) -> String {
    "\(event["title"]?.string ?? "") [\(id(event))]"
  }
  private func ago(_ event: JSONValue) -> String { Count.ago(event["days"]?.int ?? 0) }
  private func age(_ event: JSONValue) -> String {
    event["age"]?.int.map { Count.days($0) } ?? "since when is unknown"
  }
  private func direction(_ event: JSONValue) -> String {
    "\(event["from"]?.string ?? "") → \(event["to"]?.string ?? "")"
  }
  private func offer(_ offer: JSONValue) -> String {
    let asked = phrases(offer["if"])
    return "\(age(offer)), \(direction(offer)): "
      + (asked.isEmpty ? "" : "if \(asked), ") + "then \(phrases(offer["then"]))"
      + (offer["condition"]?.string.map { " (\($0))" } ?? "") + " [\(id(offer))]"
  }
  private func codes(_ list: JSONValue?) -> String {
    (list?.array ?? []).compactMap(\.string).joined(separator: "+")
  }
  private func phrases(_ list: JSONValue?) -> String {
    (list?.array ?? []).compactMap(\.string).joined(separator: " and ")
  }
  private func count(_ side: JSONValue?) -> Int { side?["count"]?.int ?? 0 }

  /// The interests that an offer spoke to, and how each ended.
  private var interests: [String] {
    (state["interests"]?.array ?? []).compactMap { interest in
      let offers = interest["offers"]?.array ?? []
      guard !offers.isEmpty else { return nil }
      let ends = offers.map { offer in
        "\(offer["from"]?.string ?? "") \(offer["date"]?.string ?? "")"
          + " \(offer["state"]?.string ?? "") [\(id(offer))]"
      }
      return "\(interest["party"]?.string ?? "") \(interest["name"]?.string ?? ""): "
        + ends.joined(separator: ", ")
    }
  }

  private func promises(_ agreement: JSONValue) -> [JSONValue] {
    promises[agreement["id"]?.string ?? ""] ?? []
  }

  /// Whether anything is still to be done.
  private func isOutstanding(_ agreement: JSONValue) -> Bool {
    promises(agreement).contains { ["open", "due", "overdue"].contains($0["state"]?.string) }
  }

  /// Of an agreement of which nothing is to be done: what does not hold, and who said so.
  private func brokenOff(_ agreement: JSONValue) -> String? {
    let promises = promises(agreement)
    let parts = ["suspended", "violated"].compactMap { word -> String? in
      let broken = promises.filter { $0["state"]?.string == word }
      guard !broken.isEmpty else { return nil }
      var ids: [String] = []
      for id in broken.compactMap({ $0["event"]?.string?.prefix(8) }) where !ids.contains("\(id)") {
        ids.append("\(id)")
      }
      return "\(broken.count) of \(promises.count) \(word) by \(ids.joined(separator: " "))"
    }
    guard !parts.isEmpty else { return nil }
    return "\(agreement["date"]?.string ?? "")  \(titled(agreement)): "
      + parts.joined(separator: ", ")
  }

  /// The promises of an agreement, and whose turn it is.
  private func steps(_ agreement: JSONValue) -> [String] {
    let promises = promises(agreement)
    let lines = promises.map { promise in
      let due = promise["due"]?.string.map { ", due \($0)" } ?? ""
      let event = promise["event"]?.string.map { " [\($0.prefix(8))]" } ?? ""
      return "\(promise["state"]?.string ?? "")  \(codes(promise["by"])):"
        + " \(promise["what"]?.string ?? "")\(due)\(event)"
    }
    let (last, owed) = (codes(agreement["moved_last"]), codes(agreement["owed"]))
    let turn = [
      last.isEmpty ? "" : "\(last) moved last", owed.isEmpty ? "" : "a step is owed to \(owed)",
    ]
    let said = turn.filter { !$0.isEmpty }.joined(separator: "; ")
    return lines + (said.isEmpty ? [] : [said])
  }

  private func decimal(_ value: JSONValue?) -> String {
    value?.number.map { JSONValue.threeDecimals($0) } ?? "none"
  }

  private mutating func row(_ name: String, _ value: String) {
    text += terminal.field(name, SafeText.line(value))
  }

  private mutating func list(_ name: String, _ lines: [String]) {
    guard !lines.isEmpty else { return }
    text += "\n" + terminal.bold(name) + "\n"
    let shown = terminal.isTerminal ? lines.suffix(12) : lines[...]
    for line in shown { text += terminal.hanging("  " + SafeText.line(line), indent: 4) }
    if shown.count < lines.count {
      text += terminal.dim("  the newest \(shown.count) of \(lines.count), --json for all") + "\n"
    }
  }
}

// The state of two parties as people read it: one line a figure, then lists. All of it stands in the
// JSON too, under the names that `why` takes.

import TimelineModel

struct StateText {
  private let state: JSONValue
  /// Behind a command that is to see the log as this answer does.
  private let moment: String
  private let terminal: Terminal
  private var text = ""

  static func text(_ state: JSONValue, _ moment: String, _ terminal: Terminal) -> String {
    var result = StateText(state: state, moment: moment, terminal: terminal)
    result.write()
    return result.text
  }

  private var parties: [String] { (state["parties"]?.array ?? []).compactMap(\.string) }
  private var names: String { parties.joined(separator: " – ") }
  private var cited: String {
    state["snapshot"].map { snapshot in
      ", as of snapshot \(snapshot["name"]?.string ?? "") [\(id(snapshot))]"
    } ?? ""
  }
  private var day: String { state["day"]?.string ?? "" }

  private mutating func write() {
    text += terminal.bold("\(names) on \(day)") + "\n\n"
    guard state["events"]?.int ?? 0 > 0 else {
      text += "nothing is recorded between the two by that day\n"
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
    let standing = (state["commitments"]?.array ?? []).filter { $0["state"]?.string != "withdrawn" }
    list(
      "commitments",
      standing.map {
        "\($0["state"]?.string ?? "")  \(codes($0["by"])): \($0["what"]?.string ?? "")"
      })
    text += "\n"
    let provisional = (state["provisional"]?.array ?? []).compactMap(\.string)
    if !provisional.isEmpty {
      row(
        "provisional",
        "rests on \(Count.events(provisional.count)) of which people say different things: "
          + provisional.map { String($0.prefix(8)) }.joined(separator: " "))
    }
    row(
      "from",
      "\(Count.events(state["events"]?.int ?? 0)), by rules \(state["rules"]?["version"]?.string ?? "?")"
        + " and weights \(state["rules"]?["weights"]?.string ?? "?")\(cited)")
  }

  private mutating func figures() {
    let phase = state["phase"]
    row(
      "phase",
      "\(phase?["name"]?.string ?? "") since \(phase?["since"]?.string ?? "")"
        + " (\(Count.days(phase?["days"]?.int ?? 0)))")
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
    let climate = state["climate"]
    let parts = parties.map { "\($0) \(decimal(climate?[$0]))" }.joined(separator: ", ")
    row(
      "climate",
      "\(decimal(climate?["total"])), trend \(decimal(climate?["trend"]))"
        + " (\(parts), joint \(decimal(climate?["joint"])))")
    row("reciprocity", state["reciprocity"]?.string ?? decimal(state["reciprocity"]))
    row(
      "approach",
      parties.map { "\($0) \(state["approach"]?[$0]?.string ?? "")" }.joined(separator: ", "))
    if let test = state["tests"]?["last"]?.array?.first {
      row("last test", "\(ago(test)): \(titled(test))")
    }
  }

  // MARK: Pieces

  private func why(_ figure: String) -> String {
    "timelinectl why \(parties.joined(separator: " ")) \(figure) --as-of \(day)\(moment)"
  }

  private func id(_ event: JSONValue) -> String { String((event["id"]?.string ?? "").prefix(8)) }
  private func titled(_ event: JSONValue) -> String {
    "\(event["title"]?.string ?? "") [\(id(event))]"
  }
  private func ago(_ event: JSONValue) -> String { Count.ago(event["days"]?.int ?? 0) }
  private func age(_ event: JSONValue) -> String { Count.days(event["age"]?.int ?? 0) }
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

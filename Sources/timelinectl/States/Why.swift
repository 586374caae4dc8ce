// `why`: the events behind a figure of the state, each with its share or with the reason why it is there.

import Engagement
import TimelineModel

extension Command {
  static let why = Command(
    name: "why", arguments: "PARTY PARTY FIGURE",
    summary: "the events behind a figure of the state",
    examples: [
      "why USA PRK phase", "why USA PRK climate --as-of 2016-07-20",
      "why USA PRK rewards --as-of 2018-06-13",
    ],
    flags: stateFlags + [Flag(name: "--all", value: nil, help: "all events, on a terminal too")],
    notes: """
      A FIGURE is one of \(DyadHistory.figures.joined(separator: ", ")). Where it is a sum each \
      event has its share, largest first, and the shares add up to it; against means that a phase \
      holds in spite of it. All others have the reason why they are there.
      """, plain: 1...Int.max
  ) { (context) throws(Failure) in
    let words = context.words.plain
    let (names, figure) = (Array(words.dropLast()), words.last ?? "")
    try checkWords(names, figure)
    let client = try context.connect()
    let answer = try client.ask(
      .explain(
        stateQuestion(context, names, client, [JSONValue.Member("figure", .string(figure))]))
    )
    Moment.tell(answer)
    let events = answer["events"]?.array ?? []
    let isCut = context.terminal.isTerminal && !context.words.has("--all") && events.count > 40
    context.finish(
      answer,
      events.isEmpty
        ? "no events are behind this figure on \(answer["day"]?.string ?? "that day")\n"
          + verdict(answer)
        : table(events.prefix(isCut ? 40 : events.count), context.terminal)
          + conclusion(answer, context.terminal))
    if isCut { Terminal.say("40 of \(events.count) events, --all for the rest") }
    return .done
  }

  /// What is wrong with the words is said before there is a daemon.
  private static func checkWords(_ names: [String], _ figure: String) throws(Failure) {
    guard DyadHistory.figures.contains(figure) else {
      let advice = EditDistance.advice(
        on: figure, in: DyadHistory.figures,
        else: "figures are \(DyadHistory.figures.joined(separator: ", "))")
      throw Failure(
        .usage,
        "why takes two parties and a figure, and \"\(figure.prefix(40))\" is no figure; \(advice)")
    }
    guard names.count == 2 else {
      throw Failure(
        .usage,
        "a figure is that of two parties, such as why USA PRK \(figure); "
          + (names.count < 2 ? "name two" : "ask for every two of these by themselves"))
    }
  }

  private static func table(_ events: ArraySlice<JSONValue>, _ terminal: Terminal) -> String {
    // Only a sum has shares, and only what is no sum alone needs reasons.
    let hasShares = events.contains { $0["share"] != nil }
    let hasSides = events.contains { $0["side"] != nil }
    let hasReasons = events.contains { $0["reason"] != nil }
    let rows = events.map { event in
      (hasSides ? [event["side"]?.string ?? ""] : [])
        + (hasShares ? [event["share"]?.number.map { JSONValue.threeDecimals($0) } ?? ""] : []) + [
          event["date"]?.string ?? "", EventText.kind(event),
          String((event["id"]?.string ?? "").prefix(8)),
        ] + (hasReasons ? [Terminal.plain(event["reason"]?.string ?? "")] : []) + [
          Terminal.plain(event["title"]?.string ?? "")
            + (event["contested"] == nil ? "" : " (contested)")
        ]
    }
    let header =
      (hasSides ? ["SIDE"] : []) + (hasShares ? ["SHARE"] : []) + ["DATE", "TYPE", "ID"]
      + (hasReasons ? ["REASON"] : []) + ["TITLE"]
    return terminal.table(rows, header: header)
  }

  /// `not met: 2 for, 27 against`
  private static func verdict(_ answer: JSONValue) -> String {
    guard let verdict = answer["verdict"]?.string else { return "" }
    let events = answer["events"]?.array ?? []
    func count(_ side: String) -> Int { events.count { $0["side"]?.string == side } }
    return "\(verdict): \(count("for")) for, \(count("against")) against\n"
  }

  /// What the shares add up to, what it is compared with, and what came of it.
  private static func conclusion(_ answer: JSONValue, _ terminal: Terminal) -> String {
    func decimal(_ value: JSONValue?) -> String { JSONValue.threeDecimals(value?.number ?? 0) }
    let isOfPhase = answer["figure"] == .string("phase")
    var lines = (answer["sums"]?.array ?? []).map { sum in
      let (value, threshold) = (decimal(sum["value"]), decimal(sum["threshold"]))
      return isOfPhase
        ? "sum of \(sum["of"]?.string ?? ""): \(value), at most \(threshold) for this phase"
        : "weights below 0: \(value); at \(threshold) or less what was given is drowned"
    }
    if let parts = answer["parts"]?.members {
      let each = parts.map { "\($0.key) \(decimal($0.value))" }.joined(separator: ", ")
      lines.append("sum: " + (answer["value"].map { "\(decimal($0)) (\(each))" } ?? each))
    }
    if let text = Provisional.text(answer["provisional"]) { lines.append("provisional: \(text)") }
    let said = lines.map { terminal.hanging($0, indent: 4) }.joined() + verdict(answer)
    return said.isEmpty ? "" : "\n" + said
  }
}

// `state`: how things stand between two parties. What is said of it stands in StateText; which events say
// so, in Why.

import TimelineModel

extension Command {
  static let stateFlags =
    [
      Flag(
        name: "--as-of", value: "DAY",
        help: "on this day (today; with --at the snapshot's, UTC); of a month or year its last")
    ] + Moment.flags

  static func stateQuestion(
    _ context: Context, _ names: [String], _ client: Client, _ more: [JSONValue.Member] = []
  ) throws(Failure) -> JSONValue {
    let words = context.words
    try DayOption.check(words, ["--as-of", "--from", "--to"])
    let moment = try Moment.members(words)
    let parties = try Parties.distinct(names, client, moment)
    var members = [JSONValue.Member("parties", .strings(parties))] + moment
    // What is cited has a day of its own.
    let today = words.has("--at") ? nil : Day.today.description
    func member(_ key: String, _ flag: String) throws(Failure) -> [JSONValue.Member] {
      guard let day = try DayOption.day(words, flag)?.description ?? today else { return [] }
      return [JSONValue.Member(key, .string(day))]
    }
    if let every = words["--every"] {
      members.append(JSONValue.Member("every", .string(every)))
      members += try member("from", "--from") + member("to", "--to")
    } else {
      members += try member("as_of", "--as-of")
    }
    return .object(members + more)
  }

  private static let seriesFlags = [
    Flag(name: "--every", value: "STEP", help: "a row each day, week, month, quarter or year"),
    Flag(name: "--from", value: "DAY", help: "the first day of the rows; a month or year will do"),
    Flag(
      name: "--to", value: "DAY", help: "the last day of the rows (today); a month or year will do"),
    Flag(name: "--csv", value: nil, help: "the rows as a table for other programs"),
    Flag(name: "--plot", value: nil, help: "the plot alone, off a terminal too"),
    Flag(name: "--all", value: nil, help: "all rows, on a terminal too"),
  ]

  static let state = Command(
    name: "state", arguments: "PARTY PARTY…",
    summary: "how things stand between two parties, on any day",
    examples: [
      "state USA PRK", "state USA PRK --as-of 2017-11-30 --json", "state USA PRK --at paper-2026",
      "state USA PRK --every month --from 1994-01-01 --to 2024-12-01 --csv > months.csv",
      "state USA PRK KOR CHN JPN RUS --as-of 2005-09-20",
      "state USA PRK --since 2018-01-01 --as-of 2018-06-13",
    ], flags: stateFlags + [ChangesSince.flag] + seriesFlags,
    notes: """
      Of more than two parties every two are shown side by side. A row of --every says how things \
      stood on its day; its exercises and tests are those since the row before.
      """, plain: 2...8
  ) { (context) throws(Failure) in
    let words = context.words
    let isSeries = words["--every"] != nil
    let alone = ["--from", "--to", "--csv", "--plot", "--all"].first { words.has($0) }
    if let alone, !isSeries { throw Failure(.usage, "\(alone) goes with --every") }
    if isSeries {
      guard words.has("--from") else { throw Failure(.usage, "--every needs --from DAY") }
      guard words.plain.count == 2 else {
        throw Failure(
          .usage, "--every takes two parties; ask for every two of these by themselves")
      }
      guard !words.has("--as-of") else {
        throw Failure(.usage, "--every has --from and --to, and no --as-of")
      }
    }
    if words.has("--since") {
      if isSeries { throw Failure(.usage, "--since and --every: give one of the two") }
      return try ChangesSince.run(context)
    }
    let client = try context.connect()
    let state = try client.ask(.state(stateQuestion(context, words.plain, client)))
    Moment.tell(state)
    if isSeries {
      series(state, context)
    } else {
      context.finish(
        state,
        state["dyads"] == nil
          ? StateText.text(
            state, Moment.words(words), knownAt: words["--known-at"], context.terminal)
          : StateGroup.text(state, context.terminal))
    }
    return .done
  }

  private static func series(_ answer: JSONValue, _ context: Context) {
    let (words, terminal, series) = (context.words, context.terminal, StateSeries(answer))
    if words.has("--csv"), !context.isJSON { return Terminal.write(series.csv) }
    let isPlotted = terminal.isTerminal || words.has("--plot")
    let isCut = terminal.isTerminal && !words.has("--all") && series.count > 24
    let plot = isPlotted ? series.plot(terminal) : ""
    let rows =
      words.has("--plot")
      ? "" : (isPlotted ? "\n" : "") + series.table(terminal, last: isCut ? 24 : series.count)
    context.finish(answer, plot + rows)
    if isCut, !words.has("--plot"), !context.isJSON {
      Terminal.say("the last 24 of \(series.count) rows, --all for the rest")
    }
  }
}

// `rules`: the tables by which states are computed: which hold, what is in them, and a team's own in their
// place.

import TimelineModel

extension Command {
  static let rules = Command(
    name: "rules",
    arguments: "[list | show TABLE | diff TABLE [FILE] | set TABLE FILE | reset TABLE]",
    summary: "the weights, windows and interests that states are reckoned by",
    examples: [
      "rules", "rules show weights --csv > weights.csv", "rules diff weights weights.csv",
      "rules set weights weights.csv --version TEAM-2 --reason 'short-range missiles weigh more'",
      "rules reset weights",
    ],
    flags: [
      Flag(name: "--version", value: "NAME", help: "what answers state as the table's version"),
      Flag(name: "--reason", value: "TEXT", help: "why the table is as it is"),
      EventRecording.author,
      Flag(name: "--dry-run", value: nil, help: "show what would change, record nothing"),
      Flag(name: "--csv", value: nil, help: "show: a file as set takes it"),
      Flag(name: "--event", value: "ID", help: "show: an earlier table, by its event"),
      Flag(name: "--shipped", value: nil, help: "show: the table that comes with the program"),
    ] + Moment.flags,
    notes: """
      A TABLE is weights, windows or interests. A team's own is a line of the log with the whole \
      table: it is synced as all lines are, so that all machines reckon by it, and a later program \
      too. Of two the one recorded later holds. Every state says which tables it is by.

      FILE is CSV with the columns of data/TABLE.csv, as show --csv writes it; a column version is \
      passed over. diff without FILE tells what a team's table has otherwise than the one that ships.

      reset records the table that comes with this program as the team's: it holds from then on, \
      whatever later programs come with.
      """,
    plain: 0...3
  ) { (context) throws(Failure) in
    let words = context.words.plain
    let verb = words.first ?? "list"
    let others = ruleFlags.filter { !$0.verbs.contains(verb) }.map(\.name)
    if let flag = others.first(where: context.words.has),
      ruleFlags.contains(where: { $0.verbs.contains(verb) })
    {
      throw Failure(.usage, "\(flag) does not go with rules \(verb)")
    }
    switch (words.first, words.count) {
    case (nil, 0), ("list", 1): return try RuleCommands.list(context)
    case ("show", 2): return try RuleCommands.show(try kind(words[1]), context)
    case ("diff", 2): return try RuleCommands.diff(try kind(words[1]), nil, context)
    case ("diff", 3): return try RuleCommands.diff(try kind(words[1]), words[2], context)
    case ("set", 3): return try RuleCommands.set(try kind(words[1]), words[2], context)
    case ("reset", 2): return try RuleCommands.reset(try kind(words[1]), context)
    default:
      throw Failure(
        .usage,
        "rules \(words.joined(separator: " "))? It is rules, rules show TABLE, rules diff TABLE [FILE],"
          + " rules set TABLE FILE or rules reset TABLE")
    }
  }

  /// What goes with which of them.
  private static let ruleFlags: [(name: String, verbs: [String])] = [
    ("--version", ["set", "diff"]), ("--reason", ["set", "reset"]), ("--author", ["set", "reset"]),
    ("--dry-run", ["set", "reset"]), ("--csv", ["show"]), ("--event", ["show"]),
    ("--shipped", ["show"]), ("--known-at", ["list", "show", "diff"]),
    ("--at", ["list", "show", "diff"]),
  ]

  private static func kind(_ word: String) throws(Failure) -> RuleTable.Kind {
    if let kind = RuleTable.Kind(rawValue: word) { return kind }
    let kinds = RuleTable.Kind.allCases.map(\.rawValue)
    let advice = EditDistance.advice(
      on: word, in: kinds, else: "it is one of \(kinds.joined(separator: ", "))")
    throw Failure(.usage, "no table \"\(word)\"; \(advice)")
  }
}

private enum RuleCommands {
  // MARK: What there is

  static func list(_ context: Context) throws(Failure) -> ExitCode {
    let moment = try Moment.members(context.words)
    var all: [JSONValue] = []
    let question = moment.isEmpty ? nil : JSONValue.object(moment)
    let end = try context.connect().stream(.tables(question)) { _, row in
      all.append(Client.json(row))
    }
    Moment.tell(end)
    let rows = all.map { row in
      [
        row["table"]?.string ?? "?", row["version"]?.string ?? "?",
        row["holds"]?.bool ?? false ? "holds" : "", row["rows"]?.int.map { "\($0)" } ?? "",
        row["recorded"]?.string.map { String($0.prefix(19)) + "Z" } ?? "ships",
        row["author"]?.string ?? "", String((row["event"]?.string ?? "").prefix(8)),
        row["unusable"]?.string.map { "cannot be used: \($0)" } ?? row["reason"]?.string ?? "",
      ]
    }
    context.finish(
      .array(all),
      context.terminal.table(
        rows, header: ["TABLE", "VERSION", "HOLDS", "ROWS", "RECORDED", "AUTHOR", "ID", "REASON"]))
    return .done
  }

  /// One table whole, as the daemon has it.
  private static func ask(
    _ kind: RuleTable.Kind, _ client: Client, _ more: [JSONValue.Member] = []
  ) throws(Failure) -> JSONValue {
    let question = JSONValue.object([JSONValue.Member("table", .string(kind.rawValue))] + more)
    return try client.ask(.table(question))
  }

  private static func table(_ answer: JSONValue, _ kind: RuleTable.Kind) throws(Failure)
    -> RuleTable
  {
    do throws(RuleTable.Fault) {
      return try RuleTable(
        kind, version: answer["version"]?.string ?? "", rows: answer["rows"]?.array ?? [],
        registry: nil)
    } catch { throw Failure(.failed, "the daemon's table: \(error.location): \(error.message)") }
  }

  static func show(_ kind: RuleTable.Kind, _ context: Context) throws(Failure) -> ExitCode {
    let words = context.words
    var more = try Moment.members(words)
    if words.has("--event"), words.has("--shipped") {
      throw Failure(.usage, "--event and --shipped each name a table: give one of them")
    }
    if let id = words["--event"] {
      guard id.utf8.count >= EventID.shownLengthMin else {
        throw Failure(
          .usage, "--event takes an id, or at least its first \(EventID.shownLengthMin) characters")
      }
      more.append(JSONValue.Member("event", .string(id)))
    }
    if words.has("--shipped") { more.append(JSONValue.Member("shipped", .bool(true))) }
    let answer = try ask(kind, try context.connect(), more)
    Moment.tell(answer)
    let table = try table(answer, kind)
    if words.has("--csv"), !context.isJSON {
      Terminal.write(table.csv)
      return .done
    }
    context.finish(
      answer,
      "\(said(answer))\n\n"
        + context.terminal.table(
          table.rows.map { $0.cells(of: kind) }, header: kind.columns.map { $0.uppercased() }))
    return .done
  }

  /// `weights TEAM-2, recorded 2026-11-25T… by ann [1234abcd]: the reason`
  private static func said(_ table: JSONValue) -> String {
    let name = "\(table["table"]?.string ?? "") \(table["version"]?.string ?? "")"
    guard let event = table["event"]?.string else {
      return "\(name), which ships"
        + (table["holds"]?.bool ?? false ? "" : ", and does not hold here")
    }
    return SafeText.line(
      "\(name), recorded \(table["recorded"]?.string ?? "") by \(table["author"]?.string ?? "?")"
        + " [\(event.prefix(8))]" + (table["reason"]?.string.map { ": \($0)" } ?? "")
        + (table["holds"]?.bool ?? false ? "" : " (does not hold)"))
  }

  // MARK: What is otherwise

  static func diff(
    _ kind: RuleTable.Kind, _ path: String?, _ context: Context
  ) throws(Failure) -> ExitCode {
    let file = try path.map { (path) throws(Failure) in try RuleFile(path, kind) }
    let client = try context.connect()
    let moment = try Moment.members(context.words)
    let holding = try ask(kind, client, moment)
    Moment.tell(holding)
    let held = try table(holding, kind)
    let difference: RuleDifference
    if let file {
      let name = context.words["--version"] ?? "FILE"
      difference = RuleDifference(held, try file.table(name, try Parties.registry(client)))
    } else {
      let shipped = try ask(kind, client, moment + [JSONValue.Member("shipped", .bool(true))])
      difference = RuleDifference(try table(shipped, kind), held)
    }
    context.finish(difference.json, difference.text(context.terminal))
    return .done
  }

  // MARK: Another table

  static func set(
    _ kind: RuleTable.Kind, _ path: String, _ context: Context
  ) throws(Failure) -> ExitCode {
    let words = context.words
    let file = try RuleFile(path, kind)
    let isDry = words.has("--dry-run")
    guard let version = words["--version"] ?? (isDry ? "FILE" : nil) else {
      throw Failure(.usage, "say what answers are to call it: --version NAME, such as TEAM-2")
    }
    let reason = words["--reason"] ?? (isDry ? "a dry run" : "")
    guard !reason.trimmed.isEmpty else { throw Failure(.usage, "say why: --reason TEXT") }
    let client = try context.connect()
    let table = try file.table(version, try Parties.registry(client))
    do throws(Failure) { return try record(table, reason, client, context) } catch {
      throw file.placed(error)
    }
  }

  static func reset(_ kind: RuleTable.Kind, _ context: Context) throws(Failure) -> ExitCode {
    let client = try context.connect()
    let shipped = try ask(kind, client, [JSONValue.Member("shipped", .bool(true))])
    let read = try table(shipped, kind)
    let table: RuleTable
    do throws(RuleTable.Fault) {
      table = try RuleTable(
        kind, version: read.recordedVersion, rows: shipped["rows"]?.array ?? [], registry: nil)
    } catch { throw Failure(.failed, "\(error.location): \(error.message)") }
    let reason = context.words["--reason"] ?? "the table that ships, version \(read.version)"
    return try record(table, reason, isReset: true, client, context)
  }

  private static func record(
    _ table: RuleTable, _ reason: String, isReset: Bool = false, _ client: Client,
    _ context: Context
  ) throws(Failure) -> ExitCode {
    let holding = try ask(table.kind, client)
    let difference = RuleDifference(try self.table(holding, table.kind), table)
    // A table that ships can be recorded as it is: then it holds whatever ships later. One of a team with
    // the rows that ship goes on being cited by the team's name, until a reset.
    let isCited = !isReset || holding["version"]?.string == table.version
    guard !difference.isEmpty || holding["event"] == nil || !isCited else {
      context.finish(
        .object((difference.json.members ?? []) + [JSONValue.Member("recorded", .bool(false))]),
        "\(said(holding))\nit has these rows already; nothing was recorded\n")
      return .done
    }
    let recording = EventRecording(context, client)
    let reply = try recording.send([
      JSONValue.Member("type", .string(EventType.logRules.word)),
      JSONValue.Member("table", .string(table.kind.rawValue)),
      JSONValue.Member("name", .string(table.version)),
      JSONValue.Member("reason", .string(reason)), JSONValue.Member("rows", table.json),
    ])
    let changes = difference.json.members ?? []
    let text = difference.text(context.terminal)
    guard let reply else {
      context.finish(
        .object(changes + [JSONValue.Member("dry_run", .bool(true))]),
        text + "nothing was recorded (--dry-run)\n")
      return .done
    }
    let id = (reply["id"]?.string ?? "").prefix(8)
    context.finish(
      .object(changes + [JSONValue.Member("recorded", .bool(true))] + (reply.members ?? [])),
      text
        + "recorded \(table.kind.rawValue) \(table.version) [\(id)]: states are by it from now on, here and"
        + " on every machine that has the line\n")
    return .done
  }
}

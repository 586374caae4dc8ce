// `snapshot`: a name for what is recorded now, to be cited; and which there are.

import TimelineModel

extension Command {
  static let snapshot = Command(
    name: "snapshot", arguments: "create NAME | list | show NAME",
    summary: "name what is recorded now, so that it can be cited",
    examples: [
      "snapshot create paper-2026 --note 'as submitted'", "snapshot list",
      "snapshot show paper-2026", "log --at paper-2026",
    ],
    flags: [
      Flag(name: "--note", value: "TEXT", help: "what it is for, on one line"),
      EventRecording.author,
    ],
    notes: """
      A snapshot is a line of the log: its name, how many lines of each log there are, and the root \
      of each log's Merkle tree. It is synced as all lines are. With --at NAME log, export, state and \
      why answer from these lines alone: with the same bytes on every machine that has them, now and \
      later, and with an error on one that lacks some.

      NAME begins with a letter and has letters, digits and . _ - (at most \(SnapshotName.lengthMax)). \
      Where two machines used one name, both are told; an id, or at least the first \
      \(EventID.shownLengthMin) characters of it, stands wherever a name does. Cite the id and, for \
      who wants to be sure, the roots: show holds them against the lines that are here.

      show ends with exit code 7 where a line is damaged or is not what was cited.
      """,
    plain: 1...2
  ) { (context) throws(Failure) in
    let words = context.words.plain
    switch (words[0], words.count) {
    case ("create", 2): return try create(words[1], context)
    case ("list", 1): return try list(context)
    case ("show", 2): return try show(words[1], context)
    default: throw usage
    }
  }

  private static var usage: Failure {
    Failure(.usage, "snapshot create NAME, snapshot list or snapshot show NAME")
  }

  private static func create(_ name: String, _ context: Context) throws(Failure) -> ExitCode {
    do throws(EventError) { _ = try SnapshotName(name) } catch { throw Failure(.usage, error.text) }
    let request = JSONValue.object([
      "name": .string(name), "note": context.words["--note"].map { .string($0) },
      "author": context.words["--author"].map { .string($0) },
    ])
    let reply = try context.connect().ask(.snapshot(request))
    let id = reply["id"]?.string ?? ""
    context.finish(
      reply,
      """
      recorded snapshot \(name): \(lines(reply["position"])), id \(id)
      to cite it: \(Again.timelinectl) log --at \(name); \(Again.timelinectl) snapshot show \(name) has its roots

      """)
    return .done
  }

  private static func lines(_ position: JSONValue?) -> String {
    let sizes = (position?.members ?? []).compactMap(\.value.int)
    let count = sizes.reduce(0, +)
    return "\(count) line\(count == 1 ? "" : "s")"
      + (sizes.count == 1 ? "" : " of \(sizes.count) logs")
  }

  private static func list(_ context: Context) throws(Failure) -> ExitCode {
    var all: [JSONValue] = []
    _ = try context.connect().stream(.snapshots) { _, row in all.append(Client.json(row)) }
    let names = all.compactMap { $0["name"]?.string }
    let rows = all.map { row in
      let name = row["name"]?.string ?? ""
      let isTwice = names.count { $0 == name } > 1
      return [
        name + (isTwice ? " (more than one)" : ""), String((row["id"]?.string ?? "").prefix(8)),
        row["recorded"]?.string ?? "", row["author"]?.string ?? "?", here(row),
        row["note"]?.string ?? "",
      ]
    }
    context.finish(
      .array(all),
      rows.isEmpty
        ? "no snapshots; \(Again.timelinectl) snapshot create NAME records one\n"
        : context.terminal.table(
          rows, header: ["NAME", "ID", "RECORDED", "AUTHOR", "HERE", "NOTE"]))
    return .done
  }

  private static func here(_ row: JSONValue) -> String {
    let lacking = row["lacking"]?.array ?? []
    guard lacking.isEmpty else { return "lacks \(lacking.map(span).joined(separator: ", "))" }
    return row["whole"]?.bool ?? false ? "all" : "damaged"
  }

  private static func span(_ span: JSONValue) -> String {
    let (first, last) = (span["first"]?.int ?? 0, span["last"]?.int ?? 0)
    return (first == last ? "line \(first)" : "lines \(first) to \(last)")
      + " of \((span["replica"]?.string ?? "").prefix(8))"
  }

  private static func show(_ word: String, _ context: Context) throws(Failure) -> ExitCode {
    guard !word.isEmpty, word.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "{") }) else {
      throw Failure(.usage, "\(JSONValue.string(word).text) is no name of a snapshot, and no id")
    }
    let found = try context.connect().ask(.snapshot(named: word))
    context.finish(found, text(found, context.terminal))
    let isRight = ["same", "lacking"].contains(found["standing"]?.string)
    return isRight ? .done : .verificationFailed
  }

  private static func text(_ snapshot: JSONValue, _ terminal: Terminal) -> String {
    let name = snapshot["name"]?.string ?? ""
    var text = terminal.bold(SafeText.line(name)) + "\n"
    text += terminal.field("id", snapshot["id"]?.string ?? "")
    text += terminal.field(
      "recorded",
      "\(snapshot["recorded"]?.string ?? "") by \(snapshot["author"]?.string ?? "?")"
        + ", line \(snapshot["seq"]?.int ?? 0) of \(snapshot["replica"]?.string ?? "")")
    if let note = snapshot["note"]?.string { text += terminal.field("note", note) }
    let logs = snapshot["logs"]?.array ?? []
    text += terminal.table(
      logs.map { log in
        [
          log["replica"]?.string ?? "", "\(log["lines"]?.int ?? 0)", standing(log),
          log["root"]?.string ?? "",
        ]
      }, header: ["LOG", "LINES", "HERE", "ROOT"])
    if let count = snapshot["contested"]?.int {
      text += terminal.field(
        "contested", "\(Count.events(count)): what rests on them is provisional")
    }
    return text + "\n" + verdict(snapshot["standing"]?.string ?? "", name) + "\n"
  }

  private static func standing(_ log: JSONValue) -> String {
    switch log["standing"]?.string {
    case "same": "the same"
    case "lacking": "lacks " + (log["lacking"].map { span($0) } ?? "")
    case "damaged": "line \(log["damaged"]?.int ?? 0) is damaged"
    default: "differs"
    }
  }

  private static func verdict(_ standing: String, _ name: String) -> String {
    switch standing {
    case "same":
      "this machine has all of it, as it was cited: \(Again.timelinectl) log --at \(name)"
    case "lacking":
      "this machine lacks lines of it: \(Again.timelinectl) sync, with a machine that has them"
    case "damaged":
      "lines of it are damaged here: \(Again.timelinectl) repair fetches them from a peer"
    default:
      "this machine's log differs: it holds other lines than those that were cited under \(name)"
    }
  }
}

// `import`: files in, all or nothing. The file is checked as a whole, by itself and against what the
// timeline holds, before the first event is sent; ids are made from names, so that the same file
// twice, or on two machines, is the same events once.
//
//     file → ImportReader (ImportBatch…) → ImportCheck → ImportSender

import Foundation
import TimelineModel

extension Command {
  static let importFile = Command(
    name: "import", arguments: "FILE",
    summary: "record the events of a file (JSON Lines, a JSON array, or CSV)",
    examples: [
      "import data/us-dprk.jsonl", "import events.csv --dry-run", "import - < events.jsonl",
    ],
    flags: [
      Flag(name: "--dry-run", value: nil, help: "check everything, record nothing"),
      Flag(name: "--skip-bad", value: nil, help: "record the good lines although others are wrong"),
      Flag(name: "--format", value: "WORD", help: "jsonl, json or csv (by the file's name)"),
      Flag(name: "--author", value: "NAME", help: "who records (your user name)"),
    ],
    notes: """
      Columns of CSV, in any order; date, type, actors and title are needed: \
      \(EventTable.names.joined(separator: " ")).

      Several actors, targets or tags stand in one cell with semicolons: USA;KOR. unsourced holds \
      true or nothing. further_sources, offer, commitments, links and more hold JSON; more is an \
      object of fields that have no column. The file may have commas, semicolons or tabs between \
      its columns. docs/reference/event-format.md says what each field is.
      """, plain: 1...1
  ) { (context) throws(Failure) in
    let path = context.words.plain[0]
    var format = ImportReader.Format(path: path)
    if let word = context.words["--format"] {
      guard let given = ImportReader.Format(rawValue: word) else {
        throw Failure(.usage, "--format takes jsonl, json or csv, not \(word)")
      }
      format = given
    }
    // Before there is a socket, which would take the place of an input that is closed.
    let data = try InputFile.read(path)
    let client = try context.connect()
    let position = try context.open(client).position
    var reader = ImportReader(
      registry: try Parties.registry(client), author: context.words["--author"])
    reader.read(data, format)
    for warning in reader.warnings {
      Terminal.say("\(path):\(warning.line): warning: \(warning.message)")
    }
    if !reader.faults.isEmpty {
      throw refusal(
        path, reader.faults, [],
        "\(path) cannot be read as \(format == .csv ? "a table" : "events"); nothing was imported")
    }
    let count = reader.count + reader.repeated + reader.problems.count
    let outside = ImportLinks.check(&reader)
    // Where nothing is recorded yet, nothing can be there already.
    var check: ImportCheck?
    if position != Position() || reader.hasVersions {
      check = try ImportCheck.run(&reader, client)
    }
    let bad = reader.problems.count
    let isDry = context.words.has("--dry-run")
    let duplicates = reader.repeated + (check?.duplicates ?? 0)
    let conflicts = check?.conflicts ?? 0
    func result(imported: Int, duplicates: Int) -> [JSONValue.Member] {
      [
        JSONValue.Member("read", .int(count - bad)), JSONValue.Member("imported", .int(imported)),
        JSONValue.Member("new", .int(count - bad - duplicates)),
        JSONValue.Member("duplicates", .int(duplicates)), JSONValue.Member("bad", .int(bad)),
        JSONValue.Member("conflicts", .int(conflicts)), JSONValue.Member("dry_run", .bool(isDry)),
      ]
    }
    let standing =
      "\(count - bad - duplicates) new, \(duplicates) there already"
      + (conflicts > 0 ? ", \(conflicts) that say something else than what is recorded" : "")
    if bad > 0, !context.words.has("--skip-bad") {
      throw refusal(
        path, reader.problems, result(imported: 0, duplicates: duplicates),
        "\(bad) of \(count) \(count == 1 ? "line is" : "lines are") wrong"
          + (isDry || conflicts > 0 ? " (the others: \(standing))" : "")
          + "; nothing was imported (mend them, or take the others with --skip-bad)")
    }
    say(reader.problems, path)
    let missing = try outside.missing(client)
    for link in missing { Terminal.say("\(path):\(link.line): warning: \(link.message)") }
    var sender = ImportSender(client, path: path, total: reader.count)
    if !isDry { try sender.send(reader) }
    // What was taken out is not sent; between the check and the sending others may have recorded.
    let known =
      isDry ? duplicates : count - bad - sender.recorded
    var json = result(imported: sender.recorded, duplicates: known)
    if bad > 0 { json.append(JSONValue.Member("problems", problems(reader.problems))) }
    if !missing.isEmpty {
      json.append(JSONValue.Member("warnings", problems(missing)))
    }
    context.finish(
      .object(json),
      isDry
        ? "\(count - bad) events are fine: \(standing); nothing was imported (--dry-run)\n"
        : "imported \(Count.events(sender.recorded)), \(known) were there already\n")
    return bad > 0 ? .partlyDone : .done
  }

  private static func refusal(
    _ path: String, _ found: [ImportReader.Problem], _ more: [JSONValue.Member], _ text: String
  ) -> Failure {
    say(found, path)
    var failure = Failure(.failed, code: "bad-event", text)
    failure.more = [JSONValue.Member("problems", problems(found))] + more
    return failure
  }

  private static func say(_ problems: [ImportReader.Problem], _ path: String) {
    for problem in problems.prefix(50) {
      Terminal.say("\(path):\(problem.line): \(Terminal.plain(problem.message))")
    }
    if problems.count > 50 { Terminal.say("… and \(problems.count - 50) more (--json lists all)") }
  }

  private static func problems(_ problems: [ImportReader.Problem]) -> JSONValue {
    .array(
      problems.map { .object(["line": .int($0.line), "message": .string($0.message)]) })
  }
}

// `export`: events for a file, always all that fit, whatever the terminal.

import TimelineModel

extension Command {
  static let export = Command(
    name: "export", arguments: "[TERM…]", summary: "all events that fit, for a file",
    examples: [
      "export > events.jsonl", "export --at paper-2026 --csv > paper-2026.csv",
      "export --with-actors actor=PRK > prk.jsonl",
    ],
    flags: FilterTerms.flags + Moment.flags + [
      Flag(name: "--jsonl", value: nil, help: "one event a line, as the log has it (as it is)"),
      Flag(name: "--csv", value: nil, help: "a table with a header, which import reads again"),
    ] + Parties.prefaceFlags,
    notes: """
      The same as timelinectl log --jsonl: each event in the version that shows, by date. Of a \
      SNAPSHOT the same bytes on every machine that has its lines, and nothing but an error on one \
      that lacks some.

      \(FilterTerms.help)
      """
  ) { (context) throws(Failure) in
    let words = context.words
    guard !(words.has("--csv") && (words.has("--jsonl") || context.isJSON)) else {
      throw Failure(.usage, "--jsonl, --csv and --json: give one of them")
    }
    let terms = try FilterTerms(words)
    let moment = try Moment.members(words)
    let client = try context.connect()
    var lines = try Parties.preface(context, client, moment)
    let question = JSONValue.object(terms.members + moment)
    let end = try client.stream(.query(question)) { _, json in lines.append(Array(json)) }
    Moment.tell(end)
    EventFile.write(lines, as: words.has("--csv") ? .csv : context.isJSON ? .json : .jsonl)
    return .done
  }
}

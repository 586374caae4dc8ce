// `duplicates`: pairs of events that may be one happening, the likeliest first, each with what speaks for it.

import TimelineModel

extension Command {
  static let duplicates = Command(
    name: "duplicates", arguments: "[FILTER]",
    summary: "list pairs of events that may be one, with a score that is explained",
    examples: [
      "duplicates", "duplicates actor=PRK 'date>=2022' -n 50", "duplicates --min 80 --json",
    ],
    flags: [
      Flag(name: "--limit", value: "N", help: "the likeliest N (-n N, -nN; 20)"),
      Flag(name: "--min", value: "SCORE", help: "only those with this score or more, of 100"),
      Flag(name: "--exit-code", value: nil, help: "exit 3 where nothing matched"),
    ] + Moment.flags + FilterTerms.flags,
    notes: """
      Compared are events of one type, on one day or the next, with an actor in common, whose \
      titles are alike or that are the same act of the same actors. A score is the sum of its \
      parts: day 25, type 15, parties 20, title 30, source 10.

      timelinectl same ID ID joins two records of one happening; apart ID ID says that they are \
      two, and they are listed no more. A FILTER says of which events pairs are told.

      \(FilterTerms.help)
      """
  ) { (context) throws(Failure) in
    let words = context.words
    let limit = try Limit.of(words, usual: context.isJSON ? 1000 : 20)
    var least = 0
    if let text = words["--min"] {
      guard let number = Int(text), (0...100).contains(number) else {
        throw Failure(.usage, "--min takes a score from 0 to 100; not \(text)")
      }
      least = number
    }
    let members =
      try FilterTerms(words).members + Moment.members(words)
      + [JSONValue.Member("limit", .int(limit))]
    var pairs: [JSONValue] = []
    var progress: Progress?
    let end = try context.connect().stream(.duplicates(.object(members))) { _, row in
      let row = Client.json(row)
      guard let done = row["done"]?.int, let total = row["total"]?.int else {
        // They come in the order of their scores.
        if row["score"]?.int ?? 0 >= least { pairs.append(row) }
        return
      }
      if progress == nil { progress = Progress("comparing", total: total) }
      progress?.advance(to: done)
    }
    Moment.tell(end)
    let text =
      pairs.isEmpty
      ? "no pair was found in \(Count.events(end["events"]?.int ?? 0))\n"
      : pairs.map { DuplicateText.pair($0, context.terminal) }.joined(separator: "\n")
        + "\nto join two: \(Again.timelinectl) same ID ID; to say that they are two: apart ID ID\n"
    context.finish(.object((end.members ?? []) + [JSONValue.Member("pairs", .array(pairs))]), text)
    let count = end["count"]?.int ?? 0
    if pairs.count < count, least == 0, !context.isJSON {
      Terminal.say("\(pairs.count) of \(count) pairs, -n N for more")
    }
    return pairs.isEmpty && words.has("--exit-code") ? .nothingMatched : .done
  }
}

enum DuplicateText {
  static func pair(_ pair: JSONValue, _ terminal: Terminal) -> String {
    let events = (pair["events"]?.array ?? []).map { event in
      terminal.hanging(
        "  \((event["id"]?.string ?? "").prefix(8))  \(event["date"]?.string ?? "")"
          + "  \(Terminal.plain(event["title"]?.string ?? ""))", indent: 12)
    }
    let parts = (pair["parts"]?.array ?? []).map { part in
      "\(part["part"]?.string ?? "") \(part["points"]?.int ?? 0)/\(part["of"]?.int ?? 0)"
        + " (\(part["why"]?.string ?? ""))"
    }
    return terminal.bold("\(pair["score"]?.int ?? 0) of 100") + "\n" + events.joined()
      + terminal.hanging("  " + parts.joined(separator: ", "), indent: 4)
  }
}

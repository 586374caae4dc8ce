// `what-if`: the state as if some events had happened, or some had not. Nothing is recorded.

import TimelineModel

extension Command {
  private static let without = Flag(
    name: "--without", value: "ID",
    help: "as if this event had not been; may be given more than once")

  static let whatIf = Command(
    name: "what-if", arguments: "PARTY PARTY… [FILE…|-] [--add OPTIONS…] [--without ID]",
    summary: "the state as if it were so, beside the state as it is; nothing is recorded",
    examples: [
      "what-if USA PRK data/what-if-package.jsonl",
      "what-if USA PRK --add --type release --date 2026-12-20 --actors PRK --targets USA \\\n    --title 'A detainee goes home' --unsourced",
      "what-if USA PRK --without usdprk-2002-11-03-message-written --as-of 2002-12-01",
    ],
    flags: [
      Flag(
        name: "--add", value: nil,
        help: "an event by the options behind it, those of add; may be given more than once"),
      without,
    ] + stateFlags + EventPatch.flags,
    notes: """
      A word with a dot or a slash in it, or -, is a file, in any form that import takes. The day is \
      today, or that of the last of the events where it comes later. Events may name each other and \
      those of the log in their links.

      \(subtypes)
      """, plain: 2...Int.max
  ) { (context) throws(Failure) in
    let words = context.words
    let isFile = { (word: String) in word == "-" || word.contains(".") || word.contains("/") }
    let names = words.plain.filter { !isFile($0) }
    guard (2...8).contains(names.count) else {
      throw Failure(
        .usage, "what-if takes two parties, or up to eight; files have a dot or a slash")
    }
    let (ahead, added) = words.split(at: "--add")
    guard EventPatch(ahead).isEmpty else {
      throw Failure(.usage, "options of an event stand behind --add")
    }
    guard names.count < words.plain.count || !added.isEmpty || words.has("--without") else {
      throw Failure(
        .usage, "what if? Give a file of events (a name with a dot or a slash), --add or --without")
    }
    let asOf = try DayOption.day(words, "--as-of")
    // Before there is a socket, which would take the place of an input that is closed.
    var hypotheses = try HypothesisFiles(words.plain.filter(isFile))
    let client = try context.connect()
    let moment = try Moment.members(words)
    let parties = try Parties.distinct(names, client, moment)
    try hypotheses.read(client)
    for words in added { try hypotheses.add(EventPatch(words), client) }
    let without = try hypotheses.without(words.all("--without"), client)
    var members = [JSONValue.Member("parties", .strings(parties))] + moment
    if !without.isEmpty { members.append(JSONValue.Member("without", .strings(without))) }
    if let asOf {
      members.append(JSONValue.Member("as_of", .string(asOf.description)))
    } else if !words.has("--at") {
      let day = max(Day.today, hypotheses.lastDay ?? .distantPast)
      members.append(JSONValue.Member("as_of", .string(day.description)))
    }
    let answer = try hypotheses.ask(.object(members), client)
    Moment.tell(answer)
    context.finish(answer, WhatIfText.text(answer, hypotheses, context.terminal))
    return .done
  }
}

// `state`, `why`: how things stand between two parties, and which events say so. What is
// said of it stands in StateText.

import Foundation
import TimelineModel

extension Command {
  private static let stateFlags =
    [
      Flag(
        name: "--as-of", value: "DAY", help: "on this day (today; with --at the snapshot's, UTC)")
    ] + Moment.flags

  private static func question(
    _ context: Context, _ client: Client, _ more: [JSONValue.Member] = []
  ) throws(Failure) -> String {
    let words = context.words
    if let text = words["--as-of"], Day(text) == nil {
      do throws(DateError) { _ = try EventDate(text) } catch {
        throw Failure(.usage, "--as-of: \(error.message)")
      }
      throw Failure(.usage, "--as-of takes a whole day, such as 2017-11-30")
    }
    let moment = try Moment.members(words)
    let pair = try Parties.pair(Array(words.plain.prefix(2)), client, moment)
    var members = [JSONValue.Member("parties", .strings(pair))] + moment
    // What is cited has a day of its own.
    if let day = words["--as-of"] ?? (words.has("--at") ? nil : today) {
      members.append(JSONValue.Member("as_of", .string(day)))
    }
    return JSONValue.object(members + more).text
  }

  /// The client's own day.
  private static var today: String {
    let parts = Calendar.current.dateComponents([.year, .month, .day], from: Date())
    return Day(year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1)!.description
  }

  static let state = Command(
    name: "state", arguments: "PARTY PARTY",
    summary: "how things stand between two parties, on any day",
    examples: [
      "state USA PRK", "state USA PRK --as-of 2017-11-30 --json", "state USA PRK --at paper-2026",
    ],
    flags: stateFlags,
    plain: 2...2
  ) { (context) throws(Failure) in
    let client = try context.connect()
    let state = try client.ask("STATE \(question(context, client))")
    Moment.tell(state)
    context.finish(state, StateText.text(state, Moment.words(context.words), context.terminal))
    return .done
  }

  static let why = Command(
    name: "why", arguments: "PARTY PARTY FIGURE",
    summary: "the events behind a figure of the state",
    examples: ["why USA PRK phase", "why USA PRK climate --as-of 2016-07-20"],
    flags: stateFlags + [Flag(name: "--all", value: nil, help: "all events, on a terminal too")],
    notes: """
      A FIGURE is one of phase, climate, trend, contact, neglect, messages, unanswered, offers, \
      commitments, under_way, tests, reciprocity, approach.
      """, plain: 3...3
  ) { (context) throws(Failure) in
    let figure = JSONValue.Member("figure", .string(context.words.plain[2]))
    let client = try context.connect()
    let answer = try client.ask("EXPLAIN \(question(context, client, [figure]))")
    Moment.tell(answer)
    let events = answer["events"]?.array ?? []
    let isCut = context.terminal.isTerminal && !context.words.has("--all") && events.count > 40
    // Only a sum has shares.
    let hasShares = events.contains { $0["share"] != nil }
    let rows = events.prefix(isCut ? 40 : events.count).map { event in
      (hasShares ? [event["share"]?.number.map { JSONValue.threeDecimals($0) } ?? ""] : []) + [
        event["date"]?.string ?? "", EventText.kind(event),
        String((event["id"]?.string ?? "").prefix(8)),
        Terminal.plain(event["title"]?.string ?? ""),
      ]
    }
    let header = (hasShares ? ["SHARE"] : []) + ["DATE", "TYPE", "ID", "TITLE"]
    context.finish(
      answer,
      events.isEmpty
        ? "no events are behind this figure on \(answer["day"]?.string ?? "that day")\n"
        : context.terminal.table(Array(rows), header: header))
    if isCut { Terminal.say("40 of \(events.count) events, --all for the rest") }
    return .done
  }
}

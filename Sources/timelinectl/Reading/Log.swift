// `log`, `show`, `watch`, `status`, `actor`: what is there.

import Foundation
import TimelineModel

extension Command {
  static let log = Command(
    name: "log", arguments: "[TERM…]", summary: "the events that fit, newest last",
    examples: [
      "log", "log actor=PRK type=test 'date>=2016'", "log --text solid-fuel --json",
      "log --known-at 2026-11-01 --csv > events.csv", "log actor=PRK --at paper-2026",
    ],
    flags: FilterTerms.flags + Moment.flags + [
      Flag(name: "--limit", value: "N", help: "the newest N (-n N, -nN)"),
      Flag(name: "--all", value: nil, help: "all of them, on a terminal too"),
      Flag(name: "--after", value: "CURSOR", help: "only what was recorded or changed after it"),
      Flag(name: "--show-cursor", value: nil, help: "on stderr, a CURSOR for the next time"),
      Flag(name: "--jsonl", value: nil, help: "one event a line, as the log has it"),
      Flag(name: "--csv", value: nil, help: "a table with a header, which import reads again"),
      Flag(name: "--count", value: nil, help: "how many there are"),
      Flag(name: "--exit-code", value: nil, help: "exit 3 where nothing matched"),
    ] + Parties.prefaceFlags,
    notes: """
      \(FilterTerms.help)

      WHEN is a day (its end, UTC), a time such as 2026-11-23T22:20:00Z, or a position. CURSOR
      is a position: --show-cursor prints it, status --json has it. SNAPSHOT is the name or the id
      of one that timelinectl snapshot list shows. For another machine:
        timelinectl log --jsonl --with-actors > all.jsonl, and there timelinectl import all.jsonl
      """
  ) { (context) throws(Failure) in
    let words = context.words
    let terms = try FilterTerms(words)
    let more = try Moment.members(words)
    if words.has("--at"), words.has("--after") {
      throw Failure(.usage, "--at shows the log as it stood, --after what came since: give one")
    }
    let question = terms.members + more
    let cursor = try words["--after"].map { (text) throws(Failure) in
      try Moment.json(text, "--after")
    }
    let isTable = !["--json", "--jsonl", "--csv"].contains { words.has($0) }
    if let flag = ["--with-actors", "--with-rules"].first(where: { words.has($0) }), isTable {
      throw Failure(.usage, "\(flag) goes with --jsonl, --csv or --json")
    }
    let isForPeople = context.terminal.isTerminal && isTable
    var limit: Int?
    if let text = words["--limit"] {
      guard let number = Int(text), number >= 0 else {
        throw Failure(.usage, "--limit takes a whole number, not below 0; not \(text)")
      }
      limit = number
    }
    let none = [JSONValue.Member("limit", .int(0))]
    let client = try context.connect()
    // Read before the events, so that none that comes meanwhile falls between two questions.
    var position: JSONValue?
    if words.has("--show-cursor") {
      position =
        words.has("--at")
        ? try client.stream(.query(JSONValue.object(more + none))) { _, _ in }["position"]
        : try context.open(client).position.json
    }
    var lines: [[UInt8]] = []
    func finish(isEmpty: Bool) throws(Failure) -> ExitCode {
      if let position { Terminal.say("cursor: \(position.text)") }
      guard isEmpty else { return .done }
      if cursor != nil {
        Terminal.say("nothing new")
      } else {
        for line in try terms.reasons(question, client) { Terminal.say(line) }
      }
      return words.has("--exit-code") ? .nothingMatched : .done
    }
    if let cursor {
      lines = try Recent.lines(
        after: cursor, terms, more, client, context)
    }
    if words.has("--count") {
      var contested: JSONValue?
      let count =
        cursor == nil
        ? try terms.count(question, client) { answer in
          contested = answer["contested"]
          Moment.tell(answer)
          if !context.isJSON { Provisional.tell(answer) }
        } : lines.count
      context.finish(
        .object(["count": .int(count), "contested": contested]), "\(count)\n")
      return try finish(isEmpty: count == 0)
    }
    if limit == nil, isForPeople, !words.has("--all") { limit = 40 }
    if cursor == nil {
      var members = question
      if let limit {
        members.append(JSONValue.Member("limit", .int(limit)))
        members.append(JSONValue.Member("order", .string("desc")))
      }
      let end = try client.stream(.query(JSONValue.object(members))) { _, json in
        lines.append(Array(json))
      }
      Moment.tell(end)
      if limit != nil { lines.reverse() }
    }
    var total = lines.count
    if let limit, lines.count >= limit, cursor != nil || isForPeople || limit == 0 {
      if cursor == nil { total = try terms.count(question, client) }
      lines = lines.suffix(limit)
    }
    let shown = lines.count
    lines = try Parties.preface(context, client, more) + lines
    write(lines, context)
    if shown < total, isForPeople || limit == 0 {
      Terminal.say(
        "\(shown) of \(Count.events(total)), "
          + (words["--limit"] == nil ? "--all for the rest" : "-n N for more"))
    }
    return try finish(isEmpty: total == 0)
  }

  private static func write(_ lines: [[UInt8]], _ context: Context) {
    if context.isJSON { return EventFile.write(lines, as: .json) }
    if context.words.has("--jsonl") { return EventFile.write(lines, as: .jsonl) }
    if context.words.has("--csv") { return EventFile.write(lines, as: .csv) }
    let events = lines.map { Client.json($0[...]) }
    let rows = events.map { event in
      [
        event["date"]?.string ?? "", EventText.kind(event), EventText.parties(event),
        String((event["id"]?.string ?? "").prefix(8)),
        Terminal.plain(event["title"]?.string ?? "")
          + (event["contested"] == nil ? "" : " (contested)"),
      ]
    }
    guard !rows.isEmpty else { return }
    context.terminal.show(
      context.terminal.table(rows, header: ["DATE", "TYPE", "PARTIES", "ID", "TITLE"]))
  }

  static let show = Command(
    name: "show", arguments: "ID", summary: "one event, whole, with its versions",
    examples: ["show 1f2e3d4c", "show 1f2e3d4c --json"], flags: [], plain: 1...1
  ) { (context) throws(Failure) in
    let versions = try EventVersions(context.words.plain[0], try context.connect())
    context.finish(versions.json, VersionsText.text(versions, context.terminal))
    return .done
  }

  static let watch = Command(
    name: "watch", arguments: "[TERM…] | --state PARTY PARTY…",
    summary: "events as they are recorded, or how things change between parties",
    examples: [
      "watch", "watch actor=PRK --json", "watch --until 1 --timeout 30s",
      "watch --state USA PRK --exec 'mail -s \"$TIMELINE_CHANGE_WHAT\" me'",
      "watch --state USA PRK --from 2018-01-01 --to 2018-12-31",
    ],
    flags: FilterTerms.flags + [
      Flag(
        name: "--state", value: nil,
        help: "tell when the phase, a message, an offer or a commitment changes its state")
    ] + Notifier.flags,
    notes: """
      With --json one JSON value a line (JSON Lines), written at once. CMD gets that line on its \
      standard input, and of it in its environment TIMELINE_EVENT_ID, _TYPE, _DATE and _TITLE.

      With --state also where only time passed: an offer expires, a commitment falls due, no contact \
      for 90 days. --from DAY --to DAY tells what changed on these days; --from alone what changed \
      since, and then goes on. CMD finds TIMELINE_CHANGE (the JSON) and TIMELINE_CHANGE_DAY, _WHAT, \
      _ID, _KEY, _TITLE, _FROM, _TO, _BY, _PARTIES.

      \(FilterTerms.help)
      """
  ) { (context) throws(Failure) in
    if context.words.has("--state") { return try StateWatch.run(context) }
    var notifier = try Notifier(context)
    let terms = try FilterTerms(context.words)
    var watching = try Watching(context, terms.members)
    while !notifier.isDone, let line = try watching.next(until: notifier.end) {
      let event = line.json
      let said = event["body"] ?? event
      try notifier.notify(
        line.bytes, { () throws(Failure) in try WatchText.line(event, context) },
        [
          "TIMELINE_EVENT_ID": (event["corrects"] ?? event["retracts"] ?? event["id"])?.string
            ?? "",
          "TIMELINE_EVENT_TYPE": event["type"]?.string ?? "",
          "TIMELINE_EVENT_DATE": said["date"]?.string ?? "",
          "TIMELINE_EVENT_TITLE": said["title"]?.string ?? "",
        ])
    }
    return try notifier.finish()
  }

  static let status = Command(
    name: "status", arguments: "", summary: "how the daemon and its log are",
    examples: ["status", "status --json"], flags: [], plain: 0...0
  ) { (context) throws(Failure) in
    let client = try context.connect()
    let status = try client.ask(.status)
    var text = ""
    for member in status.members ?? [] {
      let value = member.value
      let shown =
        value.string ?? value.array?.map { $0.string ?? $0.text }.joined(separator: "\n  ")
      if value.array?.isEmpty ?? false { continue }
      text += "\(member.key): \(shown ?? value.text)\n"
    }
    if status["wanted"]?.int ?? 0 > 0 {
      text += "to do: timelinectl repair fetches from a peer what is damaged or withheld here\n"
    }
    for peer in try Peer.list(client) {
      text += "peer \(peer["address"]?.string ?? ""): \(Peer.standing(peer))\n"
    }
    context.finish(status, text)
    return .done
  }

  static let actor = Command(
    name: "actor", arguments: "list | add CODE --name NAME", summary: "the parties events can name",
    examples: ["actor list", "actor add SWE-MED --name 'Swedish mediators' --kind group"],
    flags: [
      Flag(name: "--name", value: "NAME", help: "the name of a new actor"),
      Flag(name: "--kind", value: "KIND", help: "state, organisation, group or person (group)"),
      Flag(name: "--alias", value: "NAME", help: "another name; may be given more than once"),
    ]
  ) { (context) throws(Failure) in
    let words = context.words
    let client = try context.connect()
    switch (words.plain.first, words.plain.count) {
    case ("list"?, 1), (nil, _):
      var actors: [JSONValue] = []
      _ = try client.stream(.actors()) { _, json in actors.append(Client.json(json)) }
      context.finish(
        .array(actors),
        context.terminal.table(
          actors.map {
            [$0["code"]?.string ?? "", $0["kind"]?.string ?? "", $0["name"]?.string ?? ""]
          },
          header: ["CODE", "KIND", "NAME"]))
    case ("add"?, 2):
      guard let name = words["--name"] else {
        throw Failure(.usage, "actor add takes a code and --name NAME")
      }
      let aliases = words.all("--alias")
      try ActorName.check(name, aliases: aliases, client)
      let body = JSONValue.object([
        "type": .string("log.actor"), "code": .string(words.plain[1]), "name": .string(name),
        "kind": .string(words["--kind"] ?? "group"),
        "aliases": aliases.isEmpty ? nil : .strings(aliases),
      ])
      let reply = try client.ask(.append(body)).json
      context.finish(reply, "added \(words.plain[1]) (\(name)) for everyone on this timeline\n")
    default:
      throw Failure(
        .usage,
        "actor \(words.plain.joined(separator: " "))? It is actor list, or actor add CODE --name NAME"
      )
    }
    return .done
  }
}

// `log`, `show`, `watch`, `status`: what is there.

import Foundation
import TimelineModel

extension Command {
  static let filterFlags = [
    Flag(name: "--from", value: "DATE", help: "from this day, month or year on"),
    Flag(name: "--to", value: "DATE", help: "up to and with it"),
    Flag(name: "--type", value: "TYPE", help: "test, talks, message, …; twice means or"),
    Flag(name: "--actor", value: "CODE", help: "who did it"),
    Flag(name: "--target", value: "CODE", help: "to whom"),
    Flag(name: "--tag", value: "WORD", help: "tagged so"),
    Flag(name: "--text", value: "WORDS", help: "these words in it; case and accents do not matter"),
  ]

  /// The filter of a command line: terms of the language, and flags that say the same.
  static func filter(_ words: Words) throws(Failure) -> [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    let terms = words.plain.map { term in
      term.contains(" ") && !term.contains("\"")
        ? String(term.prefix { !"=~<>".contains($0) })
          + String(term.drop { !"=~<>".contains($0) }.prefix { "=~<>".contains($0) })
          + "\"" + term.drop { !"=~<>".contains($0) }.drop { "=~<>".contains($0) } + "\""
        : term
    }
    if !terms.isEmpty {
      do throws(FilterError) { _ = try Filter(terms.joined(separator: " ")) } catch {
        throw Failure(.usage, error.message)
      }
      members.append(JSONValue.Member("where", .string(terms.joined(separator: " "))))
    }
    for flag in filterFlags {
      let values = words.all(flag.name)
      guard !values.isEmpty else { continue }
      let isDate = flag.name == "--from" || flag.name == "--to"
      members.append(
        JSONValue.Member(
          String(flag.name.dropFirst(2)), isDate ? .string(values.last!) : .strings(values)))
    }
    do throws(FilterError) { _ = try Filter(json: .object(members)) } catch {
      throw Failure(.usage, error.message)
    }
    return members
  }

  static let log = Command(
    name: "log", arguments: "[TERM…]", summary: "the events that fit, newest last",
    examples: [
      "log", "log actor=PRK type=test 'date>=2016'", "log --text 'solid fuel' --json",
      "log --known-at 2026-11-01 --csv > events.csv",
    ],
    flags: filterFlags + [
      Flag(name: "--limit", value: "N", help: "the newest N (-n N)"),
      Flag(name: "--all", value: nil, help: "all of them, on a terminal too"),
      Flag(name: "--known-at", value: "WHEN", help: "only what was recorded by then"),
      Flag(name: "--jsonl", value: nil, help: "one event a line, as the log has it"),
      Flag(name: "--csv", value: nil, help: "a table with a header"),
      Flag(name: "--count", value: nil, help: "how many there are"),
      Flag(name: "--exit-code", value: nil, help: "exit 3 where nothing matched"),
    ]
  ) { (context) throws(Failure) in
    let words = context.words
    var members = try filter(words)
    if let known = words["--known-at"] {
      members.append(JSONValue.Member("known_at", .string(known)))
    }
    let client = try context.connect()
    let question = JSONValue.object(members).text
    if words.has("--count") {
      let count = try client.ask("COUNT \(question)")
      context.finish(count, "\(count["count"]?.int ?? 0)\n")
      return .done
    }
    let isForPeople =
      context.terminal.isTerminal && !["--json", "--jsonl", "--csv"].contains { words.has($0) }
    var limit = words["--limit"].flatMap { Int($0) }
    if words["--limit"] != nil && limit == nil {
      throw Failure(.usage, "--limit takes a whole number")
    }
    if limit == nil, isForPeople, !words.has("--all") { limit = 40 }
    if let limit {
      members.append(JSONValue.Member("limit", .int(limit)))
      members.append(JSONValue.Member("order", .string("desc")))
    }
    var lines: [[UInt8]] = []
    _ = try client.stream("QUERY \(JSONValue.object(members).text)") { _, json in
      lines.append(Array(json))
    }
    if limit != nil { lines.reverse() }
    try write(lines, context)
    if isForPeople, let limit, lines.count == limit {
      let total = try client.ask("COUNT \(question)")["count"]?.int ?? 0
      if total > limit { Terminal.say("\(limit) of \(total) events, --all for the rest") }
    }
    if lines.isEmpty {
      let status = try client.ask("STATUS")
      Terminal.say(
        "nothing matched; the timeline has \(status["events"]?.int ?? 0) events"
          + (status["first"]?.string.map { " from \($0) to \(status["last"]?.string ?? "")" } ?? "")
      )
      if words.has("--exit-code") { return .nothingMatched }
    }
    return .done
  }

  private static func write(_ lines: [[UInt8]], _ context: Context) throws(Failure) {
    if context.isJSON {
      var bytes: [UInt8] = [UInt8(ascii: "[")]
      for (index, line) in lines.enumerated() {
        bytes.append(contentsOf: index == 0 ? "\n".utf8 : ",\n".utf8)
        bytes.append(contentsOf: line)
      }
      bytes.append(contentsOf: "\n]\n".utf8)
      return Terminal.write(bytes)
    }
    if context.words.has("--jsonl") {
      return Terminal.write(Array(lines.joined(separator: [0x0A])) + [0x0A])
    }
    let events = lines.map { Client.json($0[...]) }
    if context.words.has("--csv") { return Terminal.write(EventCSV.text(events)) }
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
    examples: ["show 1f2e3d4c", "show 1f2e3d4c --json"], flags: []
  ) { (context) throws(Failure) in
    guard context.words.plain.count == 1 else { throw Failure(.usage, "show takes one id") }
    let versions = try EventVersions(context.words.plain[0], try context.connect())
    context.finish(versions.json, VersionsText.text(versions, context.terminal))
    return .done
  }

  static let watch = Command(
    name: "watch", arguments: "[TERM…]", summary: "events as they are recorded, here or elsewhere",
    examples: ["watch", "watch actor=PRK --json", "watch --until 1"],
    flags: filterFlags + [
      Flag(name: "--until", value: "N", help: "end after N events")
    ]
  ) { (context) throws(Failure) in
    let until = context.words["--until"].flatMap { Int($0) }
    let client = try context.connect()
    _ = try client.ask("WATCH \(JSONValue.object(try filter(context.words)).text)")
    var count = 0
    while until.map({ count < $0 }) ?? true {
      let line = try client.line()
      guard line.starts(with: "EVENT ".utf8) else { throw Client.failure(line) }
      count += 1
      let json = line.dropFirst(6)
      if context.isJSON {
        Terminal.write(Array(json) + [0x0A])
        continue
      }
      Terminal.write(try WatchText.line(Client.json(json), context) + "\n")
    }
    return .done
  }

  static let status = Command(
    name: "status", arguments: "", summary: "how the daemon and its log are",
    examples: ["status", "status --json"], flags: []
  ) { (context) throws(Failure) in
    let status = try context.connect().ask("STATUS")
    var text = ""
    for member in status.members ?? [] {
      let value = member.value
      let shown =
        value.string ?? value.array?.map { $0.string ?? $0.text }.joined(separator: "\n  ")
      if value.array?.isEmpty ?? false { continue }
      text += "\(member.key): \(shown ?? value.text)\n"
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
    switch words.plain.first {
    case "list", nil:
      var actors: [JSONValue] = []
      _ = try client.stream("ACTORS") { _, json in actors.append(Client.json(json)) }
      context.finish(
        .array(actors),
        context.terminal.table(
          actors.map {
            [$0["code"]?.string ?? "", $0["kind"]?.string ?? "", $0["name"]?.string ?? ""]
          },
          header: ["CODE", "KIND", "NAME"]))
    case "add":
      guard words.plain.count == 2, let name = words["--name"] else {
        throw Failure(.usage, "actor add takes a code and --name NAME")
      }
      let aliases = words.all("--alias")
      try ActorName.check(name, aliases: aliases, client)
      let body = JSONValue.object([
        "type": .string("log.actor"), "code": .string(words.plain[1]), "name": .string(name),
        "kind": .string(words["--kind"] ?? "group"),
        "aliases": aliases.isEmpty ? nil : .strings(aliases),
      ])
      let reply = try client.ask("APPEND \(body.text)")
      context.finish(reply, "added \(words.plain[1]) (\(name)) for everyone on this timeline\n")
    case let other?: throw Failure(.usage, "actor \(other)? It is actor list or actor add")
    }
    return .done
  }
}

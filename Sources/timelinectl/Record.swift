// `add`, `correct`, `retract`: a person records.

import Foundation
import TimelineModel

extension Command {
  static let eventFlags = [
    Flag(name: "--type", value: "TYPE", help: "message, talks, test, …"),
    Flag(name: "--subtype", value: "WORD", help: "letter, summit, icbm, …"),
    Flag(
      name: "--date", value: "DATE", help: "2017-11-29, 2017-11, 2002-11-01~, 2016-03-07/2016-04-30"
    ),
    Flag(name: "--actors", value: "CODES", help: "who did it: USA,KOR"),
    Flag(name: "--targets", value: "CODES", help: "to whom"),
    Flag(name: "--title", value: "LINE", help: "what happened, in a line"),
    Flag(name: "--summary", value: "TEXT", help: "and in a paragraph"),
    Flag(name: "--place", value: "NAME", help: "where"),
    Flag(name: "--source-title", value: "TITLE", help: "the source"),
    Flag(name: "--source-publisher", value: "NAME", help: "who published it"),
    Flag(name: "--source-date", value: "DATE", help: "when"),
    Flag(name: "--source-url", value: "URL", help: "where it is"),
    Flag(name: "--unsourced", value: nil, help: "there is no source, said out loud"),
    Flag(name: "--confidence", value: "WORD", help: "high, medium or low"),
    Flag(name: "--tags", value: "WORDS", help: "free words: launch,night"),
    Flag(name: "--link", value: "REL=ID", help: "answers=1f2e3d4c; may be given more than once"),
    Flag(name: "--author", value: "NAME", help: "who records (your user name)"),
  ]

  /// The event that flags describe; no members where none was given.
  private static func event(_ words: Words, _ client: Client) throws(Failure) -> [JSONValue.Member]
  {
    var row: [String: String] = [:]
    for column in EventCSV.columns {
      guard let value = words["--" + column.replacing("_", with: "-")] else { continue }
      row[column] =
        ["actors", "targets", "tags"].contains(column)
        ? value.replacing(",", with: ";") : value
    }
    if words.has("--unsourced") { row["unsourced"] = "true" }
    var members = EventCSV.event(CSVTable.Row(line: 0, fields: row)).members ?? []
    var links: [JSONValue] = []
    for link in words.all("--link") {
      let parts = link.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw Failure(.usage, "--link takes REL=ID, as answers=1f2e3d4c")
      }
      links.append(
        .object(["rel": .string(parts[0]), "id": .string(try find(parts[1], client).id)]))
    }
    if !links.isEmpty { members.append(JSONValue.Member("links", .array(links))) }
    return members
  }

  /// The whole id, the event and its current versions, by the first characters of the id.
  static func find(
    _ prefix: String, _ client: Client
  ) throws(Failure) -> (id: String, event: JSONValue, versions: [JSONValue]) {
    var event = JSONValue.null
    let end = try client.stream("GET \(try EventName.id(prefix, client))") { word, json in
      if word == "EVENT" { event = Client.json(json) }
    }
    guard let id = event["id"]?.string else {
      throw Failure(.failed, code: "not-found", "\(prefix) was retracted")
    }
    return (id, event, end["versions"]?.array ?? [])
  }

  static let add = Command(
    name: "add", arguments: "[OPTIONS]",
    summary: "record an event; without options in your editor",
    examples: [
      "add --type test --subtype srbm --date 2026-11-20 --actors PRK --title 'Two SRBMs' --source-url https://…",
      "add",
    ], flags: eventFlags + [Flag(name: "--dry-run", value: nil, help: "show it, record nothing")]
  ) { (context) throws(Failure) in
    let client = try context.connect()
    var members = try event(context.words, client)
    if members.isEmpty {
      members = try Template.edit([], context)
      if members.isEmpty {
        Terminal.say("nothing was written, nothing is recorded")
        return .done
      }
    }
    if let author = context.words["--author"] {
      members.append(JSONValue.Member("author", .string(author)))
    }
    if context.words.has("--dry-run") {
      Terminal.write(JSONValue.object(members).text + "\n")
      return .done
    }
    let reply = try client.ask("APPEND \(JSONValue.object(members).text)")
    let id = reply["id"]?.string ?? ""
    context.finish(
      reply,
      "recorded \(id.prefix(8)): \(Terminal.plain(JSONValue.object(members)["title"]?.string ?? ""))\n"
        + "to change it: timelinectl correct \(id.prefix(8)); to take it back: timelinectl retract \(id.prefix(8)) --reason …\n"
    )
    return .done
  }

  static let correct = Command(
    name: "correct", arguments: "ID --reason TEXT [OPTIONS]",
    summary: "say what an event should be; the old version stays in the log",
    examples: ["correct 1f2e3d4c --date 2017-11-28 --reason 'UTC day'", "correct 1f2e3d4c"],
    flags: eventFlags + [
      Flag(name: "--reason", value: "TEXT", help: "why"),
      Flag(name: "--dry-run", value: nil, help: "show what would change, record nothing"),
    ]
  ) { (context) throws(Failure) in
    guard context.words.plain.count == 1 else { throw Failure(.usage, "correct takes one id") }
    let client = try context.connect()
    let (id, old, versions) = try find(context.words.plain[0], client)
    let envelope: Set = [
      "v", "replica", "seq", "recorded", "id", "author", "salt", "crc32c", "version", "contested",
    ]
    var body = (old.members ?? []).filter { !envelope.contains($0.key) }
    let before = body
    let changes = try event(context.words, client)
    if changes.isEmpty { body = try Template.edit(body, context) }
    for change in changes {
      if let place = body.firstIndex(where: { $0.key == change.key }) {
        body[place] = change
      } else {
        body.append(change)
      }
    }
    let difference = Self.difference(before, body)
    if difference.isEmpty {
      Terminal.say("nothing changed, nothing is recorded")
      return .done
    }
    if context.words.has("--dry-run") {
      Terminal.write(difference)
      return .done
    }
    guard let reason = context.words["--reason"] else {
      throw Failure(.usage, "say why: --reason TEXT")
    }
    let reply = try client.ask(
      "APPEND "
        + JSONValue.object([
          "type": .string("log.correct"), "corrects": .string(id), "supersedes": .array(versions),
          "reason": .string(reason), "author": context.words["--author"].map { .string($0) },
          "body": .object(body),
        ]).text)
    context.finish(reply, difference + "corrected \(id.prefix(8))\n")
    return .done
  }

  private static func difference(
    _ before: [JSONValue.Member], _ after: [JSONValue.Member]
  ) -> String {
    let (old, new) = (JSONValue.object(before), JSONValue.object(after))
    let keys = before.map(\.key) + after.map(\.key).filter { old[$0] == nil }
    return keys.filter { old[$0] != new[$0] }.map { key in
      (old[key].map { "- \(key): \($0.text)\n" } ?? "")
        + (new[key].map { "+ \(key): \($0.text)\n" } ?? "")
    }.joined()
  }

  static let retract = Command(
    name: "retract", arguments: "ID --reason TEXT",
    summary: "take an event back; it stays in the log, and out of every answer",
    examples: ["retract 1f2e3d4c --reason 'the report was withdrawn'"],
    flags: [
      Flag(name: "--reason", value: "TEXT", help: "why"),
      Flag(name: "--author", value: "NAME", help: "who records (your user name)"),
      Flag(name: "--dry-run", value: nil, help: "show what would go, record nothing"),
    ]
  ) { (context) throws(Failure) in
    guard context.words.plain.count == 1 else { throw Failure(.usage, "retract takes one id") }
    let client = try context.connect()
    let (id, old, versions) = try find(context.words.plain[0], client)
    if context.words.has("--dry-run") {
      Terminal.write(EventText.whole(old, context.terminal))
      return .done
    }
    guard let reason = context.words["--reason"] else {
      throw Failure(.usage, "say why: --reason TEXT")
    }
    let reply = try client.ask(
      "APPEND "
        + JSONValue.object([
          "type": .string("log.retract"), "retracts": .string(id), "supersedes": .array(versions),
          "reason": .string(reason), "author": context.words["--author"].map { .string($0) },
        ]).text)
    context.finish(
      reply,
      "retracted \(id.prefix(8)): \(Terminal.plain(old["title"]?.string ?? ""))\n"
        + "its words stay in the log; a correction brings it back\n")
    return .done
  }
}

/// An event as a commented text for an editor: `key: value`, lists with commas, lines with # ignored.
enum Template {
  private static let comments = [
    "type": "one of \(EventType.happenings.map(\.word).joined(separator: " "))",
    "date": "2017-11-29, 2017-11, 2002-11-01~ (about), 2016-03-07/2016-04-30, 2019-06/.. (goes on)",
    "actors": "codes, with commas: USA,KOR (timelinectl actor list)",
    "title": "one line that says what happened",
    "source_title": "at least one of the four, or unsourced: true",
    "confidence": "high, medium or low",
  ]

  static func edit(
    _ members: [JSONValue.Member], _ context: Context
  ) throws(Failure) -> [JSONValue.Member] {
    let environment = context.environment
    guard !context.words.has("--no-input") else {
      throw Failure(
        .usage, "give the event by options (--help lists them); --no-input opens no editor")
    }
    guard isatty(STDIN_FILENO) == 1 || environment["EDITOR"] != nil,
      let editor = environment["VISUAL"] ?? environment["EDITOR"] ?? Optional("vi")
    else { throw Failure(.usage, "give the event by options (--help lists them), or set EDITOR") }
    let before = JSONValue.object(members)
    let table = EventCSV.text([before])
    let row = CSVTable(utf8: Array(table.utf8)).rows[0]
    var text = "# Save and leave the editor to record; leave all lines empty to record nothing.\n"
    for column in EventCSV.columns where column != "id" {
      if let comment = comments[column] { text += "# \(comment)\n" }
      text += "\(column): \(row[column].replacing("\n", with: " "))\n"
    }
    let path = NSTemporaryDirectory() + "timeline-event-\(getpid()).txt"
    defer { unlink(path) }
    guard
      FileManager.default.createFile(
        atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else { throw Failure(.failed, code: "file", "cannot write \(path)") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "\(editor) \"$1\"", "sh", path]
    // Without a child nothing was edited: the same as an editor that failed.
    guard (try? process.run()) != nil else { throw Failure(.failed, "cannot run \(editor)") }
    process.waitUntilExit()
    guard process.terminationStatus == 0, let edited = FileManager.default.contents(atPath: path)
    else { throw Failure(.failed, "the editor ended with an error; nothing is recorded") }
    var fields: [String: String] = [:]
    for line in String(decoding: edited, as: UTF8.self).split(separator: "\n") {
      guard !line.hasPrefix("#"), let colon = line.firstIndex(of: ":") else { continue }
      let key = line[..<colon].trimmed
      guard EventCSV.columns.contains(key) else {
        throw Failure(.usage, "\"\(key)\" is no field of the template")
      }
      let value = line[line.index(after: colon)...].trimmed
      fields[key] =
        ["actors", "targets", "tags"].contains(key)
        ? value.replacing(",", with: ";") : value
    }
    let after = EventCSV.event(CSVTable.Row(line: 0, fields: fields)).members ?? []
    // What the template does not show stays as it was; of the sources it shows the first.
    let shown = Set(EventCSV.columns)
    let rest = members.filter { !shown.contains($0.key) && ($0.key != "sources" || after.isEmpty) }
    return after.map { member in
      guard member.key == "sources", let first = member.value.array,
        let old = before["sources"]?.array
      else { return member }
      return JSONValue.Member("sources", .array(first + old.dropFirst()))
    } + rest.filter { $0.key != "sources" || !after.contains { $0.key == "sources" } }
  }
}

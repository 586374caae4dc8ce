// `import`: files in. Every line is checked before the first one is sent; ids are made from names, so
// that the same file twice, or on two machines, is the same events once.

import Foundation
import TimelineModel

extension Command {
  private static let batchLines = 1000
  private static let batchBytes = 4 << 20

  static let importFile = Command(
    name: "import", arguments: "FILE", summary: "record the events of a file (JSON Lines or CSV)",
    examples: [
      "import data/us-dprk.jsonl", "import events.csv --dry-run", "import - < events.jsonl",
    ],
    flags: [
      Flag(name: "--dry-run", value: nil, help: "check everything, record nothing"),
      Flag(name: "--skip-bad", value: nil, help: "record the good lines although others are wrong"),
      Flag(name: "--format", value: "WORD", help: "jsonl or csv (by the file's name)"),
      Flag(name: "--author", value: "NAME", help: "who records (your user name)"),
    ]
  ) { (context) throws(Failure) in
    guard context.words.plain.count == 1 else {
      throw Failure(.usage, "import takes one file, or - for standard input")
    }
    let path = context.words.plain[0]
    let data =
      path == "-"
      ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: path)
    guard let data else { throw Failure(.failed, code: "file", "cannot read \(path)") }
    let isCSV = context.words["--format"].map { $0 == "csv" } ?? path.hasSuffix(".csv")
    let client = try context.connect()
    var reader = ImportReader(registry: try registry(client), author: context.words["--author"])
    if isCSV { reader.readCSV(data) } else { reader.readLines(data) }
    for problem in reader.problems.prefix(50) {
      Terminal.say("\(path):\(problem.line): \(problem.message)")
    }
    if reader.problems.count > 50 { Terminal.say("… and \(reader.problems.count - 50) more") }
    let isPartial = !reader.problems.isEmpty
    if isPartial, !context.words.has("--skip-bad") {
      throw Failure(
        .failed, code: "bad-event",
        "\(reader.problems.count) of \(reader.problems.count + reader.events.count) lines are wrong; nothing was imported "
          + "(mend them, or take the others with --skip-bad)")
    }
    var counts = (sent: 0, duplicates: 0)
    if !context.words.has("--dry-run") { counts = try send(reader.events, client, context) }
    let imported = counts.sent - counts.duplicates
    context.finish(
      .object([
        "read": .int(reader.events.count), "imported": .int(imported),
        "duplicates": .int(counts.duplicates), "bad": .int(reader.problems.count),
        "dry_run": .bool(context.words.has("--dry-run")),
      ]),
      context.words.has("--dry-run")
        ? "\(reader.events.count) events are fine; nothing was imported (--dry-run)\n"
        : "imported \(imported) events, \(counts.duplicates) were there already\n")
    return isPartial ? .partlyDone : .done
  }

  private static func registry(_ client: Client) throws(Failure) -> ActorRegistry {
    var registry = ActorRegistry.shipped
    _ = try client.stream("ACTORS") { _, json in
      let json = Client.json(json)
      guard let code = json["code"]?.string.flatMap({ ActorCode($0) }), !registry.contains(code)
      else { return }
      registry.add(Actor(code: code, name: json["name"]?.string ?? "", kind: .group))
    }
    return registry
  }

  /// Sends in batches, two on their way at a time: while one is written the next one is read.
  private static func send(
    _ events: [[UInt8]], _ client: Client, _ context: Context
  ) throws(Failure) -> (sent: Int, duplicates: Int) {
    var counts = (sent: 0, duplicates: 0)
    var inFlight = 0
    let start = Date()
    func collect() throws(Failure) {
      let reply = try client.reply()
      inFlight -= 1
      counts.sent += reply["count"]?.int ?? 0
      counts.duplicates += reply["duplicates"]?.int ?? 0
      guard events.count > 20_000, isatty(STDERR_FILENO) == 1 else { return }
      let rate = Double(counts.sent) / max(0.001, Date().timeIntervalSince(start))
      let left = Int(Double(events.count - counts.sent) / max(1, rate))
      FileHandle.standardError.write(
        Data("\r\(counts.sent) of \(events.count), \(Int(rate))/s, \(left) s left ".utf8))
      if counts.sent == events.count { Terminal.say("") }
    }
    var at = 0
    while at < events.count {
      var bytes: [UInt8] = []
      var count = 0
      while at + count < events.count, count < batchLines, bytes.count < batchBytes {
        bytes.append(contentsOf: events[at + count])
        bytes.append(0x0A)
        count += 1
      }
      try client.send(Array("APPENDMANY \(count)\n".utf8) + bytes)
      inFlight += 1
      at += count
      if inFlight == 2 { try collect() }
    }
    while inFlight > 0 { try collect() }
    return counts
  }
}

/// Reads a file into events that the daemon will take.
struct ImportReader {
  struct Problem {
    var line: Int
    var message: String
  }

  private(set) var events: [[UInt8]] = []
  private(set) var problems: [Problem] = []
  private let registry: ActorRegistry
  private let author: String?
  private var document = JSONDocument()

  init(registry: ActorRegistry, author: String?) {
    self.registry = registry
    self.author = author
  }

  mutating func readCSV(_ data: Data) {
    let table = CSVTable(utf8: data)
    problems += table.problems.map { Problem(line: $0.line, message: $0.message) }
    for column in table.header where !EventCSV.columns.contains(column) {
      let near = EditDistance.nearest(to: column, in: EventCSV.columns)
      problems.append(
        Problem(
          line: 1,
          message: "unknown column \"\(column)\"; "
            + (near.isEmpty
              ? "columns are \(EventCSV.columns.joined(separator: ", "))"
              : "did you mean \(near.joined(separator: ", "))?")))
    }
    for row in table.rows { take(EventCSV.event(row), line: row.line) }
  }

  mutating func readLines(_ data: Data) {
    var number = 0
    for line in data.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      guard line.contains(where: { $0 > 0x20 }) else { continue }
      let parsed = Array(line).withUnsafeBufferPointer { text in
        Result { () throws(JSONError) in try JSONValue(parsing: text) }
      }
      switch parsed {
      case .success(let value): take(value, line: number)
      case .failure(let error): problems.append(Problem(line: number, message: error.message))
      }
    }
  }

  private static let envelope: Set = [
    "v", "replica", "seq", "recorded", "salt", "crc32c", "version", "contested",
  ]

  private mutating func take(_ value: JSONValue, line: Int) {
    guard let given = value.members else {
      problems.append(Problem(line: line, message: "an event is a JSON object {…}"))
      return
    }
    // A line that was exported carries its envelope; it gets a new one here.
    var members = given.filter { !Self.envelope.contains($0.key) }
    for (place, member) in members.enumerated() {
      if member.key == "links" { members[place].value = Self.withIDs(member.value) }
    }
    let name = value["id"]?.string
    members.removeAll { $0.key == "id" }
    let id: EventID
    if let name {
      id = EventID(name) ?? EventID(importedName: name)
      if EventID(name) == nil, value["ref"] == nil {
        members.append(JSONValue.Member("ref", .string(name)))
      }
    } else {
      // A record without a name is named by what it says.
      let body = members.filter { $0.key != "author" }.sorted { $0.key < $1.key }
      id = EventID(importedName: "body:" + JSONValue.object(body).text)
    }
    members.insert(JSONValue.Member("id", .string(id.description)), at: 0)
    if let author, value["author"] == nil {
      members.insert(JSONValue.Member("author", .string(author)), at: 1)
    }
    var bytes: [UInt8] = []
    JSONValue.object(members).append(to: &bytes)
    if let message = check(bytes) {
      problems.append(Problem(line: line, message: message))
    } else {
      events.append(bytes)
    }
  }

  private mutating func check(_ bytes: [UInt8]) -> String? {
    let registry = registry
    return bytes.withUnsafeBufferPointer { text in
      do {
        try document.parse(text)
        _ = try EventValidator(document, in: text, registry: registry, isStored: false).validate()
        return text.count > LineLimits.lineBytesMax - 512
          ? "\(text.count) bytes; an event has at most \(LineLimits.lineBytesMax - 512)" : nil
      } catch let error as EventError {
        return error.text
      } catch let error as JSONError {
        return error.message
      } catch {
        return "\(error)"
      }
    }
  }

  private static func withIDs(_ links: JSONValue) -> JSONValue {
    .array(
      (links.array ?? []).map { link in
        .object(
          (link.members ?? []).map { member in
            guard member.key == "id", let name = member.value.string, EventID(name) == nil else {
              return member
            }
            return JSONValue.Member("id", .string(EventID(importedName: name).description))
          })
      })
  }
}

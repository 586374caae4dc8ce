// `import`: files in. Every line is checked before the first one is sent; ids are made from names, so
// that the same file twice, or on two machines, is the same events once.

import Dispatch
import Foundation
import Synchronization
import TimelineModel

extension Command {
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
      ? FileHandle.standardInput.readDataToEndOfFile()
      : try? Data(contentsOf: URL(filePath: path), options: .mappedIfSafe)
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
        "\(reader.problems.count) of \(reader.problems.count + reader.count) lines are wrong; nothing was imported "
          + "(mend them, or take the others with --skip-bad)")
    }
    var counts = (sent: 0, duplicates: 0)
    if !context.words.has("--dry-run") { counts = try send(reader, client) }
    let imported = counts.sent - counts.duplicates
    context.finish(
      .object([
        "read": .int(reader.count), "imported": .int(imported),
        "duplicates": .int(counts.duplicates), "bad": .int(reader.problems.count),
        "dry_run": .bool(context.words.has("--dry-run")),
      ]),
      context.words.has("--dry-run")
        ? "\(reader.count) events are fine; nothing was imported (--dry-run)\n"
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

  /// What one APPENDMANY takes (docs/protocol.md).
  private static let linesMax = 2_000
  private static let bytesMax = 1 << 20

  /// Sends in batches, two on their way at a time: while one is written the next one is read.
  private static func send(
    _ reader: ImportReader, _ client: Client
  ) throws(Failure) -> (sent: Int, duplicates: Int) {
    var counts = (sent: 0, duplicates: 0)
    var inFlight = 0
    let start = Date()
    let showsProgress = reader.count > 20_000 && isatty(STDERR_FILENO) == 1
    func collect() throws(Failure) {
      let reply = try client.reply()
      inFlight -= 1
      counts.sent += reply["count"]?.int ?? 0
      counts.duplicates += reply["duplicates"]?.int ?? 0
      guard showsProgress else { return }
      let rate = Double(counts.sent) / max(0.001, Date().timeIntervalSince(start))
      let left = Int(Double(reader.count - counts.sent) / max(1, rate))
      Terminal.note("\r\(counts.sent) of \(reader.count), \(Int(rate))/s, \(left) s left ")
      if counts.sent == reader.count { Terminal.say("") }
    }
    var rest = reader.batches[...]
    while !rest.isEmpty {
      // As much at once as the daemon takes: each request is one sync of the disk.
      var group = rest.prefix(1)
      while let next = rest.dropFirst(group.count).first,
        group.reduce(next.count, { $0 + $1.count }) <= linesMax,
        group.reduce(next.bytes.count, { $0 + $1.bytes.count }) <= bytesMax
      {
        group = rest.prefix(group.count + 1)
      }
      rest = rest.dropFirst(group.count)
      let count = group.reduce(0) { $0 + $1.count }
      guard count > 0 else { continue }
      try client.send(Array("APPENDMANY \(count)\n".utf8))
      for batch in group { try client.send(batch.bytes) }
      inFlight += 1
      if inFlight == 2 { try collect() }
    }
    while inFlight > 0 { try collect() }
    return counts
  }
}

/// Reads a file into events that the daemon will take, checked.
struct ImportReader {
  struct Problem: Sendable {
    /// From 1.
    var line: Int
    var message: String
  }

  /// What one APPENDMANY takes: events, each with its LF.
  private(set) var batches: [ImportBatch] = []
  private(set) var problems: [Problem] = []
  private let registry: ActorRegistry
  private let author: String?
  private let vocabulary = Vocabulary()

  /// Bytes of a file that become one batch. No event is so short that they are more than the daemon
  /// takes at once.
  private static let batchBytes = 256 << 10

  init(registry: ActorRegistry, author: String?) {
    self.registry = registry
    self.author = author
  }

  var count: Int { batches.reduce(0) { $0 + $1.count } }

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
    let reader = BodyReader(vocabulary)
    var batch = ImportBatch(registry, author)
    for row in table.rows {
      Array(EventCSV.event(row).text.utf8).withUnsafeBufferPointer {
        batch.take($0, line: row.line, reader)
      }
      if batch.bytes.count > Self.batchBytes {
        add(batch)
        batch = ImportBatch(registry, author)
      }
    }
    add(batch)
  }

  private mutating func add(_ batch: ImportBatch, linesBefore: Int = 0) {
    problems += batch.problems.map {
      Problem(line: $0.line + linesBefore, message: $0.message)
    }
    batches.append(batch)
  }

  /// On all processors: each takes the next piece of the file that is left.
  mutating func readLines(_ data: Data) {
    let (registry, author, vocabulary) = (registry, author, vocabulary)
    let read = data.withUnsafeBytes { bytes in
      nonisolated(unsafe) let text = bytes.bindMemory(to: UInt8.self)
      let pieces = Self.pieces(text)
      let done = Mutex<[Int: ImportBatch]>([:])
      DispatchQueue.concurrentPerform(iterations: pieces.count) { place in
        var batch = ImportBatch(registry, author)
        let piece = UnsafeBufferPointer(rebasing: text[pieces[place]])
        vocabulary.lendReader { batch.readLines(piece, $0) }
        done.withLock { $0[place] = batch }
      }
      return done.withLock { done in pieces.indices.map { done[$0]! } }
    }
    var lines = 0
    for batch in read {
      add(batch, linesBefore: lines)
      lines += batch.lines
    }
  }

  /// Whole lines, about a batch each.
  private static func pieces(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var start = 0
    while start < text.count {
      let rest = text[min(start + batchBytes, text.count)...]
      let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? text.count
      pieces.append(start..<end)
      start = end
    }
    return pieces
  }
}

/// Some lines of a file, made ready for the daemon.
struct ImportBatch: Sendable {
  private(set) var bytes: [UInt8] = []
  private(set) var count = 0
  /// Lines read, events or not.
  private(set) var lines = 0
  private(set) var problems: [ImportReader.Problem] = []
  private let registry: ActorRegistry
  private let author: String?

  init(_ registry: ActorRegistry, _ author: String?) {
    self.registry = registry
    self.author = author
  }

  mutating func readLines(_ text: UnsafeBufferPointer<UInt8>, _ reader: BodyReader) {
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: 0x0A) ?? text.count
      lines += 1
      let line = UnsafeBufferPointer(rebasing: text[start..<end])
      if line.contains(where: { $0 > 0x20 }) { take(line, line: lines, reader) }
      start = end + 1
    }
  }

  /// Takes an event in, or notes what is wrong with it.
  mutating func take(_ text: UnsafeBufferPointer<UInt8>, line: Int, _ reader: BodyReader) {
    let start = bytes.count
    do {
      try reader.parse(text)
      guard reader.document.kind(0) == .object else {
        throw EventError("event", "an event is a JSON object {…}")
      }
      // The daemon's own checks, so that what it will take is known before the first event is sent.
      // Links that name other events of the file are right once they are written.
      let hasLinks = reader.document.member("links", of: 0, in: text) != nil
      if !hasLinks { _ = try reader.validate(text, registry: registry, isStored: true) }
      write(text, reader.document)
      if hasLinks {
        try bytes.withUnsafeBufferPointer { bytes in
          let written = UnsafeBufferPointer(rebasing: bytes[start...])
          try reader.parse(written)
          _ = try reader.validate(written, registry: registry, isStored: false)
        }
      }
      guard bytes.count - start <= LineLimits.lineBytesMax - 512 else {
        throw EventError(
          "event", "\(bytes.count - start) bytes; at most \(LineLimits.lineBytesMax - 512)")
      }
      bytes.append(0x0A)
      count += 1
    } catch {
      let message =
        switch error {
        case let error as EventError: error.text
        case let error as JSONError: error.message
        default: "\(error)"
        }
      bytes.removeSubrange(start...)
      problems.append(ImportReader.Problem(line: line, message: message))
    }
  }

  /// A line that was exported carries its envelope, or what an answer adds; it gets a new one.
  private static func isEnvelope(
    _ key: Int, _ member: BodyMember?, _ document: JSONDocument, _ text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    member.map { $0.isReserved && $0 != .bodySHA256 } ?? false
  }

  /// The event with the id that its name makes, all else byte for byte as it came.
  private mutating func write(_ text: UnsafeBufferPointer<UInt8>, _ document: JSONDocument) {
    let nameNode = document.member("id", of: 0, in: text)
    let name = nameNode.flatMap { node in
      document.kind(node) == .string ? document.string(node, in: text) : nil
    }
    let given = name.flatMap { EventID($0) }
    let id = given ?? EventID(importedName: name ?? nameByBody(text, document))
    bytes.append(contentsOf: #"{"id":""#.utf8)
    id.uuid.append(to: &bytes)
    bytes.append(UInt8(ascii: "\""))
    if let author, document.member("author", of: 0, in: text) == nil {
      bytes.append(contentsOf: #","author":"#.utf8)
      JSONText.append(author, to: &bytes)
    }
    for key in document.children(0) {
      let member = document.bodyMember(key, in: text)
      if member == .id || Self.isEnvelope(key, member, document, text) { continue }
      bytes.append(UInt8(ascii: ","))
      let range = document.rawRange(key).lowerBound..<document.rawRange(key + 1).upperBound
      if member == .links {
        bytes.append(contentsOf: text[range.lowerBound..<document.rawRange(key + 1).lowerBound])
        writeLinks(key + 1, text, document)
      } else {
        bytes.append(contentsOf: text[range])
      }
    }
    if let name, given == nil, document.member("ref", of: 0, in: text) == nil {
      bytes.append(contentsOf: #","ref":"#.utf8)
      JSONText.append(name, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  /// Links name other events of the file as these name themselves.
  private mutating func writeLinks(
    _ links: Int, _ text: UnsafeBufferPointer<UInt8>, _ document: JSONDocument
  ) {
    let range = document.rawRange(links)
    var done = range.lowerBound
    for link in document.kind(links) == .array ? Array(document.children(links)) : [] {
      guard let node = document.member("id", of: link, in: text), document.kind(node) == .string,
        case let name = document.string(node, in: text), EventID(name) == nil
      else { continue }
      let place = document.rawRange(node)
      bytes.append(contentsOf: text[done..<place.lowerBound])
      bytes.append(UInt8(ascii: "\""))
      EventID(importedName: name).uuid.append(to: &bytes)
      bytes.append(UInt8(ascii: "\""))
      done = place.upperBound
    }
    bytes.append(contentsOf: text[done..<range.upperBound])
  }

  /// A record without a name is named by what it says.
  private func nameByBody(
    _ text: UnsafeBufferPointer<UInt8>, _ document: JSONDocument
  ) -> String {
    let body = document.children(0).compactMap { key -> JSONValue.Member? in
      let member = document.bodyMember(key, in: text)
      let isLeftOut =
        member == .id || member == .author || Self.isEnvelope(key, member, document, text)
      return isLeftOut
        ? nil : JSONValue.Member(document.string(key, in: text), document.value(key + 1, in: text))
    }
    return "body:" + JSONValue.object(body.sorted { $0.key < $1.key }).text
  }
}

// Some lines of a file, made ready for the daemon: each event with the id that its name makes, all
// else byte for byte as it came, and where in the file it stood. Pieces of a file are read by several
// threads at once, each into a batch of its own.

import TimelineModel
import TimelineWire

/// Some lines of a file, made ready for the daemon.
struct ImportBatch: Sendable {
  struct Item: Sendable {
    var id: EventID
    /// Where its bytes end, LF included; they begin where those of the item before it end.
    var end: Int32
    /// Line of the batch, from 1.
    var line: Int32
  }

  private(set) var bytes: [UInt8] = []
  private(set) var items: [Item] = []
  /// Lines read, events or not.
  private(set) var lines = 0
  /// Lines of the file before the batch.
  var linesBefore = 0
  private(set) var problems: [ImportReader.Problem] = []
  /// Whether a line begins as an event does.
  private(set) var hasObjects = false
  /// Items that add an actor.
  private(set) var actors: [(index: Int, actor: Actor)] = []
  /// Whether one of them corrects or retracts.
  private(set) var hasVersions = false
  /// Members that may be misspelt, with the first line that has each and how many do.
  private(set) var strangeMembers: [String: (line: Int, count: Int)] = [:]
  private let registry: ActorRegistry
  private let author: String?
  private let form: MessageTranslation.Form

  var count: Int { items.count }

  init(_ registry: ActorRegistry, _ author: String?, _ form: MessageTranslation.Form = .json) {
    self.registry = registry
    self.author = author
    self.form = form
  }

  mutating func readLines(_ text: UnsafeBufferPointer<UInt8>, _ reader: BodyReader) {
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: 0x0A) ?? text.count
      lines += 1
      let line = UnsafeBufferPointer(rebasing: text[start..<end])
      if !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
        take(line, line: lines, reader)
      }
      start = end + 1
    }
  }

  /// The bytes of an item, without the LF.
  func text(_ index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? 0 : Int(items[index - 1].end))..<Int(items[index].end) - 1]
  }

  /// Line of the file.
  func line(_ index: Int) -> Int { linesBefore + Int(items[index].line) }

  /// Takes items out.
  mutating func remove(_ indices: Set<Int>) {
    guard !indices.isEmpty else { return }
    let old = self
    bytes.removeAll(keepingCapacity: true)
    items.removeAll(keepingCapacity: true)
    actors = []
    for index in old.items.indices where !indices.contains(index) {
      bytes.append(contentsOf: old.text(index))
      bytes.append(0x0A)
      var item = old.items[index]
      item.end = Int32(bytes.count)
      items.append(item)
    }
  }

  /// Takes an item over from another batch.
  mutating func append(_ text: ArraySlice<UInt8>, _ id: EventID, line: Int) {
    bytes.append(contentsOf: text)
    bytes.append(0x0A)
    items.append(Item(id: id, end: Int32(bytes.count), line: Int32(line)))
  }

  mutating func note(_ message: String, line: Int) {
    problems.append(ImportReader.Problem(line: line, message: message))
  }

  /// Takes an event in, or notes what is wrong with it.
  mutating func take(_ text: UnsafeBufferPointer<UInt8>, line: Int, _ reader: BodyReader) {
    let start = bytes.count
    hasObjects = hasObjects || text.first { $0 > 0x20 } == UInt8(ascii: "{")
    do {
      try reader.parse(text)
      guard reader.document.kind(0) == .object else {
        throw EventError("event", "an event is a JSON object {…}")
      }
      // The daemon's own checks, so that what it will take is known before the first event is sent.
      // Links that name other events of the file are right once they are written.
      let hasLinks = reader.document.member("links", of: 0, in: text) != nil
      var body: ValidBody?
      if !hasLinks { body = try reader.validate(text, registry: registry, isStored: true) }
      let id = write(text, reader.document, line)
      if hasLinks {
        try bytes.withUnsafeBufferPointer { bytes in
          let written = UnsafeBufferPointer(rebasing: bytes[start...])
          try reader.parse(written)
          body = try reader.validate(written, registry: registry, isStored: false)
        }
      }
      guard bytes.count - start <= LineLimits.lineBytesMax - 512 else {
        throw EventError(
          "event", "\(bytes.count - start) bytes; at most \(LineLimits.lineBytesMax - 512)")
      }
      bytes.append(0x0A)
      if case .controlRecord(_, let record)? = body {
        switch record {
        case .actor(let actor): actors.append((items.count, actor))
        case .correct, .retract: hasVersions = true
        case .same, .erase, .member, .timeline, .snapshot, .rules, .unusableRules, .other: break
        }
      }
      items.append(Item(id: id, end: Int32(bytes.count), line: Int32(line)))
    } catch {
      let message =
        switch error {
        case let error as EventError: MessageTranslation.text(ErrorReply(error), form)
        case let error as JSONError: error.message
        default: "\(error)"
        }
      bytes.removeSubrange(start...)
      note(message, line: line)
    }
  }

  /// A line that was exported carries its envelope, or what an answer adds; it gets a new one.
  private static func isEnvelope(_ member: BodyMember?) -> Bool {
    member.map { $0.isReserved && $0 != .bodySHA256 } ?? false
  }

  /// The event with the id that its name makes, all else byte for byte as it came.
  private mutating func write(
    _ text: UnsafeBufferPointer<UInt8>, _ document: JSONDocument, _ line: Int
  ) -> EventID {
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
      if member == .id || Self.isEnvelope(member) { continue }
      if member == nil { noteStrange(document.string(key, in: text), line) }
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
    return id
  }

  /// Members that we do not know are kept; one close to a known one may be a slip of the pen.
  private mutating func noteStrange(_ name: String, _ line: Int) {
    guard name != "ref" else { return }
    let known = strangeMembers[name]
    strangeMembers[name] = (known?.line ?? line, (known?.count ?? 0) + 1)
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
      let range = document.rawRange(node)
      bytes.append(contentsOf: text[done..<range.lowerBound])
      bytes.append(UInt8(ascii: "\""))
      EventID(importedName: name).uuid.append(to: &bytes)
      bytes.append(UInt8(ascii: "\""))
      done = range.upperBound
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
        member == .id || member == .author || Self.isEnvelope(member)
      return isLeftOut
        ? nil : JSONValue.Member(document.string(key, in: text), document.value(key + 1, in: text))
    }
    return "body:" + JSONValue.object(body.sorted { $0.key < $1.key }).text
  }
}

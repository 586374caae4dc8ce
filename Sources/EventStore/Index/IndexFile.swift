// The index on disk: what a start takes over instead of reading the log again. A cache and no more:
// it is believed only where its own check is right and the log is the one that it was made from
// (`ReplicaLog.fits`); else it is passed over and made anew.
//
//     timeline-index 1 1a2b3c4d 00012345\n        CRC-32C of all that follows, bytes of the header
//     {"logs":[…],"rows":[offset,count],…}        the header: where everything is, and the small things
//     … rows, lists, tables                       as they stand in memory, each at a multiple of 16
//
// To change what is kept: change `version`, and both `write` and `read`. A new type of event needs
// neither: rows hold its code, and the header which types were known.

import TimelineModel

struct IndexFile {
  static let name = "events.idx"
  /// What the file was called before, and what a write of it that was cut short left.
  private static let olderNames = ["checkpoint", "checkpoint.new"]
  private static let version = 11
  private static let preambleBytes = 36

  /// Without what `irregular` tells, which is read from the lines themselves.
  var index: EventIndex
  var irregular: EventIndex.Irregular
  var covers: [ReplicaID: ReplicaLog.Cover]
  /// The replicas by their indices in the timeline.
  var replicas: [ReplicaID]

  // MARK: Writing

  /// Writes what a read view knows; does nothing where a log has damage that a start has to name.
  static func write(
    _ view: ReadView, to path: String, _ fileSystem: some FileSystem
  ) throws(FileError) {
    var writer = Writer()
    guard let header = writer.header(view) else { return }
    let text = Array(header.text.utf8)
    let padding = [UInt8](
      repeating: UInt8(ascii: "\n"), count: 16 - (preambleBytes + text.count) % 16)
    try (text + padding).withTypedBuffer { (head) throws(FileError) in
      let pieces = [UnsafeRawBufferPointer(head)] + writer.pieces
      let check = pieces.reduce(CRC32C.begin) { CRC32C.go(on: $0, $1) }
      let preamble = preamble(check: CRC32C.end(check), headerBytes: head.count)
      try preamble.withTypedBuffer { (preamble) throws(FileError) in
        try fileSystem.replaceCache(path, with: [UnsafeRawBufferPointer(preamble)] + pieces)
      }
    }
    withExtendedLifetime(view) {}
  }

  /// Leaves no word of an event in the index of the timeline in a directory.
  static func empty(in directory: String, _ fileSystem: some FileSystem) throws(FileError) {
    try removeOlder(in: directory, fileSystem)
    guard try !fileSystem.list(directory + "/index").isEmpty else { return }
    try fileSystem.replace("\(directory)/index/\(name)", with: [])
  }

  /// Removes the index that an older timelined wrote: words that are erased later would stay in it.
  static func removeOlder(in directory: String, _ fileSystem: some FileSystem) throws(FileError) {
    for name in try fileSystem.list(directory + "/index") where olderNames.contains(name) {
      try fileSystem.remove("\(directory)/index/\(name)")
    }
  }

  private static func preamble(check: UInt32, headerBytes: Int) -> [UInt8] {
    Array("timeline-index \(version) \(Line.text(check)) \(padded(headerBytes))\n".utf8)
  }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// Collects the pieces of a file, and where each will stand behind the header.
  private struct Writer {
    private(set) var pieces: [UnsafeRawBufferPointer] = []
    private var offset = 0
    private static let zeros = Chunk<UInt8>(repeating: 0, count: 16)

    /// `[offset, count]` of a list whose values stand in these chunks.
    private mutating func append<Element>(_ chunks: [Chunk<Element>]) -> JSONValue {
      let start = offset
      var count = 0
      for chunk in chunks {
        let bytes = UnsafeRawBufferPointer(chunk.values)
        pieces.append(bytes)
        offset += bytes.count
        count += chunk.count
      }
      if offset % 16 != 0 {
        let rest = 16 - offset % 16
        pieces.append(
          UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: Self.zeros.values[..<rest])))
        offset += rest
      }
      return .array([.int(start), .int(count)])
    }

    mutating func header(_ view: ReadView) -> JSONValue? {
      var logs: [JSONValue] = []
      for log in view.logs {
        var fields: [JSONValue.Member] = [
          JSONValue.Member("replica", .string(log.id.description))
        ]
        if log.size > 0 {
          guard let cover = log.cover, !log.hasDamage else { return nil }
          fields += [
            JSONValue.Member("check", .int(Int(cover.check))),
            JSONValue.Member("starts", append(cover.starts.chunks)),
            JSONValue.Member(
              "segments",
              .array(cover.segments.map { .array([.int(Int($0.first)), .int($0.bytes)]) })),
          ]
        }
        logs.append(.object(fields))
      }
      let index = view.index
      let shards = index.table.shards
      let parties = index.byParty.sorted { $0.key < $1.key }
      return .object([
        "logs": .array(logs), "types": .strings(EventType.allCases.map(\.word)),
        "rows": append(index.rows.chunks), "marks": append(index.marks.words.chunks),
        "table": .object([
          "slots": append(shards.map(\.slots)), "tags": append(shards.map(\.tags)),
          "cells": .array(shards.map { .int($0.tags.count) }),
          "used": .array(shards.map { .int($0.used) }),
        ]),
        "all": append(index.all.chunks),
        "by_party": .array(
          parties.map { .array([.string($0.key.description), append($0.value.chunks)]) }),
        "vocabulary": index.vocabulary.values.json,
        "irregular": index.irregular.json,
      ])
    }
  }

  // MARK: Reading

  /// The index of a file; nil where there is none that is whole. Where the vocabulary is given, it is
  /// the one that the numbers are from.
  static func read(
    _ path: String, vocabulary: Vocabulary? = nil, _ fileSystem: some FileSystem
  ) throws(FileError) -> IndexFile? {
    try fileSystem.map(path).flatMap { IndexFile($0, vocabulary) }
  }

  /// Whether the logs in a directory are those that it was made from, grown at most.
  func fits(logsIn directory: String, _ fileSystem: some FileSystem) throws(FileError) -> Bool {
    for (replica, cover) in covers {
      guard try ReplicaLog.fits(cover, replica, in: "\(directory)/\(replica)", fileSystem) else {
        return false
      }
    }
    return true
  }

  private init?(_ file: Memory, _ known: Vocabulary?) {
    let bytes = file.bytes
    guard bytes.count > Self.preambleBytes else { return nil }
    let words = String(decoding: bytes[..<(Self.preambleBytes - 1)], as: UTF8.self)
      .split(separator: " ")
    guard words.count == 4, let headerBytes = Int(words[3]), headerBytes >= 0,
      Self.preambleBytes + headerBytes <= bytes.count
    else { return nil }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[Self.preambleBytes...])
    let check = CRC32C.end(CRC32C.go(on: CRC32C.begin, rest))
    guard
      Self.preamble(check: check, headerBytes: headerBytes).elementsEqual(
        bytes[..<Self.preambleBytes]),
      let header = try? JSONValue(
        parsing: UnsafeRawBufferPointer(rebasing: rest[..<headerBytes]).bindMemory(to: UInt8.self))
    else { return nil }
    let reader = Reader(file: file, base: Self.preambleBytes + headerBytes)
    var covers: [ReplicaID: ReplicaLog.Cover] = [:]
    var replicas: [ReplicaID] = []
    for log in header["logs"]?.array ?? [] {
      guard let replica = log["replica"]?.string.flatMap({ ReplicaID($0) }) else { return nil }
      replicas.append(replica)
      guard let check = log["check"]?.int else { continue }
      guard let starts: Column<UInt32> = reader.column(log["starts"]) else { return nil }
      let segments = (log["segments"]?.array ?? []).compactMap { segment -> (UInt64, Int)? in
        guard let first = segment.array?.first?.int, let bytes = segment.array?.last?.int else {
          return nil
        }
        return (UInt64(first), bytes)
      }
      covers[replica] = ReplicaLog.Cover(
        segments: segments, check: UInt32(truncatingIfNeeded: check), starts: starts)
    }
    let parties = (header["by_party"]?.array ?? []).compactMap {
      pair -> (ActorCode, OrderedSlots)? in
      guard let code = pair.array?.first?.string.flatMap({ ActorCode($0) }),
        let list = reader.list(pair.array?.last)
      else { return nil }
      return (code, list)
    }
    guard let rows: Column<EventRow> = reader.column(header["rows"]),
      let words: Column<UInt64> = reader.column(header["marks"]),
      let table = reader.table(header["table"]), let all = reader.list(header["all"]),
      parties.count == header["by_party"]?.array?.count,
      let vocabulary = known ?? Vocabulary(json: header["vocabulary"]),
      let irregular = EventIndex.Irregular(json: header["irregular"]),
      Self.fitsTypes(header["types"], hasUnreadable: irregular.unreadable > 0)
    else { return nil }
    self.covers = covers
    self.replicas = replicas
    self.irregular = irregular
    index = EventIndex(
      vocabulary, rows, ValueMarks(words), table, all, Dictionary(parties) { $1 })
  }

  /// Rows of a type that is unknown here could not be read; lines that were unreadable to the writer may
  /// be of a type that is known here.
  static func fitsTypes(_ json: JSONValue?, hasUnreadable: Bool) -> Bool {
    let written = Set((json?.array ?? []).compactMap(\.string))
    let known = Set(EventType.allCases.map(\.word))
    return hasUnreadable ? written == known : !written.isEmpty && written.isSubset(of: known)
  }

  /// Finds lists by what the header says of them.
  private struct Reader {
    let file: Memory
    let base: Int

    func chunk<Element>(_ offset: Int, _ count: Int) -> Chunk<Element>? {
      Chunk(file, at: base + offset, count: count)
    }

    private func range(_ json: JSONValue?) -> (offset: Int, count: Int)? {
      guard let pair = json?.array, pair.count == 2, let offset = pair[0].int, offset >= 0,
        let count = pair[1].int
      else { return nil }
      return (offset, count)
    }

    func column<Element>(_ json: JSONValue?) -> Column<Element>? {
      range(json).flatMap { Column(file, at: base + $0.offset, count: $0.count) }
    }

    func list(_ json: JSONValue?) -> OrderedSlots? {
      range(json).flatMap { OrderedSlots(file, at: base + $0.offset, count: $0.count) }
    }

    func table(_ json: JSONValue?) -> IDTable? {
      guard let slots = range(json?["slots"]), let tags = range(json?["tags"]),
        let cells = json?["cells"]?.array, let used = json?["used"]?.array,
        cells.count == used.count
      else { return nil }
      var at = 0
      let shards = zip(cells, used).compactMap { cells, used -> IDTable.Shard? in
        guard let cells = cells.int, let used = used.int else { return nil }
        defer { at += cells }
        return IDTable.Shard(
          slots: chunk(slots.offset + at * MemoryLayout<UInt32>.stride, cells),
          tags: chunk(tags.offset + at * MemoryLayout<UInt16>.stride, cells), used: used)
      }
      return IDTable(shards)
    }
  }
}

extension Vocabulary.Values {
  fileprivate var json: JSONValue {
    func codes(_ codes: [ActorCode]) -> JSONValue { .strings(codes.map(\.description)) }
    return .object([
      "parties": .array(parties.map { .array([codes($0.actors), codes($0.targets)]) }),
      "tags": .array(tags.map { .strings($0) }),
      "subtypes": .strings(subtypes.map { $0 }), "authors": .strings(authors.map { $0 }),
    ])
  }
}

extension Vocabulary {
  /// The same words by the same numbers; nil where that is not what comes out.
  fileprivate convenience init?(json: JSONValue?) {
    guard let json, let parties = json["parties"]?.array, let tags = json["tags"]?.array,
      let subtypes = json["subtypes"]?.array, let authors = json["authors"]?.array
    else { return nil }
    self.init()
    func codes(_ json: JSONValue?) -> [ActorCode] {
      (json?.array ?? []).compactMap { $0.string.flatMap { ActorCode($0) } }
    }
    for (expected, json) in parties.enumerated() {
      let parties = Parties(actors: codes(json.array?.first), targets: codes(json.array?.last))
      guard number(of: parties) == expected else { return nil }
    }
    for (expected, json) in tags.enumerated() {
      guard number(ofTags: (json.array ?? []).compactMap(\.string)) == expected else { return nil }
    }
    for (expected, json) in subtypes.enumerated() {
      guard number(ofSubtype: json.string ?? "") == expected else { return nil }
    }
    for (expected, json) in authors.enumerated() {
      guard number(ofAuthor: json.string ?? "") == expected else { return nil }
    }
  }
}

// The text of a backup, read in pieces of any size: bytes in, lines of logs out, each of them checked by
// itself, in its place, and against the signed head of its log. Nothing is believed before `end` has
// returned.
//
//     timeline-backup 1 {…}          BackupHeader
//     LOG {"replica":R,"lines":2}    BackupLog; logs in the order of their ids
//     {"v":1,"replica":R,"seq":1,…}  lines as they stand in the log
//     {"v":1,"replica":R,"seq":2,…}
//     KEY {"pem":"…"}                only where it was asked for, encrypted
//     END {"lines":2,"sha256":"…"}   the hash of every byte before this line
//
// Memory is bounded whatever comes in: a line at a time is held, and what is known of each log.

import TimelineModel
import TransparencyLog

import func Glibc.memchr

/// What a backup holds, once all of it was read.
public struct BackupContents: Sendable {
  public let header: BackupHeader
  public let logs: [BackupLog]
  /// The encrypted key of the machine, as PEM.
  public let key: String?

  public var lines: Int { logs.reduce(0) { $0 + Int($1.present) } }

  /// The lines before the first one of their log that is missing.
  public var restorable: Position {
    Position(Dictionary(uniqueKeysWithValues: logs.map { ($0.replica, $0.usable) }))
  }

  public var missing: Int { logs.reduce(0) { $0 + Int($1.missing) } }
}

public struct BackupReader: ~Copyable {
  /// No line of a backup is longer: that of a position of thousands of logs.
  static let lineBytesMax = 1 << 20
  /// No signed head is longer: what a sync takes as one.
  static let headBytesMax = 8 << 10

  /// What may stand in each line that is no event's: what is not known is not passed over.
  private static let keys = [
    "LOG": ["replica", "lines", "head"], "KEY": ["pem"], "END": ["lines", "sha256"],
  ]

  private enum State {
    case beginning
    case logs
    case key
    case done
  }

  private var state = State.beginning
  private var header: BackupHeader?
  private var logs: [BackupLog] = []
  private var key: String?
  /// The beginning of a line whose end has not come yet.
  private var carried: [UInt8] = []
  private var number = 0
  private var hasher = SHA256()
  private var leafHasher = SHA256()
  private var document = JSONDocument()

  public init() {}

  /// The log whose lines are coming.
  public var log: BackupLog? { logs.last }

  /// Where the backup stands that is being read, once that was said.
  public var position: Position? { header?.position }

  /// The hash of all lines that came, which END is to say.
  var hash: SHA256Digest { hasher.soFar() }

  /// Takes the next bytes, and calls for each line of a log in them.
  public mutating func take(
    _ bytes: UnsafeBufferPointer<UInt8>,
    _ each: (ReplicaID, _ seq: UInt64, UnsafeBufferPointer<UInt8>) -> Void
  ) throws(BackupError) {
    var rest = bytes[...]
    while let base = bytes.baseAddress,
      let found = memchr(base + rest.startIndex, 0x0A, rest.count)
    {
      let end = UnsafeRawPointer(found) - UnsafeRawPointer(base) + 1
      let piece = UnsafeBufferPointer(rebasing: bytes[rest.startIndex..<end])
      rest = bytes[end...]
      if carried.isEmpty {
        try take(line: piece, each)
      } else {
        carried.append(contentsOf: piece)
        let line = carried
        carried.removeAll(keepingCapacity: true)
        try line.withTypedBuffer { (line) throws(BackupError) in try take(line: line, each) }
      }
    }
    guard carried.count + rest.count < Self.lineBytesMax else {
      throw number == 0 ? .notABackup : .tooLong(line: number + 1)
    }
    carried.append(contentsOf: rest)
  }

  /// What all of it was; an error where that was no whole backup.
  public consuming func end() throws(BackupError) -> BackupContents {
    guard number > 0 else { throw .notABackup }
    guard state == .done, let header else { throw .cut }
    guard carried.isEmpty else { throw .extraData }
    return BackupContents(header: header, logs: logs, key: key)
  }

  private mutating func take(
    line: UnsafeBufferPointer<UInt8>,
    _ each: (ReplicaID, _ seq: UInt64, UnsafeBufferPointer<UInt8>) -> Void
  ) throws(BackupError) {
    number += 1
    guard line.count <= Self.lineBytesMax else { throw .tooLong(line: number) }
    if state == .beginning { return try begin(line) }
    guard state != .done else { throw .extraData }
    if line.first == UInt8(ascii: "{") {
      try takeEvent(line)
      let log = logs[logs.count - 1]
      hasher.update(line)
      return each(log.replica, log.seq, line)
    }
    let space = line.firstIndex(of: UInt8(ascii: " ")) ?? line.count - 1
    let word = String(decoding: line[..<space], as: UTF8.self)
    guard let keys = Self.keys[word] else {
      throw .form(line: number, "it begins with none of LOG, {, KEY and END")
    }
    let json = try self.json(UnsafeBufferPointer(rebasing: line[space...]), keys)
    if word == "END" { return try takeEnd(json) }
    if word == "LOG" { try takeLog(json) } else { try takeKey(json) }
    hasher.update(line)
  }

  private mutating func begin(_ line: UnsafeBufferPointer<UInt8>) throws(BackupError) {
    let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
    guard words.count == 3, words[0].elementsEqual("timeline-backup".utf8) else {
      throw .notABackup
    }
    let version = String(decoding: words[1], as: UTF8.self)
    guard version == String(BackupHeader.version) else { throw .version(version) }
    guard
      let header = BackupHeader(
        json: try json(UnsafeBufferPointer(rebasing: words[2]), BackupHeader.keys))
    else {
      throw .form(line: number, "it names no timeline, machine, time and position")
    }
    self.header = header
    hasher.update(line)
    state = .logs
  }

  private mutating func takeLog(_ json: JSONValue) throws(BackupError) {
    guard state == .logs else { throw .form(line: number, "a log stands behind the key") }
    try endLog()
    guard let replica = json["replica"]?.string.flatMap({ ReplicaID($0) }),
      let lines = json["lines"]?.int, lines > 0
    else { throw .form(line: number, "a log has a replica and a number of lines") }
    guard logs.last.map({ $0.replica < replica }) ?? true else {
      throw .form(line: number, "logs stand in the order of their ids, each once")
    }
    guard header?.position[replica] == UInt64(lines) else {
      throw .form(line: number, "the position says something else of replica \(replica)")
    }
    let head = json["head"]
    guard head == nil || head?.string.map({ $0.utf8.count <= Self.headBytesMax }) ?? false else {
      throw .form(line: number, "a signed head is text of at most \(Self.headBytesMax) bytes")
    }
    logs.append(try BackupLog(replica: replica, lines: UInt64(lines), head: head?.string))
  }

  private mutating func takeEvent(_ text: UnsafeBufferPointer<UInt8>) throws(BackupError) {
    guard state == .logs, let last = logs.last else {
      throw .form(line: number, "it belongs to no log")
    }
    let line: Line
    do throws(LineError) { line = try Line(text) } catch {
      throw .event(last.replica, seq: last.seq, error)
    }
    do throws(JSONError) { try document.parse(text) } catch {
      throw .notJSON(line: number, error)
    }
    try logs[logs.count - 1].take(line, text, &leafHasher)
    if last.key == nil, let key = memberKey(text, of: last.replica) {
      logs[logs.count - 1].name(key)
    }
  }

  /// The key that a line names for its own log.
  private func memberKey(
    _ text: UnsafeBufferPointer<UInt8>, of replica: ReplicaID
  ) -> NoteVerifier? {
    func string(_ name: StaticString) -> String? {
      guard let node = document.member(name, of: 0, in: text), document.kind(node) == .string else {
        return nil
      }
      return document.string(node, in: text)
    }
    if string("type") == EventType.logReplica.word {
      return ReplicaRecord(line: text, of: replica)?.verifier
    }
    // In logs from before there were devices.
    guard string("type") == EventType.logMember.word, string("member") == replica.description else {
      return nil
    }
    return string("vkey").flatMap { try? NoteVerifier(vkey: $0) }
  }

  private mutating func takeKey(_ json: JSONValue) throws(BackupError) {
    guard state == .logs, let pem = json["pem"]?.string else {
      throw .form(line: number, "there is one key, as PEM")
    }
    try endLog()
    key = pem
    state = .key
  }

  private mutating func takeEnd(_ json: JSONValue) throws(BackupError) {
    if state == .logs { try endLog() }
    guard let header, header.position.sizes.count == logs.count else {
      throw .form(line: number, "logs of the position are missing")
    }
    guard let lines = json["lines"]?.int, let hash = json["sha256"]?.string else {
      throw .form(line: number, "END says how many lines there are, and the hash of all bytes")
    }
    let found = logs.reduce(0) { $0 + Int($1.present) }
    guard lines == found else { throw .count(stated: lines, found: found) }
    guard hash == hasher.finish().description else { throw .hash }
    state = .done
  }

  private mutating func endLog() throws(BackupError) {
    guard !logs.isEmpty, let header else { return }
    try logs[logs.count - 1].end(of: header.timeline)
  }

  private func json(
    _ text: UnsafeBufferPointer<UInt8>, _ keys: [String]
  ) throws(BackupError) -> JSONValue {
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
      throw .notJSON(line: number, error)
    }
    if let stranger = value.members?.first(where: { !keys.contains($0.key) }) {
      throw .form(line: number, "it holds \"\(stranger.key.prefix(40))\", which is not known")
    }
    return value
  }
}

// One event is one line, the same bytes on disk, on the wire and in a backup:
//
//     {"v":1,"replica":"<36>","seq":7,"recorded":"2026-11-23T22:20:00.123456Z","id":"<36>",
//      "author":"ann",<body members>,"crc32c":"1a2b3c4d"}\n                   (one line in fact)
//
// The envelope is written by us alone, so it has one spelling, and a reader need not search for its
// fields. The body's bytes are the recorder's, kept as they came. docs/reference/event-format.md has the form.

import func Glibc.memcmp

/// Sizes, each with its reason.
public enum LineLimits {
  /// A line with its LF: what every reader can hold at once, and what a tlog entry may be.
  public static let lineBytesMax = 65_536
  /// A request is a line and its verb.
  public static let requestBytesMax = lineBytesMax + 1024
  public static let authorBytesMax = 256
  /// No log has more lines: what a `LineRef` can hold.
  public static let seqMax: UInt64 = 1 << 47
}

/// Why a line is not one of ours.
public enum LineError: Error, Sendable, Hashable {
  case tooLong(Int)
  case noLineEnd
  case envelope(String)
  case version(String)
  case check(expected: String, found: String)
  case body(JSONError)

  public var message: String {
    switch self {
    case .tooLong(let count):
      "\(count) bytes; a line has at most \(LineLimits.lineBytesMax)"
    case .noLineEnd: "the line does not end in LF"
    case .envelope(let field): "the envelope is wrong at \"\(field)\""
    case .version(let version):
      "format version \(version); this program reads version 1: install a newer one"
    case .check(let expected, let found):
      "the check says \(found), the bytes say \(expected): the line is damaged"
    case .body(let error): "the body is not JSON: \(error.message)"
    }
  }
}

/// What a line says of itself, and where its parts stand. Offsets are from the line's first byte.
public struct Line: Sendable, Hashable {
  public var replica: ReplicaID
  /// From 1, without a gap within the replica.
  public var seq: UInt64
  public var recorded: RecordedTime
  public var id: EventID
  /// The author as it stands, between its quotes.
  public var author: Range<Int>
  /// The body's members, without braces.
  public var body: Range<Int>
  public var crc: UInt32
  /// Whether the body was erased: only its hash is left.
  public var isStub: Bool

  private static let head: StaticString = #"{"v":1,"replica":""#
  /// Bytes of `,"salt":"…"`, with which a body that was recorded here ends.
  public static let saltLength = 34
  private static let tailLength = 23  // ,"crc32c":"xxxxxxxx"}\n  with its LF
  static let stubBodyStart: StaticString = #""body_sha256":""#

  /// Reads a whole line, LF included: envelope and check, not the body's JSON.
  public init(_ line: UnsafeBufferPointer<UInt8>) throws(LineError) {
    guard line.count <= LineLimits.lineBytesMax else { throw .tooLong(line.count) }
    guard line.last == 0x0A else { throw .noLineEnd }
    var at = 0
    func expect(_ word: StaticString, _ field: String) throws(LineError) {
      let count = word.utf8CodeUnitCount
      guard at + count <= line.count, memcmp(line.baseAddress! + at, word.utf8Start, count) == 0
      else { throw .envelope(field) }
      at += count
    }
    func take(_ count: Int, _ field: String) throws(LineError) -> UnsafeBufferPointer<UInt8> {
      guard at + count <= line.count else { throw .envelope(field) }
      defer { at += count }
      return UnsafeBufferPointer(rebasing: line[at..<at + count])
    }
    do {
      try expect(Self.head, "v")
    } catch {
      throw Self.otherVersion(line).map { LineError.version($0) } ?? error
    }
    crc = try Self.check(line)
    guard let replica = ReplicaID(utf8: try take(UUIDBytes.textLength, "replica")) else {
      throw .envelope("replica")
    }
    self.replica = replica
    try expect(#"","seq":"#, "seq")
    var seq: UInt64 = 0
    let seqStart = at
    while at < line.count, case let digit = line[at] &- UInt8(ascii: "0"), digit < 10,
      at - seqStart < 18
    {
      seq = seq * 10 + UInt64(digit)
      at += 1
    }
    guard (1...LineLimits.seqMax).contains(seq), line[seqStart] != UInt8(ascii: "0") else {
      throw .envelope("seq")
    }
    self.seq = seq
    try expect(#","recorded":""#, "recorded")
    guard let recorded = RecordedTime(utf8: try take(RecordedTime.textLength, "recorded")) else {
      throw .envelope("recorded")
    }
    self.recorded = recorded
    try expect(#"","id":""#, "id")
    guard let id = EventID(utf8: try take(UUIDBytes.textLength, "id")) else {
      throw .envelope("id")
    }
    self.id = id
    try expect(#"","author":""#, "author")
    let authorStart = at
    while true {
      at = UTF8Text.skipPlain(line, from: at)
      guard at < line.count else { throw .envelope("author") }
      if line[at] == UInt8(ascii: "\"") { break }
      guard line[at] == UInt8(ascii: "\\") else { throw .envelope("author") }
      at += 2
    }
    author = authorStart..<at
    try expect(#"","#, "author")
    let bodyEnd = line.count - Self.tailLength + 1
    guard at < bodyEnd else { throw .envelope("body") }
    body = at..<bodyEnd
    isStub = Self.isStubBody(UnsafeBufferPointer(rebasing: line[body]))
  }

  /// Whether a body is the hash of one, in its one spelling, and nothing else.
  private static func isStubBody(_ body: UnsafeBufferPointer<UInt8>) -> Bool {
    let start = stubBodyStart.utf8CodeUnitCount
    return body.count == start + 65
      && memcmp(body.baseAddress!, stubBodyStart.utf8Start, start) == 0
      && body[start..<start + 64].allSatisfy { Hex.value($0) != nil }
      && body.last == UInt8(ascii: "\"")
  }

  /// The check that the line carries, where it is the check of its bytes.
  private static func check(_ line: UnsafeBufferPointer<UInt8>) throws(LineError) -> UInt32 {
    let tail: StaticString = #","crc32c":""#
    let start = line.count - tailLength + 1
    let digits = start + tail.utf8CodeUnitCount
    guard start > 0,
      memcmp(line.baseAddress! + start, tail.utf8Start, tail.utf8CodeUnitCount) == 0,
      line[digits + 8] == UInt8(ascii: "\""), line[digits + 9] == UInt8(ascii: "}")
    else { throw .envelope("crc32c") }
    var stated: UInt32 = 0
    for index in digits..<digits + 8 {
      guard let nibble = Hex.value(line[index]) else { throw .envelope("crc32c") }
      stated = stated << 4 | UInt32(nibble)
    }
    let actual = CRC32C.of(UnsafeBufferPointer(rebasing: line[..<start]))
    guard stated == actual else {
      throw .check(expected: text(actual), found: text(stated))
    }
    return stated
  }

  /// Whether the bytes are what the check says that they are.
  public static func isWhole(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    (try? check(line)) != nil
  }

  /// The version of a line that begins as ours do, but is of another version.
  private static func otherVersion(_ line: UnsafeBufferPointer<UInt8>) -> String? {
    let start = Array(#"{"v":"#.utf8)
    guard line.starts(with: start) else { return nil }
    let digits = line.dropFirst(start.count).prefix {
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
    }
    let version = String(decoding: digits, as: UTF8.self)
    return version.isEmpty || version == "1" ? nil : version
  }

  public static func text(_ crc: UInt32) -> String {
    let digits = String(crc, radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
  }

  // MARK: Writing

  /// Appends a whole line. The body is its members without braces, valid JSON; `salt` is added as
  /// its last member, so that short words cannot be guessed from the hash of the body.
  public static func append(
    to bytes: inout [UInt8], replica: ReplicaID, seq: UInt64, recorded: RecordedTime, id: EventID,
    author: String, body: UnsafeBufferPointer<UInt8>, salt: (UInt64, UInt64)
  ) {
    let start = bytes.count
    // An author of 256 bytes is at most six times as long in JSON.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2048) { space in
      var writer = ByteWriter(space)
      writer.put(head)
      writer.put(replica.uuid)
      writer.put(#"","seq":"#)
      writer.put(decimal: seq)
      writer.put(#","recorded":""#)
      writer.put(recorded)
      writer.put(#"","id":""#)
      writer.put(id.uuid)
      writer.put(#"","author":"#)
      writer.put(json: author)
      writer.put(UInt8(ascii: ","))
      bytes.append(contentsOf: writer.written)
    }
    bytes.append(contentsOf: body)
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { space in
      var writer = ByteWriter(space)
      writer.put(#","salt":""#)
      writer.put(base64: salt)
      writer.put(UInt8(ascii: "\""))
      bytes.append(contentsOf: writer.written)
    }
    appendTail(to: &bytes, from: start)
  }

  /// Ends the line that begins at an offset: its check, and LF.
  static func appendTail(to bytes: inout [UInt8], from start: Int) {
    let crc = bytes.withUnsafeBufferPointer {
      CRC32C.of(UnsafeBufferPointer(rebasing: $0[start...]))
    }
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { space in
      var writer = ByteWriter(space)
      writer.put(#","crc32c":""#)
      writer.put(hex: crc)
      writer.put("\"}\n")
      bytes.append(contentsOf: writer.written)
    }
  }
}

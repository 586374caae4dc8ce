// Makes the file of a backup, a piece at a time. What is written is read at once by the reader that will
// restore it: a backup that cannot be restored is not made.

import TimelineModel
import TransparencyLog

public struct BackupWriter: ~Copyable {
  /// Text is compressed in pieces of this size.
  private static let pieceBytes = 256 << 10

  private var text: [UInt8] = []
  private var out: [UInt8] = []
  private var lines = 0
  private var compressor = Compressor()
  private var reader = BackupReader()

  public init(_ header: BackupHeader) throws(BackupError) {
    try put("timeline-backup \(BackupHeader.version)", header.json)
  }

  /// Begins the next log; `lines` counts those that are damaged too.
  public mutating func log(_ replica: ReplicaID, lines: UInt64, head: String?) throws(BackupError) {
    let json = JSONValue.object([
      "replica": .string(replica.description), "lines": .int(Int(lines)),
      "head": head.map { .string($0) },
    ])
    try put("LOG", json)
  }

  /// A line of the log, without its LF.
  public mutating func line(_ line: ArraySlice<UInt8>) throws(BackupError) {
    text.append(contentsOf: line)
    text.append(0x0A)
    lines += 1
    if text.count >= Self.pieceBytes { try flush(isLast: false) }
  }

  /// The machine's key, encrypted.
  public mutating func key(_ pem: String) throws(BackupError) {
    try put("KEY", .object(["pem": .string(pem)]))
  }

  /// What there is of the file.
  public mutating func take() -> [UInt8] {
    guard !out.isEmpty else { return [] }
    defer { out = [] }
    return out
  }

  /// The rest of the file, and what it holds.
  public consuming func end() throws(BackupError) -> (bytes: [UInt8], contents: BackupContents) {
    try flush(isLast: false)
    let hash = reader.hash.description
    try put("END", .object(["lines": .int(lines), "sha256": .string(hash)]))
    try flush(isLast: true)
    return (out, try reader.end())
  }

  private mutating func put(_ word: String, _ json: JSONValue) throws(BackupError) {
    text.append(contentsOf: word.utf8)
    text.append(UInt8(ascii: " "))
    json.append(to: &text)
    text.append(0x0A)
  }

  private mutating func flush(isLast: Bool) throws(BackupError) {
    try text.withTypedBuffer { (text) throws(BackupError) in
      try reader.take(text) { _, _, _ in }
      compressor.take(text, isLast: isLast, into: &out)
    }
    text.removeAll(keepingCapacity: true)
  }
}

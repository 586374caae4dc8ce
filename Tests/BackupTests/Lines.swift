// Logs to back up, made here.

import TimelineModel
import TransparencyLog

@testable import Backup

/// One whose first line names its key.
struct SampleLog {
  let replica: ReplicaID
  /// Each with its LF.
  var lines: [[UInt8]] = []

  init(_ number: UInt64, lines count: UInt64) {
    replica = ReplicaID(UUIDBytes(high: number, low: number))
    guard count > 0 else { return }
    lines = [line(1, body: member)] + (1..<count).map { line($0 + 1) }
  }

  func signer(_ seed: UInt8 = 7, of log: ReplicaID? = nil) -> NoteSigner {
    let name = KeyName(log: log ?? replica, of: .main)
    return NoteSigner(name: name, seed: [UInt8](repeating: seed, count: 32))!
  }

  var member: String {
    "\"type\":\"log.member\",\"member\":\"\(replica)\",\"vkey\":\"\(signer().verifier.vkey)\""
  }

  func line(_ seq: UInt64, recorded: UInt64? = nil, body: String? = nil) -> [UInt8] {
    var line: [UInt8] = []
    let body = Array((body ?? "\"title\":\"line \(seq), é\"").utf8)
    body.withUnsafeBufferPointer {
      Line.append(
        to: &line, replica: replica, seq: seq,
        recorded: RecordedTime(microseconds: Int64(recorded ?? seq)),
        id: EventID(importedName: "\(replica) \(seq)"), author: "ann", body: $0, salt: (1, seq))
    }
    return line
  }

  func root(of size: Int) throws -> SHA256Digest {
    var hasher = SHA256()
    var tree = TreeFrontier()
    for text in lines.prefix(size) {
      let leaf = try text.withTypedBuffer { (text) throws(LineError) in
        try Line(text).leaf(of: text, using: &hasher)
      }
      tree.append(leaf, using: &hasher)
    }
    return tree.root
  }

  /// A signed head; of another root, or by another key, where that is given.
  func head(_ size: Int, root: SHA256Digest? = nil, by signer: NoteSigner? = nil) throws -> String {
    let signer = signer ?? self.signer()
    let checkpoint = try Checkpoint(
      origin: signer.verifier.name.text, size: UInt64(size), root: root ?? self.root(of: size))
    return String(decoding: checkpoint.signed(by: signer).bytes, as: UTF8.self)
  }
}

/// A backup as text, to be changed before it is read.
struct SampleText {
  var header: BackupHeader
  var lines: [String]

  init(_ logs: [SampleLog], heads: [ReplicaID: String] = [:], key: String? = nil) {
    let position = Position(
      Dictionary(uniqueKeysWithValues: logs.map { ($0.replica, UInt64($0.lines.count)) }))
    header = BackupHeader(
      timeline: .main, name: "main", replica: logs.first?.replica ?? ReplicaID(.random()),
      made: RecordedTime(microseconds: 1_000_000), position: position)
    lines = ["timeline-backup 1 \(header.json.text)\n"]
    for log in logs {
      let json = JSONValue.object([
        "replica": .string(log.replica.description), "lines": .int(log.lines.count),
        "head": heads[log.replica].map { .string($0) },
      ])
      lines.append("LOG \(json.text)\n")
      lines += log.lines.map { String(decoding: $0, as: UTF8.self) }
    }
    if let key { lines.append("KEY \(JSONValue.object(["pem": .string(key)]).text)\n") }
  }

  /// With an END that fits what is there now.
  var text: [UInt8] {
    let before = Array(lines.joined().utf8)
    var hasher = SHA256()
    let hash = before.withUnsafeBufferPointer { hasher.hash($0) }
    let count = lines.count { $0.hasPrefix("{") }
    return before + Array("END {\"lines\":\(count),\"sha256\":\"\(hash)\"}\n".utf8)
  }
}

/// Reads the text of a backup in pieces; what it holds, and the lines that came.
func read(
  _ text: [UInt8], pieces: Int = 1 << 20
) throws(BackupError) -> (contents: BackupContents, lines: [[UInt8]]) {
  var reader = BackupReader()
  var lines: [[UInt8]] = []
  for start in stride(from: 0, to: text.count, by: pieces) {
    try Array(text[start..<min(start + pieces, text.count)]).withTypedBuffer {
      (piece) throws(BackupError) in
      try reader.take(piece) { _, _, line in lines.append(Array(line)) }
    }
  }
  return (try reader.end(), lines)
}

/// The same of a file.
func readFile(
  _ bytes: [UInt8], pieces: Int = 1 << 20
) throws(BackupError) -> (contents: BackupContents, lines: [[UInt8]]) {
  var reader = BackupFileReader()
  var lines: [[UInt8]] = []
  for start in stride(from: 0, to: bytes.count, by: pieces) {
    try Array(bytes[start..<min(start + pieces, bytes.count)]).withTypedBuffer {
      (piece) throws(BackupError) in
      try reader.take(piece) { _, _, line in lines.append(Array(line)) }
    }
  }
  return (try reader.end(), lines)
}

/// Writes the file of a backup.
func write(_ logs: [SampleLog], key: String? = nil) throws(BackupError) -> [UInt8] {
  var writer = try BackupWriter(SampleText(logs).header)
  var bytes: [UInt8] = []
  for log in logs {
    try writer.log(log.replica, lines: UInt64(log.lines.count), head: nil)
    for line in log.lines {
      try writer.line(line.dropLast())
      bytes += writer.take()
    }
  }
  if let key { try writer.key(key) }
  return bytes + (try writer.end()).bytes
}

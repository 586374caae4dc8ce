// The file of a backup. The input also with the checks of its lines and its END made right, which no
// mutation would meet, so that what stands behind them is reached.

import Backup
import TimelineModel
import TransparencyLog

enum BackupProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    try read(input)
    try withNewSums(input).lend { (text) throws(Broken) in try read(text) }
    // As a file it is no zstd, or zstd of something.
    var file = BackupFileReader()
    guard (try? file.take(input, { _, _, _ in })) != nil else { return }
    let isWhole = (try? file.end()) != nil
    try hold(!isWhole || !input.isEmpty, "nothing is a backup")
  }

  private enum Verdict: Equatable {
    case refused(BackupError)
    case read(lines: Int, missing: Int, logs: Int)
  }

  private static func read(_ text: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let whole = verdict(text, pieces: text.count)
    try hold(verdict(text, pieces: 7) == whole, "in pieces it is something else")
    guard case .read(let lines, _, _) = whole else { return }
    let events = text.split(separator: 0x0A).count { $0.first == UInt8(ascii: "{") }
    try hold(events == lines, "\(lines) lines of \(events)")
  }

  private static func verdict(_ text: UnsafeBufferPointer<UInt8>, pieces: Int) -> Verdict {
    var reader = BackupReader()
    var seen: [ReplicaID: UInt64] = [:]
    var isRising = true
    do throws(BackupError) {
      for start in stride(from: 0, to: text.count, by: max(1, pieces)) {
        let piece = text[part: start..<min(start + max(1, pieces), text.count)]
        try reader.take(piece) { replica, seq, line in
          isRising = isRising && seq > seen[replica] ?? 0 && Line.isWhole(line)
          seen[replica] = seq
        }
      }
      let contents = try reader.end()
      guard isRising else { return .read(lines: -1, missing: 0, logs: 0) }
      return .read(
        lines: contents.lines, missing: contents.missing, logs: contents.logs.count)
    } catch { return .refused(error) }
  }

  private static func withNewSums(_ input: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var text: [UInt8] = []
    var lines = 0
    for piece in input.split(separator: 0x0A) where !piece.starts(with: "END".utf8) {
      guard piece.first == UInt8(ascii: "{") else {
        text += piece + [0x0A]
        continue
      }
      lines += 1
      let tail = Array(#","crc32c":"#.utf8)
      let end =
        piece.indices.last { piece[$0...].starts(with: tail) } ?? piece.endIndex
      let bytes = Array(piece[..<end])
      let check = bytes.withUnsafeBufferPointer { CRC32C.of($0) }
      text += bytes + tail + Array("\"\(Line.text(check))\"}\n".utf8)
    }
    var hasher = SHA256()
    let hash = text.withUnsafeBufferPointer { hasher.hash($0) }
    return text + Array("END {\"lines\":\(lines),\"sha256\":\"\(hash)\"}\n".utf8)
  }
}

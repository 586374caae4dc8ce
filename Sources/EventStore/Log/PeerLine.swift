// Lines from another machine, taken apart and read on all processors before any is believed.

import TimelineModel
import TransparencyLog

/// A line from a peer, taken apart.
struct PeerLine: @unchecked Sendable {
  /// Nil for an end without LF. It points into what the peer sent.
  var text: UnsafeBufferPointer<UInt8>?
  var line: Result<Line, LineError> = .failure(.noLineEnd)
  var entry: IndexEntry?
  var leaf: SHA256Digest?

  /// All lines in a row, read on all processors; with their leaves, where these are asked for.
  static func all(
    in bytes: UnsafeBufferPointer<UInt8>, logIndex: Int, hasLeaves: Bool, _ vocabulary: Vocabulary
  ) -> [PeerLine] {
    var lines: [PeerLine] = []
    var at = 0
    while at < bytes.count {
      let rest = UnsafeBufferPointer(rebasing: bytes[at...])
      let text = rest.firstIndexOfNewline.map { UnsafeBufferPointer(rebasing: rest[...$0]) }
      lines.append(PeerLine(text: text))
      at += text?.count ?? rest.count
    }
    return Parallel.map(lines, portion: 128) { lines in
      vocabulary.withPooledReader { reader in
        var hasher = SHA256()
        return lines.map { piece in
          guard let text = piece.text else { return piece }
          var piece = piece
          piece.line = Result { () throws(LineError) in try Line(text) }
          if case .success(let line) = piece.line {
            if hasLeaves { piece.leaf = line.leaf(of: text, using: &hasher) }
            let ref = LineRef(replica: logIndex, seq: line.seq)
            do throws(JSONError) {
              piece.entry = try IndexEntry.read(line, text, ref: ref, reader)
            } catch { piece.line = .failure(.body(error)) }
          }
          return piece
        }
      }
    }
  }
}

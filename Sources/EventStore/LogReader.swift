// Reading a whole segment at a start: its lines are taken apart on all processors, and handed on in
// their order by one.

import Dispatch
import Synchronization
import TimelineModel

enum LogReader {
  /// A line with its LF, and what it says.
  struct Found: Sendable {
    var range: Range<Int>
    var outcome: Result<Read, LineError>
  }

  struct Read: Sendable {
    var seq: UInt64
    var entry: IndexEntry
  }

  /// Bytes that one processor takes at a time.
  private static let portion = 1 << 20
  /// As many portions at a time as keep every processor busy, and no more in memory than that.
  private static let group = 8

  /// Calls for each whole line of a segment, in its order. `place` is that of the log in the timeline.
  static func read(_ bytes: UnsafeBufferPointer<UInt8>, place: Int, _ body: (Found) -> Void) {
    nonisolated(unsafe) let bytes = bytes
    let portions = portions(of: bytes)
    var ready = lines(of: bytes, portions.prefix(group), place)
    var rest = portions.dropFirst(group)
    while !ready.isEmpty {
      let next = Array(rest.prefix(group))
      rest = rest.dropFirst(group)
      let following = Mutex<[[Found]]>([])
      let reading = DispatchGroup()
      if !next.isEmpty {
        DispatchQueue.global().async(group: reading) {
          let read = lines(of: bytes, next[...], place)
          following.withLock { $0 = read }
        }
      }
      for found in ready.joined() { body(found) }
      reading.wait()
      ready = following.withLock { $0 }
    }
  }

  /// Pieces that end with a line; what follows the last LF is left out.
  private static func portions(of bytes: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var portions: [Range<Int>] = []
    var start = 0
    while start < bytes.count {
      let from = min(start + portion, bytes.count - 1)
      let rest = UnsafeBufferPointer(rebasing: bytes[from...])
      let end: Int
      if let newline = rest.firstIndexOfNewline {
        end = from + newline + 1
      } else if let last = bytes[start...].lastIndex(of: 0x0A) {
        end = last + 1
      } else {
        break
      }
      portions.append(start..<end)
      start = end
    }
    return portions
  }

  private static func lines(
    of bytes: UnsafeBufferPointer<UInt8>, _ portions: ArraySlice<Range<Int>>, _ place: Int
  ) -> [[Found]] {
    nonisolated(unsafe) let bytes = bytes
    return Parallel.map(Array(portions), portion: 1) { portions in
      BodyReader.lent { reader in
        portions.map { lines(of: bytes, $0, place, reader) }
      }
    }
  }

  private static func lines(
    of bytes: UnsafeBufferPointer<UInt8>, _ portion: Range<Int>, _ place: Int, _ reader: BodyReader
  ) -> [Found] {
    var lines: [Found] = []
    var at = portion.lowerBound
    while at < portion.upperBound,
      let newline = UnsafeBufferPointer(rebasing: bytes[at..<portion.upperBound])
        .firstIndexOfNewline
    {
      let range = at..<at + newline + 1
      at = range.upperBound
      let text = UnsafeBufferPointer(rebasing: bytes[range])
      let outcome = Result { () throws(LineError) in
        let line = try Line(text)
        let ref = LineRef(replica: place, seq: line.seq)
        return Read(seq: line.seq, entry: IndexEntry(line, text, ref: ref, reader))
      }
      lines.append(Found(range: range, outcome: outcome))
    }
    return lines
  }
}

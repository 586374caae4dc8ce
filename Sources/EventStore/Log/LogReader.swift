// Reading a whole segment at a start: its lines are taken apart on all processors, and handed on in
// their order by one.

import Dispatch
import Synchronization
import TimelineModel

import func Glibc.memchr
import func Glibc.memcmp

struct LogReader {
  /// Its values are numbered as lines are read.
  let vocabulary: Vocabulary
  /// The index of the log in its timeline.
  let logIndex: Int

  /// A line with its LF.
  struct Found: Sendable {
    var range: Range<Int>
    /// Nil where the bytes are no line of ours.
    var entry: IndexEntry?
  }

  /// Bytes that one processor takes at a time.
  private static let portion = 1 << 20
  /// As many portions at a time as keep every processor busy, and no more in memory than that.
  private static let group = 8

  /// Calls for each whole line from an offset on, in their order.
  func read(
    _ bytes: UnsafeBufferPointer<UInt8>, from offset: Int, _ body: (borrowing Found) -> Void
  ) {
    nonisolated(unsafe) let bytes = bytes
    let portions = Self.portions(of: bytes, from: offset)
    var ready = lines(of: bytes, portions.prefix(Self.group))
    var rest = portions.dropFirst(Self.group)
    while !ready.isEmpty {
      let next = rest.prefix(Self.group)
      rest = rest.dropFirst(Self.group)
      let following = Mutex<[[Found]]>([])
      let reading = DispatchGroup()
      if !next.isEmpty {
        DispatchQueue.global().async(group: reading) {
          let read = lines(of: bytes, next)
          following.withLock { $0 = read }
        }
      }
      for found in ready { for line in found { body(line) } }
      reading.wait()
      ready = following.withLock { $0 }
    }
  }

  /// Pieces that end with a line; what follows the last LF is left out.
  private static func portions(
    of bytes: UnsafeBufferPointer<UInt8>, from offset: Int
  ) -> [Range<Int>] {
    var portions: [Range<Int>] = []
    var start = offset
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

  private func lines(
    of bytes: UnsafeBufferPointer<UInt8>, _ portions: ArraySlice<Range<Int>>
  ) -> [[Found]] {
    nonisolated(unsafe) let bytes = bytes
    return Parallel.map(Array(portions), portion: 1) { portions in
      vocabulary.withPooledReader { reader in portions.map { lines(of: bytes, $0, reader) } }
    }
  }

  private func lines(
    of bytes: UnsafeBufferPointer<UInt8>, _ portion: Range<Int>, _ reader: BodyReader
  ) -> [Found] {
    var lines: [Found] = []
    lines.reserveCapacity(portion.count / 256)
    var at = portion.lowerBound
    while at < portion.upperBound,
      let newline = UnsafeBufferPointer(rebasing: bytes[at..<portion.upperBound])
        .firstIndexOfNewline
    {
      let range = at..<at + newline + 1
      at = range.upperBound
      let text = UnsafeBufferPointer(rebasing: bytes[range])
      if let line = try? Line(text) {
        lines.append(Found(range: range, entry: entry(line, text, reader)))
      } else if let (line, start) = Self.lastLine(text) {
        let rest = UnsafeBufferPointer(rebasing: text[start...])
        lines.append(Found(range: range.lowerBound..<range.lowerBound + start))
        lines.append(
          Found(
            range: range.lowerBound + start..<range.upperBound, entry: entry(line, rest, reader)))
      } else {
        lines.append(Found(range: range))
      }
    }
    return lines
  }

  private func entry(
    _ line: Line, _ text: UnsafeBufferPointer<UInt8>, _ reader: BodyReader
  ) -> IndexEntry {
    IndexEntry(line, text, ref: LineRef(replica: logIndex, seq: line.seq), reader)
  }

  /// The good line that bytes end with which are none as a whole, and where it begins: the LF before it
  /// was damaged, or what came before it never reached the disk.
  private static func lastLine(
    _ text: UnsafeBufferPointer<UInt8>
  ) -> (line: Line, start: Int)? {
    let head: StaticString = #"{"v":1,"replica":""#
    var at = max(1, text.count - LineLimits.lineBytesMax)
    while at + head.utf8CodeUnitCount < text.count, let base = text.baseAddress,
      let found = memchr(base + at, Int32(head.utf8Start.pointee), text.count - at)
    {
      at = UnsafeRawPointer(found) - UnsafeRawPointer(base)
      if at + head.utf8CodeUnitCount < text.count,
        memcmp(base + at, head.utf8Start, head.utf8CodeUnitCount) == 0,
        let line = try? Line(UnsafeBufferPointer(rebasing: text[at...]))
      {
        return (line, at)
      }
      at += 1
    }
    return nil
  }
}

// Bytes in, lines out, with bounded memory: a line that is too long is reported once and skipped to
// its end, whatever its length.

import TimelineModel

import func Glibc.memchr

public struct LineSplitter: Sendable {
  public enum Piece: Equatable, Sendable {
    /// A range of `buffer`, without LF and without a CR before it.
    case line(Range<Int>)
    case tooLong
  }

  public private(set) var buffer: [UInt8] = []
  /// Everything before is done with.
  private var start = 0
  /// Up to here no LF was found.
  private var searched = 0
  private var isSkipping = false

  private let bytesMax: Int

  public init(bytesMax: Int = LineLimits.requestBytesMax) { self.bytesMax = bytesMax }

  /// Bytes that are waiting for their line to end.
  public var waiting: Int { buffer.count - start }

  /// Whether a whole line is waiting.
  public var hasLine: Bool { newline() != nil }

  public mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) {
    if start > 0 {
      buffer.removeSubrange(..<start)
      searched -= start
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  public mutating func next() -> Piece? {
    while true {
      guard let end = newline() else {
        searched = buffer.count
        if buffer.count - start > bytesMax {
          start = buffer.count
          defer { isSkipping = true }
          return isSkipping ? nil : .tooLong
        }
        return nil
      }
      let line = start..<end
      start = end + 1
      searched = start
      if isSkipping {
        isSkipping = false
        continue
      }
      if line.count > bytesMax { return .tooLong }
      let hasReturn = !line.isEmpty && buffer[line.upperBound - 1] == 0x0D
      return .line(hasReturn ? line.lowerBound..<line.upperBound - 1 : line)
    }
  }

  private func newline() -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard searched < bytes.count,
        let found = memchr(bytes.baseAddress! + searched, 0x0A, bytes.count - searched)
      else { return nil }
      return UnsafeRawPointer(found) - bytes.baseAddress!
    }
  }
}

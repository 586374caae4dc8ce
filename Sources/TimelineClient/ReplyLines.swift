// Bytes in, the daemon's lines out. They may be longer than a request, but not of any length: memory is
// bounded by the longest line and one read.

import func Glibc.memchr

struct ReplyLines {
  private var buffer: [UInt8] = []
  /// Everything before is done with; `start <= searched <= buffer.count`.
  private var start = 0
  /// Up to here no LF was found.
  private var searched = 0
  let bytesMax: Int

  /// The whole history of two parties by the day is a few MiB.
  static let bytesMax = 64 << 20

  init(bytesMax: Int = Self.bytesMax) { self.bytesMax = bytesMax }

  mutating func take(_ bytes: UnsafeRawBufferPointer) {
    if start > 1 << 20 || start == buffer.count {
      buffer.removeSubrange(..<start)
      searched -= start
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// The next line without its LF; nil until all of it is there.
  mutating func next() throws(ClientError) -> [UInt8]? {
    let found = buffer.withUnsafeBytes { bytes -> Int? in
      guard searched < bytes.count else { return nil }
      return memchr(bytes.baseAddress! + searched, 0x0A, bytes.count - searched).map {
        UnsafeRawPointer($0) - bytes.baseAddress!
      }
    }
    guard (found ?? buffer.count) - start <= bytesMax else {
      throw .protocolViolation(.lineTooLong(bytesMax: bytesMax))
    }
    guard let found else {
      searched = buffer.count
      return nil
    }
    defer {
      start = found + 1
      searched = start
    }
    return Array(buffer[start..<found])
  }
}

// Bytes that wait to go on, in the pieces in which they came.

struct ByteQueue {
  private var pieces: [[UInt8]] = []
  /// Bytes of the first that are gone.
  private var done = 0

  var isEmpty: Bool { pieces.isEmpty }

  /// - Parameter done: how many of them are gone already.
  mutating func append(_ bytes: [UInt8], done: Int = 0) {
    guard bytes.count > done else { return }
    if pieces.isEmpty { self.done = done }
    pieces.append(bytes)
  }

  /// Hands bytes on as long as some are taken; returns what came instead of a number of them, which is 0 where
  /// nothing is left.
  mutating func pass(to body: (UnsafeRawBufferPointer) -> Int) -> Int {
    while let first = pieces.first {
      let count = first.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[done...])) }
      guard count > 0 else { return count }
      done += count
      if done == first.count {
        pieces.removeFirst()
        done = 0
      }
    }
    return 0
  }
}

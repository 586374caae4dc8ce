// Lines that are stamped, but not yet written.

struct Batch: Sendable {
  var bytes: [UInt8] = []
  var lengths: [Int] = []
  var entries: [IndexEntry] = []

  var isEmpty: Bool { lengths.isEmpty }

  /// The text of a line, by its index.
  func withLine<Result>(
    _ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result {
    let start = lengths[..<index].reduce(0, +)
    return bytes.withUnsafeBufferPointer {
      body(UnsafeBufferPointer(rebasing: $0[start..<start + lengths[index]]))
    }
  }

  mutating func add(_ line: UnsafeBufferPointer<UInt8>, _ entry: IndexEntry) {
    bytes.append(contentsOf: line)
    lengths.append(line.count)
    entries.append(entry)
  }

  mutating func add(_ other: Batch) {
    bytes += other.bytes
    lengths += other.lengths
    entries += other.entries
  }

  /// Keeps the first so many lines.
  mutating func cut(to count: Int) {
    bytes.removeSubrange(lengths[..<count].reduce(0, +)...)
    lengths.removeSubrange(count...)
    entries.removeSubrange(count...)
  }

  mutating func removeAll() {
    // Kept for the next batch, unless one was out of the ordinary.
    bytes.removeAll(keepingCapacity: bytes.capacity <= 4 << 20)
    lengths.removeAll(keepingCapacity: lengths.capacity <= 1 << 16)
    entries.removeAll(keepingCapacity: entries.capacity <= 1 << 16)
  }
}

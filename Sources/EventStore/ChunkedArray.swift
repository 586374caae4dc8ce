// A column of the index: an array in chunks of 1,024, so that a snapshot is a copy of references and
// an append after it copies one chunk, whatever the length.

/// An append-mostly array with cheap value semantics.
struct ChunkedArray<Element: Sendable>: Sendable {
  private static var bits: Int { 10 }
  private static var size: Int { 1 << bits }

  private var chunks: [ContiguousArray<Element>] = []
  private(set) var count = 0

  mutating func append(_ element: Element) {
    if count & (Self.size - 1) == 0 {
      var chunk = ContiguousArray<Element>()
      chunk.reserveCapacity(Self.size)
      chunks.append(chunk)
    }
    chunks[chunks.count - 1].append(element)
    count += 1
  }

  subscript(index: Int) -> Element {
    get { chunks[index >> Self.bits][index & (Self.size - 1)] }
    set { chunks[index >> Self.bits][index & (Self.size - 1)] = newValue }
  }
}

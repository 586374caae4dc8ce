// A list that only grows: an array in chunks of 1,024, so that a read view is a copy of references and
// an append after it copies one chunk, whatever the length.

/// An append-only array with cheap value semantics.
public struct ChunkedArray<Element: Sendable>: Sendable {
  private static var bits: Int { 10 }
  private static var size: Int { 1 << bits }

  @usableFromInline private(set) var chunks: [ContiguousArray<Element>] = []
  public private(set) var count = 0

  public init() {}

  public mutating func append(_ element: Element) {
    if count & (Self.size - 1) == 0 { chunks.append([]) }
    chunks[chunks.count - 1].append(element)
    count += 1
  }

  public subscript(index: Int) -> Element { chunks[index >> Self.bits][index & (Self.size - 1)] }

  /// Inlinable, and without a joined sequence: a question judges every shared value.
  @inlinable
  public func map<Result>(_ body: (Element) -> Result) -> [Result] {
    var results: [Result] = []
    for chunk in chunks {
      for element in chunk { results.append(body(element)) }
    }
    return results
  }
}

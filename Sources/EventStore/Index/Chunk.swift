// Plain values in a row, the stuff that the index is made of: in memory of our own, or in that of a
// mapped file, so that a start takes the index over without reading it. A copy shares the memory; the
// first write after it makes it the writer's own.

struct Chunk<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
  private var memory: Memory
  private var start: UnsafeMutablePointer<Element>
  private(set) var count = 0
  /// Values that there is room for; 0 in memory that is not ours to write.
  private var capacity: Int

  init(capacity: Int) {
    memory = Memory(allocating: capacity * MemoryLayout<Element>.stride)
    start = UnsafeMutableRawPointer(mutating: memory.bytes.baseAddress!)
      .bindMemory(to: Element.self, capacity: capacity)
    self.capacity = capacity
  }

  init(_ values: some Collection<Element>, capacity: Int) {
    self.init(capacity: max(capacity, values.count))
    append(values)
  }

  init(repeating value: Element, count: Int) {
    self.init(capacity: count)
    start.initialize(repeating: value, count: count)
    self.count = count
  }

  /// Values that stand in a file's memory; nil where they are not wholly in it, or not aligned.
  init?(_ file: Memory, at offset: Int, count: Int) {
    guard count >= 0, offset >= 0, offset % MemoryLayout<Element>.alignment == 0,
      offset <= file.bytes.count,
      count <= (file.bytes.count - offset) / MemoryLayout<Element>.stride
    else { return nil }
    memory = file
    start = UnsafeMutableRawPointer(mutating: file.bytes.baseAddress! + offset)
      .assumingMemoryBound(to: Element.self)
    self.count = count
    capacity = 0
  }

  subscript(index: Int) -> Element {
    get { start[index] }
    set {
      own(room: count)
      start[index] = newValue
    }
  }

  var values: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: start, count: count) }

  var last: Element? { count > 0 ? start[count - 1] : nil }

  /// Whether both are the same memory, to which neither wrote since it was copied from the other.
  func isSame(as other: Self) -> Bool { start == other.start && count == other.count }

  mutating func append(_ value: Element) {
    own(room: count + 1)
    start[count] = value
    count += 1
  }

  mutating func append(_ values: some Collection<Element>) {
    own(room: count + values.count)
    _ = UnsafeMutableBufferPointer(start: start + count, count: values.count)
      .initialize(from: values)
    count += values.count
  }

  mutating func remove(at index: Int) {
    own(room: count)
    (start + index).update(from: start + index + 1, count: count - index - 1)
    count -= 1
  }

  mutating func change(_ body: (UnsafeMutableBufferPointer<Element>) -> Void) {
    own(room: count)
    body(UnsafeMutableBufferPointer(start: start, count: count))
  }

  /// Makes the memory this chunk's alone, with room for so many values.
  private mutating func own(room: Int) {
    guard room > capacity || !isKnownUniquelyReferenced(&memory) else { return }
    var copy = Chunk(capacity: room > capacity ? max(room, count * 9 / 8, 8) : capacity)
    copy.start.update(from: start, count: count)
    copy.count = count
    self = copy
  }
}

/// A long list of plain values: chunks of 1,024, so that a read view is a copy of references and a
/// write after it copies one chunk, whatever the length.
struct Column<Element: BitwiseCopyable & Sendable>: Sendable {
  private static var bits: Int { 10 }
  static var size: Int { 1 << bits }

  private(set) var chunks: [Chunk<Element>] = []
  private(set) var count = 0

  init() {}

  /// A list whose values stand in a file's memory, all in a row; nil where they are not wholly in it.
  init?(_ file: Memory, at offset: Int, count: Int) {
    guard Chunk<Element>(file, at: offset, count: count) != nil else { return nil }
    chunks = stride(from: 0, to: count, by: Self.size).compactMap { first in
      let start = offset + first * MemoryLayout<Element>.stride
      return Chunk(file, at: start, count: min(Self.size, count - first))
    }
    self.count = count
  }

  /// Goes on in the memory of `saved`, which has the values of `old`, where nothing was written since this
  /// list was copied to that one.
  mutating func adopt(_ saved: Self, madeOf old: Self) {
    for index in zip(chunks.indices, saved.chunks.indices).map(\.0)
    where chunks[index].isSame(as: old.chunks[index]) { chunks[index] = saved.chunks[index] }
  }

  mutating func append(_ element: Element) {
    if count & (Self.size - 1) == 0 { chunks.append(Chunk(capacity: Self.size)) }
    chunks[chunks.count - 1].append(element)
    count += 1
  }

  subscript(index: Int) -> Element {
    get { chunks[index >> Self.bits][index & (Self.size - 1)] }
    set { chunks[index >> Self.bits][index & (Self.size - 1)] = newValue }
  }
}

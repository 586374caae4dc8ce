// Slots of events in the order of (first day, id), kept in chunks of at most 512: a late event of
// decades ago costs one short move, an append at the end none. The day stands next to the slot, so that
// a search reads a row only where two events share a day.

import TimelineModel

/// An ordered set of event slots. Ids stand in the rows, and are handed in.
struct OrderedSlots: Sendable {
  private static let chunkMax = 512

  /// What a chunk is filled to when entries come in order: some room is left, so that late events
  /// find room without a split.
  private static let chunkFill = 448

  struct Entry: Sendable, BitwiseCopyable {
    var first: Day
    var slot: UInt32
  }

  private(set) var chunks: [Chunk<Entry>] = []
  /// The last entry of each chunk.
  private var lasts: ContiguousArray<Entry> = []
  private(set) var count = 0

  init() {}

  /// A list whose entries stand in a file's memory, all in a row; nil where they are not wholly in it.
  init?(_ file: Memory, at offset: Int, count: Int) {
    guard Chunk<Entry>(file, at: offset, count: count) != nil else { return nil }
    chunks = stride(from: 0, to: count, by: Self.chunkFill).compactMap { first in
      let start = offset + first * MemoryLayout<Entry>.stride
      return Chunk(file, at: start, count: min(Self.chunkFill, count - first))
    }
    lasts = ContiguousArray(chunks.compactMap(\.last))
    self.count = count
  }

  /// Inserts entries that are in order, and not there yet. Those that go to one chunk are merged into
  /// it at once.
  mutating func insert(_ entries: ContiguousArray<Entry>, idAt: (UInt32) -> UUIDBytes) {
    func isBefore(_ left: Entry, _ right: Entry) -> Bool {
      left.first != right.first ? left.first < right.first : idAt(left.slot) < idAt(right.slot)
    }
    count += entries.count
    var at = 0
    while at < entries.count {
      let chunk = Self.lowerBound(lasts) { isBefore($0, entries[at]) }
      guard chunk < chunks.count else { return append(entries[at...]) }
      let last = lasts[chunk]
      var end = at + 1
      while end < entries.count, isBefore(entries[end], last) { end += 1 }
      Self.merge(entries[at..<end], into: &chunks[chunk], isBefore)
      if chunks[chunk].count > Self.chunkMax { split(chunk) }
      at = end
    }
  }

  /// Adds entries that come after all others.
  private mutating func append(_ entries: ContiguousArray<Entry>.SubSequence) {
    var rest = entries
    while let first = rest.first {
      if chunks.last.map({ $0.count >= Self.chunkFill }) ?? true {
        chunks.append(Chunk(capacity: min(rest.count, Self.chunkFill)))
        lasts.append(first)
      }
      let last = chunks.count - 1
      let piece = rest.prefix(Self.chunkFill - chunks[last].count)
      chunks[last].append(piece)
      lasts[last] = piece.last!
      rest = rest.dropFirst(piece.count)
    }
  }

  /// From the back, so that each entry moves once. Searched and not walked: where many events share
  /// a day, each comparison reads two rows.
  private static func merge(
    _ new: ContiguousArray<Entry>.SubSequence, into chunk: inout Chunk<Entry>,
    _ isBefore: (Entry, Entry) -> Bool
  ) {
    var end = chunk.count
    chunk.append(new)
    chunk.change { chunk in
      for (shift, entry) in zip(1..., new).reversed() {
        let bound = lowerBound(UnsafeBufferPointer(rebasing: chunk[..<end])) { isBefore($0, entry) }
        let start = chunk.baseAddress! + bound
        (start + shift).update(from: start, count: end - bound)
        start[shift - 1] = entry
        end = bound
      }
    }
  }

  private mutating func split(_ chunk: Int) {
    let all = chunks[chunk].values
    let pieces = (all.count + Self.chunkMax - 1) / Self.chunkMax
    let parts = (0..<pieces).map { piece in
      Chunk(all[all.count * piece / pieces..<all.count * (piece + 1) / pieces], capacity: 0)
    }
    chunks.replaceSubrange(chunk...chunk, with: parts)
    lasts.replaceSubrange(chunk...chunk, with: parts.compactMap(\.last))
  }

  mutating func remove(_ entry: Entry, idAt: (UInt32) -> UUIDBytes) {
    let id = idAt(entry.slot)
    let isBefore = { (other: Entry) in
      other.first != entry.first ? other.first < entry.first : idAt(other.slot) < id
    }
    let chunk = Self.lowerBound(lasts, isBefore)
    guard chunk < chunks.count else { return }
    let at = Self.lowerBound(chunks[chunk].values, isBefore)
    guard at < chunks[chunk].count, chunks[chunk][at].slot == entry.slot else { return }
    chunks[chunk].remove(at: at)
    count -= 1
    if let last = chunks[chunk].last {
      lasts[chunk] = last
    } else {
      chunks.remove(at: chunk)
      lasts.remove(at: chunk)
    }
  }

  /// The first index whose entry is not before.
  private static func lowerBound(
    _ entries: UnsafeBufferPointer<Entry>, _ isBefore: (Entry) -> Bool
  ) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(entries[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func lowerBound(
    _ entries: ContiguousArray<Entry>, _ isBefore: (Entry) -> Bool
  ) -> Int {
    entries.withUnsafeBufferPointer { lowerBound($0, isBefore) }
  }

  /// Calls for each slot from the first one of that day or later, upwards; stops on false.
  func ascending(from day: Day?, _ body: (UInt32) -> Bool) {
    guard !chunks.isEmpty else { return }
    var chunk = 0
    var at = 0
    if let day {
      chunk = Self.lowerBound(lasts) { $0.first < day }
      if chunk < chunks.count { at = Self.lowerBound(chunks[chunk].values) { $0.first < day } }
    }
    while chunk < chunks.count {
      while at < chunks[chunk].count {
        guard body(chunks[chunk][at].slot) else { return }
        at += 1
      }
      chunk += 1
      at = 0
    }
  }

  /// Calls for each slot downwards from the last one of that day or earlier; stops on false.
  func descending(to day: Day?, _ body: (UInt32) -> Bool) {
    guard !chunks.isEmpty else { return }
    var chunk = chunks.count - 1
    var at = chunks[chunk].count
    if let day {
      chunk = min(chunk, Self.lowerBound(lasts) { $0.first <= day })
      at = Self.lowerBound(chunks[chunk].values) { $0.first <= day }
    }
    while chunk >= 0 {
      while at > 0 {
        at -= 1
        guard body(chunks[chunk][at].slot) else { return }
      }
      chunk -= 1
      if chunk >= 0 { at = chunks[chunk].count }
    }
  }
}

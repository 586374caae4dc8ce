// Slots of events in the order of (first day, id), kept in chunks of at most 512: a late event of
// decades ago costs one short move, an append at the end none.

/// An ordered set of event slots. The order is handed in, since the keys stand in the columns.
struct OrderedSlots: Sendable {
  private static let chunkMax = 512

  private var chunks: [ContiguousArray<UInt32>] = []
  private(set) var count = 0

  init() {}

  /// Takes slots that are in order already.
  init(sorted slots: ContiguousArray<UInt32>) {
    count = slots.count
    var at = 0
    while at < slots.count {
      // Three quarters full: room for late events without a split.
      let end = min(at + Self.chunkMax * 3 / 4, slots.count)
      chunks.append(ContiguousArray(slots[at..<end]))
      at = end
    }
  }

  /// Inserts a slot before the first one that `isBefore` does not place before it.
  mutating func insert(_ slot: UInt32, isBefore: (UInt32, UInt32) -> Bool) {
    count += 1
    guard let last = chunks.last?.last, !isBefore(last, slot) else {
      if chunks.isEmpty || chunks[chunks.count - 1].count >= Self.chunkMax { chunks.append([]) }
      chunks[chunks.count - 1].append(slot)
      return
    }
    let chunk = chunkIndex { isBefore($0, slot) }
    let at = Self.lowerBound(chunks[chunk]) { isBefore($0, slot) }
    chunks[chunk].insert(slot, at: at)
    if chunks[chunk].count > Self.chunkMax {
      let half = chunks[chunk].count / 2
      let upper = ContiguousArray(chunks[chunk][half...])
      chunks[chunk].removeSubrange(half...)
      chunks.insert(upper, at: chunk + 1)
    }
  }

  mutating func remove(_ slot: UInt32, isBefore: (UInt32, UInt32) -> Bool) {
    guard !chunks.isEmpty else { return }
    let chunk = chunkIndex { isBefore($0, slot) }
    let at = Self.lowerBound(chunks[chunk]) { isBefore($0, slot) }
    guard at < chunks[chunk].count, chunks[chunk][at] == slot else { return }
    chunks[chunk].remove(at: at)
    count -= 1
    if chunks[chunk].isEmpty { chunks.remove(at: chunk) }
  }

  /// The first chunk whose last slot is not before.
  private func chunkIndex(_ isBefore: (UInt32) -> Bool) -> Int {
    var low = 0
    var high = chunks.count - 1
    while low < high {
      let middle = (low + high) / 2
      if isBefore(chunks[middle].last!) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func lowerBound(
    _ chunk: ContiguousArray<UInt32>, _ isBefore: (UInt32) -> Bool
  ) -> Int {
    var low = 0
    var high = chunk.count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(chunk[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Calls for each slot from the first one not before the bound, upwards; stops on false.
  func ascending(from isBefore: ((UInt32) -> Bool)?, _ body: (UInt32) -> Bool) {
    guard !chunks.isEmpty else { return }
    var chunk = isBefore.map { chunkIndex($0) } ?? 0
    var at = isBefore.map { Self.lowerBound(chunks[chunk], $0) } ?? 0
    while chunk < chunks.count {
      while at < chunks[chunk].count {
        guard body(chunks[chunk][at]) else { return }
        at += 1
      }
      chunk += 1
      at = 0
    }
  }

  /// Calls for each slot downwards from the last one that is before the bound; stops on false.
  func descending(from isBefore: ((UInt32) -> Bool)?, _ body: (UInt32) -> Bool) {
    guard !chunks.isEmpty else { return }
    var chunk = isBefore.map { chunkIndex($0) } ?? chunks.count - 1
    var at = isBefore.map { Self.lowerBound(chunks[chunk], $0) } ?? chunks[chunk].count
    while chunk >= 0 {
      while at > 0 {
        at -= 1
        guard body(chunks[chunk][at]) else { return }
      }
      chunk -= 1
      if chunk >= 0 { at = chunks[chunk].count }
    }
  }
}

// From an event's id to its slot: open addressing over slot numbers, the ids themselves stand in the
// rows. Cut into shards, so that growing, and copying for a snapshot, never touches all of it.

import TimelineModel

struct IDTable: Sendable {
  private static let shardCount = 1024
  private static let empty = UInt32.max

  private var shards = [Shard](repeating: Shard(), count: shardCount)

  private struct Shard: Sendable {
    var cells: ContiguousArray<UInt32> = []
    var used = 0
  }

  /// The slot of an id; `idAt` gives the id of a slot.
  func slot(of id: UUIDBytes, idAt: (UInt32) -> UUIDBytes) -> UInt32? {
    let hash = Self.hash(id)
    let shard = shards[Int(hash % UInt64(Self.shardCount))]
    guard !shard.cells.isEmpty else { return nil }
    var at = Int(hash >> 10) & (shard.cells.count - 1)
    while shard.cells[at] != Self.empty {
      if idAt(shard.cells[at]) == id { return shard.cells[at] }
      at = (at + 1) & (shard.cells.count - 1)
    }
    return nil
  }

  /// Adds the slot of an id that is not there yet.
  mutating func insert(_ slot: UInt32, id: UUIDBytes, idAt: (UInt32) -> UUIDBytes) {
    let hash = Self.hash(id)
    let index = Int(hash % UInt64(Self.shardCount))
    if shards[index].used * 4 >= shards[index].cells.count * 3 { grow(index, idAt) }
    shards[index].used += 1
    Self.place(slot, hash, in: &shards[index].cells)
  }

  private mutating func grow(_ index: Int, _ idAt: (UInt32) -> UUIDBytes) {
    let old = shards[index].cells
    var cells = ContiguousArray(repeating: Self.empty, count: max(4, old.count * 2))
    for slot in old where slot != Self.empty { Self.place(slot, Self.hash(idAt(slot)), in: &cells) }
    shards[index].cells = cells
  }

  private static func place(_ slot: UInt32, _ hash: UInt64, in cells: inout ContiguousArray<UInt32>)
  {
    var at = Int(hash >> 10) & (cells.count - 1)
    while cells[at] != empty { at = (at + 1) & (cells.count - 1) }
    cells[at] = slot
  }

  /// Ids are random or made by SHA-1; the two halves mixed once (the finalizer of MurmurHash3) are
  /// enough, and a peer who chose ids to collide would slow its own events down.
  private static func hash(_ id: UUIDBytes) -> UInt64 {
    var mixed = id.high ^ id.low
    mixed = (mixed ^ mixed >> 33) &* 0xFF51_AFD7_ED55_8CCD
    mixed = (mixed ^ mixed >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return mixed ^ mixed >> 33
  }
}

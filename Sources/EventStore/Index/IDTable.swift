// From an event's id to its slot: open addressing over slot numbers, the ids themselves stand in the
// rows. Cut into shards, so that growing, and copying for a read view, never touches all of it.

import TimelineModel

struct IDTable: Sendable {
  static let shardCount = 1024

  private(set) var shards = [Shard](repeating: Shard(), count: shardCount)

  /// A cell is a slot with 16 bits of its id's hash: rows are read only where these agree, and a
  /// shard grows without reading any.
  struct Shard: Sendable {
    private(set) var slots = Chunk<UInt32>(capacity: 0)
    /// 0 where the cell is empty.
    private(set) var tags = Chunk<UInt16>(capacity: 0)
    private(set) var used = 0

    init() {}

    /// One that stands in a file's memory; nil where it cannot be one.
    init?(slots: Chunk<UInt32>?, tags: Chunk<UInt16>?, used: Int) {
      guard let slots, let tags, slots.count == tags.count, used >= 0,
        tags.count & (tags.count - 1) == 0, used * 4 <= tags.count * 3
      else { return nil }
      self.slots = slots
      self.tags = tags
      self.used = used
    }

    func find(_ tag: UInt16, _ isIt: (UInt32) -> Bool) -> UInt32? {
      let tags = tags.values
      guard !tags.isEmpty else { return nil }
      var at = Int(tag) & (tags.count - 1)
      while tags[at] != 0 {
        if tags[at] == tag, isIt(slots[at]) { return slots[at] }
        at = (at + 1) & (tags.count - 1)
      }
      return nil
    }

    /// The slot that is there, or nil once this one has been put there.
    mutating func claim(
      _ slot: UInt32, _ tag: UInt16, _ isIt: (UInt32) -> Bool
    ) -> UInt32? {
      let known = tags.values
      var at = Int(tag) & max(0, known.count - 1)
      while !known.isEmpty, known[at] != 0 {
        if known[at] == tag, isIt(slots[at]) { return slots[at] }
        at = (at + 1) & (known.count - 1)
      }
      used += 1
      if used * 4 > known.count * 3 {
        grow()
        insert(slot, tag)
      } else {
        slots[at] = slot
        tags[at] = tag
      }
      return nil
    }

    private mutating func grow() {
      let old = (slots: slots, tags: tags)
      let count = max(4, old.tags.count * 2)
      slots = Chunk(repeating: 0, count: count)
      tags = Chunk(repeating: 0, count: count)
      for (slot, tag) in zip(old.slots.values, old.tags.values) where tag != 0 { insert(slot, tag) }
    }

    private mutating func insert(_ slot: UInt32, _ tag: UInt16) {
      var at = Int(tag) & (tags.count - 1)
      while tags[at] != 0 { at = (at + 1) & (tags.count - 1) }
      slots[at] = slot
      tags[at] = tag
    }
  }

  init() {}

  /// One whose shards stand in a file's memory.
  init?(_ shards: [Shard]) {
    guard shards.count == Self.shardCount else { return nil }
    self.shards = shards
  }

  /// The slot of an id; `idAt` gives the id of a slot.
  func slot(of id: UUIDBytes, idAt: (UInt32) -> UUIDBytes) -> UInt32? {
    let (shard, tag) = Self.shardAndTag(of: id)
    return shards[shard].find(tag) { idAt($0) == id }
  }

  /// The slot of an id that is there; else nil, and the id has this one from now on.
  mutating func claim(
    _ slot: UInt32, for id: UUIDBytes, idAt: (UInt32) -> UUIDBytes
  ) -> UInt32? {
    let (shard, tag) = Self.shardAndTag(of: id)
    return shards[shard].claim(slot, tag) { idAt($0) == id }
  }

  private static func shardAndTag(of id: UUIDBytes) -> (shard: Int, tag: UInt16) {
    let hash = hash(id)
    return (Int(hash % UInt64(shardCount)), max(1, UInt16(truncatingIfNeeded: hash >> 10)))
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

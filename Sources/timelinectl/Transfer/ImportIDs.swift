// Which ids a file has, so that no two of its lines say different things of one event. A million of
// them are 16 MiB: only indices are kept, the ids stand in the batches.

import TimelineModel

struct ImportIDs {
  struct ItemIndex {
    var batch: Int
    var item: Int
  }

  /// Open addressing; batch and item of one index in a word, all bits set where there is none.
  private var cells: [UInt64]
  private static let none = UInt64.max

  init(count: Int) {
    var size = 16
    while size < count * 2 { size *= 2 }
    cells = [UInt64](repeating: Self.none, count: size)
  }

  /// Notes where an id stands; gives back where it stood before, if it did.
  mutating func insert(_ index: ItemIndex, _ batches: [ImportBatch]) -> ItemIndex? {
    let id = batches[index.batch].items[index.item].id
    var at = Int(
      truncatingIfNeeded: ((id.uuid.high ^ id.uuid.low) &* 0x9E37_79B9_7F4A_7C15) >> 24)
    while true {
      at &= cells.count - 1
      let found = cells[at]
      guard found != Self.none else {
        cells[at] = UInt64(index.batch) << 32 | UInt64(index.item)
        return nil
      }
      let old = ItemIndex(batch: Int(found >> 32), item: Int(found & 0xFFFF_FFFF))
      if batches[old.batch].items[old.item].id == id { return old }
      at += 1
    }
  }
}

/// One event of a file, looked at again because something is wrong with it.
struct ImportedEvent {
  let json: JSONValue

  init(_ text: ArraySlice<UInt8>) { json = Client.json(text) }

  /// What the file calls it.
  var name: String { json["ref"]?.string ?? json["id"]?.string ?? "" }

  /// Who records is not what is recorded.
  private static let left: Set = [
    "id", "author", "v", "replica", "seq", "recorded", "salt", "crc32c", "version", "contested",
    "standing",
  ]

  private static func body(_ event: JSONValue) -> [JSONValue.Member] {
    (event.members ?? []).filter { !left.contains($0.key) }
  }

  func says(_ other: ArraySlice<UInt8>) -> Bool { differences(from: Client.json(other)).isEmpty }

  /// The fields in which it says something else.
  func differences(from other: JSONValue) -> [String] {
    let (mine, others) = (Self.body(json), Self.body(other))
    let (one, two) = (JSONValue.object(mine), JSONValue.object(others))
    let keys = mine.map(\.key) + others.map(\.key).filter { one[$0] == nil }
    return keys.filter { key in
      guard let left = one[key], let right = two[key] else { return true }
      return !EventTable.isSame(left, right)
    }
  }

  /// The ids that a correction or retraction speaks of.
  var subjects: [EventID] {
    ([json["corrects"], json["retracts"]].compactMap { $0 } + (json["supersedes"]?.array ?? []))
      .compactMap { $0.string.flatMap { EventID($0) } }
  }
}

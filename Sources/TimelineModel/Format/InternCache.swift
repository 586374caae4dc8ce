// Interned values by their text: the numbers that a vocabulary gave to parties, tags, subtypes and authors.

import func Glibc.memcmp

/// Numbers by the bytes that they were read from, so that reading the next event with the same text
/// makes nothing new; forgets all when it is full.
struct InternCache: Sendable {
  private static let countMax = 8192
  private static let keyBytesMax = 256

  private struct Entry: Sendable {
    var check: UInt32
    var start: UInt32
    var count: UInt32
    var number: UInt32
  }

  /// Indices + 1 of entries, by open addressing; 0 where there is none. No cells before the first text:
  /// many a reader reads one line.
  private var cells = ContiguousArray<UInt16>()
  private var entries: ContiguousArray<Entry> = []
  /// All keys in a row.
  private var keys: ContiguousArray<UInt8> = []

  /// The number of a text, which `read` finds where it is new.
  mutating func number<Failure: Error>(
    of text: UnsafeBufferPointer<UInt8>, _ read: () throws(Failure) -> UInt32
  ) throws(Failure) -> UInt32 {
    guard let start = text.baseAddress, text.count <= Self.keyBytesMax else { return try read() }
    let check = CRC32C.of(text)
    if cells.isEmpty { cells = ContiguousArray(repeating: 0, count: 2 * Self.countMax) }
    var at = Int(check) & (cells.count - 1)
    while cells[at] != 0 {
      let entry = entries[Int(cells[at] - 1)]
      if entry.check == check, Int(entry.count) == text.count,
        keys.withUnsafeBufferPointer({
          memcmp($0.baseAddress! + Int(entry.start), start, text.count) == 0
        })
      {
        return entry.number
      }
      at = (at + 1) & (cells.count - 1)
    }
    let number = try read()
    if entries.count == Self.countMax {
      self = InternCache()
      cells = ContiguousArray(repeating: 0, count: 2 * Self.countMax)
      at = Int(check) & (cells.count - 1)
    }
    entries.append(
      Entry(
        check: check, start: UInt32(keys.count), count: UInt32(text.count), number: number))
    keys.append(contentsOf: text)
    cells[at] = UInt16(entries.count)
    return number
  }
}

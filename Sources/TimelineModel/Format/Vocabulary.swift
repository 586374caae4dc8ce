// What many events share: who takes part, tags, subtypes, authors. Each value is kept once, and events
// name it by its number, so that what is known of an event is plain numbers. A timeline has one vocabulary;
// readers on all threads add to it.

import Synchronization

import func Glibc.memcmp

/// Who acts on whom.
public struct Parties: Sendable, Hashable {
  public let actors: [ActorCode]
  public let targets: [ActorCode]

  public init(actors: [ActorCode], targets: [ActorCode]) {
    self.actors = actors
    self.targets = targets
  }

  /// Each of them once, actors first.
  public var everyone: [ActorCode] { actors + targets.filter { !actors.contains($0) } }
}

/// The numbers of values, by what they are: number 0 is nobody, no tags, no subtype, no author.
public final class Vocabulary: Sendable {
  /// The values by their numbers, as they stood at one moment.
  public struct Values: Sendable {
    public fileprivate(set) var parties = ChunkedArray<Parties>()
    public fileprivate(set) var tags = ChunkedArray<[String]>()
    public fileprivate(set) var subtypes = ChunkedArray<String>()
    /// As they stand in a line between quotes.
    public fileprivate(set) var authors = ChunkedArray<String>()
  }

  /// The number of all authors that came when there was no number left: their lines tell.
  public static let furtherAuthors = UInt16.max

  private struct Known {
    var values = Values()
    var parties: [Parties: UInt32] = [:]
    var tags: [[String]: UInt32] = [:]
    var subtypes: [String: UInt32] = [:]
    var authors: [String: UInt32] = [:]
  }

  private let known = Mutex(Known())
  private let left = Mutex<[BodyReader.Legacy]>([])

  public init() {
    _ = number(of: Parties(actors: [], targets: []))
    _ = number(ofTags: [])
    _ = number(ofSubtype: "")
    _ = number(ofAuthor: "")
  }

  public var values: Values { known.withLock { $0.values } }

  public func number(of parties: Parties) -> UInt32 {
    known.withLock { Self.number(parties, &$0.parties, &$0.values.parties) }
  }

  public func number(ofTags tags: [String]) -> UInt32 {
    known.withLock { Self.number(tags, &$0.tags, &$0.values.tags) }
  }

  public func number(ofSubtype subtype: String) -> UInt32 {
    known.withLock { Self.number(subtype, &$0.subtypes, &$0.values.subtypes) }
  }

  /// An author as it stands in a line between quotes.
  public func number(ofAuthor author: String) -> UInt16 {
    known.withLock { known in
      guard known.authors[author] != nil || known.values.authors.count < Self.furtherAuthors else {
        return Self.furtherAuthors
      }
      return UInt16(Self.number(author, &known.authors, &known.values.authors))
    }
  }

  private static func number<Value: Hashable>(
    _ value: Value, _ numbers: inout [Value: UInt32], _ values: inout ChunkedArray<Value>
  ) -> UInt32 {
    if let number = numbers[value] { return number }
    let number = UInt32(values.count)
    numbers[value] = number
    values.append(value)
    return number
  }

  /// Lends a reader that knows what others have seen before it, if there is one.
  public func lendReader<Result>(_ body: (BodyReader) -> Result) -> Result {
    let reader = BodyReader(self, after: left.withLock { $0.popLast() } ?? BodyReader.Legacy())
    defer { left.withLock { $0.append(reader.legacy) } }
    return body(reader)
  }
}

/// Numbers by the bytes that they were read from, so that reading the next event with the same text
/// makes nothing new; forgets all when it is full.
struct Shelf: Sendable {
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
      self = Shelf()
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

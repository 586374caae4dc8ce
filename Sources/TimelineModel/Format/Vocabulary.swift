// What many events share: who takes part, tags, subtypes, authors. Each value is kept once, and events
// name it by its number, so that what is known of an event is plain numbers. A timeline has one vocabulary;
// readers on all threads add to it.

import Synchronization

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
  private let pool = Mutex<[BodyReader.Scratch]>([])

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

  /// Calls with a reader on pooled scratch memory: it knows the values that earlier readers have seen.
  public func withPooledReader<Result>(_ body: (BodyReader) -> Result) -> Result {
    let reader = BodyReader(self, scratch: pool.withLock { $0.popLast() } ?? BodyReader.Scratch())
    defer { pool.withLock { $0.append(reader.scratch) } }
    return body(reader)
  }
}

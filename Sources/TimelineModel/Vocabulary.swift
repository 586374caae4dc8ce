// Who takes part, and the tags: values that many events share. A reader keeps those that it has seen
// by the text that they were read from, so that reading the next event with them makes nothing new.

import func Glibc.memcmp

/// A value with a hash that was made once, with it.
public protocol Hashed: Sendable, Equatable {
  var hash: UInt64 { get }
}

/// Who acts on whom.
public final class Parties: Hashed {
  public let actors: [ActorCode]
  public let targets: [ActorCode]
  /// Each of them once, actors first.
  public let everyone: [ActorCode]
  public let hash: UInt64

  public init(actors: [ActorCode], targets: [ActorCode]) {
    self.actors = actors
    self.targets = targets
    everyone = actors + targets.filter { !actors.contains($0) }
    // A short code fills the high bytes of its word alone: what is multiplied is brought down.
    hash = (actors + targets).reduce(UInt64(actors.count)) { hash, code in
      let mixed = (hash ^ code.packed) &* 0x9E37_79B9_7F4A_7C15
      return mixed ^ mixed >> 32
    }
  }

  public static func == (left: Parties, right: Parties) -> Bool {
    left === right
      || (left.hash == right.hash && left.actors == right.actors && left.targets == right.targets)
  }
}

/// The tags of an event, as they stand.
public final class Tags: Hashed {
  public let words: [String]
  public let hash: UInt64

  public init(_ words: [String]) {
    self.words = words
    hash = UInt64(bitPattern: Int64(words.hashValue))
  }

  public static func == (left: Tags, right: Tags) -> Bool {
    left === right || (left.hash == right.hash && left.words == right.words)
  }

  static let none = Tags([])
}

/// Values by the bytes that they were read from; forgets all when it is full.
struct Shelf<Value> {
  private static var countMax: Int { 8192 }
  private static var keyBytesMax: Int { 256 }

  private var places: [UInt64: Int] = [:]
  private var keys: [[UInt8]] = []
  private var values: [Value] = []

  /// The value of a text, which `read` makes where it is new.
  mutating func value<Failure: Error>(
    of text: UnsafeBufferPointer<UInt8>, _ read: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    guard text.count <= Self.keyBytesMax else { return try read() }
    let hash = UInt64(text.count) << 32 | UInt64(CRC32C.of(text))
    if let place = places[hash], keys[place].count == text.count,
      keys[place].withUnsafeBufferPointer({
        text.isEmpty || memcmp($0.baseAddress!, text.baseAddress!, text.count) == 0
      })
    {
      return values[place]
    }
    let value = try read()
    if values.count == Self.countMax { self = Shelf() }
    places[hash] = values.count
    keys.append(Array(text))
    values.append(value)
    return value
  }
}

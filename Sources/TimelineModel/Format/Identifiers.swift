// The names that things have everywhere: 16-byte UUIDs for replicas, timelines and events, short
// codes for actors. Past the edge of the program they are these types, never strings.

import CLinux
import CUUID

/// A UUID as sixteen bytes in network order (RFC 9562), the base of every identifier.
public struct UUIDBytes: Sendable, Hashable, Comparable, BitwiseCopyable {
  public let high: UInt64
  public let low: UInt64

  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.high, left.low) < (right.high, right.low)
  }

  /// Ids are random or made by SHA-1, so that half the bits are as good as all.
  public func hash(into hasher: inout Hasher) { hasher.combine(high ^ low) }

  /// Number of characters of the canonical text.
  public static let textLength = 36

  /// Reads the canonical text: 36 characters, lower-case hex, hyphens at 8, 13, 18 and 23.
  public init?(utf8 text: UnsafeBufferPointer<UInt8>) {
    guard text.count == Self.textLength else { return nil }
    let hyphen = UInt8(ascii: "-")
    guard text[8] == hyphen, text[13] == hyphen, text[18] == hyphen, text[23] == hyphen else {
      return nil
    }
    // Wrong digits are noticed once, at the end.
    var wrong: UInt8 = 0
    let words = Hex.values.withUnsafeBufferPointer { values in
      func digits(_ range: Range<Int>) -> UInt64 {
        var word: UInt64 = 0
        for index in range {
          let digit = values[Int(text[index])]
          wrong |= digit
          word = word << 4 | UInt64(digit & 15)
        }
        return word
      }
      return (
        digits(0..<8) << 32 | digits(9..<13) << 16 | digits(14..<18),
        digits(19..<23) << 48 | digits(24..<36)
      )
    }
    guard wrong < 16 else { return nil }
    self.init(high: words.0, low: words.1)
  }

  public init?(_ text: some StringProtocol) {
    var copy = String(text)
    let parsed = copy.withUTF8 { UUIDBytes(utf8: $0) }
    guard let parsed else { return nil }
    self = parsed
  }

  /// Appends the 36 characters of the canonical text.
  public func append(to bytes: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.textLength) { space in
      var writer = ByteWriter(space)
      writer.put(self)
      bytes.append(contentsOf: writer.written)
    }
  }

  public var text: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.textLength)
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The random (version 4) UUID of 128 random bits, of which it keeps 122 (RFC 9562 section 5.4).
  public init(random high: UInt64, _ low: UInt64) {
    self.init(high: high & ~0xf000 | 0x4000, low: low & ~(3 << 62) | 1 << 63)
  }

  /// The UUID of a form of our own (version 8) of 128 bits, of which it keeps 122 (RFC 9562 section 5.8).
  public init(custom high: UInt64, _ low: UInt64) {
    self.init(high: high & ~0xf000 | 0x8000, low: low & ~(3 << 62) | 1 << 63)
  }

  /// A random UUID from the operating system's generator.
  public static func random() -> Self {
    var generator = SystemRandomNumberGenerator()
    return Self(random: generator.next(), generator.next())
  }

  /// The name-based (version 5, SHA-1) UUID of a name in a namespace (RFC 9562 section 5.5).
  public static func named(_ name: String, in namespace: Self) -> Self {
    var space = namespace.octets
    var name = name
    return name.withUTF8 { name in
      var octets = [UInt8](repeating: 0, count: 16)
      name.withMemoryRebound(to: CChar.self) { characters in
        uuid_generate_sha1(&octets, &space, characters.baseAddress, characters.count)
      }
      return Self(high: word(octets[0..<8]), low: word(octets[8..<16]))
    }
  }

  /// Eight bytes in network order as a number.
  static func word(_ octets: ArraySlice<UInt8>) -> UInt64 {
    octets.reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The sixteen bytes.
  public var octets: [UInt8] {
    (0..<16).map { index in
      UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> UInt64(56 - (index & 7) * 8))
    }
  }
}

/// What every identifier type shares: it is a UUID with a meaning.
public protocol Identifier: Sendable, Hashable, Comparable, CustomStringConvertible {
  var uuid: UUIDBytes { get }
  init(_ uuid: UUIDBytes)
}

extension Identifier {
  public init?(_ text: some StringProtocol) {
    guard let uuid = UUIDBytes(text) else { return nil }
    self.init(uuid)
  }
  public init?(utf8 text: UnsafeBufferPointer<UInt8>) {
    guard let uuid = UUIDBytes(utf8: text) else { return nil }
    self.init(uuid)
  }
  public static func < (left: Self, right: Self) -> Bool { left.uuid < right.uuid }
  public var description: String { uuid.text }
}

/// One log: one machine's lines of one timeline.
public struct ReplicaID: Identifier {
  public let uuid: UUIDBytes
  public init(_ uuid: UUIDBytes) { self.uuid = uuid }
}

/// One event, whatever its versions and in however many logs it stands.
public struct EventID: Identifier {
  public let uuid: UUIDBytes
  public init(_ uuid: UUIDBytes) { self.uuid = uuid }

  /// So many characters of an id are enough to ask for it.
  public static let shownLengthMin = 4

  /// The namespace of imported names: version 5 of `timeline.import` in the DNS namespace.
  public static let importNamespace = UUIDBytes("f2893089-718e-5db9-9cd7-3a655b8cac3a")!

  /// The id of an imported record that has a name of its own, the same on every machine.
  public init(importedName name: String) {
    self.init(.named(name, in: Self.importNamespace))
  }
}

/// One timeline: the unit that is shared.
public struct TimelineID: Identifier {
  public let uuid: UUIDBytes
  public init(_ uuid: UUIDBytes) { self.uuid = uuid }

  /// What `main` was everywhere in data directories of format version 1, which keep it. Any other
  /// timeline has an id of its own (`TimelineFounding`).
  public static let main = TimelineID(.named("timeline:main", in: EventID.importNamespace))
}

/// The code of a party: two to eight capital letters, digits or hyphens, the first a letter; states
/// by ISO 3166-1 alpha-3. Held as its ASCII bytes, the first in the highest byte, so that codes
/// compare like their text.
public struct ActorCode: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let packed: UInt64

  public init(packed: UInt64) { self.packed = packed }

  public init?(utf8 text: UnsafeBufferPointer<UInt8>) {
    guard (2...8).contains(text.count) else { return nil }
    var packed: UInt64 = 0
    for (index, byte) in text.enumerated() {
      let isLetter = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
      let isOther =
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
      guard isLetter || (index > 0 && isOther) else { return nil }
      packed |= UInt64(byte) << UInt64(56 - index * 8)
    }
    self.packed = packed
  }

  public init?(_ text: some StringProtocol) {
    var copy = String(text)
    guard let code = copy.withUTF8({ ActorCode(utf8: $0) }) else { return nil }
    self = code
  }

  public static func < (left: Self, right: Self) -> Bool { left.packed < right.packed }

  public var description: String {
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: packed >> UInt64(56 - $0 * 8)) }
    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// Lower-case hexadecimal digits.
enum Hex {
  static func digit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + nibble - 10
  }

  /// The value of each byte; 255 for those that are no digit.
  static let values: [UInt8] = (0...255).map { value($0) ?? 255 }

  static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte &- UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte &- UInt8(ascii: "a") &+ 10
    default: nil
    }
  }
}

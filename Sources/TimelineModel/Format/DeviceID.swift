// Which machine: the SHA-256 of its Ed25519 public key, shown as Syncthing shows its own, so that people can
// compare two ids and a mistyped one is noticed:
//
//     P56IOI7-MZJNU2Y-IQGDREY-DM2MGTI-MGL3BXN-PQ6W5BM-TBBZ4TJ-XZWICQ2
//
// 32 bytes are 52 letters of base32 (RFC 4648, without padding). Behind each 13 of them stands a check letter,
// which makes 56 letters in eight groups of seven. docs/reference/membership.md, M-2.

import TransparencyLog

/// A device. Ids compare by their bytes.
public struct DeviceID: Sendable, Hashable, Comparable, CustomStringConvertible {
  public let digest: SHA256Digest

  public init(_ digest: SHA256Digest) { self.digest = digest }

  /// The device that has this key.
  public init(of key: Ed25519PublicKey) {
    var hasher = SHA256()
    digest = key.bytes.withUnsafeBufferPointer { hasher.hash($0) }
  }

  /// Reads what `description` writes; nil for any other text.
  public init?(_ text: String) {
    self.init(typed: text)
    guard description.utf8.elementsEqual(text.utf8) else { return nil }
  }

  /// Reads what a person typed: in any case, grouped in any way, `0`, `1` and `8` for the letters that look like
  /// them. Nil where letters are missing or a check letter is not right.
  public init?(typed text: String) {
    var values: [UInt8] = []
    for byte in text.utf8 where byte != UInt8(ascii: "-") && byte != UInt8(ascii: " ") {
      guard let value = Self.value(byte) else { return nil }
      values.append(value)
    }
    guard values.count == Self.checked * (Self.run + 1) else { return nil }
    var letters: [UInt8] = []
    for start in stride(from: 0, to: values.count, by: Self.run + 1) {
      let run = values[start..<start + Self.run]
      guard Self.check(run) == values[start + Self.run] else { return nil }
      letters += run
    }
    // The last letter has one bit of the id, and four that are zero.
    let bytes = Self.regrouped(letters, from: 5, to: 8)
    guard bytes.last == 0, let digest = SHA256Digest(Array(bytes.dropLast())) else { return nil }
    self.init(digest)
  }

  /// Eight groups of seven letters.
  public var description: String {
    var letters: [UInt8] = []
    let values = Self.regrouped(digest.bytes, from: 8, to: 5)
    for start in stride(from: 0, to: values.count, by: Self.run) {
      let run = values[start..<start + Self.run]
      for value in run + [Self.check(run)] {
        if letters.count % 8 == 7 { letters.append(UInt8(ascii: "-")) }
        letters.append(Self.alphabet[Int(value)])
      }
    }
    return String(decoding: letters, as: UTF8.self)
  }

  public static func < (left: Self, right: Self) -> Bool {
    left.digest.bytes.lexicographicallyPrecedes(right.digest.bytes)
  }

  // MARK: Base32 and its check letters

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
  /// So many letters have a check letter behind them.
  private static let run = 13
  private static let checked = 4

  private static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a")
    case UInt8(ascii: "2")...UInt8(ascii: "7"): byte - UInt8(ascii: "2") + 26
    case UInt8(ascii: "0"): 14
    case UInt8(ascii: "1"): 8
    case UInt8(ascii: "8"): 1
    default: nil
    }
  }

  /// Luhn's check over 32 letters, as Syncthing computes it: the first letter counts once, the second twice.
  private static func check(_ values: ArraySlice<UInt8>) -> UInt8 {
    var sum = 0
    for (index, value) in values.enumerated() {
      let addend = Int(value) * (1 + index % 2)
      sum += addend / 32 + addend % 32
    }
    return UInt8((32 - sum % 32) % 32)
  }

  /// The same bits in pieces of another width; zeros fill up the last one.
  private static func regrouped(_ pieces: [UInt8], from: UInt32, to: UInt32) -> [UInt8] {
    var result: [UInt8] = []
    var bits: UInt32 = 0
    var count: UInt32 = 0
    let mask = UInt32(1) << to - 1
    for piece in pieces {
      bits = bits << from | UInt32(piece)
      count += from
      while count >= to {
        count -= to
        result.append(UInt8(bits >> count & mask))
      }
      bits &= UInt32(1) << count - 1
    }
    if count > 0 { result.append(UInt8(bits << (to - count) & mask)) }
    return result
  }
}

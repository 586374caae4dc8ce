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
  public init(of key: Ed25519PublicKey) { digest = key.deviceID }

  /// Reads what `description` writes; nil for any other text.
  public init?(_ text: String) {
    self.init(typed: text)
    guard description.utf8.elementsEqual(text.utf8) else { return nil }
  }

  /// Reads what a person typed: in any case, grouped in any way, `0`, `1` and `8` for the letters that look like
  /// them. Nil where letters are missing or a check letter is not right.
  public init?(typed text: String) {
    let typed = text.utf8.filter { !" -".utf8.contains($0) }.map(Self.letter)
    guard typed.count == Self.checked * (Self.run + 1) else { return nil }
    var letters: [UInt8] = []
    for start in stride(from: 0, to: typed.count, by: Self.run + 1) {
      let run = typed[start..<start + Self.run]
      guard Self.check(run) == typed[start + Self.run] else { return nil }
      letters += run
    }
    guard let bytes = Base32.decode(letters), let digest = SHA256Digest(bytes) else { return nil }
    self.init(digest)
  }

  /// Eight groups of seven letters.
  public var description: String {
    var text: [UInt8] = []
    let letters = Array(Base32.encode(digest.bytes).utf8)
    for start in stride(from: 0, to: letters.count, by: Self.run) {
      let run = letters[start..<start + Self.run]
      for letter in run + [Self.check(run)!] {
        if text.count % 8 == 7 { text.append(UInt8(ascii: "-")) }
        text.append(letter)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  public static func < (left: Self, right: Self) -> Bool {
    left.digest.bytes.lexicographicallyPrecedes(right.digest.bytes)
  }

  // MARK: Check letters

  /// So many letters have a check letter behind them.
  private static let run = 13
  private static let checked = 4

  /// The letter that a person meant.
  private static func letter(_ typed: UInt8) -> UInt8 {
    switch typed {
    case UInt8(ascii: "a")...UInt8(ascii: "z"): typed & 0xDF
    case UInt8(ascii: "0"): UInt8(ascii: "O")
    case UInt8(ascii: "1"): UInt8(ascii: "I")
    case UInt8(ascii: "8"): UInt8(ascii: "B")
    default: typed
    }
  }

  /// Luhn's check over 32 letters, as Syncthing computes it: the first letter counts once, the second twice.
  /// Nil where one of them is no letter.
  private static func check(_ letters: ArraySlice<UInt8>) -> UInt8? {
    var sum = 0
    for (index, letter) in letters.enumerated() {
      guard let value = Base32.value(of: letter) else { return nil }
      let addend = Int(value) * (1 + index % 2)
      sum += addend / 32 + addend % 32
    }
    return Base32.letter(of: UInt8((32 - sum % 32) % 32))
  }
}

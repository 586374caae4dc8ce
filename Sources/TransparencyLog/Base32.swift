// RFC 4648, section 6: `A-Z 2-7`, five bits a letter, without padding. For what people read out, type or scan:
// one case is enough, and `0`, `1`, `8` and `9` are no letters.
//
//     5d c9 da  ->  LXE5U      32 bytes  ->  52 letters
//
// Canonical only, as base64 is here: small letters, lengths that no bytes have, and bits that are left over and
// are not zero are refused.

public enum Base32 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

  /// The five bits of a letter; nil for what is none.
  public static func value(of letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): letter - UInt8(ascii: "A")
    case UInt8(ascii: "2")...UInt8(ascii: "7"): letter - UInt8(ascii: "2") + 26
    default: nil
    }
  }

  /// The letter of a value below 32.
  public static func letter(of value: UInt8) -> UInt8 { alphabet[Int(value)] }

  public static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count * 8 + 4) / 5)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      bitCount += 8
      while bitCount >= 5 {
        bitCount -= 5
        text.append(alphabet[Int(bits >> bitCount)])
        bits &= (1 << bitCount) - 1
      }
    }
    if bitCount > 0 { text.append(alphabet[Int(bits << (5 - bitCount))]) }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil unless the text is what `encode` writes for some bytes.
  public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 5 / 8)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for letter in text {
      guard let value = value(of: letter) else { return nil }
      bits = bits << 5 | UInt32(value)
      bitCount += 5
      guard bitCount >= 8 else { continue }
      bitCount -= 8
      bytes.append(UInt8(bits >> bitCount))
      bits &= (1 << bitCount) - 1
    }
    // A whole letter left over is one that no bytes needed.
    return bitCount < 5 && bits == 0 ? bytes : nil
  }
}

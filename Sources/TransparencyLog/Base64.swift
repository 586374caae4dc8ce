// RFC 4648, section 4: `A-Z a-z 0-9 + /`, padded with `=`, as the C2SP formats have it everywhere.
//
//     5d c9 da  ->  XcnA…      68 bytes (a key id and a signature)  ->  92 characters
//
// Canonical only: the same bytes have one text. `TQ==` and `TR==` would both decode to 4d; the
// second is refused, since its last bits are lost.

public enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let padding = UInt8(ascii: "=")

  /// For each byte its six bits, or 255.
  private static let values = {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
    return values
  }()

  public static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      var bits: UInt32 = 0
      for at in 0..<3 { bits = bits << 8 | (at < count ? UInt32(bytes[start + at]) : 0) }
      for at in 0..<4 {
        text.append(at <= count ? alphabet[Int(bits >> UInt32(18 - 6 * at) & 63)] : padding)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil unless the text is what `encode` writes for some bytes.
  public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count % 4 == 0 else { return nil }
    let body = text.prefix { $0 != padding }
    guard text.count - body.count <= 2, text.dropFirst(body.count).allSatisfy({ $0 == padding })
    else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3)
    var bits: UInt32 = 0
    var bitCount: UInt32 = 0
    for letter in body {
      let value = values[Int(letter)]
      guard value < 64 else { return nil }
      bits = bits << 6 | UInt32(value)
      bitCount += 6
      guard bitCount >= 8 else { continue }
      bitCount -= 8
      bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
      bits &= (1 << bitCount) - 1
    }
    return bits == 0 ? bytes : nil
  }
}

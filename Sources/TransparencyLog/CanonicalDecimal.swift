// Sizes and indices as C2SP writes them: ASCII digits, no sign, no leading zero, `0` for nothing.
// Larger than 2^63 - 1 is refused, so that no reader that counts with signed numbers can be misled.

enum CanonicalDecimal {
  static let largest = UInt64(Int64.max)

  /// Nil unless it is what is written for a number up to `largest`.
  static func parse(_ text: some Collection<UInt8>) -> UInt64? {
    guard let first = text.first, text.count <= 19, first != UInt8(ascii: "0") || text.count == 1
    else { return nil }
    var value: UInt64 = 0
    for byte in text {
      let digit = byte &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + UInt64(digit)
    }
    return value <= largest ? value : nil
  }
}

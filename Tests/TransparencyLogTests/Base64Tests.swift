import Foundation
import Testing

@testable import TransparencyLog

@Test("base64 is RFC 4648's: its examples, and Foundation's answer for every length")
func base64() {
  let examples = [
    "": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=",
    "foobar": "Zm9vYmFy",
  ]
  for (plain, text) in examples {
    #expect(Base64.encode(Array(plain.utf8)) == text)
    #expect(Base64.decode(text.utf8) == Array(plain.utf8))
  }
  for count in 0..<300 {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ count) }
    let text = Data(bytes).base64EncodedString()
    #expect(Base64.encode(bytes) == text)
    #expect(Base64.decode(text.utf8) == bytes)
  }
}

@Test(
  "base64 that is not what would be written is refused",
  arguments: [
    "Zg", "Zg=", "Zg===", "Zg======", "Zh==", "Zm9=", "Zm8", "=Zg=", "Z===", "====", "=",
    "Zg==Zg==",
    "Zm 9v", "Zm9v\n", "\nZm9v", "Zm9\u{0}", "Zm-_", "Zm9é", "Zg=A",
  ])
func base64Refused(text: String) {
  #expect(Base64.decode(text.utf8) == nil)
}

@Test("every text of four letters decodes to what encodes to it, or not at all")
func base64Canonical() {
  let letters = Array("ABQgwZ/+=".utf8)
  var taken = 0
  for a in letters {
    for b in letters {
      for c in letters {
        for d in letters {
          guard let bytes = Base64.decode([a, b, c, d]) else { continue }
          taken += 1
          #expect(Array(Base64.encode(bytes).utf8) == [a, b, c, d])
        }
      }
    }
  }
  #expect(taken > 8 * 8 * 8 * 8)
}

@Test("numbers have one spelling, and end at 2^63 - 1")
func decimals() {
  let good: [(String, UInt64)] = [
    ("0", 0), ("1", 1), ("9", 9), ("10", 10), ("20852163", 20_852_163),
    ("9223372036854775807", 9_223_372_036_854_775_807),
  ]
  for (text, value) in good { #expect(CanonicalDecimal.parse(text.utf8) == value) }
  let bad = [
    "", "00", "01", "+1", "-1", " 1", "1 ", "1.0", "0x1", "1e3", "１", "9223372036854775808",
    "9999999999999999999", "18446744073709551615", "18446744073709551616",
    "10000000000000000000000",
  ]
  for text in bad { #expect(CanonicalDecimal.parse(text.utf8) == nil, "\(text)") }
}

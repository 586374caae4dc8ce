import Testing

@testable import TransparencyLog

@Test("base32 is RFC 4648's without padding: its examples, and back again for every length")
func base32() {
  let examples = [
    "": "", "f": "MY", "fo": "MZXQ", "foo": "MZXW6", "foob": "MZXW6YQ", "fooba": "MZXW6YTB",
    "foobar": "MZXW6YTBOI",
  ]
  for (plain, text) in examples {
    #expect(Base32.encode(Array(plain.utf8)) == text)
    #expect(Base32.decode(text.utf8) == Array(plain.utf8))
  }
  for count in 0..<300 {
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ count) }
    let text = Base32.encode(bytes)
    #expect(text.utf8.count == (count * 8 + 4) / 5)
    #expect(Base32.decode(text.utf8) == bytes)
  }
}

@Test(
  "base32 that is not what would be written is refused",
  arguments: [
    "A", "my", "MY======", "MZ", "MZX", "MZXR", "MZXW6YR", "MZXW6A", "MZXW6YTBO", "M Y",
    "MY\n", "M1", "M8", "M0", "M9", "MÝ",
  ])
func base32Refused(text: String) {
  #expect(Base32.decode(text.utf8) == nil)
}

@Test("every text of two letters decodes to what encodes to it, or not at all")
func base32Canonical() {
  let letters = (0..<32).map { Base32.letter(of: UInt8($0)) }
  var taken = 0
  for a in letters {
    for b in letters {
      guard let bytes = Base32.decode([a, b]) else { continue }
      taken += 1
      #expect(Array(Base32.encode(bytes).utf8) == [a, b])
    }
  }
  #expect(taken == 256)
}

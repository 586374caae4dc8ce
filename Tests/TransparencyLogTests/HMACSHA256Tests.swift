import Testing

@testable import TransparencyLog

/// RFC 4231, 4.2 to 4.8; of the fifth only the first 16 bytes are published.
@Test(
  "HMAC-SHA-256 gives the codes of RFC 4231",
  arguments: [
    (
      [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      Array(1...25), [UInt8](repeating: 0xCD, count: 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
      [UInt8](repeating: 0x0C, count: 20), Array("Test With Truncation".utf8),
      "a3b6167473100ee06e0c796c2955552b"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131),
      Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
      [UInt8](repeating: 0xAA, count: 131),
      Array(
        ("This is a test using a larger than block-size key and a larger than block-size data. "
          + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
  ])
func publishedCodes(key: [UInt8], message: [UInt8], expected: String) {
  let code = HMACSHA256(key: key, message: message)
  #expect(code.bytes.count == 32)
  #expect(code.bytes.starts(with: bytes(hex: expected)))
}

@Test("A code matches its own bytes alone")
func codeMatches() {
  let code = HMACSHA256(key: [1], message: [])
  #expect(code.matches(code.bytes))
  #expect(!code.matches([]) && !code.matches(Array(code.bytes.dropLast())))
  #expect(!code.matches(code.bytes + [0]))
  for bit in 0..<256 {
    var others = code.bytes
    others[bit / 8] ^= 1 << (bit % 8)
    #expect(!code.matches(others))
  }
}

import Testing

@testable import TransparencyLog

@Suite("Signing keys as files")
struct SigningKeyTests {
  /// RFC 8410, 10.3 and 10.1.
  private static let text = """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
    -----END PRIVATE KEY-----

    """
  private static let publicBytes = Base64.decode(
    "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=".utf8)

  @Test("The key of RFC 8410 is read, and written as it was")
  func rfc8410() throws {
    let key = try #require(SigningKey(pem: Array(Self.text.utf8)))
    #expect(key.pem == Array(Self.text.utf8))
    let name = try #require(KeyName("example.com/log"))
    #expect(key.signer(named: name).verifier.key.bytes == Self.publicBytes)
  }

  @Test("A key from a seed is the same when it is read back")
  func seed() throws {
    let seed = (0..<32).map { UInt8($0) }
    let key = try #require(SigningKey(seed: seed))
    let again = try #require(SigningKey(pem: key.pem))
    #expect(again.pem == key.pem)
    #expect(SigningKey(seed: Array(seed.dropLast())) == nil)
  }

  @Test("What is no Ed25519 key, or none that can be read, is none")
  func others() {
    let text = Self.text
    for bad in [
      "", "x", text.replacing("MC4C", with: "MC4D"), text.replacing("K2Vw", with: "K2Vu"),
      String(text.dropLast(40)),
      // RFC 8410's own X25519 algorithm: not a key that signs.
      text.replacing("BQYDK2Vw", with: "BQYDK2Vu"),
    ] {
      #expect(SigningKey(pem: Array(bad.utf8)) == nil, "\(bad)")
    }
  }
}

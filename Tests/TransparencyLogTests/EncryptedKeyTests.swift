import Testing

@testable import TransparencyLog

@Suite("Signing keys under a passphrase")
struct EncryptedKeyTests {
  private let key = SigningKey(seed: (0..<32).map { UInt8($0) })!

  private func passphrase(_ text: String) throws -> Passphrase { try #require(Passphrase(text)) }

  @Test("What was encrypted is read with the same passphrase, and with no other")
  func roundTrip() throws {
    let words = try passphrase("correct horse, é 朝")
    let pem = key.pem(encryptedWith: words)
    #expect(SigningKey(pem: pem, passphrase: words)?.pem == key.pem)
    for other in ["correct horse, é 朞", "correct horse, é 朝 ", "correct horse"] {
      #expect(SigningKey(pem: pem, passphrase: try passphrase(other)) == nil)
    }
  }

  @Test("It is PBES2 with scrypt, and says nothing of the key")
  func form() throws {
    let words = try passphrase("12345678")
    let pem = key.pem(encryptedWith: words)
    let text = String(decoding: pem, as: UTF8.self)
    #expect(text.hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"))
    let body = text.split(separator: "\n").dropFirst().dropLast().joined()
    let bytes = try #require(Base64.decode(body.utf8))
    // 1.2.840.113549.1.5.13 (PBES2), 1.3.6.1.4.1.11591.4.11 (scrypt), aes256-CBC.
    for oid: [UInt8] in [
      [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x05, 0x0D],
      [0x2B, 0x06, 0x01, 0x04, 0x01, 0xDA, 0x47, 0x04, 0x0B],
      [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2A],
    ] {
      #expect(bytes.indices.contains { bytes[$0...].starts(with: oid) })
    }
    let seed = (0..<32).map { UInt8($0) }
    #expect(!bytes.indices.contains { bytes[$0...].starts(with: seed[..<8]) })
    // Salt and vector are new each time.
    #expect(key.pem(encryptedWith: words) != pem)
  }

  @Test("A key that openssl encrypted is read, an unencrypted one is not asked for")
  func others() throws {
    // openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 2048, of RFC 8410's key.
    let words = try passphrase("passphrase")
    #expect(SigningKey(pem: Array(Self.byOpenSSL.utf8), passphrase: words) != nil)
    #expect(SigningKey(pem: key.pem, passphrase: words) == nil)
    for bad in [
      "", "x", String(Self.byOpenSSL.dropLast(40)), Self.byOpenSSL.replacing("M", with: "N"),
    ] {
      #expect(SigningKey(pem: Array(bad.utf8), passphrase: words) == nil)
    }
    // Nor does it ask on a terminal for what it is not given.
    #expect(SigningKey(pem: Array(Self.byOpenSSL.utf8)) == nil)
  }

  @Test("A passphrase has eight characters, and none that no keyboard types")
  func rule() {
    for bad in ["", "1234567", "éééé朝朝朝", "12345678\n", "12345678\0", "1234\u{7F}5678"] {
      #expect(Passphrase(bad) == nil, "\(bad)")
    }
    #expect(Passphrase(String(repeating: "x", count: 1025)) == nil)
    for good in ["12345678", "éééé朝朝朝朝", "a b c d e", String(repeating: "x", count: 1024)] {
      #expect(Passphrase(good)?.text == good)
    }
    #expect("\(Passphrase("12345678")!)" == "a passphrase")
  }

  private static let byOpenSSL = """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj5RgjztJBItAICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEG/O0LRWSb2+Lh0LlSMCHbgEQCZO
    G1Iy8rPUfqvkd+teiSm+ujUid5a+ZdxBsiJMFjTSBvEKM1LXuoAxbjeFm5FYdCeV
    SCRmPdBlp/giJGkFv/s=
    -----END ENCRYPTED PRIVATE KEY-----

    """
}

import Testing

@testable import TransparencyLog

@Test("a key whose base64 holds + is split at the first two only")
func plusInKey() throws {
  // The first seed, counted up, whose key has a + in its text.
  let signer = (0..<200).lazy.compactMap { byte in
    NoteSigner(name: KeyName("log")!, seed: [UInt8](repeating: UInt8(byte), count: 32))
  }.first { $0.verifier.vkey.utf8.count { $0 == UInt8(ascii: "+") } > 2 }!
  #expect(try NoteVerifier(vkey: signer.verifier.vkey) == signer.verifier)
}

private let key = "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

private func stated(_ id: String) -> NoteVerifierError {
  .id(stated: id, computed: KeyID(0x530d_903a))
}

@Test(
  "a key that is mistyped is refused",
  arguments: [
    ("", .form), ("example.com/foo", .form), ("example.com/foo+530d903a", .form),
    ("+530d903a+" + key, .name), ("example.com foo+530d903a+" + key, .name),
    ("example.com/foo\n+530d903a+" + key, .name),
    ("example.com/foo+530d903b+" + key, stated("530d903b")),
    ("example.com/foo+530D903A+" + key, stated("530D903A")),
    ("example.com/foo+0530d903a+" + key, stated("0530d903a")),
    ("example.com/foo++" + key, stated("")),
    ("example.com/foo+530d903a+", .base64),
    ("example.com/foo+530d903a+" + key + "=", .base64),
    ("example.com/foo+530d903a+" + key + "\n", .base64),
    ("example.com/foo+530d903a+ " + key, .base64),
    ("example.com/foo+530d903a+" + key.dropLast(4), .keyByteCount(29)),
    ("example.com/foo+530d903a+" + key + "AAAA", .keyByteCount(35)),
    ("example.com/foo+530d903a+B" + key.dropFirst(), .kind(5)),
    ("example.com/foo+530d903a+AQ==", .keyByteCount(0)),
  ] as [(String, NoteVerifierError)])
func badKeys(text: String, expected: NoteVerifierError) {
  let found = refusal { () throws(NoteVerifierError) in try NoteVerifier(vkey: text) }
  #expect(found == expected, "\(text)")
  #expect(found?.message.isEmpty == false)
}

@Test("another name has another id")
func otherName() {
  let text = "example.com/bar+530d903a+" + key
  guard
    case .id("530d903a", let computed)? = refusal({ () throws(NoteVerifierError) in
      try NoteVerifier(vkey: text)
    })
  else {
    Issue.record("taken under another name")
    return
  }
  #expect(computed != KeyID(0x530d_903a))
}

@Test("keys under which anybody could sign, and second spellings, are refused")
func weakKeys() {
  let zeros = [UInt8](repeating: 0, count: 31)
  let ones = [UInt8](repeating: 0xFF, count: 30)
  var weak: [[UInt8]] = [[1] + zeros, [0] + zeros, [0xEC] + ones + [0x7F]]
  weak.append(bytes(hex: "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
  weak.append(bytes(hex: "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"))
  weak += [[0xED] + ones + [0x7F], [0xEE] + ones + [0x7F], [0xFF] + ones + [0x7F]]
  for key in weak {
    #expect(Ed25519PublicKey(key) == nil)
    #expect(Ed25519PublicKey(key.dropLast() + [key[31] | 0x80]) == nil)
  }
  #expect(Ed25519PublicKey([0xEB] + ones + [0x7F]) != nil)
  #expect(Ed25519PublicKey([0xED] + ones + [0x7E]) != nil)
  #expect(Ed25519PublicKey([UInt8](repeating: 9, count: 31)) == nil)
  #expect(Ed25519PublicKey([UInt8](repeating: 9, count: 33)) == nil)
}

@Test("Ed25519 signs as RFC 8032, 7.1 has it: tests 1 to 3")
func rfc8032() {
  let vectors = [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        + "d25bf5f0595bbe24655141438e7a100b"
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        + "387b2eaeb4302aeeb00d291612bb0c00"
    ),
    (
      "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
      "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        + "4a7c15e9716ed28dc027beceea1ec40a"
    ),
  ]
  for (seed, publicKey, message, signature) in vectors {
    let key = Ed25519PrivateKey(seed: bytes(hex: seed))!
    #expect(key.publicKey.bytes == bytes(hex: publicKey))
    #expect(key.sign(bytes(hex: message)) == bytes(hex: signature))
    #expect(key.publicKey.isSignature(bytes(hex: signature), of: bytes(hex: message)))
    #expect(!key.publicKey.isSignature(bytes(hex: signature), of: bytes(hex: message) + [0]))
  }
}

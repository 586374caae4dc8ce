import Testing

@testable import TransparencyLog

private let known =
  """
  c2sp.org/tlog-proof@v1
  index 2
  B1Bqhf2d0vEg62lPhgEeW7RmLlxBWmKRcDPUqWJEh+c=
  +sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=
  g327FS6bB5AQcX6E6GXaTrwPoZioBtWdMb8VrM7yLQ4=


  """ + PublishedHeads.note(7)

private func proof(_ text: String) throws(LogProofError) -> LogProof {
  try LogProof(Array(text.utf8))
}

@Test("the known proof: made to its 338 bytes, read back, and proves entry 10 (hexadecimal) at 2")
func knownProof() throws {
  let bytes = Array(known.utf8)
  #expect(bytes.count == 338)
  #expect(
    plainHash(bytes).description
      == "494c5174c8df9f3c6186fd922cd91284dec3872ad54fbabb3e4d819ca63081d6")
  let inclusion = try InclusionProof(of: 2, in: 7, leaves: Vectors.published.leaves)
  let made = try LogProof(
    index: 2, hashes: inclusion.hashes,
    checkpoint: PublishedHeads.head(7).signed(by: Published.neumannSigner))
  #expect(made.bytes == bytes)
  let read = try LogProof(bytes)
  #expect(read == made)
  let key = Published.neumannSigner.verifier
  #expect(try read.verify(leaf: leafHash([0x10]), by: key) == PublishedHeads.head(7))
  #expect(try read.verify(leaf: leafHash([0x10]), by: key, origin: "PeterNeumann").size == 7)
}

@Test("extra bytes are carried along, and prove nothing")
func extra() throws {
  let text = known.replacing("index 2", with: "extra aGVsbG8=\nindex 2")
  let read = try proof(text)
  #expect(read.extra == Array("hello".utf8))
  #expect(read.bytes == Array(text.utf8))
  try read.verify(leaf: leafHash([0x10]), by: Published.neumannSigner.verifier)
}

@Test("a proof of another entry, index, size, log or key is refused")
func otherProofs() throws {
  let key = Published.neumannSigner.verifier
  func verify(
    _ text: String, entry: [UInt8] = [0x10], by verifier: NoteVerifier = key,
    origin: ExactText? = nil
  ) -> LogProofError? {
    refusal { () throws(LogProofError) in
      try proof(text).verify(leaf: leafHash(entry), by: verifier, origin: origin)
    }
  }
  guard case .inclusion(.root)? = verify(known, entry: [0x11]) else {
    Issue.record("another entry")
    return
  }
  guard case .inclusion(.root)? = verify(known.replacing("index 2", with: "index 3")) else {
    Issue.record("another index")
    return
  }
  #expect(
    verify(known.replacing("index 2", with: "index 7")) == .inclusion(.index(7, size: 7)))
  #expect(
    verify(known.replacing("index 2", with: "index 6"))
      == .inclusion(.hashCount(found: 3, expected: 2)))
  #expect(
    verify(known.replacing(PublishedHeads.note(7), with: PublishedHeads.note(0)))
      == .inclusion(.index(2, size: 0)))
  #expect(
    verify(known, origin: "other")
      == .checkpoint(.otherOrigin(found: "PeterNeumann", expected: "other")))
  #expect(
    verify(known, by: try verifier(Published.exampleKey))
      == .checkpoint(.note(.noKnownSignature(signers: ["PeterNeumann+c74f20a3"]))))
  #expect(
    verify(known.replacing("\n7\n", with: "\n8\n"))
      == .checkpoint(.note(.signatureWrong(key.name, key.id))))
}

@Test("every flipped bit of a proof is refused")
func flippedProofs() {
  let bytes = Array(known.utf8)
  let key = Published.neumannSigner.verifier
  let leaf = leafHash([0x10])
  for index in bytes.indices {
    for bit in 0..<8 {
      var other = bytes
      other[index] ^= 1 << UInt8(bit)
      let error = refusal { () throws(LogProofError) in
        try LogProof(other).verify(leaf: leaf, by: key)
      }
      #expect(error != nil, "byte \(index), bit \(bit)")
      #expect(error?.message.isEmpty == false)
    }
  }
}

private let hashLine = "B1Bqhf2d0vEg62lPhgEeW7RmLlxBWmKRcDPUqWJEh+c=\n"

@Test(
  "what is no proof is refused with its place",
  arguments: [
    ("", .header), ("c2sp.org/tlog-proof@v1", .header), ("c2sp.org/tlog-proof@v2\n", .header),
    (" " + known, .header), ("c2sp.org/tlog-proof@v1\n", .noCheckpoint),
    ("c2sp.org/tlog-proof@v1\nindex 2\n", .noCheckpoint),
    ("c2sp.org/tlog-proof@v1\nindex 2\n\n", .note(.lineEnd)),
    (known.replacing("\nindex", with: "\r\nindex"), .header),
    (known.replacing("index 2\n", with: "index 2\r\n"), .index(line: 2)),
    (known.replacing("index 2\n", with: ""), .index(line: 2)),
    (known.replacing("index 2", with: "index 02"), .index(line: 2)),
    (known.replacing("index 2", with: "index  2"), .index(line: 2)),
    (known.replacing("index 2", with: "index -2"), .index(line: 2)),
    (known.replacing("index 2", with: "Index 2"), .index(line: 2)),
    (known.replacing("index 2", with: "index 9223372036854775808"), .index(line: 2)),
    (known.replacing("index 2", with: "index 18446744073709551616"), .index(line: 2)),
    (known.replacing("index 2", with: "index 2\nextra aGVsbG8="), .hash(line: 3)),
    (known.replacing("index 2", with: "extra \nindex 2"), .extra(line: 2)),
    (known.replacing("index 2", with: "extra aGVsbG8\nindex 2"), .extra(line: 2)),
    (known.replacing("index 2", with: "extra aGVsbG9=\nindex 2"), .extra(line: 2)),
    (known.replacing("index 2", with: "extra aGVsbG8=\nextra aGVsbG8=\nindex 2"), .index(line: 3)),
    (known.replacing("h+c=", with: "h+d="), .hash(line: 3)),
    (known.replacing("h+c=", with: "hw=="), .hash(line: 3)),
    (known.replacing("h+c=", with: "h+cA"), .hash(line: 3)),
    (known.replacing("h+c=", with: "h+c= "), .hash(line: 3)),
    (known.replacing("\n\nPeter", with: "\nPeter"), .hash(line: 6)),
    // The hashes would belong to the note then, and nobody signed that.
    (
      known.replacing("index 2\n", with: "index 2\n\n"),
      .checkpoint(.note(.signatureWrong(KeyName("PeterNeumann")!, KeyID(0xc74f_20a3))))
    ),
    (
      known.replacing("index 2\n", with: "index 2\n" + String(repeating: hashLine, count: 61)),
      .hashCount(64)
    ),
  ] as [(String, LogProofError)])
func noProofs(text: String, expected: LogProofError) {
  let found = refusal { () throws(LogProofError) in
    try proof(text).verify(leaf: leafHash([0x10]), by: Published.neumannSigner.verifier)
  }
  #expect(found == expected, "\(text.debugDescription)")
  #expect(found?.message.isEmpty == false)
}

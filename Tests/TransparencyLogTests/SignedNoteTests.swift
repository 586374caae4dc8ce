import Testing

@testable import TransparencyLog

/// C2SP's own example and Go's, as published.
enum Published {
  static let example = """
    This is an example message.

    — example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

    """
  static let exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

  static let neumann = """
    If you think cryptography is the answer to your problem,
    then you don't know what your problem is.

    — PeterNeumann \
    x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

    """
  static let neumannKey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
  static let neumannPrivateKey =
    "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"

  /// Go's private key text; it is for tests, so only tests read it.
  static func signer(goPrivateKey text: String) -> NoteSigner? {
    let parts = text.split(separator: "+", maxSplits: 4).map(String.init)
    guard parts.count == 5, parts[0] == "PRIVATE", parts[1] == "KEY",
      let name = KeyName(parts[2]), let blob = Base64.decode(parts[4].utf8), blob.first == 1,
      let signer = NoteSigner(name: name, seed: Array(blob.dropFirst())),
      signer.verifier.id.description == parts[3]
    else { return nil }
    return signer
  }

  static let neumannSigner = signer(goPrivateKey: neumannPrivateKey)!
}

func note(_ text: String) throws(NoteError) -> SignedNote { try SignedNote(Array(text.utf8)) }

func verifier(_ vkey: String) throws(NoteVerifierError) -> NoteVerifier {
  try NoteVerifier(vkey: vkey)
}

@Test(
  "the published notes verify and write back to their bytes",
  arguments: [
    (Published.example, Published.exampleKey), (Published.neumann, Published.neumannKey),
  ])
func publishedNotes(text: String, vkey: String) throws {
  let parsed = try note(text)
  #expect(parsed.bytes == Array(text.utf8))
  let key = try verifier(vkey)
  #expect(key.vkey == vkey)
  let verified = try parsed.verify([key])
  #expect(verified.signers == [key])
  #expect(verified.text == parsed.text)
}

@Test("Go's private key signs to Go's bytes, and prints no seed")
func signsAsGo() throws {
  let signer = Published.neumannSigner
  #expect(signer.verifier.vkey == Published.neumannKey)
  let text = ExactText(Published.neumann.components(before: "\n\n") + "\n")
  #expect(try SignedNote(signing: text, by: [signer]).bytes == Array(Published.neumann.utf8))
  var dumped = "\(signer) \(String(reflecting: signer))"
  dump(signer, to: &dumped)
  // The seed's first bytes, 81 0a 14 02, would be dumped one to a line.
  let numbers = dumped.split { !$0.isNumber }.map(String.init)
  #expect(!numbers.contains(["129", "10", "20", "2"]))
  #expect(!dumped.contains("gQoUAtUUbI2E8kQzMPVAgOv5juF9nHT2JS/F1ccoMXM"))
  #expect(!dumped.lowercased().contains("810a1402"))
  #expect(NoteSigner(name: KeyName("a")!, seed: [UInt8](repeating: 1, count: 31)) == nil)
  #expect(NoteSigner(name: KeyName("a")!, seed: [UInt8](repeating: 1, count: 33)) == nil)
}

extension String {
  fileprivate func components(before separator: String) -> String {
    String(self[..<firstRange(of: separator)!.lowerBound])
  }

  fileprivate func firstRange(of text: String) -> Range<Index>? { ranges(of: text).first }
}

@Test("every flipped bit of a signed note is refused, or spares all that counts")
func flippedNotes() throws {
  let bytes = Array(Published.example.utf8)
  let key = try verifier(Published.exampleKey)
  for index in bytes.indices {
    for bit in 0..<8 {
      var other = bytes
      other[index] ^= 1 << UInt8(bit)
      let error = refusal { () throws(NoteError) in try SignedNote(other).verify([key]) }
      #expect(error != nil, "byte \(index), bit \(bit)")
      #expect(error?.message.isEmpty == false)
    }
  }
}

@Test("text may hold empty lines: the last one parts it from the signatures")
func emptyLines() throws {
  for text in ["a\n\nb\n", "\n", "\n\n\n", "a\n\n", "— not a signature\n\n— nor this\n"] {
    let signed = try SignedNote(signing: ExactText(text), by: [Published.neumannSigner])
    let read = try SignedNote(signed.bytes)
    #expect(read == signed)
    #expect(read.text == ExactText(text))
    _ = try read.verify([Published.neumannSigner.verifier])
  }
}

private let signature =
  "— PeterNeumann "
  + "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="

@Test(
  "what is no note is refused with its place",
  arguments: [
    ("", .lineEnd), ("\n", .noSignature), ("text\n", .noSignature), ("text\n\n", .noSignature),
    ("text\n" + signature + "\n", .noSignature),
    ("text\n\n" + signature, .lineEnd),
    ("text\n\n" + signature + "\n\n", .noSignature),
    ("text\r\n\r\n" + signature + "\r\n", .controlByte(0x0D, offset: 4)),
    ("text\n\n" + signature + "\r\n", .controlByte(0x0D, offset: 6 + signature.utf8.count)),
    ("a\tb\n\n" + signature + "\n", .controlByte(9, offset: 1)),
    ("a\u{0}b\n\n" + signature + "\n", .controlByte(0, offset: 1)),
    ("text\n\nx\n", .signatureForm(line: 3)),
    ("text\n\n- name AAAAAAA=\n", .signatureForm(line: 3)),
    ("text\n\n—name AAAAAAA=\n", .signatureForm(line: 3)),
    ("text\n\n— name\n", .signatureForm(line: 3)),
    ("text\n\n—  AAAAAAA=\n", .signatureName(line: 3)),
    ("text\n\n— a+b AAAAAAA=\n", .signatureName(line: 3)),
    ("text\n\n— a\u{A0}b AAAAAAA=\n", .signatureName(line: 3)),
    ("text\n\n— a\u{3000}b AAAAAAA=\n", .signatureName(line: 3)),
    ("text\n\n— a\u{85}b AAAAAAA=\n", .signatureName(line: 3)),
    ("text\n\n— name \n", .signatureShort(line: 3)),
    ("text\n\n— name AAAAAA==\n", .signatureShort(line: 3)),
    ("text\n\n— name AAAAAAA\n", .signatureBase64(line: 3)),
    ("text\n\n— name AAAAAAB=\n", .signatureBase64(line: 3)),
    ("text\n\n— name AAAA AAA=\n", .signatureBase64(line: 3)),
    ("text\n\n— name  AAAAAAA=\n", .signatureBase64(line: 3)),
    ("text\n\n— name AAAAAAA= \n", .signatureBase64(line: 3)),
    ("a\n\nb\n\n" + signature + "\n— b AAAAAA\n", .signatureBase64(line: 6)),
  ] as [(String, NoteError)])
func noNotes(text: String, expected: NoteError) {
  let found = refusal { () throws(NoteError) in try note(text) }
  #expect(found == expected, "\(text.debugDescription)")
}

@Test("bytes that are no UTF-8 are no note")
func noUTF8() {
  let rest = Array(("\n\n" + signature + "\n").utf8)
  for bad in [[0xFF], [0xC0, 0x80], [0xE2, 0x80], [0xED, 0xA0, 0x80]] as [[UInt8]] {
    #expect(refusal { () throws(NoteError) in try SignedNote(bad + rest) } == .utf8)
  }
}

@Test("a note that cannot be read back is not signed")
func unsignable() {
  func signing(_ text: ExactText, _ signers: [NoteSigner]) -> NoteError? {
    refusal { () throws(NoteError) in try SignedNote(signing: text, by: signers) }
  }
  let signer = Published.neumannSigner
  #expect(signing("", [signer]) == .lineEnd)
  #expect(signing("text", [signer]) == .lineEnd)
  #expect(signing("a\r\n", [signer]) == .controlByte(0x0D, offset: 1))
  #expect(signing("text\n", []) == .noSignature)
  #expect(signing("text\n", Array(repeating: signer, count: 101)) == .signatureCount(101))
}

@Test("16 to 100 signatures are read, 101 are not")
func manySignatures() throws {
  let key = Published.neumannSigner.verifier
  func withStrangers(_ count: Int) throws(NoteError) -> SignedNote {
    let strangers = (0..<count).map { "— stranger\($0) AAAAAAA=\n" }.joined()
    return try note(Published.neumann + strangers)
  }
  for count in [15, 16, 99] {
    #expect(try withStrangers(count).signatures.count == count + 1)
    #expect(try withStrangers(count).verify([key]).signers == [key])
  }
  #expect(
    refusal { () throws(NoteError) in try withStrangers(100) } == .signatureCount(101))
}

@Test("unknown keys are ignored; known ones must hold, once; one at least must be known")
func whoSigned() throws {
  let peter = Published.neumannSigner
  let ann = NoteSigner(name: KeyName("ann")!, seed: [UInt8](repeating: 7, count: 32))!
  let namesake = NoteSigner(name: KeyName("ann")!, seed: [UInt8](repeating: 8, count: 32))!
  let both = try SignedNote(signing: "text\n", by: [ann, peter])
  #expect(try both.verify([peter.verifier]).signers == [peter.verifier])
  #expect(
    try both.verify([peter.verifier, ann.verifier]).signers == [ann.verifier, peter.verifier])

  func verify(_ text: String, _ known: [NoteVerifier]) -> NoteError? {
    refusal { () throws(NoteError) in try note(text).verify(known) }
  }
  let text = String(decoding: both.bytes, as: UTF8.self)
  let lines = text.split(separator: "\n").map(String.init)
  let (annLine, peterLine) = (lines[1], lines[2])
  #expect(
    verify(text, []) == .noKnownSignature(signers: both.signatures.map { "\($0.name)+\($0.id)" }))
  // The same name, another id: unknown.
  #expect(
    verify(text, [namesake.verifier])
      == .noKnownSignature(signers: both.signatures.map { "\($0.name)+\($0.id)" }))

  // A known pair that fails refuses the note, though another signature holds.
  let blob = ann.verifier.id.bytes + [UInt8](repeating: 1, count: 64)
  let wrong = "text\n\n— ann \(Base64.encode(blob))\n\(peterLine)\n"
  #expect(verify(wrong, [peter.verifier]) == nil)
  #expect(
    verify(wrong, [peter.verifier, ann.verifier])
      == .signatureWrong(ann.verifier.name, ann.verifier.id))
  for count in [0, 63, 65] {
    let blob = ann.verifier.id.bytes + [UInt8](repeating: 1, count: max(count, 1))
    let short = "text\n\n— ann \(Base64.encode(blob))\n"
    #expect(
      verify(short, [ann.verifier]) == .signatureWrong(ann.verifier.name, ann.verifier.id))
  }

  // The right key's name and signature under another id: unknown.
  let other = [0, 0, 0, 1] + both.signatures[0].bytes
  let otherID = "text\n\n— ann \(Base64.encode(other))\n"
  #expect(verify(otherID, [ann.verifier]) == .noKnownSignature(signers: ["ann+00000001"]))

  // A signer that stands twice, the second time as good as the first; unknown ones may.
  let twice = "text\n\n\(annLine)\n\(annLine)\n\(peterLine)\n"
  #expect(
    verify(twice, [ann.verifier]) == .signatureRepeated(ann.verifier.name, ann.verifier.id))
  #expect(verify(twice, [peter.verifier]) == nil)
}

@Test("names are compared by bytes: two spellings of é are two signers")
func exactNames() throws {
  let seed = [UInt8](repeating: 7, count: 32)
  let one = NoteSigner(name: KeyName("caf\u{E9}")!, seed: seed)!
  let other = NoteSigner(name: KeyName("cafe\u{301}")!, seed: seed)!
  #expect(one.verifier.name.text.string == other.verifier.name.text.string)
  #expect(one.verifier.name != other.verifier.name)
  #expect(one.verifier != other.verifier)
  #expect(Set([one.verifier.name, other.verifier.name]).count == 2)
}

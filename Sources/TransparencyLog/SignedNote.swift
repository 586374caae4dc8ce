// Text with signatures under it, C2SP's signed-note (c2sp.org/signed-note), the bytes in full:
//
//     This is an example message.
//
//     — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mF…QaM=
//
// The text may hold empty lines: the last one of the note parts it from the signatures. Signed is
// the text with its last LF. A signature line is EM DASH, space, name, space, base64 of the key id
// (4 bytes) and the signature. What was parsed writes back to the same bytes.
//
// `SignedNote` is what came in: believe nothing of it. `VerifiedNote` is made by `verify` alone.

/// Why a note is none, or is not to be believed. `line` counts from 1, over the whole note.
public enum NoteError: Error, Sendable, Hashable {
  case utf8
  case controlByte(UInt8, offset: Int)
  case lineEnd
  case noSignature
  case signatureCount(Int)
  case signatureForm(line: Int)
  case signatureName(line: Int)
  case signatureBase64(line: Int)
  case signatureShort(line: Int)
  case signatureWrong(KeyName, KeyID)
  case signatureRepeated(KeyName, KeyID)
  case noKnownSignature(signers: [String])

  public var message: String {
    switch self {
    case .utf8: "the note is not UTF-8: it was damaged, or is no note"
    case .controlByte(let byte, let offset):
      "byte \(byte) at offset \(offset); a note has no control byte but LF"
        + (byte == 0x0D ? ": save it with Unix line ends" : "")
    case .lineEnd: "the text does not end in LF: part of it is missing"
    case .noSignature:
      "there is no empty line with signatures below it: the note is unsigned or cut"
    case .signatureCount(let count):
      "\(count) signature lines; at most \(SignedNote.signatureCountMax) are read"
    case .signatureForm(let line):
      "line \(line) is not a signature: an em dash, a space, a name, a space, base64"
    case .signatureName(let line):
      "line \(line): the signer's name is empty, or has a space, a + or a control byte"
    case .signatureBase64(let line):
      "line \(line): the signature is not base64 as RFC 4648 writes it, with its padding"
    case .signatureShort(let line):
      "line \(line): the signature has fewer than \(SignedNote.Signature.blobBytesMin) bytes"
    case .signatureWrong(let name, let id):
      "the signature of \(name)+\(id) is not that key's signature of this text: the note was "
        + "altered, or the key is another's; do not use it"
    case .signatureRepeated(let name, let id):
      "two signatures of \(name)+\(id): a signer signs a note once; do not use it"
    case .noKnownSignature(let signers):
      "none of the signers (\(signers.joined(separator: ", "))) is a key that was given: get the "
        + "signer's key from its owner"
    }
  }
}

/// A note as it came, well-formed, its signatures not checked.
public struct SignedNote: Sendable, Hashable {
  /// C2SP asks for 16 at least; Go's reader stops at 100 too. A cap bounds the work for a stranger.
  public static let signatureCountMax = 100

  public struct Signature: Sendable, Hashable {
    /// A key id and at least one byte.
    static let blobBytesMin = 5

    public let name: KeyName
    public let id: KeyID
    /// What the algorithm made: 64 bytes for Ed25519.
    public let bytes: [UInt8]

    var line: String { "— \(name) \(Base64.encode(id.bytes + bytes))\n" }
  }

  /// What is signed; ends in LF.
  public let text: ExactText
  /// One or more, in the order of their lines.
  public let signatures: [Signature]

  /// Signs a text, once with each signer, of which there is at least one.
  public init(signing text: ExactText, by signers: [NoteSigner]) throws(NoteError) {
    guard text.string.utf8.last == 0x0A else { throw .lineEnd }
    if let (byte, offset) = text.controlByte { throw .controlByte(byte, offset: offset) }
    guard !signers.isEmpty else { throw .noSignature }
    guard signers.count <= Self.signatureCountMax else { throw .signatureCount(signers.count) }
    self.text = text
    signatures = signers.map { $0.sign(text) }
  }

  /// Reads a whole note.
  public init(_ bytes: [UInt8]) throws(NoteError) {
    guard let whole = String(validating: bytes, as: UTF8.self) else { throw .utf8 }
    if let (byte, offset) = ExactText(whole).controlByte {
      throw .controlByte(byte, offset: offset)
    }
    guard bytes.last == 0x0A else { throw .lineEnd }
    guard
      let empty = bytes.indices.dropFirst().last(where: {
        bytes[$0] == 0x0A && bytes[$0 - 1] == 0x0A
      })
    else { throw .noSignature }
    text = ExactText(String(decoding: bytes[..<empty], as: UTF8.self))
    let lines = bytes[(empty + 1)...].split(separator: 0x0A)
    guard !lines.isEmpty else { throw .noSignature }
    guard lines.count <= Self.signatureCountMax else { throw .signatureCount(lines.count) }
    let firstLine = bytes[...empty].count { $0 == 0x0A } + 1
    var signatures: [Signature] = []
    for (index, line) in lines.enumerated() {
      signatures.append(try Self.signature(line, at: firstLine + index))
    }
    self.signatures = signatures
  }

  private static func signature(
    _ line: ArraySlice<UInt8>, at number: Int
  ) throws(NoteError) -> Signature {
    guard line.starts(with: "— ".utf8) else { throw .signatureForm(line: number) }
    let parts = line.dropFirst("— ".utf8.count)
      .split(separator: UInt8(ascii: " "), maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { throw .signatureForm(line: number) }
    guard let name = KeyName(String(decoding: parts[0], as: UTF8.self)) else {
      throw .signatureName(line: number)
    }
    guard let blob = Base64.decode(parts[1]) else { throw .signatureBase64(line: number) }
    guard blob.count >= Signature.blobBytesMin else { throw .signatureShort(line: number) }
    return Signature(
      name: name, id: KeyID(bigEndian: blob.prefix(4)), bytes: Array(blob.dropFirst(4)))
  }

  /// The whole note, as it was read or is to be written.
  public var bytes: [UInt8] {
    Array((text.string + "\n" + signatures.map(\.line).joined()).utf8)
  }

  /// Checks the signatures of the keys that are known. Those of other keys are ignored; a known
  /// key's that is wrong or stands twice, and the lack of any, refuse the whole note.
  public func verify(_ known: [NoteVerifier]) throws(NoteError) -> VerifiedNote {
    var signers: [NoteVerifier] = []
    for signature in signatures {
      let sameID = known.filter { $0.name == signature.name && $0.id == signature.id }
      guard !sameID.isEmpty else { continue }
      // Two known keys of one name and id are an accident of 1 in 2^32, or an attack: refused.
      guard sameID.allSatisfy({ $0.accepts(signature, of: text) }) else {
        throw .signatureWrong(signature.name, signature.id)
      }
      guard !signers.contains(sameID[0]) else {
        throw .signatureRepeated(signature.name, signature.id)
      }
      signers.append(sameID[0])
    }
    guard !signers.isEmpty else {
      throw .noKnownSignature(signers: signatures.map { "\($0.name)+\($0.id)" })
    }
    return VerifiedNote(text: text, signers: signers)
  }
}

/// A text that known keys signed.
public struct VerifiedNote: Sendable, Hashable {
  public let text: ExactText
  /// Whose signatures were checked, one or more, in the order of their lines.
  public let signers: [NoteVerifier]

  fileprivate init(text: ExactText, signers: [NoteVerifier]) {
    self.text = text
    self.signers = signers
  }
}

// A public key and the name it signs under, in the text form that C2SP tools share, a "vkey":
//
//     example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k
//     name            key id   base64 of 01 (Ed25519) and the 32 bytes of the key
//
// The base64 may hold a `+` of its own: the text is split at the first two only.

/// Why a text is no key that notes can be checked with.
public enum NoteVerifierError: Error, Sendable, Hashable {
  case form
  case name
  case id(stated: String, computed: KeyID)
  case base64
  case kind(UInt8)
  case keyByteCount(Int)
  case weak

  public var message: String {
    switch self {
    case .form: "a key has the form name+12345678+base64: copy it whole, without spaces"
    case .name: "the key's name is empty, or has a space or a control byte"
    case .id(let stated, let computed):
      "the key says its id is \"\(stated)\", its name and bytes make \(computed): part of it is "
        + "missing or mistyped; copy it again"
    case .base64: "the key's last part is not base64 as RFC 4648 writes it, with its padding"
    case .kind(let kind):
      "the key is of kind \(kind); this program checks kind 1: ask for the log's Ed25519 key"
    case .keyByteCount(let count):
      "the key has \(count) bytes, an Ed25519 key has \(Ed25519PublicKey.byteCount): copy it again"
    case .weak:
      "under this key anybody could sign, or it has a second spelling: no honest signer has it"
    }
  }
}

/// Checks one signer's signatures.
public struct NoteVerifier: Sendable, Hashable, CustomStringConvertible {
  public let name: KeyName
  public let id: KeyID
  public let key: Ed25519PublicKey

  public init(name: KeyName, key: Ed25519PublicKey) {
    self.name = name
    self.key = key
    id = KeyID(name: name, key: key)
  }

  /// Reads a vkey.
  public init(vkey: String) throws(NoteVerifierError) {
    let parts = vkey.utf8.split(
      separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { throw .form }
    guard let name = KeyName(String(parts[0]) ?? "") else { throw .name }
    guard let blob = Base64.decode(parts[2]), let kind = blob.first else { throw .base64 }
    guard kind == Ed25519PublicKey.noteType else { throw .kind(kind) }
    guard blob.count == 1 + Ed25519PublicKey.byteCount else {
      throw .keyByteCount(blob.count - 1)
    }
    guard let key = Ed25519PublicKey(Array(blob.dropFirst())) else { throw .weak }
    self.init(name: name, key: key)
    guard id.description.utf8.elementsEqual(parts[1]) else {
      throw .id(stated: String(parts[1]) ?? "", computed: id)
    }
  }

  public var vkey: String {
    "\(name)+\(id)+" + Base64.encode([Ed25519PublicKey.noteType] + key.bytes)
  }

  public var description: String { vkey }

  /// Whether a signature of this name and id is this key's signature of the text.
  func accepts(_ signature: SignedNote.Signature, of text: ExactText) -> Bool {
    key.isSignature(signature.bytes, of: text.bytes)
  }
}

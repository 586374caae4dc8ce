// The private half of a `NoteVerifier`. The seed is handed in, and goes no further than OpenSSL.

/// Signs notes under a name.
public struct NoteSigner: Sendable, CustomStringConvertible {
  /// What others check the signatures with.
  public let verifier: NoteVerifier
  private let key: Ed25519PrivateKey

  /// Nil unless the seed has 32 bytes, which ought to be random.
  public init?(name: KeyName, seed: [UInt8]) {
    guard let key = Ed25519PrivateKey(seed: seed) else { return nil }
    self.init(name: name, key: key)
  }

  init(name: KeyName, key: Ed25519PrivateKey) {
    self.key = key
    verifier = NoteVerifier(name: name, key: key.publicKey)
  }

  func sign(_ text: ExactText) -> SignedNote.Signature {
    SignedNote.Signature(name: verifier.name, id: verifier.id, bytes: key.sign(text.bytes))
  }

  /// The public half alone.
  public var description: String { "signer of \(verifier.vkey)" }
}

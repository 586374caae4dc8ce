// Four bytes that tell a name's keys apart: 530d903a in a vkey, and before the signature in the
// base64 of a signature line. They prove nothing: anybody can find another key with the same four,
// and will then fail the signature.

/// The first four bytes of SHA-256(name, LF, 01, public key), as a big-endian number.
public struct KeyID: Sendable, Hashable, CustomStringConvertible {
  public let number: UInt32

  public init(_ number: UInt32) { self.number = number }

  /// The id of an Ed25519 key of that name.
  public init(name: KeyName, key: Ed25519PublicKey) {
    var hasher = SHA256()
    let input = name.text.bytes + [0x0A, Ed25519PublicKey.noteType] + key.bytes
    self.init(bigEndian: input.withUnsafeBufferPointer { hasher.hash($0) }.bytes.prefix(4))
  }

  init(bigEndian bytes: some Sequence<UInt8>) {
    number = bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  var bytes: [UInt8] { withUnsafeBytes(of: number.bigEndian) { Array($0) } }

  /// Eight lowercase hexadecimal digits.
  public var description: String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
  }
}

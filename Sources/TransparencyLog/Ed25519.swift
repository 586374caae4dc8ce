// Ed25519 (RFC 8032) by OpenSSL: a seed of 32 bytes makes a public key of 32 bytes, and signatures
// of 64 bytes, the same each time for the same text. Signing takes 40 microseconds, checking 100.
//
// A few public keys let anybody sign (points of small order), and some have a second spelling (a
// coordinate of 2^255 - 19 or more). Nobody gets such a key from a seed, so both are refused.

import COpenSSL

/// A public key that can be relied on as far as its form goes.
public struct Ed25519PublicKey: Sendable, Hashable {
  public static let byteCount = 32
  public static let signatureByteCount = 64
  /// What stands for this kind of key in a key id and a vkey (c2sp.org/signed-note).
  static let noteType: UInt8 = 1

  public let bytes: [UInt8]

  /// Nil unless there are 32 bytes in their one spelling, and no signature could be made without a
  /// private key.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.byteCount, Self.isOneSpelling(bytes), !Self.isSmallOrder(bytes)
    else { return nil }
    self.bytes = bytes
  }

  /// The id of the device whose key it is (docs/reference/membership.md, M-2).
  public var deviceID: SHA256Digest { SHA256Digest(of: bytes) }

  /// Whether the private key signed these bytes.
  public func isSignature(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard signature.count == Self.signatureByteCount,
      let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
    else { return false }
    defer { EVP_PKEY_free(key) }
    guard let context = EVP_MD_CTX_new() else { stop("OpenSSL has no memory") }
    defer { EVP_MD_CTX_free(context) }
    return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
      && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }

  /// Whether y, the low 255 bits, little-endian, is below 2^255 - 19 = 7fff…ffed.
  private static func isOneSpelling(_ bytes: [UInt8]) -> Bool {
    bytes[31] & 0x7F != 0x7F || bytes[0] < 0xED || bytes[1..<31].contains { $0 != 0xFF }
  }

  private static func isSmallOrder(_ bytes: [UInt8]) -> Bool {
    smallOrder.contains(Array(bytes.prefix(31)) + [bytes[31] & 0x7F])
  }

  /// The y of the points whose order divides 8: 1 (order 1), -1 (2), 0 (4), and two of order 8.
  private static let smallOrder: [[UInt8]] = [
    [1] + [UInt8](repeating: 0, count: 31),
    [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F],
    [UInt8](repeating: 0, count: 32),
    [
      0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF, 0x98,
      0xF0,
      0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88, 0x6D, 0x53, 0xFC,
      0x05,
    ],
    [
      0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67,
      0x0F,
      0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03,
      0x7A,
    ],
  ]
}

/// A private key. OpenSSL holds it, and wipes it when the last owner lets go; it cannot be printed.
final class Ed25519PrivateKey: @unchecked Sendable {
  // Sendable: OpenSSL only reads a key after it was made.
  let key: OpaquePointer

  /// Nil unless the seed has 32 bytes.
  init?(seed: [UInt8]) {
    guard seed.count == Ed25519PublicKey.byteCount,
      let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
    else { return nil }
    self.key = key
  }

  /// Takes over a key of OpenSSL's.
  init(owning key: OpaquePointer) { self.key = key }

  deinit { EVP_PKEY_free(key) }

  var publicKey: Ed25519PublicKey {
    var bytes = [UInt8](repeating: 0, count: Ed25519PublicKey.byteCount)
    var count = bytes.count
    guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1,
      let publicKey = Ed25519PublicKey(bytes)
    else { stop("OpenSSL gave no public key") }
    return publicKey
  }

  /// 64 bytes, the same each time.
  func sign(_ message: [UInt8]) -> [UInt8] {
    guard let context = EVP_MD_CTX_new() else { stop("OpenSSL has no memory") }
    defer { EVP_MD_CTX_free(context) }
    var signature = [UInt8](repeating: 0, count: Ed25519PublicKey.signatureByteCount)
    var count = signature.count
    guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
      EVP_DigestSign(context, &signature, &count, message, message.count) == 1,
      count == signature.count
    else { stop("OpenSSL made no signature") }
    return signature
  }
}

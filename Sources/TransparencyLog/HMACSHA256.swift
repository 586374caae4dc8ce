// HMAC-SHA-256 (RFC 2104) by OpenSSL: 32 bytes that only who has the key can make of a message.

import COpenSSL

/// What a key says of a message. No `==`: that would tell by its time how much of a guess was right.
public struct HMACSHA256: Sendable {
  /// 32 of them.
  public let bytes: [UInt8]

  public init(key: [UInt8], message: [UInt8]) {
    var bytes = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
    guard HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &bytes, nil) != nil
    else { stop("OpenSSL made no HMAC") }
    self.bytes = bytes
  }

  /// Whether these are its bytes, found in the same time whichever of them are wrong.
  public func matches(_ others: [UInt8]) -> Bool {
    others.count == bytes.count && CRYPTO_memcmp(bytes, others, bytes.count) == 0
  }
}

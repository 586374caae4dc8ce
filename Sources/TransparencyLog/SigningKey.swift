// A machine's private key as a file: PKCS#8 in PEM, which `openssl pkey` and every crypto library read.
//
//     -----BEGIN PRIVATE KEY-----
//     MC4CAQAwBQYDK2VwBCIE…
//     -----END PRIVATE KEY-----

import COpenSSL

/// One Ed25519 key, which may sign under many names. It cannot be printed.
public struct SigningKey: Sendable {
  let key: Ed25519PrivateKey

  /// Nil unless the seed has 32 bytes, which ought to be random.
  public init?(seed: [UInt8]) {
    guard let key = Ed25519PrivateKey(seed: seed) else { return nil }
    self.key = key
  }

  init(owning key: Ed25519PrivateKey) { self.key = key }

  /// Reads a key that is not encrypted; nil where the text is no Ed25519 key.
  public init?(pem: [UInt8]) {
    guard let key = Ed25519PrivateKey(pem: pem) else { return nil }
    self.key = key
  }

  /// What its signatures are checked with.
  public var publicKey: Ed25519PublicKey { key.publicKey }

  /// The 32 bytes that the key is made from: for a code on paper.
  public var seed: [UInt8] {
    var seed = [UInt8](repeating: 0, count: 32)
    var count = seed.count
    guard EVP_PKEY_get_raw_private_key(key.key, &seed, &count) == 1, count == seed.count else {
      stop("OpenSSL gave no key back")
    }
    return seed
  }

  /// The key for a file that nobody else can read.
  public var pem: [UInt8] { key.pem }

  /// Signs bytes that are no note: 64 bytes, the same each time. Their first line has to say what they are, so that
  /// no signature of one thing is one of another.
  public func signature(of message: [UInt8]) -> [UInt8] { key.sign(message) }

  /// OpenSSL's key, for callers that hand it back to OpenSSL: a copy in PEM would stay behind in memory.
  package func withOpenSSLKey<Result>(_ body: (OpaquePointer) -> Result) -> Result {
    withExtendedLifetime(key) { body(key.key) }
  }

  /// Signs under a name, such as that of a log.
  public func signer(named name: KeyName) -> NoteSigner { NoteSigner(name: name, key: key) }
}

extension Ed25519PrivateKey {
  convenience init?(pem: [UInt8]) {
    guard let bio = BIO_new_mem_buf(pem, Int32(pem.count)) else { stop("OpenSSL has no memory") }
    defer { BIO_free(bio) }
    // An encrypted key is not asked about on a terminal: the empty passphrase fits none.
    var none: CChar = 0
    guard
      let key = withUnsafeMutablePointer(
        to: &none,
        {
          PEM_read_bio_PrivateKey(bio, nil, nil, $0)
        })
    else {
      ERR_clear_error()
      return nil
    }
    guard EVP_PKEY_is_a(key, "ED25519") == 1 else {
      EVP_PKEY_free(key)
      return nil
    }
    self.init(owning: key)
  }

  var pem: [UInt8] {
    guard let bio = BIO_new(BIO_s_secmem()) else { stop("OpenSSL has no memory") }
    defer { BIO_free(bio) }
    guard PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil) == 1 else {
      stop("OpenSSL wrote no key")
    }
    var bytes = [UInt8](repeating: 0, count: 512)
    let count = BIO_read(bio, &bytes, Int32(bytes.count))
    guard count > 0, count < bytes.count else { stop("OpenSSL gave no key back") }
    return Array(bytes[..<Int(count)])
  }
}

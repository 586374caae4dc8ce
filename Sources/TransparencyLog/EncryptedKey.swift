// A machine's private key for a place that others may read: PKCS#8, encrypted with a passphrase, in PEM.
// `openssl pkey -in key.pem` reads it.
//
//     -----BEGIN ENCRYPTED PRIVATE KEY-----
//     MIG…                                     PBES2: scrypt makes a key for AES-256 in CBC mode
//     -----END ENCRYPTED PRIVATE KEY-----
//
// Each guess at the passphrase costs a tenth of a second and 16 MiB (scrypt with N = 2^14, r = 8, p = 5):
// more memory would be more than OpenSSL's tools allow.

import COpenSSL

extension SigningKey {
  private static let scrypt: (n: UInt64, r: UInt64, p: UInt64) = (1 << 14, 8, 5)
  private static let saltBytes: Int32 = 16

  /// The key, encrypted; other bytes each time.
  public func pem(encryptedWith passphrase: Passphrase) -> [UInt8] {
    guard
      let method = PKCS5_pbe2_set_scrypt(
        EVP_aes_256_cbc(), nil, Self.saltBytes, nil, Self.scrypt.n, Self.scrypt.r, Self.scrypt.p),
      let plain = EVP_PKEY2PKCS8(key.key)
    else { stop("OpenSSL has no memory") }
    defer { PKCS8_PRIV_KEY_INFO_free(plain) }
    let sealed = passphrase.withCharacters { PKCS8_set0_pbe($0, $1, plain, method) }
    guard let sealed else { stop("OpenSSL encrypted no key") }
    defer { X509_SIG_free(sealed) }
    guard let bio = BIO_new(BIO_s_mem()) else { stop("OpenSSL has no memory") }
    defer { BIO_free(bio) }
    guard PEM_write_bio_PKCS8(bio, sealed) == 1 else { stop("OpenSSL wrote no key") }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = BIO_read(bio, &bytes, Int32(bytes.count))
    guard count > 0, count < bytes.count else { stop("OpenSSL gave no key back") }
    return Array(bytes[..<Int(count)])
  }

  /// Reads an encrypted key; nil where the passphrase is another one, or the text no such key.
  public init?(pem: [UInt8], passphrase: Passphrase) {
    guard let bio = BIO_new_mem_buf(pem, Int32(pem.count)) else { stop("OpenSSL has no memory") }
    defer {
      BIO_free(bio)
      ERR_clear_error()
    }
    guard let sealed = PEM_read_bio_PKCS8(bio, nil, nil, nil) else { return nil }
    defer { X509_SIG_free(sealed) }
    guard let plain = passphrase.withCharacters({ PKCS8_decrypt(sealed, $0, $1) }) else {
      return nil
    }
    defer { PKCS8_PRIV_KEY_INFO_free(plain) }
    guard let key = EVP_PKCS82PKEY(plain) else { return nil }
    guard EVP_PKEY_is_a(key, "ED25519") == 1 else {
      EVP_PKEY_free(key)
      return nil
    }
    self.init(owning: Ed25519PrivateKey(owning: key))
  }
}

extension Passphrase {
  fileprivate func withCharacters<Result>(
    _ body: (UnsafePointer<CChar>, Int32) -> Result
  ) -> Result {
    bytes.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { body($0.baseAddress!, Int32($0.count)) }
    }
  }
}

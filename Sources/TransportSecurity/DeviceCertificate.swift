// The certificate that a device shows. TLS wants one; all that counts in it is the key. So it is made
// anew at each start, signed by itself, with names and dates that say nothing and that nobody reads:
//
//     subject, issuer  CN=timeline        serial  1        1970-01-01 to 9999-12-31
//
// The proof that the other side has the private key is its signature over the handshake.

import CLibSSL
import TransparencyLog

enum DeviceCertificate {
  /// A new one; OpenSSL's, for the caller to free.
  static func make(_ key: OpaquePointer) -> OpaquePointer {
    guard let certificate = X509_new(), let name = X509_get_subject_name(certificate) else {
      stop("OpenSSL has no memory")
    }
    let isMade =
      X509_set_version(certificate, Int(X509_VERSION_3)) == 1
      && ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1
      && ASN1_TIME_set_string(X509_getm_notBefore(certificate), "19700101000000Z") == 1
      && ASN1_TIME_set_string(X509_getm_notAfter(certificate), "99991231235959Z") == 1
      && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, "timeline", -1, -1, 0) == 1
      && X509_set_issuer_name(certificate, name) == 1
      && X509_set_pubkey(certificate, key) == 1
      // Ed25519 has no digest of its own to name; 0 is a failure, else the signature's size.
      && X509_sign(certificate, key, nil) > 0
    guard isMade else { stop("OpenSSL made no certificate") }
    return certificate
  }

  /// The key of a device that shows this certificate alone; nil where it is not one of a device. A
  /// weak Ed25519 key is none (`Ed25519PublicKey`).
  static func key(_ certificate: OpaquePointer?, chainCount: Int32) -> Ed25519PublicKey? {
    guard chainCount == 1, let certificate, let key = X509_get0_pubkey(certificate),
      EVP_PKEY_is_a(key, "ED25519") == 1
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Ed25519PublicKey.byteCount)
    var count = bytes.count
    guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1, count == bytes.count else {
      return nil
    }
    return Ed25519PublicKey(bytes)
  }
}

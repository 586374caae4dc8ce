// Both ends of a session in one process, and what is between them.

import CLibSSL
import Support
import TransparencyLog

@testable import TransportSecurity

/// What can stand at an end: a session of ours, or what is no timelined.
protocol End: AnyObject {
  func receive(_ bytes: [UInt8]) -> [UInt8]
  func takeOutput() -> [UInt8]
}

extension TLSSession: End {
  var failure: TLSFailure? { if case .closed(let failure) = state { failure } else { nil } }
  var isOpen: Bool { if case .open = state { true } else { false } }
}

func device(_ number: UInt8) -> TLSContext {
  TLSContext(SigningKey(seed: [UInt8](repeating: number, count: 32))!)
}

/// Carries bytes both ways until nobody has more to say; what each end heard.
@discardableResult
func talk(
  _ one: any End, _ other: any End, pieces: () -> Int = { .max }
) -> (one: [UInt8], other: [UInt8]) {
  var (oneHeard, otherHeard): ([UInt8], [UInt8]) = ([], [])
  while true {
    let (there, back) = (one.takeOutput(), other.takeOutput())
    if there.isEmpty, back.isEmpty { return (oneHeard, otherHeard) }
    for piece in cut(there, pieces) { otherHeard += other.receive(piece) }
    for piece in cut(back, pieces) { oneHeard += one.receive(piece) }
  }
}

private func cut(_ bytes: [UInt8], _ pieces: () -> Int) -> [[UInt8]] {
  var rest = bytes[...]
  var result: [[UInt8]] = []
  while !rest.isEmpty {
    result.append(Array(rest.prefix(pieces())))
    rest = rest.dropFirst(result.last!.count)
  }
  return result
}

/// An end that obeys nobody: OpenSSL as the test sets it up.
final class AnyPeer: End {
  let context: OpaquePointer
  let ssl: OpaquePointer
  private let incoming = BIO_new(BIO_s_mem())!
  private let outgoing = BIO_new(BIO_s_mem())!
  private(set) var isOpen = false
  /// The alert that came, or why it gave up, in OpenSSL's words.
  private(set) var failure: String?

  /// The lines of its key log: what `Forger` seals with.
  fileprivate var secrets: [String] = []

  init(_ role: TLSSession.Role, _ setUp: (OpaquePointer) -> Void) {
    context = SSL_CTX_new(TLS_method())
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256")
    SSL_CTX_set_keylog_callback(context) { ssl, line in
      let peer = Unmanaged<AnyPeer>.fromOpaque(SSL_get_ex_data(ssl, 0)!).takeUnretainedValue()
      peer.secrets.append(String(cString: line!))
    }
    SSL_CTX_set_alpn_protos(context, TLSContext.protocols, UInt32(TLSContext.protocols.count))
    SSL_CTX_set_alpn_select_cb(
      context,
      { _, chosen, length, offered, count, _ in
        chosen!.pointee = offered! + 1
        length!.pointee = offered!.pointee
        return SSL_TLSEXT_ERR_OK
      }, nil)
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
    setUp(context)
    ssl = SSL_new(context)
    SSL_set_bio(ssl, incoming, outgoing)
    SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    if role == .client { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
    if role == .client { _ = receive([]) }
  }

  deinit {
    SSL_free(ssl)
    SSL_CTX_free(context)
  }

  func receive(_ bytes: [UInt8]) -> [UInt8] {
    BIO_write(incoming, bytes, Int32(bytes.count))
    guard failure == nil else { return [] }
    if !isOpen {
      isOpen = outcome(SSL_do_handshake(ssl))
      guard isOpen else { return [] }
    }
    var plain: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while case let count = SSL_read(ssl, &buffer, Int32(buffer.count)), outcome(count) {
      plain += buffer[..<Int(count)]
    }
    return plain
  }

  private func outcome(_ code: Int32) -> Bool {
    if code > 0 { return true }
    if SSL_get_error(ssl, code) == SSL_ERROR_SSL {
      failure = String(cString: ERR_reason_error_string(ERR_peek_last_error()))
      ERR_clear_error()
    }
    return false
  }

  func send(_ bytes: [UInt8]) { SSL_write(ssl, bytes, Int32(bytes.count)) }

  func takeOutput() -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: BIO_ctrl_pending(outgoing))
    guard !bytes.isEmpty else { return [] }
    BIO_read(outgoing, &bytes, Int32(bytes.count))
    return bytes
  }
}

/// Seals records with the keys of a client whose session is open and which has said nothing in it: such as
/// OpenSSL would not send.
final class Forger {
  private let key: [UInt8]
  private let iv: [UInt8]
  private var sequence: UInt64 = 0

  init(_ client: AnyPeer) {
    let line = client.secrets.last { $0.hasPrefix("CLIENT_TRAFFIC_SECRET_0 ") }!
    let digits = Array(line.split(separator: " ")[2])
    let secret = stride(from: 0, to: digits.count, by: 2).map {
      UInt8(String(digits[$0..<$0 + 2]), radix: 16)!
    }
    // HKDF-Expand-Label (RFC 8446, 7.1) of less than one hash.
    func expand(_ label: String, _ count: Int) -> [UInt8] {
      let name = Array("tls13 \(label)".utf8)
      let info = [0, UInt8(count), UInt8(name.count)] + name + [0, 1]
      var out = [UInt8](repeating: 0, count: 32)
      HMAC(EVP_sha256(), secret, Int32(secret.count), info, info.count, &out, nil)
      return Array(out[..<count])
    }
    key = expand("key", 16)
    iv = expand("iv", 12)
  }

  func record(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
    let inner = body + [type]
    let count = inner.count + 16
    let header: [UInt8] = [23, 3, 3, UInt8(count >> 8), UInt8(count & 255)]
    var nonce = iv
    for place in 0..<8 { nonce[11 - place] ^= UInt8(truncatingIfNeeded: sequence >> (8 * place)) }
    sequence += 1
    let context = EVP_CIPHER_CTX_new()
    defer { EVP_CIPHER_CTX_free(context) }
    var sealed = [UInt8](repeating: 0, count: inner.count)
    var tag = [UInt8](repeating: 0, count: 16)
    var done: Int32 = 0
    EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nil, key, nonce)
    EVP_EncryptUpdate(context, nil, &done, header, 5)
    EVP_EncryptUpdate(context, &sealed, &done, inner, Int32(inner.count))
    EVP_EncryptFinal_ex(context, nil, &done)
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, &tag)
    return header + sealed + tag
  }
}

/// Keys and certificates of any kind.
enum Make {
  static func key(_ kind: String) -> OpaquePointer {
    switch kind {
    case "RSA":
      let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil)
      defer { EVP_PKEY_CTX_free(context) }
      EVP_PKEY_keygen_init(context)
      EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
      var key: OpaquePointer?
      EVP_PKEY_generate(context, &key)
      return key!
    case "EC":
      let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
      defer { EVP_PKEY_CTX_free(context) }
      EVP_PKEY_keygen_init(context)
      EVP_PKEY_CTX_set_group_name(context, "P-256")
      var key: OpaquePointer?
      EVP_PKEY_generate(context, &key)
      return key!
    default:
      let context = EVP_PKEY_CTX_new_from_name(nil, kind, nil)
      defer { EVP_PKEY_CTX_free(context) }
      EVP_PKEY_keygen_init(context)
      var key: OpaquePointer?
      EVP_PKEY_generate(context, &key)
      return key!
    }
  }

  /// With a name of so many bytes; by its own key, or unsigned where that cannot sign.
  static func certificate(_ key: OpaquePointer, nameBytes: Int = 4, isSigned: Bool = true)
    -> OpaquePointer
  {
    let certificate = X509_new()!
    X509_set_version(certificate, 2)
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 7)
    X509_gmtime_adj(X509_getm_notBefore(certificate), -100_000)
    X509_gmtime_adj(X509_getm_notAfter(certificate), -1000)
    let name = X509_get_subject_name(certificate)
    for _ in 0..<max(1, nameBytes / 60) {
      let text = [UInt8](repeating: UInt8(ascii: "x"), count: min(60, nameBytes))
      X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, Int32(text.count), -1, 0)
    }
    X509_set_issuer_name(certificate, name)
    X509_set_pubkey(certificate, key)
    let kind = String(cString: EVP_PKEY_get0_type_name(key))
    if isSigned { X509_sign(certificate, key, kind.hasPrefix("ED") ? nil : EVP_sha256()) }
    return certificate
  }

  /// Sets up an end with a key and a certificate of it.
  static func identity(_ context: OpaquePointer, _ kind: String, nameBytes: Int = 4) {
    let key = key(kind)
    let certificate = certificate(key, nameBytes: nameBytes)
    SSL_CTX_use_certificate(context, certificate)
    SSL_CTX_use_PrivateKey(context, key)
    X509_free(certificate)
    EVP_PKEY_free(key)
  }
}

// What all sessions of this machine have in common: its key, and which TLS is spoken.
//
//     TLS 1.3 alone       no older version, renegotiation, compression
//     mutual              both sides show a device's certificate; chains are refused
//     ALPN                timeline-sync/1, and nothing else
//     Ed25519, X25519     signatures and key exchange; no curve or size to choose
//     no SNI, tickets,    each connection is a handshake of its own: nothing links two of them, and
//     resumption, 0-RTT   nothing can be replayed
//
// Dates and names in certificates are ignored: a device is its key (`TLSSession`).

import CLibSSL
import TransparencyLog

/// Any thread may make sessions of it: it is only read once it is made.
public final class TLSContext: @unchecked Sendable {
  // Sendable: OpenSSL counts the owners of a context with atomics, and sessions only read it.
  let context: OpaquePointer
  /// What this machine is known by.
  public let publicKey: Ed25519PublicKey

  /// As ALPN names what is spoken within.
  public static let protocolName = "timeline-sync/1"
  /// The same on the wire: its length, and it.
  static let protocols = [UInt8(protocolName.utf8.count)] + Array(protocolName.utf8)

  /// A device's certificate has a quarter of this.
  private static let certificateBytesMax = 1 << 10

  /// - Parameter key: the device's, which never leaves the machine.
  public init(_ key: SigningKey) {
    publicKey = key.publicKey
    guard let context = SSL_CTX_new(TLS_method()) else { stop("OpenSSL made no TLS context") }
    self.context = context
    key.withOpenSSLKey { key in
      let certificate = DeviceCertificate.make(key)
      defer { X509_free(certificate) }
      guard SSL_CTX_use_certificate(context, certificate) == 1,
        SSL_CTX_use_PrivateKey(context, key) == 1
      else { stop("OpenSSL took no device key") }
    }
    setVersion()
    setNoResumption()
    setPeers()
    setProtocol()
  }

  deinit { SSL_CTX_free(context) }

  private func setVersion() {
    // The level is set here since the system's openssl.cnf may ask for more than Ed25519 has.
    SSL_CTX_set_security_level(context, 2)
    guard clibssl_set_versions(context, TLS1_3_VERSION, TLS1_3_VERSION) == 1,
      clibssl_set_signatures(context, "ed25519") == 1,
      clibssl_set_groups(context, "X25519") == 1,
      SSL_CTX_set_ciphersuites(
        context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1
    else { stop("OpenSSL does not offer TLS 1.3 with Ed25519 and X25519") }
  }

  private func setNoResumption() {
    SSL_CTX_set_options(context, clibssl_options)
    guard SSL_CTX_set_num_tickets(context, 0) == 1, SSL_CTX_set_max_early_data(context, 0) == 1,
      SSL_CTX_set_recv_max_early_data(context, 0) == 1
    else { stop("OpenSSL does not leave tickets out") }
    clibssl_set_session_cache(context, Int(SSL_SESS_CACHE_OFF))
    // Buffers are given back while a connection is quiet.
    clibssl_set_mode(context, Int(SSL_MODE_RELEASE_BUFFERS))
  }

  private func setPeers() {
    clibssl_set_max_cert_list(context, Self.certificateBytesMax)
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    SSL_CTX_set_cert_verify_callback(
      context,
      { store, _ in
        guard let store, let session = TLSSession.of(store: store) else { return 0 }
        let key = DeviceCertificate.key(
          X509_STORE_CTX_get0_cert(store), chainCount: clibssl_chain_count(store))
        guard session.accepts(key) else {
          // What the other side is told: bad_certificate.
          X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
          return 0
        }
        return 1
      }, nil)
    SSL_CTX_set_msg_callback(context) { isWritten, _, type, bytes, count, ssl, _ in
      guard isWritten == 0, type == SSL3_RT_HANDSHAKE, count > 0, let bytes, let ssl else { return }
      TLSSession.of(ssl)?.heard(message: bytes.load(as: UInt8.self))
    }
  }

  private func setProtocol() {
    // It is 0 where all went well, other than everywhere else.
    guard SSL_CTX_set_alpn_protos(context, Self.protocols, UInt32(Self.protocols.count)) == 0 else {
      stop("OpenSSL takes no protocol's name")
    }
    SSL_CTX_set_alpn_select_cb(
      context,
      { _, chosen, length, offered, count, _ in
        guard let chosen, let length, let offered,
          let place = TLSContext.place(of: UnsafeBufferPointer(start: offered, count: Int(count)))
        else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        chosen.pointee = offered + place
        length.pointee = TLSContext.protocols[0]
        return SSL_TLSEXT_ERR_OK
      }, nil)
  }

  /// Where our protocol's name stands in a list of names, each behind its length.
  private static func place(of offered: UnsafeBufferPointer<UInt8>) -> Int? {
    var at = 0
    while at < offered.count {
      let end = at + 1 + Int(offered[at])
      guard end <= offered.count else { return nil }
      if offered[at..<end].elementsEqual(protocols) { return at + 1 }
      at = end
    }
    return nil
  }
}

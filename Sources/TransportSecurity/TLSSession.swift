// One connection between two devices, without the connection: bytes that came are handed in, what is to
// be sent is taken out. It knows no socket, no clock and no thread.
//
//     handshaking ──▶ open ──▶ closed
//         └───────────────────────┘
//
//     receive(what came)  ─▶ what it says             takeOutput() ─▶ what is to be sent, at any time
//     send(what to say)   ─▶ how much of it was taken
//
// The other side is who its key says (`TLSContext`): a device's id is the SHA-256 of the 32 bytes of its
// public key. Where one is expected, any other is refused before a byte of it is read.
//
// A client's session is open once it has sent its last word of the handshake: that the server refuses
// it, it hears after that (`TLSFailure.refused`).

import CLibSSL
import TransparencyLog

/// It belongs to one thread at a time.
public final class TLSSession {
  public enum Role: Sendable {
    /// It called.
    case client
    /// It was called.
    case server
  }

  public enum State: Sendable, Hashable {
    case handshaking
    case open(peer: Ed25519PublicKey)
    /// Nothing more is taken. What is still to be sent (an alert, a farewell) may be taken out.
    case closed(TLSFailure?)
  }

  public private(set) var state = State.handshaking
  /// The other side has said farewell: it says no more, and may still listen.
  public private(set) var hasInputEnded = false

  private let ssl: OpaquePointer
  /// What the context says holds as long as it does.
  private let context: TLSContext
  private let role: Role
  private let expected: SHA256Digest?

  /// What OpenSSL has not read yet of what came; empty but within `receive`.
  private var input = UnsafeRawBufferPointer(start: nil, count: 0)
  private var output: [UInt8] = []
  private var handshakeBytes = 0
  /// Set by the judgement of the other side's certificate.
  private var peer: Ed25519PublicKey?
  private var refusal: TLSFailure?
  /// Messages in a row that changed keys, while nothing was said.
  private var keyUpdates = 0
  private var recordsSent = 0

  /// What the other side may say before it is known: as much as a stranger may.
  public static let handshakeBytesMax = 16 << 10
  /// Beyond this much output nothing more is taken to be sent.
  public static let outputBytesMax = 256 << 10
  /// What one side may send sealed in one piece.
  private static let recordBytesMax = 16 << 10
  /// A piece with all that TLS puts around it.
  private static let sealedBytesMax = (16 << 10) + 256 + 5
  private static let keyUpdatesMax = 32
  /// After so many pieces our key is changed: AES-GCM is good for 2^24.5 (RFC 9846, 5.5).
  private let recordsPerKey: Int

  /// - Parameter expected: the id of the device that is to be at the other end; nil for any.
  public convenience init(_ role: Role, _ context: TLSContext, expected: SHA256Digest? = nil) {
    self.init(role, context, expected: expected, recordsPerKey: 1 << 23)
  }

  init(_ role: Role, _ context: TLSContext, expected: SHA256Digest?, recordsPerKey: Int) {
    guard let ssl = SSL_new(context.context), let bio = BIO_new(Self.method) else {
      stop("OpenSSL has no memory")
    }
    self.ssl = ssl
    self.context = context
    self.role = role
    self.expected = expected
    self.recordsPerKey = recordsPerKey
    // OpenSSL's way back to this object ends with it: its callbacks run within our calls alone.
    let pointer = Unmanaged.passUnretained(self).toOpaque()
    BIO_set_data(bio, pointer)
    SSL_set_bio(ssl, bio, bio)
    guard SSL_set_ex_data(ssl, 0, pointer) == 1 else { stop("OpenSSL has no memory") }
    switch role {
    case .client:
      SSL_set_connect_state(ssl)
      // Its first word needs nothing of the other side.
      shakeHands()
    case .server: SSL_set_accept_state(ssl)
    }
  }

  deinit { SSL_free(ssl) }

  // MARK: What comes

  /// Takes what came of the connection; gives back what the other side says in it, which may be
  /// nothing. It counts even where the state is `closed` behind it.
  public func receive(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    if case .closed = state { return [] }
    input = bytes
    defer { input = UnsafeRawBufferPointer(start: nil, count: 0) }
    if state == .handshaking { shakeHands() }
    guard case .open = state, !hasInputEnded, !input.isEmpty else { return [] }
    // What is said in it, and in the piece that came in part before.
    let capacity = input.count + Self.sealedBytesMax
    return [UInt8](unsafeUninitializedCapacity: capacity) { plain, count in
      count = read(into: plain)
    }
  }

  public func receive(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { receive($0) } }

  /// The connection has no more bytes. Where the other side said farewell, that is all; else something
  /// may be lacking, and it is closed.
  public func receiveEnd() {
    switch state {
    case .handshaking: state = .closed(.endedInHandshake)
    case .open where !hasInputEnded: state = .closed(.cutOff)
    case .open, .closed: break
    }
  }

  private func shakeHands() {
    ERR_clear_error()
    let outcome = SSL_do_handshake(ssl)
    if let refusal { return end(refusal) }
    guard outcome == 1 else {
      guard SSL_get_error(ssl, outcome) == SSL_ERROR_WANT_READ else { return end(Self.failure) }
      return
    }
    // A server that chose no protocol speaks another.
    guard speaksOurProtocol else { return end(.otherProtocol) }
    guard let peer else { stop("a handshake ended without a certificate") }
    state = .open(peer: peer)
  }

  private var speaksOurProtocol: Bool {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &count)
    return UnsafeBufferPointer(start: name, count: Int(count))
      .elementsEqual(TLSContext.protocolName.utf8)
  }

  private func read(into plain: UnsafeMutableBufferPointer<UInt8>) -> Int {
    var done = 0
    while true {
      ERR_clear_error()
      var count = 0
      let outcome = SSL_read_ex(ssl, plain.baseAddress! + done, plain.count - done, &count)
      if let refusal {
        end(refusal)
        return done
      }
      guard outcome != 1 else {
        done += count
        keyUpdates = 0
        continue
      }
      switch SSL_get_error(ssl, outcome) {
      case SSL_ERROR_WANT_READ: break
      case SSL_ERROR_ZERO_RETURN: hasInputEnded = true
      default: end(Self.failure)
      }
      return done
    }
  }

  // MARK: What goes

  /// Takes what is to be said, as far as there is room and the session is open: how many bytes. The
  /// rest is to be offered again once `takeOutput` has made room.
  public func send(_ bytes: UnsafeRawBufferPointer) -> Int {
    guard case .open = state else { return 0 }
    var taken = 0
    while taken < bytes.count, output.count < Self.outputBytesMax {
      let piece = bytes[taken..<min(bytes.count, taken + Self.recordBytesMax)]
      recordsSent += 1
      if recordsSent.isMultiple(of: recordsPerKey) {
        _ = SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED)
      }
      ERR_clear_error()
      var count = 0
      let outcome = SSL_write_ex(
        ssl, UnsafeRawBufferPointer(rebasing: piece).baseAddress, piece.count, &count)
      guard outcome == 1 else {
        end(Self.failure)
        return taken
      }
      taken += count
    }
    return taken
  }

  public func send(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes { send($0) } }

  public var hasOutput: Bool { !output.isEmpty }

  /// What is to be sent on the connection, in the order in which it is taken.
  public func takeOutput() -> [UInt8] {
    defer { output = [] }
    return output
  }

  /// Says farewell, after which nothing more is said or heard.
  public func close() {
    switch state {
    case .handshaking: break
    case .open: SSL_shutdown(ssl)
    case .closed: return
    }
    state = .closed(nil)
  }

  // MARK: Who

  /// Binds something to this one session: 32 bytes that both ends find, and nobody else; other ones for
  /// each label (RFC 8446, 7.5). Nil where the session is not open.
  public func exportKeyingMaterial(label: String) -> [UInt8]? {
    guard case .open = state else { return nil }
    var bytes = [UInt8](repeating: 0, count: 32)
    let isMade = SSL_export_keying_material(
      ssl, &bytes, bytes.count, label, label.utf8.count, nil, 0, 0)
    guard isMade == 1 else { stop("OpenSSL exported no key") }
    return bytes
  }

  /// The label by which a session is told from any other (RFC 9266).
  public static let channelBinding = "EXPORTER-Channel-Binding"

  /// Whether the other side's certificate is of the device that is to be there.
  fileprivate func judge(_ key: Ed25519PublicKey?) -> TLSFailure? {
    guard let key else { return .notDevice }
    let id = key.deviceID
    return expected.map { $0 == id } ?? true ? nil : .otherDevice(id: id)
  }

  // MARK: OpenSSL's callbacks

  func accepts(_ key: Ed25519PublicKey?) -> Bool {
    peer = key
    refusal = judge(key)
    return refusal == nil
  }

  /// A message of the handshake's kind came.
  func heard(message type: UInt8) {
    guard case .open = state else { return }
    guard type == SSL3_MT_KEY_UPDATE else {
      refusal = .unexpectedMessage
      return
    }
    keyUpdates += 1
    // Each may want one in answer.
    if keyUpdates > Self.keyUpdatesMax || output.count > 2 * Self.outputBytesMax {
      refusal = .tooManyKeyUpdates
    }
  }

  static func of(_ ssl: OpaquePointer) -> TLSSession? {
    SSL_get_ex_data(ssl, 0).map { Unmanaged.fromOpaque($0).takeUnretainedValue() }
  }

  static func of(store: OpaquePointer) -> TLSSession? {
    X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
      .flatMap { of(OpaquePointer($0)) }
  }

  /// OpenSSL reads from `input` and writes to `output`: no copy in between, and no memory kept.
  private nonisolated(unsafe) static let method: OpaquePointer = {
    // Unsafe: it is made once, and only read.
    guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "session") else {
      stop("OpenSSL has no memory")
    }
    BIO_meth_set_create(method) { bio in
      BIO_set_init(bio, 1)
      return 1
    }
    BIO_meth_set_read(method) { bio, bytes, count in
      guard let bio, let bytes, let session = TLSSession.of(bio: bio) else { return -1 }
      clibssl_want_nothing(bio)
      let given = session.give(UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
      guard given > 0 else {
        clibssl_want_more(bio)
        return -1
      }
      return Int32(given)
    }
    BIO_meth_set_write(method) { bio, bytes, count in
      guard let bio, let bytes, let session = TLSSession.of(bio: bio) else { return -1 }
      clibssl_want_nothing(bio)
      session.output += UnsafeRawBufferPointer(start: bytes, count: Int(count))
      return count
    }
    // Of all that OpenSSL may ask, flushing is the one thing that it needs.
    BIO_meth_set_ctrl(method) { _, what, _, _ in what == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
  }()

  private static func of(bio: OpaquePointer) -> TLSSession? {
    BIO_get_data(bio).map { Unmanaged.fromOpaque($0).takeUnretainedValue() }
  }

  /// Hands out what came; how much. In a handshake no more than one needs, and nothing more once the
  /// other side is refused.
  private func give(_ space: UnsafeMutableRawBufferPointer) -> Int {
    guard refusal == nil else { return 0 }
    var count = min(space.count, input.count)
    if state == .handshaking {
      if count > 0, handshakeBytes == Self.handshakeBytesMax { refusal = .handshakeTooLarge }
      count = min(count, Self.handshakeBytesMax - handshakeBytes)
      handshakeBytes += count
    }
    guard count > 0 else { return 0 }
    space.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
    input = UnsafeRawBufferPointer(rebasing: input[count...])
    return count
  }

  // MARK: Failures

  private func end(_ failure: TLSFailure) { state = .closed(failure) }

  /// What OpenSSL's last failure on this thread was.
  private static var failure: TLSFailure {
    let error = ERR_peek_last_error()
    defer { ERR_clear_error() }
    let reason = Int32(truncatingIfNeeded: error & 0x7F_FFFF)
    if reason >= SSL_AD_REASON_OFFSET, reason < SSL_AD_REASON_OFFSET + 256 {
      let alert = reason - SSL_AD_REASON_OFFSET
      if alert == SSL_AD_PROTOCOL_VERSION { return .otherVersion }
      if alert == SSL_AD_NO_APPLICATION_PROTOCOL { return .otherProtocol }
      if alert == SSL_AD_CERTIFICATE_REQUIRED { return .refused(alert: "it saw no device key") }
      return .refused(alert: String(cString: SSL_alert_desc_string_long(alert)))
    }
    switch reason {
    case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST,
      SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_RECORD_LENGTH_MISMATCH:
      return .notTLS
    case SSL_R_UNSUPPORTED_PROTOCOL: return .otherVersion
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .noCertificate
    case SSL_R_WRONG_SIGNATURE_TYPE, SSL_R_WRONG_CERTIFICATE_TYPE: return .notDevice
    case SSL_R_NO_APPLICATION_PROTOCOL: return .otherProtocol
    case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SUITABLE_GROUPS,
      SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
      return .nothingInCommon
    default:
      return .broken(ERR_reason_error_string(error).map { String(cString: $0) } ?? "unknown")
    }
  }
}

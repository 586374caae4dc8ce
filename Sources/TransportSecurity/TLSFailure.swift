// Why a session with another machine did not come about, or ended other than by a farewell. All that
// can go wrong is one of these; none of it is more than the end of one connection.

import TransparencyLog

public enum TLSFailure: Error, Sendable, Hashable {
  /// What came is no TLS.
  case notTLS
  /// An older version of TLS is spoken there.
  case otherVersion
  /// The other side has no certificate.
  case noCertificate
  /// Its certificate is not that of a device: one certificate with one Ed25519 key.
  case notDevice
  /// It is a device, and not the one that was to be there.
  case otherDevice(id: SHA256Digest)
  /// It speaks TLS for another purpose.
  case otherProtocol
  /// It has no way to exchange keys, to sign or to seal that is used here.
  case nothingInCommon
  /// It sent an alert, of this name.
  case refused(alert: String)
  /// More was said in a handshake than one needs.
  case handshakeTooLarge
  /// It goes on changing keys and says nothing, or takes nothing of what is answered.
  case tooManyKeyUpdates
  /// It sent what no device sends once a session is open.
  case unexpectedMessage
  /// The connection ended during the handshake.
  case endedInHandshake
  /// The connection ended without a farewell: what came last may be lacking.
  case cutOff
  /// What came breaks the rules of TLS; in OpenSSL's words.
  case broken(String)

  /// A sentence for a person.
  public var text: String {
    switch self {
    case .notTLS: "what answers there does not speak TLS"
    case .otherVersion: "the other side does not speak TLS 1.3"
    case .noCertificate: "the other side showed no device key"
    case .notDevice: "the other side's certificate is not that of a timelined"
    case .otherDevice(let id): "another device answers there: \(id)"
    case .otherProtocol: "the other side speaks TLS, and is no timelined"
    case .nothingInCommon:
      "the other side offers no key exchange, signature or cipher that is used here"
    case .refused(let alert): "the other side refused the connection (\(alert))"
    case .handshakeTooLarge:
      "the other side's handshake has more than \(TLSSession.handshakeBytesMax) bytes"
    case .tooManyKeyUpdates: "the other side goes on changing its keys"
    case .unexpectedMessage: "the other side sent a message that no timelined sends"
    case .endedInHandshake: "the other side ended the connection during the handshake"
    case .cutOff: "the connection was cut off"
    case .broken(let reason): "the other side broke the rules of TLS (\(reason))"
    }
  }
}

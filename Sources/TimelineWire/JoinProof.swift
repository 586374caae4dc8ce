// By what a joiner shows that he has the code, on the connection that he makes it for and to the host that it
// is meant for:
//
//     HMAC-SHA-256(secret, channel binding ‖ host's device id ‖ joiner's device id)      all of 32 bytes
//
// The channel binding (RFC 9266) is of one TLS session, so a machine in between, which has two, can pass on no
// proof; nor can the host who was told one show it to another.

import TimelineModel
import TransparencyLog

/// The host makes the same, and compares it with what it was sent.
public struct JoinProof: Sendable {
  public static let channelBindingByteCount = 32

  private let code: HMACSHA256

  /// `channelBinding` is what both ends exported from their TLS session.
  public init(secret: [UInt8], channelBinding: [UInt8], host: DeviceID, joiner: DeviceID) {
    // Of another length, what one part lacks could be said by the next.
    precondition(channelBinding.count == Self.channelBindingByteCount)
    code = HMACSHA256(
      key: secret, message: channelBinding + host.digest.bytes + joiner.digest.bytes)
  }

  /// 32 bytes, for the wire.
  public var bytes: [UInt8] { code.bytes }

  /// Whether these bytes, from the other side, are this proof; takes the same time whichever are wrong.
  public func matches(_ bytes: [UInt8]) -> Bool { code.matches(bytes) }
}

// Why a text is no invitation, or none can be made of what was given. That a code has expired, or was used by
// another device, is for the host to say: it is a code all the same.

import TimelineModel

public enum InvitationError: Error, Sendable, Hashable {
  /// It is something else.
  case notCode
  /// It begins as a code does; its check is not right.
  case damaged
  /// Its check is right; its form is one of a version to come.
  case newer(Int)
  /// Its check is right, and no version 1 writes such bytes.
  case malformed
  case address(String)
  case addressCount(Int)
  case timelineCount(Int)
  case secret(byteCount: Int)
  case expiry(Int)

  /// What is wrong and what to do, for a person.
  public var text: String {
    switch self {
    case .notCode: "this is no invitation code: one begins with TIMELINE-JOIN-; copy all of it"
    case .damaged:
      "this invitation code is cut off or mistyped; copy it again, from TIMELINE-JOIN- to its end"
    case .newer(let version):
      "this invitation code was made by a newer version of Timeline (form \(version), and this one "
        + "reads form 1); update this machine, or have the code made by an older version"
    case .malformed:
      "this invitation code came whole, yet its content makes no sense; have a new one made"
    case .address(let address):
      "\(JSONValue.string(address).text) is no address for an invitation; "
        + "write tls://HOST:PORT, in at most \(Invitation.addressBytesMax) bytes"
    case .addressCount(let count):
      "\(count) addresses; an invitation has at most \(Invitation.addressCountMax)"
    case .timelineCount(let count):
      "\(count) timelines; an invitation is to 1 to \(Invitation.timelineCountMax)"
    case .secret(let byteCount):
      "a secret of \(byteCount) bytes; it has \(Invitation.secretByteCount)"
    case .expiry(let expires):
      "an invitation cannot expire at \(expires) seconds since 1970; choose a nearer day"
    }
  }
}

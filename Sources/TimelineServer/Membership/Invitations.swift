// The invitations that this machine gave out and that still hold. They are its own affair: a file beside the
// timelines, in no log and no backup. What a timeline keeps of one is the hash of its code, in the member record.

import Access
import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

/// One that was given out.
struct OpenInvitation {
  /// 16 bytes; whoever shows to know them may join.
  let secret: [UInt8]
  /// The whole hash of the timeline.
  let timeline: SHA256Digest
  let role: Role
  /// Seconds since 1970, by this machine's clock.
  let expires: Int
  /// Who invited.
  let author: String
  /// The device that took it: no other can.
  var device: DeviceID?

  var codeHash: SHA256Digest { SHA256Digest(of: secret) }
}

final class Invitations {
  private static let file = "invitations.json"
  /// More than anybody gives out by hand.
  private static let countMax = 1000
  /// An invitation is told apart from one that was never given out for so long behind its end, in seconds.
  private static let memory = 30 * 86_400

  private let directory: DataDirectory
  private var all: [OpenInvitation] = []

  init(_ directory: DataDirectory) throws(OpenError) {
    self.directory = directory
    guard let bytes = try directory.read(Self.file) else { return }
    let json = bytes.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let entries = json?["invitations"]?.array else {
      throw .damagedFile(
        path: directory.path + "/" + Self.file,
        reason:
          "no list of invitations in it; without the file all codes that were given out are void")
    }
    all = entries.compactMap { OpenInvitation(json: $0) }
  }

  /// Keeps one; those that expired long ago are forgotten.
  func add(_ invitation: OpenInvitation, now: RecordedTime) throws(ErrorReply) {
    var kept = all.filter { $0.expires + Self.memory > now.seconds }
    guard kept.count < Self.countMax else {
      throw ErrorReply(
        .full,
        "\(Self.countMax) invitations are remembered; those of a month ago make room for new ones")
    }
    kept.append(invitation)
    try change(to: kept)
  }

  /// The invitation by which a device may join, as far as its proof shows that it has the code.
  func find(
    _ timeline: SHA256Digest, _ proof: [UInt8], of device: DeviceID, at host: DeviceID,
    _ channelBinding: [UInt8],
    now: RecordedTime
  ) throws(ErrorReply) -> OpenInvitation {
    let proven = all.first { invitation in
      invitation.timeline == timeline
        && JoinProof(
          secret: invitation.secret, channelBinding: channelBinding, host: host, joiner: device
        ).matches(proof)
    }
    guard let proven else {
      throw ErrorReply(.denied, "this invitation is not known here; ask for a new code")
    }
    // Who has the code is told why it does not hold.
    guard proven.device.map({ $0 == device }) ?? true else {
      throw ErrorReply(
        .denied, "another device has joined by this invitation; each device needs a code of its own"
      )
    }
    guard now.seconds < proven.expires else {
      throw ErrorReply(.denied, "this invitation has expired; ask for a new code")
    }
    return proven
  }

  /// From here on it is of this device.
  func give(_ invitation: OpenInvitation, to device: DeviceID) throws(ErrorReply) {
    try change(
      to: all.map { other in
        guard other.secret == invitation.secret, other.timeline == invitation.timeline else {
          return other
        }
        var taken = other
        taken.device = device
        return taken
      })
  }

  private func change(to invitations: [OpenInvitation]) throws(ErrorReply) {
    let json = JSONValue.object(["invitations": .array(invitations.map(\.json))])
    try Router.onDisk { () throws(OpenError) in
      try directory.replace(Self.file, with: Array((json.text + "\n").utf8))
    }
    all = invitations
  }
}

extension OpenInvitation {
  fileprivate var json: JSONValue {
    .object([
      "secret": .string(Base64.encode(secret)), "timeline": .string(timeline.base64),
      "role": .string(role.rawValue), "expires": .int(expires), "author": .string(author),
      "device": device.map { .string($0.description) },
    ])
  }

  fileprivate init?(json: JSONValue) {
    guard let secret = json["secret"]?.string.flatMap({ Base64.decode($0.utf8) }),
      let timeline = json["timeline"]?.string.flatMap({ SHA256Digest(base64: $0) }),
      let role = json["role"]?.string.flatMap({ Role(rawValue: $0) }),
      let expires = json["expires"]?.int, let author = json["author"]?.string
    else { return nil }
    self.init(
      secret: secret, timeline: timeline, role: role, expires: expires, author: author,
      device: json["device"]?.string.flatMap { DeviceID($0) })
  }
}

extension RecordedTime {
  /// Since 1970.
  var seconds: Int { Int(microseconds / 1_000_000) }
}

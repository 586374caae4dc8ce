// Line 1 of a log: which device it is of, and what its heads are signed with. The replica's id is made from it,
// so that nobody can have an id that is another's, and a device that needs a new log needs nobody's leave.
//
//     {"type":"log.replica","timeline":"q80f…","device":"11qY…","key":"A6EH…","nonce":"3q2+…","signature":"d6Qd…"}
//
// docs/reference/membership.md, M-4.

import TransparencyLog

public struct ReplicaRecord: Sendable, Hashable {
  public static let nonceBytes = 16

  /// The whole hash that the timeline's id is made from.
  public let timeline: SHA256Digest
  /// The key of the device.
  public let device: Ed25519PublicKey
  /// What the heads of this log are signed with; it may be the device's key.
  public let key: Ed25519PublicKey
  public let nonce: [UInt8]
  /// By the device's key. Not checked when the record is read: `isSigned`.
  public let signature: [UInt8]

  /// A new log of a device. Nil where the nonce has not 16 bytes.
  public init?(
    timeline: SHA256Digest, device: SigningKey, key: Ed25519PublicKey, nonce: [UInt8]
  ) {
    guard nonce.count == Self.nonceBytes else { return nil }
    self.timeline = timeline
    self.device = device.publicKey
    self.key = key
    self.nonce = nonce
    signature = device.signature(
      of: Self.signedBytes(Self.json(timeline, device.publicKey, key, nonce, nil)))
  }

  /// Reads line 1 of a log; nil where the line is not that, or is not right.
  public init?(line text: UnsafeBufferPointer<UInt8>, of replica: ReplicaID) {
    guard let line = try? Line(text), line.replica == replica,
      case .replica(let record) = MembershipRecord(line, text),
      record.isRight(in: replica, at: line.seq)
    else { return nil }
    self = record
  }

  /// Nil where a member is missing or is not what it should be; what else stands there is not looked at.
  init?(json: JSONValue) {
    guard let timeline = json["timeline"]?.digest, let device = json["device"]?.publicKey,
      let key = json["key"]?.publicKey, let nonce = json["nonce"]?.bytes,
      nonce.count == Self.nonceBytes, let signature = json["signature"]?.signature
    else { return nil }
    self.timeline = timeline
    self.device = device
    self.key = key
    self.nonce = nonce
    self.signature = signature
  }

  public var json: JSONValue { Self.json(timeline, device, key, nonce, signature) }

  /// The replica that this is line 1 of.
  public var id: ReplicaID {
    ReplicaID(UUIDBytes(SHA256Digest(of: "replica-id\n\(json.text)")))
  }

  /// Of which timeline, as logs and heads name it.
  public var timelineID: TimelineID { TimelineID(hash: timeline) }

  /// What the heads of the log are checked with.
  public var verifier: NoteVerifier {
    NoteVerifier(name: KeyName(log: id, of: timelineID), key: key)
  }

  /// Whether it is line `seq` of a log where it stands: the first, of the log that it makes, signed (M-4).
  public func isRight(in replica: ReplicaID, at seq: UInt64) -> Bool {
    seq == 1 && id == replica && isSigned
  }

  /// Whether its device signed it.
  public var isSigned: Bool {
    device.isSignature(
      signature, of: Self.signedBytes(Self.json(timeline, device, key, nonce, nil)))
  }

  private static func json(
    _ timeline: SHA256Digest, _ device: Ed25519PublicKey, _ key: Ed25519PublicKey,
    _ nonce: [UInt8], _ signature: [UInt8]?
  ) -> JSONValue {
    .object([
      "type": .string(EventType.logReplica.word), "timeline": .string(timeline.base64),
      "device": .base64(device.bytes),
      "key": .base64(key.bytes), "nonce": .base64(nonce),
      "signature": signature.map { .base64($0) },
    ])
  }

  private static func signedBytes(_ unsigned: JSONValue) -> [UInt8] {
    Array("timeline-replica\n\(unsigned.text)".utf8)
  }
}

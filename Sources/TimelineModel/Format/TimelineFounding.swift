// What the id of a timeline is made from, so that nobody can claim an id for something else: with the
// founding at hand one checks the id by hashing. It is decided when a timeline is created, kept in its
// timeline.json, and recorded in the founder's log behind the line that names its key:
//
//     {"type":"log.timeline","name":"main","key":"11qYAYKx…","nonce":"3q2+7w…"}      (one line in fact)
//
// The id is the version-8 UUID of the first 16 bytes of SHA-256("timeline-id" LF this text). To add a
// member: append it, absent where there is none, so that the text of a founding of before stays what it was.
// `recovery` and `adopts` came so (docs/reference/membership.md, M-3): a founding that lacks `key` or
// `recovery` has no members.

import TransparencyLog

public struct TimelineFounding: Sendable, Hashable {
  public static let nonceBytes = 16
  public static let nameLengthMax = 64
  public static let nameRule = "1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter"

  /// What its founder called it. Names are local: what it is called today, each machine says for itself.
  public let name: String
  /// What the founder's machine signed with; nil where it had no key.
  public let key: Ed25519PublicKey?
  /// Random, so that no two timelines are one.
  public let nonce: [UInt8]

  /// What the recovery code signs with, which has rank 0; nil in one from before there were members.
  public let recovery: Ed25519PublicKey?
  /// The logs of a timeline from before it was founded. None of them has an id of version 8.
  public let adopts: [ReplicaID: AdoptedLog]

  /// Nil where the name is none, the nonce has not 16 bytes, or a log is adopted whose id is of version 8: that
  /// one says itself which device it is of.
  public init?(
    name: String, key: Ed25519PublicKey?, nonce: [UInt8], recovery: Ed25519PublicKey? = nil,
    adopts: [ReplicaID: AdoptedLog] = [:]
  ) {
    guard Self.isName(name), nonce.count == Self.nonceBytes,
      !adopts.keys.contains(where: \.uuid.isCustom)
    else { return nil }
    self.name = name
    self.key = key
    self.nonce = nonce
    self.recovery = recovery
    self.adopts = adopts
  }

  /// Reads what `bodyText` writes; nil for any other text.
  public init?(parsing text: String) {
    let json = Array(text.utf8).withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let json else { return nil }
    self.init(json: json)
    guard bodyText.utf8.elementsEqual(text.utf8) else { return nil }
  }

  /// Nil where a member is not what it should be; what else stands there is not looked at.
  init?(json: JSONValue) {
    guard let name = json["name"]?.string, let nonce = json["nonce"]?.bytes else { return nil }
    var adopts: [ReplicaID: AdoptedLog] = [:]
    if let logs = json["adopts"] {
      guard let logs = logs.byReplica({ AdoptedLog(json: $0) }) else { return nil }
      adopts = logs
    }
    self.init(
      name: name, key: json["key"]?.publicKey, nonce: nonce, recovery: json["recovery"]?.publicKey,
      adopts: adopts)
  }

  public var json: JSONValue {
    .object([
      "type": .string(EventType.logTimeline.word), "name": .string(name),
      "key": key.map { .base64($0.bytes) }, "nonce": .base64(nonce),
      "recovery": recovery.map { .base64($0.bytes) },
      "adopts": adopts.isEmpty ? nil : .byReplica(adopts, \.json),
    ])
  }

  /// The body of the line, to the byte.
  public var bodyText: String { json.text }

  /// What names the timeline where 122 bits are too few: in line 1 of its logs, in invitations, on the wire.
  public var hash: SHA256Digest { SHA256Digest(of: "timeline-id\n\(bodyText)") }

  public var id: TimelineID { TimelineID(hash: hash) }

  /// Whether a timeline may be called so.
  public static func isName(_ text: String) -> Bool {
    func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    let utf8 = text.utf8
    return (1...nameLengthMax).contains(utf8.count) && isLetter(utf8.first!)
      && utf8.allSatisfy { isLetter($0) || isDigit($0) || [0x2E, 0x5F, 0x2D].contains($0) }
  }
}

extension TimelineID {
  /// Of the timeline whose founding has this hash.
  public init(hash: SHA256Digest) { self.init(UUIDBytes(hash)) }
}

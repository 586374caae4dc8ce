// A device is a member no more, or has a lower role: up to which line of each of its logs it still counts.
//
//     {"type":"log.member-end","device":"P56IOI7-…","up_to":{"<REPLICA>":[7,"kOQ6…"]},"to":"read"}
//
// docs/reference/membership.md, M-5.

import TransparencyLog

public struct MemberEnd: RecoverySigned {
  public let device: DeviceID
  /// The last line of each log that counts as before, and the root there. A log that is not named ends before
  /// its first line.
  public let upTo: [ReplicaID: LogEnd]
  /// The role from then on; nil where there is none.
  public let to: Role?
  public var signature: [UInt8]?

  public init(device: DeviceID, upTo: [ReplicaID: LogEnd], to: Role? = nil) {
    self.device = device
    self.upTo = upTo
    self.to = to
  }

  init?(json: JSONValue) {
    guard let device = json["device"]?.string.flatMap({ DeviceID($0) }),
      let upTo = json["up_to"]?.byReplica({ LogEnd(json: $0) })
    else { return nil }
    let to = json["to"]?.string.flatMap { Role(rawValue: $0) }
    self.init(device: device, upTo: upTo, to: to)
    signature = json["signature"]?.signature
  }

  public var json: JSONValue {
    .object([
      "type": .string(EventType.logMemberEnd.word), "device": .string(device.description),
      "up_to": .byReplica(upTo, \.json), "to": to.map { .string($0.rawValue) },
      "signature": signature.map { .base64($0) },
    ])
  }
}

/// Where a log ends, and which of its branches is meant.
public struct LogEnd: Sendable, Hashable {
  /// From 1 on.
  public let seq: UInt64
  /// Of the log's tree over so many lines.
  public let root: SHA256Digest

  /// Nil where a log can have no such line.
  public init?(_ seq: UInt64, _ root: SHA256Digest) {
    guard seq > 0, seq <= UInt64(NamedSnapshot.linesMax) else { return nil }
    self.seq = seq
    self.root = root
  }

  init?(json: JSONValue) {
    guard let pair = json.array, pair.count == 2, case .int(let seq) = pair[0], seq > 0,
      let root = pair[1].digest
    else { return nil }
    self.init(UInt64(seq), root)
  }

  /// `[7,"kOQ6…"]`
  public var json: JSONValue { .array([.int(Int(seq)), .string(root.base64)]) }
}

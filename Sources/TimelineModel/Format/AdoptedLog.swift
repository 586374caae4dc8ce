// A log from before its timeline was founded, as the founding takes it over: `[5,"kOQ6…","A6EH…","11qY…"]`, size,
// root, the key of its heads, the key of its device; null where there is none. docs/reference/membership.md, M-3.

import TransparencyLog

public struct AdoptedLog: Sendable, Hashable {
  /// Its lines up to there belong to the timeline.
  public let end: LogEnd
  public let key: Ed25519PublicKey?
  public let device: Ed25519PublicKey?

  public init(_ end: LogEnd, key: Ed25519PublicKey?, device: Ed25519PublicKey?) {
    self.end = end
    self.key = key
    self.device = device
  }

  init?(json: JSONValue) {
    guard let parts = json.array, parts.count == 4,
      let end = LogEnd(json: .array(Array(parts[..<2])))
    else { return nil }
    self.init(end, key: parts[2].publicKey, device: parts[3].publicKey)
  }

  public var json: JSONValue {
    .array(
      (end.json.array ?? []) + [key, device].map { $0.map { .base64($0.bytes) } ?? .null })
  }
}

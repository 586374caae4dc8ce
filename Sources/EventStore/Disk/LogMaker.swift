// What this machine makes its logs with: its keys, and chance. A log says in line 1 whose it is, and its id is made
// from that line (docs/reference/membership.md, M-4); so the line is there, in timeline.json, before the log is.

import TimelineModel
import TransparencyLog

/// What this machine signs with.
public struct MachineKeys: Sendable {
  /// The heads of its logs.
  public let heads: SigningKey
  /// What it is known by to others.
  public let device: SigningKey

  public init(heads: SigningKey, device: SigningKey) {
    self.heads = heads
    self.device = device
  }
}

public struct LogMaker {
  /// Nil where the disk had no room for any: what is made then is of no device.
  public let keys: MachineKeys?
  /// 64 random bits.
  public let random: () -> UInt64

  public init(keys: MachineKeys?, random: @escaping () -> UInt64) {
    self.keys = keys
    self.random = random
  }

  /// A new log of a timeline; of no device where the whole hash of the timeline is not known.
  func log(of timeline: SHA256Digest?) -> (id: ReplicaID, record: ReplicaRecord?) {
    guard let keys, let timeline else {
      return (ReplicaID(UUIDBytes(random: random(), random())), nil)
    }
    let record = ReplicaRecord(
      timeline: timeline, device: keys.device, key: keys.heads.publicKey, nonce: bytes(16))!
    return (record.id, record)
  }

  /// What a new timeline is made from, and the key of its recovery code.
  func founding(_ name: String) -> (founding: TimelineFounding, recovery: SigningKey?) {
    let nonce = bytes(TimelineFounding.nonceBytes)
    let recovery = keys.map { _ in SigningKey(seed: bytes(32))! }
    let founding = TimelineFounding(
      name: name, key: keys?.device.publicKey, nonce: nonce, recovery: recovery?.publicKey)
    guard let founding else { fatalError("\(name) was to be a name that a timeline can have") }
    return (founding, recovery)
  }

  private func bytes(_ count: Int) -> [UInt8] {
    (0..<count / 8).flatMap { _ in withUnsafeBytes(of: random().bigEndian) { Array($0) } }
  }
}

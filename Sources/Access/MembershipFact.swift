// What membership is judged from. The store feeds these; nothing here knows where they come from.

import TimelineModel
import TransparencyLog

/// Something that is known of a timeline's logs. A line is a fact once it stands under a head that its log's key
/// signed. There is one line an address: where a log forked, those of the branch that is kept.
public enum MembershipFact: Sendable, Hashable {
  /// A line of the replica, and what it says.
  case line(ReplicaID, UInt64, MembershipRecord)
  /// Two heads of the replica, both signed, that are of two different logs.
  case fork(ReplicaID)
}

/// The facts as a set, those that can play a part: what is signed was checked.
struct MembershipFacts: Sendable, Equatable {
  /// The whole hash of the timeline.
  let timeline: SHA256Digest
  /// Hashes to `timeline`, and has both keys.
  private(set) var founding: Founding?
  /// Every log whose line 1 is right (M-4), and those that the founding adopts.
  private(set) var logs: [ReplicaID: KnownLog] = [:]
  /// Member lines and ends without a signature, by log and number.
  private(set) var lines: [ReplicaID: [UInt64: MembershipRecord]] = [:]
  /// Those that the recovery key signed, wherever they stand (M-6).
  private(set) var recovery: Set<MembershipRecord> = []
  /// Those that say that it did, as long as the founding is not here.
  private var unchecked: Set<MembershipRecord> = []
  private(set) var forks: Set<ReplicaID> = []

  struct Founding: Sendable, Equatable {
    let device: DeviceID
    let recovery: Ed25519PublicKey
  }

  struct KnownLog: Sendable, Equatable {
    /// Nil for an adopted log of nobody.
    let device: DeviceID?
    let key: Ed25519PublicKey?
    /// Of one that was adopted.
    let size: UInt64?
  }

  /// What a new fact can change.
  enum Effect {
    case nothing
    /// A log is known now.
    case log(ReplicaID)
    /// What a device said, with the device, where it is known.
    case line(ReplicaID, MembershipRecord)
    case everything
  }

  init(_ timeline: SHA256Digest) { self.timeline = timeline }

  mutating func insert(_ fact: MembershipFact) -> Effect {
    switch fact {
    case .fork(let replica): forks.insert(replica).inserted ? .everything : .nothing
    case .line(let replica, let seq, .replica(let record)): insert(record, replica, seq)
    case .line(_, _, .timeline(let record)): insert(record)
    case .line(let replica, let seq, .member(let record)):
      insert(.member(record), isSigned: record.signature != nil, replica, seq)
    case .line(let replica, let seq, .end(let record)):
      insert(.end(record), isSigned: record.signature != nil, replica, seq)
    }
  }

  private mutating func insert(_ record: ReplicaRecord, _ replica: ReplicaID, _ seq: UInt64)
    -> Effect
  {
    guard seq == 1, logs[replica] == nil, record.timeline == timeline, record.id == replica,
      record.isSigned
    else { return .nothing }
    logs[replica] = KnownLog(device: DeviceID(of: record.device), key: record.key, size: nil)
    return .log(replica)
  }

  private mutating func insert(_ record: TimelineFounding) -> Effect {
    guard founding == nil, record.hash == timeline, let key = record.key,
      let recovery = record.recovery
    else { return .nothing }
    founding = Founding(device: DeviceID(of: key), recovery: recovery)
    for (replica, log) in record.adopts {
      logs[replica] = KnownLog(
        device: log.device.map { DeviceID(of: $0) }, key: log.key, size: log.end.seq)
    }
    self.recovery = unchecked.filter { isSigned($0, by: recovery) }
    unchecked = []
    return .everything
  }

  private mutating func insert(
    _ record: MembershipRecord, isSigned: Bool, _ replica: ReplicaID, _ seq: UInt64
  ) -> Effect {
    guard isSigned else {
      guard lines[replica]?[seq] == nil else { return .nothing }
      lines[replica, default: [:]][seq] = record
      return .line(replica, record)
    }
    guard let founding else {
      unchecked.insert(record)
      return .nothing
    }
    guard !recovery.contains(record), self.isSigned(record, by: founding.recovery) else {
      return .nothing
    }
    recovery.insert(record)
    return .everything
  }

  private func isSigned(_ record: MembershipRecord, by recovery: Ed25519PublicKey) -> Bool {
    switch record {
    case .member(let record): record.isSigned(by: recovery, of: timeline)
    case .end(let end): end.isSigned(by: recovery, of: timeline)
    case .replica, .timeline: false
    }
  }
}

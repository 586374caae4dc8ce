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
  /// Line 1 of each log whose id is made from it and whose device signed it (M-4).
  private(set) var replicas: [ReplicaID: ReplicaRecord] = [:]
  /// Member lines and ends that are not signed by a recovery key, by log and number.
  private(set) var lines: [ReplicaID: [UInt64: MembershipRecord]] = [:]
  /// Those that the recovery key signed, wherever they stand (M-6).
  private(set) var recovery: Set<MembershipRecord> = []
  /// Those that say that it did, as long as the founding is not here.
  private var unchecked: Set<MembershipRecord> = []
  private(set) var forks: Set<ReplicaID> = []

  struct Founding: Sendable, Equatable {
    let device: DeviceID
    let recovery: Ed25519PublicKey
    let adopts: [ReplicaID: AdoptedLog]
  }

  init(_ timeline: SHA256Digest) { self.timeline = timeline }

  /// Whether it plays a part, and was not there.
  mutating func insert(_ fact: MembershipFact) -> Bool {
    switch fact {
    case .fork(let replica): forks.insert(replica).inserted
    case .line(let replica, let seq, .replica(let record)): insert(record, replica, seq)
    case .line(_, _, .timeline(let record)): insert(record)
    case .line(let replica, let seq, .member(let record)):
      insert(.member(record), isSigned: record.signature != nil, replica, seq)
    case .line(let replica, let seq, .end(let record)):
      insert(.end(record), isSigned: record.signature != nil, replica, seq)
    }
  }

  private mutating func insert(_ record: ReplicaRecord, _ replica: ReplicaID, _ seq: UInt64) -> Bool
  {
    guard seq == 1, replicas[replica] == nil, record.timeline == timeline, record.id == replica,
      record.isSigned
    else { return false }
    replicas[replica] = record
    return true
  }

  private mutating func insert(_ record: TimelineFounding) -> Bool {
    guard founding == nil, record.hash == timeline, let key = record.key,
      let recovery = record.recovery
    else { return false }
    founding = Founding(device: DeviceID(of: key), recovery: recovery, adopts: record.adopts)
    self.recovery = unchecked.filter { isSigned($0, by: recovery) }
    unchecked = []
    return true
  }

  private mutating func insert(
    _ record: MembershipRecord, isSigned: Bool, _ replica: ReplicaID, _ seq: UInt64
  ) -> Bool {
    guard isSigned else {
      guard lines[replica]?[seq] == nil else { return false }
      lines[replica, default: [:]][seq] = record
      return true
    }
    guard let founding else { return unchecked.insert(record).inserted }
    guard !recovery.contains(record), self.isSigned(record, by: founding.recovery) else {
      return false
    }
    recovery.insert(record)
    return true
  }

  private func isSigned(_ record: MembershipRecord, by recovery: Ed25519PublicKey) -> Bool {
    switch record {
    case .member(let record): record.isSigned(by: recovery, of: timeline)
    case .end(let end): end.isSigned(by: recovery, of: timeline)
    case .replica, .timeline: false
    }
  }

  /// The device that a log is of: the founding says it of those that it adopts, line 1 of all others.
  func owner(of replica: ReplicaID) -> DeviceID? {
    if let record = replicas[replica] { return DeviceID(of: record.device) }
    return founding?.adopts[replica]?.device.map { DeviceID(of: $0) }
  }
}

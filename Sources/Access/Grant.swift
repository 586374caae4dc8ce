// The two things that a membership is made of: a grant gives a device a role, a cut takes it back behind some
// line. Each has the rank of who recorded it; a cut acts on the grants whose number is higher than its own rank.

import TimelineModel

/// Who says who is a member.
public enum Recorder: Sendable, Hashable {
  /// The recovery code.
  case recovery
  /// The founding, of the founder.
  case founding
  case device(DeviceID)
}

/// A role of a device (M-9).
struct Grant: Sendable, Equatable {
  /// Of the device by this grant: one more than that of who gave it.
  let rank: Int
  let role: Role
  /// Nil where the founding gave it.
  let name: String?
  let by: Recorder
  /// The line; nil where it counts wherever it stands.
  let replica: ReplicaID?
  let seq: UInt64

  /// What is shown of several: the lowest rank, then the highest role, then the first line.
  static func precedes(_ one: Grant, _ other: Grant) -> Bool {
    guard one.rank == other.rank else { return one.rank < other.rank }
    guard one.role == other.role else { return one.role > other.role }
    guard one.replica == other.replica else {
      guard let first = one.replica, let second = other.replica else { return one.replica == nil }
      return first < second
    }
    guard one.seq == other.seq else { return one.seq < other.seq }
    return (one.name.map { Array($0.utf8) } ?? []).lexicographicallyPrecedes(
      other.name.map { Array($0.utf8) } ?? [])
  }
}

/// An end or a lowering of a device that counts (M-10).
struct Cut: Sendable, Equatable {
  /// Nil: the device itself, which acts on all its grants.
  let rank: Int?
  let end: MemberEnd
  let by: Recorder
  /// Whether it can say which branch of a forked log is meant (M-14).
  let namesBranches: Bool

  func acts(on grant: Grant) -> Bool { acts(onRank: grant.rank) }

  func acts(onRank number: Int) -> Bool { Self.acts(rank, onRank: number) }

  static func acts(_ rank: Int?, onRank number: Int) -> Bool { rank.map { $0 < number } ?? true }
}

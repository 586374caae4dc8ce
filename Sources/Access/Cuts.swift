// The cuts of one device: all of them as they were recorded, and what they come to, which is small however many
// there are. Two cuts of one rank that lower to the same role act as one, behind the lower of their limits.

import TimelineModel

struct Cuts: Sendable, Equatable {
  /// In the order in which they were judged; for people.
  private(set) var recorded: [Cut] = []
  /// One for each rank and role.
  private var merged: [Key: [ReplicaID: UInt64]] = [:]
  /// Of each log that one of them names a branch of, that which holds.
  private var branches: [ReplicaID: Branch] = [:]

  private struct Key: Sendable, Hashable {
    let rank: Int?
    let to: Role?
  }

  private struct Branch: Sendable, Equatable {
    let rank: Int?
    let end: LogEnd

    /// The lowest rank, the device itself last; then the lowest line, then the smallest root.
    func precedes(_ other: Branch) -> Bool {
      guard rank == other.rank else { return (rank ?? .max) < (other.rank ?? .max) }
      guard end.seq == other.end.seq else { return end.seq < other.end.seq }
      return end.root.bytes.lexicographicallyPrecedes(other.end.root.bytes)
    }
  }

  mutating func insert(_ cut: Cut) {
    recorded.append(cut)
    let key = Key(rank: cut.rank, to: cut.end.to)
    let limits = cut.end.upTo.mapValues(\.seq)
    if let others = merged[key] {
      // A log that one of the two does not name ends at 0.
      merged[key] = others.filter { limits[$0.key] != nil }.merging(
        limits.filter { others[$0.key] != nil }, uniquingKeysWith: min)
    } else {
      merged[key] = limits
    }
    guard cut.namesBranches else { return }
    for (replica, end) in cut.end.upTo {
      let branch = Branch(rank: cut.rank, end: end)
      if branches[replica].map({ branch.precedes($0) }) ?? true { branches[replica] = branch }
    }
  }

  /// What is left of a grant behind all limits, or in line `seq` of a log.
  func left(of grant: Grant, in line: (ReplicaID, UInt64)? = nil) -> Role? {
    var role = grant.role
    for (key, limits) in merged where Cut.acts(key.rank, onRank: grant.rank) {
      if let (replica, seq) = line, seq <= limits[replica, default: 0] { continue }
      guard let to = key.to else { return nil }
      role = min(role, to)
    }
    return role
  }

  /// The limits that are set in a log, 0 among them where one does not name it.
  func limits(in replica: ReplicaID) -> [UInt64] { merged.values.map { $0[replica, default: 0] } }

  /// The branch of a log that is named by who may act on all grants of this rank and higher.
  func branch(of replica: ReplicaID, rank: Int) -> LogEnd? {
    // Where the lowest rank may not, no higher one may.
    branches[replica].flatMap { Cut.acts($0.rank, onRank: rank) ? $0.end : nil }
  }
}

// Who is a member, from a set of facts: rank by rank, from the recovery key down. docs/reference/membership.md,
// M-9 to M-14, says the same as rules.
//
// Why it ends: each device is judged as an admin once, at the lowest rank at which somebody makes it one, and a
// rank without admins is the last one. There are as many devices as facts at most.
//
// Why nothing is judged by what comes later: a line of an admin of rank n counts where no cut of a rank below n
// lies before it (those are all known, since they are of admins judged before), and no cut of its own. Cuts of
// rank n and higher act on grants of a higher number alone, and where the lowest grant is not cut, it alone makes
// the line an admin's. So admins of one rank cannot end each other, and no circle leads back.
//
// Why order plays no part: each step folds over a set by max, min or a total order of its members.

import TimelineModel
import TransparencyLog

struct Judgement: Sendable, Equatable {
  private let facts: MembershipFacts
  /// The logs of each device, in order.
  let logs: [DeviceID: [ReplicaID]]
  /// In the order of `Grant.precedes`.
  private(set) var grants: [DeviceID: [Grant]] = [:]
  /// Those of others.
  private(set) var cuts: [DeviceID: [Cut]] = [:]
  /// Those of the device itself.
  private(set) var ownCuts: [DeviceID: [Cut]] = [:]

  /// The rank of the founder, and of those whom the recovery key brings in.
  static let founderRank = 1

  init(_ facts: MembershipFacts) {
    self.facts = facts
    var logs: [DeviceID: [ReplicaID]] = [:]
    for replica in facts.replicas.keys.sorted() {
      guard let device = facts.owner(of: replica) else { continue }
      logs[device, default: []].append(replica)
    }
    self.logs = logs
    guard facts.founding != nil else { return }
    judgeRecovery()
    var rank = Self.founderRank
    var admins = Set(
      grants.keys.filter { device in grants[device]!.contains { $0.role == .admin } })
    var judged: Set<DeviceID> = []
    while !admins.isEmpty {
      judged.formUnion(admins)
      admins = judge(admins, rank).subtracting(judged)
      rank += 1
    }
    for device in grants.keys where !judged.contains(device) { addOwnCuts(of: device) }
    for device in grants.keys { grants[device]?.sort(by: Grant.precedes) }
  }

  // MARK: Rank by rank

  /// Rank 0.
  private mutating func judgeRecovery() {
    if let founder = facts.founding?.device {
      grants[founder] = [
        Grant(
          rank: Self.founderRank, role: .admin, name: nil, by: .founding, replica: nil, seq: 0)
      ]
    }
    for record in facts.recovery.sorted(by: Self.precedes) {
      switch record {
      case .member(let member):
        grants[member.device, default: []].append(
          Grant(
            rank: Self.founderRank, role: member.role, name: member.name, by: .recovery,
            replica: nil, seq: 0))
      case .end(let end):
        cuts[end.device, default: []].append(
          Cut(rank: 0, end: end, by: .recovery, namesBranches: true))
      case .replica, .timeline: break
      }
    }
  }

  private static func precedes(_ one: MembershipRecord, _ other: MembershipRecord) -> Bool {
    one.bodyText.utf8.lexicographicallyPrecedes(other.bodyText.utf8)
  }

  /// What the admins of one rank recorded, those whose lowest grant as an admin has it. Nothing is added before
  /// all of it was judged. Gives the devices that they make admins.
  private mutating func judge(_ admins: Set<DeviceID>, _ rank: Int) -> Set<DeviceID> {
    let admins = admins.sorted()
    for device in admins { addOwnCuts(of: device) }
    var members: [(MemberRecord, by: DeviceID, ReplicaID, UInt64)] = []
    var ends: [(Cut, DeviceID)] = []
    for admin in admins {
      // The first device with a code is the one that it was for (M-11).
      var devices: [SHA256Digest: DeviceID] = [:]
      for replica in logs[admin] ?? [] {
        for (seq, record) in lines(of: replica) where role(in: replica, at: seq) == .admin {
          switch record {
          case .member(let member):
            if let code = member.code {
              guard devices[code, default: member.device] == member.device else { continue }
              devices[code] = member.device
            }
            members.append((member, by: admin, replica, seq))
          case .end(let end) where end.device != admin:
            let cut = Cut(
              rank: rank, end: end, by: .device(admin),
              namesBranches: !facts.forks.contains(replica))
            ends.append((cut, end.device))
          case .end, .replica, .timeline: break
          }
        }
      }
    }
    for (member, admin, replica, seq) in members {
      grants[member.device, default: []].append(
        Grant(
          rank: rank + 1, role: member.role, name: member.name, by: .device(admin),
          replica: replica, seq: seq))
    }
    for (cut, device) in ends { cuts[device, default: []].append(cut) }
    return Set(members.lazy.filter { $0.0.role == .admin }.map(\.0.device))
  }

  /// What a device says of itself counts where it may write as far as others have a say, whatever else it says of
  /// itself: so two such lines cannot do away with each other.
  private mutating func addOwnCuts(of device: DeviceID) {
    var found: [Cut] = []
    for replica in logs[device] ?? [] {
      for (seq, record) in lines(of: replica) {
        guard case .end(let end) = record, end.device == device,
          (roleByOthers(in: replica, at: seq) ?? .read) >= .write
        else { continue }
        found.append(
          Cut(
            rank: nil, end: end, by: .device(device), namesBranches: !facts.forks.contains(replica))
        )
      }
    }
    if !found.isEmpty { ownCuts[device] = found }
  }

  private func lines(of replica: ReplicaID) -> [(UInt64, MembershipRecord)] {
    (facts.lines[replica] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  // MARK: Roles

  /// What a line may say; nil where it counts for nothing at all.
  func role(in replica: ReplicaID, at seq: UInt64) -> Role? {
    guard let log = log(replica) else { return nil }
    return role(in: log, at: seq, log.cuts + log.ownCuts)
  }

  /// The same as far as others than its device have a say.
  func roleByOthers(in replica: ReplicaID, at seq: UInt64) -> Role? {
    guard let log = log(replica) else { return nil }
    return role(in: log, at: seq, log.cuts)
  }

  /// The role of the device from here on.
  func role(of device: DeviceID) -> Role? {
    let cuts = (cuts[device] ?? []) + (ownCuts[device] ?? [])
    return (grants[device] ?? []).compactMap { Self.role(of: $0, behind: cuts) }.max()
  }

  /// The ends and lowerings of a device that act on something that it was given, or on a grant of this rank.
  func endings(of device: DeviceID, andOfRank rank: Int = 0) -> [Cut] {
    ((cuts[device] ?? []) + (ownCuts[device] ?? [])).filter { cut in
      cut.acts(onRank: rank) || (grants[device] ?? []).contains { cut.acts(on: $0) }
    }
  }

  /// The last line with a role of at least `.write`; nil where no end is set.
  func end(of replica: ReplicaID, byOthersAlone: Bool) -> UInt64? {
    guard let log = log(replica) else { return 0 }
    let cuts = byOthersAlone ? log.cuts : log.cuts + log.ownCuts
    var limits = Set(cuts.map { $0.limit(of: replica) })
    limits.insert(0)
    if let size = log.size { limits.insert(size) }
    if let branch = branch(in: log, cuts) { limits.insert(branch.seq) }
    return limits.sorted().first { (role(in: log, at: $0 + 1, cuts) ?? .read) < .write }
  }

  /// Which branch of a log an end names: of the log and not of another that has its id too.
  func branch(of replica: ReplicaID) -> LogEnd? {
    log(replica).flatMap { branch(in: $0, $0.cuts + $0.ownCuts) }
  }

  /// What a log is judged by.
  private struct Log {
    let replica: ReplicaID
    let grants: [Grant]
    let cuts: [Cut]
    let ownCuts: [Cut]
    /// Of one that was adopted.
    let size: UInt64?
    let isForked: Bool
  }

  /// Nil for the log of nobody.
  private func log(_ replica: ReplicaID) -> Log? {
    let isForked = facts.forks.contains(replica)
    if let adopted = facts.founding?.adopts[replica] {
      let device = adopted.device.map { DeviceID(of: $0) }
      return Log(
        replica: replica, grants: [Self.adoption], cuts: device.flatMap { cuts[$0] } ?? [],
        ownCuts: device.flatMap { ownCuts[$0] } ?? [], size: adopted.end.seq, isForked: isForked)
    }
    guard let device = facts.owner(of: replica), let grants = grants[device] else { return nil }
    return Log(
      replica: replica, grants: grants, cuts: cuts[device] ?? [], ownCuts: ownCuts[device] ?? [],
      size: nil, isForked: isForked)
  }

  /// An adopted log counts as if the founder had brought in who wrote it (M-3).
  private static let adoption = Grant(
    rank: founderRank + 1, role: .write, name: nil, by: .founding, replica: nil, seq: 0)

  private func role(in log: Log, at seq: UInt64, _ cuts: [Cut]) -> Role? {
    if let size = log.size, seq > size { return nil }
    if log.isForked, let branch = branch(in: log, cuts), seq > branch.seq { return nil }
    let before = cuts.filter { seq > $0.limit(of: log.replica) }
    return log.grants.compactMap { Self.role(of: $0, behind: before) }.max()
  }

  private static func role(of grant: Grant, behind cuts: [Cut]) -> Role? {
    var role = grant.role
    for cut in cuts where cut.acts(on: grant) {
      guard let lowered = cut.lowered(role) else { return nil }
      role = lowered
    }
    return role
  }

  /// Named by who may end all that the log's device may write, or by the device itself.
  private func branch(in log: Log, _ cuts: [Cut]) -> LogEnd? {
    guard let rank = log.grants.filter({ $0.role >= .write }).map(\.rank).min() else { return nil }
    return cuts.filter {
      $0.namesBranches && $0.acts(onRank: rank) && $0.end.upTo[log.replica] != nil
    }.min { Cut.precedes($0, $1, of: log.replica) }?.end.upTo[log.replica]
  }
}

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
  private(set) var facts: MembershipFacts
  /// The logs with a line 1 of each device, in order.
  private(set) var logs: [DeviceID: [ReplicaID]] = [:]
  /// In the order of `Grant.precedes`.
  private(set) var grants: [DeviceID: [Grant]] = [:]
  /// Those of others.
  private var cuts: [DeviceID: Cuts] = [:]
  /// Those of the device itself.
  private var ownCuts: [DeviceID: Cuts] = [:]

  /// The rank of the founder, and of those whom the recovery key brings in.
  static let founderRank = 1

  init(_ facts: MembershipFacts) {
    self.facts = facts
    for (replica, log) in facts.logs where log.size == nil {
      guard let device = log.device else { continue }
      logs[device, default: []].append(replica)
    }
    for device in logs.keys { logs[device]?.sort() }
    guard facts.founding != nil else { return }
    judgeRecovery()
    var rank = Self.founderRank
    var admins = Set(grants.keys.filter { isAdmin($0) })
    var judged: Set<DeviceID> = []
    while !admins.isEmpty {
      judged.formUnion(admins)
      admins = judge(admins, rank).subtracting(judged)
      rank += 1
    }
    for device in grants.keys where !judged.contains(device) { addOwnCuts(of: device) }
    for device in grants.keys { grants[device]?.sort(by: Grant.precedes) }
  }

  /// Takes in what came, and says which log may have another end, of all logs nil. Where nothing that is judged can
  /// be another, nothing is judged again: a log of 10,000 costs no more than one.
  mutating func insert(_ fact: MembershipFact) -> Change {
    switch facts.insert(fact) {
    case .nothing: return .nothing
    case .everything: return .everything
    case .line(let replica, let record):
      guard let device = facts.logs[replica]?.device, grants[device] != nil else { return .nothing }
      if isAdmin(device) { return .everything }
      if case .end(let end) = record, end.device == device { return .everything }
      return .nothing
    case .log(let replica):
      guard facts.lines[replica] == nil, let device = facts.logs[replica]?.device else {
        return .everything
      }
      let place = logs[device]?.firstIndex { replica < $0 } ?? logs[device]?.count ?? 0
      logs[device, default: []].insert(replica, at: place)
      return .end(of: replica)
    }
  }

  enum Change {
    case nothing
    case end(of: ReplicaID)
    /// This value stands no more; `Judgement(facts)` takes its place.
    case everything
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
        cuts[end.device, default: Cuts()].insert(
          Cut(rank: 0, end: end, by: .recovery, namesBranches: true))
      case .replica, .timeline: break
      }
    }
  }

  private static func precedes(_ one: MembershipRecord, _ other: MembershipRecord) -> Bool {
    one.bodyText.utf8.lexicographicallyPrecedes(other.bodyText.utf8)
  }

  private func isAdmin(_ device: DeviceID) -> Bool {
    grants[device]?.contains { $0.role == .admin } ?? false
  }

  /// What the admins of one rank recorded, those whose lowest grant as an admin has it. Nothing is added before
  /// all of it was judged. Gives the devices that they make admins.
  private mutating func judge(_ admins: Set<DeviceID>, _ rank: Int) -> Set<DeviceID> {
    let admins = admins.sorted()
    for device in admins { addOwnCuts(of: device) }
    var members: [(MemberRecord, Grant)] = []
    var ends: [Cut] = []
    for admin in admins {
      // The first device with a code is the one that it was for (M-7).
      var devices: [SHA256Digest: DeviceID] = [:]
      for replica in logs[admin] ?? [] {
        let isForked = facts.forks.contains(replica)
        for (seq, record) in lines(of: replica) where role(in: replica, at: seq) == .admin {
          switch record {
          case .member(let member):
            if let code = member.code {
              guard devices[code, default: member.device] == member.device else { continue }
              devices[code] = member.device
            }
            let grant = Grant(
              rank: rank + 1, role: member.role, name: member.name, by: .device(admin),
              replica: replica, seq: seq)
            members.append((member, grant))
          case .end(let end) where end.device != admin:
            ends.append(
              Cut(rank: rank, end: end, by: .device(admin), namesBranches: !isForked))
          case .end, .replica, .timeline: break
          }
        }
      }
    }
    for (member, grant) in members { grants[member.device, default: []].append(grant) }
    for cut in ends { cuts[cut.end.device, default: Cuts()].insert(cut) }
    return Set(members.lazy.filter { $0.0.role == .admin }.map(\.0.device))
  }

  /// What a device says of itself counts where it may write as far as others have a say, whatever else it says of
  /// itself: so two such lines cannot do away with each other.
  private mutating func addOwnCuts(of device: DeviceID) {
    var found = Cuts()
    for replica in logs[device] ?? [] {
      let isForked = facts.forks.contains(replica)
      for (seq, record) in lines(of: replica) {
        guard case .end(let end) = record, end.device == device,
          (roleByOthers(in: replica, at: seq) ?? .read) >= .write
        else { continue }
        found.insert(Cut(rank: nil, end: end, by: .device(device), namesBranches: !isForked))
      }
    }
    if !found.recorded.isEmpty { ownCuts[device] = found }
  }

  private func lines(of replica: ReplicaID) -> [(UInt64, MembershipRecord)] {
    (facts.lines[replica] ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  // MARK: Roles

  /// What a line may say; nil where it counts for nothing at all.
  func role(in replica: ReplicaID, at seq: UInt64) -> Role? {
    log(replica, byOthersAlone: false)?.role(at: seq)
  }

  /// The same as far as others than its device have a say.
  private func roleByOthers(in replica: ReplicaID, at seq: UInt64) -> Role? {
    log(replica, byOthersAlone: true)?.role(at: seq)
  }

  /// The role of the device from here on.
  func role(of device: DeviceID) -> Role? {
    (grants[device] ?? []).compactMap { grant in
      let role = cuts[device].map { $0.left(of: grant) } ?? grant.role
      let own = ownCuts[device].map { $0.left(of: grant) } ?? grant.role
      guard let role, let own else { return nil }
      return min(role, own)
    }.max()
  }

  /// The last line with a role of at least `.write`; nil where no end is set.
  func end(of replica: ReplicaID, byOthersAlone: Bool) -> UInt64? {
    guard let log = log(replica, byOthersAlone: byOthersAlone) else { return 0 }
    return log.end
  }

  /// The reach of a log of a device, before it is known.
  func reach(ofNew replica: ReplicaID, _ device: DeviceID) -> UInt64? {
    let log = log(
      replica, MembershipFacts.KnownLog(device: device, key: nil, size: nil), byOthersAlone: true)
    guard let log else { return 0 }
    return log.end
  }

  /// Which branch of a log an end names (M-14).
  func branch(of replica: ReplicaID) -> LogEnd? { log(replica, byOthersAlone: false)?.branch }

  /// The ends and lowerings of a device that act on something that it was given, or on a grant of this rank.
  func endings(of device: DeviceID, andOfRank rank: Int = 0) -> [Cut] {
    let all = (cuts[device]?.recorded ?? []) + (ownCuts[device]?.recorded ?? [])
    let numbers = (grants[device] ?? []).map(\.rank) + [rank]
    return all.filter { cut in numbers.contains { cut.acts(onRank: $0) } }
  }

  /// The lowest rank with which a device is an admin, whatever became of it.
  func adminRank(of device: DeviceID) -> Int? {
    grants[device]?.lazy.filter { $0.role == .admin }.map(\.rank).min()
  }

  /// Nil for the log of nobody.
  private func log(_ replica: ReplicaID, byOthersAlone: Bool) -> JudgedLog? {
    facts.logs[replica].flatMap { log(replica, $0, byOthersAlone: byOthersAlone) }
  }

  private func log(
    _ replica: ReplicaID, _ known: MembershipFacts.KnownLog, byOthersAlone: Bool
  ) -> JudgedLog? {
    let grants = known.size == nil ? known.device.flatMap { self.grants[$0] } : [Self.adoption]
    guard let grants else { return nil }
    var cuts: [Cuts] = []
    if let device = known.device {
      if let others = self.cuts[device] { cuts.append(others) }
      if !byOthersAlone, let own = ownCuts[device] { cuts.append(own) }
    }
    return JudgedLog(
      replica: replica, grants: grants, cuts: cuts, size: known.size,
      isForked: facts.forks.contains(replica))
  }

  /// An adopted log counts as if the founder had brought in who wrote it (M-11).
  private static let adoption = Grant(
    rank: founderRank + 1, role: .write, name: nil, by: .founding, replica: nil, seq: 0)
}

/// What the lines of one log are judged by.
private struct JudgedLog {
  let replica: ReplicaID
  let grants: [Grant]
  /// Those of others before those of the device itself.
  let cuts: [Cuts]
  /// Of one that was adopted.
  let size: UInt64?
  let isForked: Bool

  func role(at seq: UInt64) -> Role? {
    if let size, seq > size { return nil }
    if isForked, let branch, seq > branch.seq { return nil }
    return grants.compactMap { grant in
      var role = grant.role
      for cuts in cuts {
        guard let left = cuts.left(of: grant, in: (replica, seq)) else { return nil }
        role = min(role, left)
      }
      return role
    }.max()
  }

  /// A role is never higher further on, so it falls below `.write` behind one of these.
  var end: UInt64? {
    let limits = cuts.flatMap { $0.limits(in: replica) }
    let others = [0, size, isForked ? branch?.seq : nil].compactMap { $0 }
    return Set(limits + others).sorted().first { (role(at: $0 + 1) ?? .read) < .write }
  }

  /// Named by who may end all that the log's device may write, else by the device itself.
  var branch: LogEnd? {
    guard let rank = grants.lazy.filter({ $0.role >= .write }).map(\.rank).min() else { return nil }
    return cuts.lazy.compactMap { $0.branch(of: replica, rank: rank) }.first
  }
}

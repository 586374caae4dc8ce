// Who is a member of a timeline, which logs are whose, and up to where they count: a value, and a function of the
// set of facts alone, so that all machines with the same lines agree, in whatever order these came. The rules are
// docs/reference/membership.md. It reads no log and checks no head: the store feeds it, and asks it.
//
//     lines under a signed head ─▶ MembershipFact ─▶ Membership.insert ─▶ role, device, end, counts, judge …

import TimelineModel
import TransparencyLog

public struct Membership: Sendable, Equatable {
  /// What is known, and what follows.
  private var judgement: Judgement
  /// The last line that counts, and that is kept, of every log that is known; made from `judgement`.
  private var ends: [ReplicaID: Ends] = [:]

  private struct Ends: Sendable, Equatable {
    let end: UInt64?
    /// Never less than `end`.
    let reach: UInt64?
  }

  /// Of the timeline whose founding has this hash; nobody is a member until that founding is here.
  public init(of timeline: SHA256Digest, _ facts: some Sequence<MembershipFact> = []) {
    judgement = Judgement(MembershipFacts(timeline))
    insert(facts)
  }

  /// Takes in what came; what follows is judged once. The lines that a fork or an end puts aside are not taken out
  /// again: their store makes another value of what is left.
  public mutating func insert(_ facts: some Sequence<MembershipFact>) {
    var isStale = false
    var logs: [ReplicaID] = []
    for fact in facts {
      switch judgement.insert(fact) {
      case .nothing: break
      case .end(let replica): logs.append(replica)
      case .everything: isStale = true
      }
    }
    if isStale {
      judgement = Judgement(judgement.facts)
      logs = Array(judgement.facts.logs.keys)
    }
    for replica in logs {
      ends[replica] = Ends(
        end: judgement.end(of: replica, byOthersAlone: false),
        reach: judgement.end(of: replica, byOthersAlone: true))
    }
  }

  private var facts: MembershipFacts { judgement.facts }

  // MARK: The timeline

  public var timeline: SHA256Digest { facts.timeline }

  /// The device that founded it; nil until the founding is here.
  public var founder: DeviceID? { facts.founding?.device }

  /// Every log that is of a device or was adopted, in the order of ids.
  public var logs: [ReplicaID] { facts.logs.keys.sorted() }

  /// Those of which lines are asked for: the founder's first, then by the rank of their device, adopted ones last;
  /// then in the order of ids.
  public var followed: [ReplicaID] {
    func rank(_ replica: ReplicaID) -> Int {
      if isAdopted(replica) { return .max }
      guard let device = device(of: replica), device != founder else { return 0 }
      return judgement.grants[device]?.first?.rank ?? .max
    }
    return logs.filter { reach(of: $0) != 0 }.map { (rank($0), $0) }.sorted { $0 < $1 }.map(\.1)
  }

  /// Whether lines are asked for of a log that a peer says is of this device; nil: from before the founding. That
  /// it is, its line 1 shows.
  public func follows(_ replica: ReplicaID, of device: DeviceID?) -> Bool {
    reach(of: replica, ifOf: device) != 0
  }

  /// The reach of a log that may not be known yet, where it is of this device.
  private func reach(of replica: ReplicaID, ifOf device: DeviceID?) -> UInt64? {
    if facts.logs[replica] != nil { return reach(of: replica) }
    return device.map { judgement.reach(ofNew: replica, $0) } ?? 0
  }

  /// The reach of a log that begins with this line 1; 0 where that is not right.
  public func reach(of record: ReplicaRecord) -> UInt64? {
    guard record.timeline == timeline, record.isSigned else { return 0 }
    return reach(of: record.id, ifOf: DeviceID(of: record.device))
  }

  /// Whether lines are kept of a log that begins with this line 1: it is right (M-4), and its device may write
  /// there (M-13). A log that is not known costs nothing until this is so.
  public func follows(_ record: ReplicaRecord) -> Bool { reach(of: record) != 0 }

  // MARK: Devices

  /// What the device may do from here on (M-8, M-9); nil for one that is no member, or is one no more.
  public func role(of device: DeviceID) -> Role? { judgement.role(of: device) }

  /// All that ever were members, by rank, then id.
  public var members: [Member] {
    judgement.grants.keys.sorted().compactMap { member($0) }.sorted {
      ($0.rank, $0.device) < ($1.rank, $1.device)
    }
  }

  /// The record of the recovery code that brought a device in, the highest role first; nil where there is none.
  public func recoveryRecord(of device: DeviceID) -> MemberRecord? {
    facts.recovery.compactMap { record in
      if case .member(let member) = record, member.device == device { member } else { nil }
    }.max { ($0.role, $1.json.text) < ($1.role, $0.json.text) }
  }

  /// Whether a record that the recovery code signed is here.
  public func hasRecoveryRecord(_ record: MemberRecord) -> Bool {
    facts.recovery.contains(.member(record))
  }

  public func member(_ device: DeviceID) -> Member? {
    guard let grants = judgement.grants[device], let first = grants.first else { return nil }
    return Member(
      device: device, name: grants.lazy.compactMap(\.name).first, rank: first.rank,
      role: role(of: device), granted: grants.map(\.role).max() ?? first.role, by: first.by,
      logs: judgement.logs[device] ?? [],
      ends: judgement.endings(of: device).map { Member.Ending(by: $0.by, end: $0.end) }
        .sorted(by: Member.Ending.precedes))
  }

  /// Whether the device is a member, or was one.
  public func knows(_ device: DeviceID) -> Bool { judgement.grants[device] != nil }

  /// Whether the device was a member and is none any more. One that nothing is known of may be one, to a machine
  /// that has just joined.
  public func hasEnded(_ device: DeviceID) -> Bool { knows(device) && role(of: device) == nil }

  // MARK: Logs

  /// Whose log it is (M-4); nil where line 1 is not here or not right.
  public func device(of replica: ReplicaID) -> DeviceID? { facts.logs[replica]?.device }

  /// What the heads of a log are signed with; nil for the log of nobody, or where the founding knows of none.
  public func key(of replica: ReplicaID) -> Ed25519PublicKey? { facts.logs[replica]?.key }

  /// Whether it is from before the founding.
  private func isAdopted(_ replica: ReplicaID) -> Bool { facts.logs[replica]?.size != nil }

  /// The last line of a log that counts (M-12): 0 where none does, as in the log of nobody; nil where no end is
  /// set. Answers and positions go as far.
  public func end(of replica: ReplicaID) -> UInt64? {
    guard let ends = ends[replica] else { return 0 }
    return ends.end
  }

  /// The last line of a log that is asked for, sent and kept (M-13), never less than `end`: as far as others than
  /// its own device say. HAVE and what is in sync go as far. So a line in which a device ends itself is never hidden
  /// behind another one of its own.
  public func reach(of replica: ReplicaID) -> UInt64? {
    guard let ends = ends[replica] else { return 0 }
    return ends.reach
  }

  /// Whether a line counts.
  public func counts(_ replica: ReplicaID, _ seq: UInt64) -> Bool {
    seq > 0 && (end(of: replica).map { seq <= $0 } ?? true)
  }

  /// The role by which a line is judged; nil where it counts for nothing.
  public func role(in replica: ReplicaID, at seq: UInt64) -> Role? {
    judgement.role(in: replica, at: seq)
  }

  /// Where an end says that a log ends, and with which root, in a log that forked or not: lines that do not lead
  /// to this root are of another branch (M-14). Nil where no end names it.
  public func branch(of replica: ReplicaID) -> LogEnd? { judgement.branch(of: replica) }

  // MARK: Forks

  /// Logs that are proven to have forked, and of which nobody who may has said which branch is meant, as far as
  /// anything in them counts (M-14); in the order of ids.
  public var openForks: [ReplicaID] {
    facts.forks.filter { isOpenFork($0) }.sorted()
  }

  private func isOpenFork(_ replica: ReplicaID) -> Bool {
    facts.forks.contains(replica) && branch(of: replica) == nil && end(of: replica) != 0
  }

  /// Whether an admin's log is among them: other machines may know of other members.
  public var isInDoubt: Bool { openForks.contains { role(in: $0, at: 1) == .admin } }

  // MARK: Erasures

  /// What becomes of a line in log `target` that an erasure names, which stands as line `seq` of `replica` (M-15).
  /// To be asked again when the bytes are to go: its recorder may have been ended below it.
  public func judge(erasureIn replica: ReplicaID, at seq: UInt64, of target: ReplicaID)
    -> ErasureVerdict
  {
    guard counts(replica, seq) else { return .keep }
    let isOwn =
      replica == target || (device(of: replica) != nil && device(of: replica) == device(of: target))
    let isAdopted = isAdopted(replica)
    guard isOwn || isAdopted || role(in: replica, at: seq) == .admin else { return .keep }
    if isOpenFork(replica) { return .hideUntilSettled }
    return isOwn || isAdopted ? .erase : .hide
  }

  // MARK: Before it is recorded

  /// Why a device is not to record this member line; nil where it may (M-16). Where the recovery code signs it, its
  /// own rights play no part.
  public func refusal(of record: MemberRecord, by device: DeviceID) -> RecordingRefusal? {
    guard record.signature == nil else { return refusal(ofSigned: record) }
    guard role(of: device) == .admin else { return .noRight }
    if let other = user(of: record.code, by: device), other != record.device {
      return .codeUsed(by: other)
    }
    return isEnded(record, rank: (judgement.adminRank(of: device) ?? 0) + 1) ? .ended : nil
  }

  /// Whether a cut would take away of a grant of this rank, or acts on one that is there.
  private func isEnded(_ record: MemberRecord, rank: Int) -> Bool {
    judgement.endings(of: record.device, andOfRank: rank).contains {
      $0.end.to.map { $0 < record.role } ?? true
    }
  }

  /// The device that a code of this admin has brought in (M-7).
  public func user(of code: SHA256Digest?, by admin: DeviceID) -> DeviceID? {
    guard let code else { return nil }
    for replica in judgement.logs[admin] ?? [] {
      let lines = (facts.lines[replica] ?? [:]).sorted { $0.key < $1.key }
      for (seq, line) in lines where judgement.role(in: replica, at: seq) == .admin {
        if case .member(let member) = line, member.code == code { return member.device }
      }
    }
    return nil
  }

  /// Why a device that has so many lines of each log is not to record this end; nil where it may (M-16). Where the
  /// recovery code signs it, its own rights play no part.
  public func refusal(of end: MemberEnd, by device: DeviceID, having position: Position)
    -> RecordingRefusal?
  {
    guard end.signature == nil else { return refusal(ofSigned: end, having: position) }
    guard let grants = judgement.grants[end.device] else { return .noMember }
    if end.device == device {
      guard (role(of: device) ?? .read) >= .write else { return .noRight }
    } else {
      guard role(of: device) == .admin, let rank = judgement.adminRank(of: device) else {
        return .noRight
      }
      guard grants.contains(where: { $0.rank > rank }) else { return .rank }
    }
    return below(end, position)
  }

  private func refusal(ofSigned record: MemberRecord) -> RecordingRefusal? {
    guard let recovery = facts.founding?.recovery, record.isSigned(by: recovery, of: timeline)
    else { return .signature }
    return isEnded(record, rank: Judgement.founderRank) ? .ended : nil
  }

  private func refusal(ofSigned end: MemberEnd, having position: Position) -> RecordingRefusal? {
    guard let recovery = facts.founding?.recovery, end.isSigned(by: recovery, of: timeline) else {
      return .signature
    }
    return judgement.grants[end.device] == nil ? .noMember : below(end, position)
  }

  private func below(_ end: MemberEnd, _ position: Position) -> RecordingRefusal? {
    for replica in logs where device(of: replica) == end.device && !facts.forks.contains(replica) {
      let counted = min(position[replica], self.end(of: replica) ?? .max)
      let limit = end.upTo[replica]?.seq ?? 0
      if limit < counted { return .below(replica, has: counted) }
    }
    return nil
  }
}

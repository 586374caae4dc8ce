// When heads are signed: once at the start for what no head covers yet, then behind commits, and at the end.
// Peers get lines under heads alone: while some are connected each commit is signed at once, as soon as the last
// one is; else one a second is. Once a second the newest are put on the disk, this machine's and those that lines of
// others came under. The work is done on another thread, one piece after the other.

import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

/// A piece of work on heads.
struct HeadWork: Sendable {
  enum Kind: Sendable {
    /// All logs are looked at.
    case all
    /// This machine's log is signed, for peers that wait for it.
    case sign(ReplicaID)
    /// The same, and the newest heads are put on the disk.
    case keep(ReplicaID, others: [ReplicaID: SignedHead])
    /// The tree of a log of which lines are to come.
    case tree(ReplicaID)
    /// That a head covers lines which are to be sent.
    case cover(SyncSession.HeldRun, for: ConnectionID)
    /// A head that a peer sent.
    case take(ReplicaID, note: [UInt8], from: ConnectionID)
    /// Lines to prove to a peer that lacks them.
    case prove(LineRange, SyncSession, for: ConnectionID)
    /// Lines that a peer proved.
    case check([(address: LineAddress, proof: [UInt8], line: [UInt8])])
  }

  let keeper: HeadKeeper
  let view: ReadView
  let kind: Kind

  private static let proofBytesMax = 1 << 20

  func perform() -> HeadReport {
    switch kind {
    case .all:
      let outcomes = keeper.checkAll(view)
      let trees = keeper.trees(view)
      keeper.saveTrees()
      return HeadReport(outcomes: outcomes, trees: trees)
    case .sign(let own):
      return HeadReport(
        outcomes: [own: sign(isKept: false)].compactMapValues { $0 }, isOfSigning: true)
    case .keep(let own, let others):
      var report = HeadReport(isOfSigning: true)
      report.outcomes[own] = sign(isKept: true)
      for (replica, head) in others {
        if case .here(let outcome) = keeper.take(head.note.bytes, of: replica, view) {
          report.outcomes[replica] = outcome
          switch outcome {
          case .failure(.disk), .failure(.damaged): report.unkept[replica] = head
          default: break
          }
        }
      }
      return report
    case .tree(let replica):
      return HeadReport(trees: keeper.trees(of: replica, view), tree: replica)
    case .cover(let run, let connection):
      let hashes = try? keeper.consistency(
        from: run.last, to: run.head, of: run.lines.replica, view)
      return HeadReport(covered: (connection, run, hashes))
    case .take(let replica, let note, let connection):
      switch keeper.take(note, of: replica, view) {
      case .here(let outcome):
        var report = HeadReport(taken: replica)
        switch outcome {
        // The line with the key may be what is damaged; nothing new is told.
        case .failure(.noKey): report.unwritten = (connection, note)
        case .failure(.stopped): break
        case .failure(.damaged):
          report.outcomes = [replica: outcome]
          report.unwritten = (connection, note)
        case .failure(.disk):
          report.outcomes = [replica: outcome]
          report.unwritten = (connection, note)
          report.isForLater = true
        default: report.outcomes = [replica: outcome]
        }
        return report
      case .refused(let problem):
        return HeadReport(
          blame: (connection, ErrorReply(.badRequest, problem.message)), taken: replica)
      }
    case .prove(let lines, let session, let connection):
      let (proofs, looked) = keeper.prove(
        lines.first, count: lines.count, of: lines.replica, bytesMax: Self.proofBytesMax, view)
      var out: [UInt8] = []
      for proof in proofs { out += session.proven(proof.seq, proof.bare, proof.line, lines) }
      out += session.proved(LineRange(lines.replica, lines.first, looked))
      return HeadReport(reply: (connection, out))
    case .check(let proofs): return HeadReport(repairs: keeper.proven(proofs, view))
    }
  }

  private func sign(isKept: Bool) -> HeadKeeper.Outcome? {
    do throws(HeadProblem) {
      return try keeper.sign(view, isKept: isKept).map { .success($0) }
    } catch { return .failure(error) }
  }
}

/// What came of it.
struct HeadReport: Sendable {
  var outcomes: [ReplicaID: HeadKeeper.Outcome] = [:]
  /// The peer that sent what it should not have, and why.
  var blame: (connection: ConnectionID, error: ErrorReply)?
  /// For a peer that asked.
  var reply: (connection: ConnectionID, bytes: [UInt8])?
  /// Lines to put back, each proven.
  var repairs: [LineAddress: [UInt8]] = [:]
  /// The log whose head was looked at for a peer.
  var taken: ReplicaID?
  /// The trees of logs that peers may go on with.
  var trees: [ReplicaID: TreeFrontier] = [:]
  /// The log that was asked about.
  var tree: ReplicaID?
  /// Heads that the disk did not take, or with a damaged line under them.
  var unkept: [ReplicaID: SignedHead] = [:]
  /// Lines for a peer that a head covers; nil where that cannot be shown.
  var covered: (connection: ConnectionID, run: SyncSession.HeldRun, consistency: [SHA256Digest]?)?
  /// The head itself, where the disk did not take it, or a damaged line is under it.
  var unwritten: (connection: ConnectionID, note: [UInt8])?
  /// Whether that may pass by itself.
  var isForLater = false
  /// Whether this was the signing of our own.
  var isOfSigning = false
}

/// The heads of one timeline.
final class Heads {
  let keeper: HeadKeeper
  /// Why a log has no head that can be relied on.
  private(set) var problems: [ReplicaID: HeadProblem] = [:]
  /// When there is something to be done, in microseconds of the monotonic clock.
  var due: Int64? { [signingDue, retryAt].lazy.compactMap { $0 }.min() }
  /// When the next one is to be signed; nil while one is, whose end comes as an input.
  private var signingDue: Int64? {
    isSigning ? nil : [requestedAt, urgent].lazy.compactMap { $0 }.min()
  }
  /// When the newest are to be on the disk.
  private var requestedAt: Int64?
  /// When one is to be signed for peers.
  private var urgent: Int64?
  private var isSigning = false
  private var lastKept: Int64 = .min / 2
  /// Heads that lines of other machines came under, and that are not on the disk yet.
  private var toKeep: [ReplicaID: SignedHead] = [:]
  /// Logs of which the tree is being made, and those of which it could not be.
  private var treesAsked: Set<ReplicaID> = []
  private(set) var lostTrees: Set<ReplicaID> = []
  /// Logs of which a peer's head is being looked at, each with the newest ones that came meanwhile: one of
  /// each peer, since what another sends later may be older.
  private var taking: [ReplicaID: [(connection: ConnectionID, note: [UInt8])]] = [:]

  /// Logs with a head that the disk did not take, or with a damaged line under it: it waits in `taking`, first
  /// of those that do.
  private var unwritten: Set<ReplicaID> = []
  /// Logs of which a head is looked at in lines as they were before something was put back.
  private var stale: Set<ReplicaID> = []
  /// When they are tried again, whatever happens.
  private var retryAt: Int64?

  private static let pause: Int64 = 1_000_000
  /// A disk that was full may have room again by then: nothing else may come that would have a head written.
  private static let retryPause: Int64 = 10_000_000

  init(_ keeper: HeadKeeper) { self.keeper = keeper }

  func work(_ kind: HeadWork.Kind, _ view: ReadView) -> Work {
    Work(kind: .heads(HeadWork(keeper: keeper, view: view, kind: kind)))
  }

  /// Lines have become durable that are to be signed: soon, or at once where peers wait for them.
  func want(_ now: Int64, isUrgent: Bool) {
    if requestedAt == nil { requestedAt = max(now, lastKept + Self.pause) }
    if isUrgent, urgent == nil { urgent = now }
  }

  /// Lines of another machine have become durable under this head.
  func keep(_ head: SignedHead, of replica: ReplicaID, _ now: Int64) {
    toKeep[replica] = head
    want(now, isUrgent: false)
  }

  /// Makes the tree of a log, so that lines of it can be taken; nil where that is under way.
  func tree(of replica: ReplicaID, _ view: ReadView) -> Work? {
    treesAsked.insert(replica).inserted ? work(.tree(replica), view) : nil
  }

  /// What could not be made may be able to be now.
  func forgetLostTrees() { lostTrees = [] }

  /// Whatever else is being done: peers can ask for proofs without a pause.
  func isDue(_ now: Int64) -> Bool { signingDue.map { $0 <= now } ?? false }

  /// Heads of others that could not be taken, once it is time to try them again.
  func retry(_ view: ReadView, _ now: Int64) -> [Work] {
    retryAt.map { $0 <= now } ?? false ? retryAll(view) : []
  }

  /// The same at once: lines may be whole again.
  func retryAll(_ view: ReadView) -> [Work] {
    retryAt = nil
    stale = Set(taking.keys).subtracting(unwritten)
    defer { unwritten = [] }
    return unwritten.sorted().compactMap { takeNext(of: $0, view) }
  }

  /// Goes on with the next head of a log that waits to be looked at.
  private func takeNext(of replica: ReplicaID, _ view: ReadView) -> Work? {
    guard var waiting = taking.removeValue(forKey: replica), !waiting.isEmpty else { return nil }
    let (connection, note) = waiting.removeFirst()
    taking[replica] = waiting
    return work(.take(replica, note: note, from: connection), view)
  }

  func sign(_ view: ReadView, own: ReplicaID, _ now: Int64) -> Work {
    isSigning = true
    urgent = nil
    guard requestedAt.map({ $0 <= now }) ?? false else { return work(.sign(own), view) }
    requestedAt = nil
    lastKept = now
    defer { toKeep = [:] }
    return work(.keep(own, others: toKeep), view)
  }

  /// Looks at a head that a peer sent, or keeps it until the last one of that log was looked at. A log
  /// that is not here costs nothing.
  func take(
    _ note: [UInt8], of replica: ReplicaID, _ view: ReadView, from connection: ConnectionID
  ) -> Work? {
    guard view.size(of: replica) > 0 else { return nil }
    if let waiting = taking[replica] {
      let index = waiting.firstIndex { $0.connection == connection } ?? waiting.count
      taking[replica]!.replaceSubrange(
        index..<min(index + 1, waiting.count), with: [(connection, note)])
      // One that could not be taken is no reason to wait.
      return unwritten.remove(replica) == nil ? nil : takeNext(of: replica, view)
    }
    taking[replica] = []
    return work(.take(replica, note: note, from: connection), view)
  }

  /// Notes what came of work, and makes heads known. Returns what is to be done next, and what is to be
  /// told.
  func took(
    _ report: HeadReport, _ timeline: Timeline, _ now: Int64
  ) -> (next: Work?, warnings: [String]) {
    if report.isOfSigning { isSigning = false }
    toKeep.merge(report.unkept) { newer, _ in newer }
    timeline.adopt(report.trees)
    if let replica = report.tree {
      treesAsked.remove(replica)
      if report.trees[replica] == nil { lostTrees.insert(replica) }
    }
    var warnings: [String] = []
    for (replica, outcome) in report.outcomes.sorted(by: { $0.key < $1.key }) {
      switch outcome {
      case .success(let head):
        problems[replica] = nil
        timeline.publish(head, of: replica)
      case .failure(let problem):
        if problems.updateValue(problem, forKey: replica) != problem {
          warnings.append(problem.message)
        }
      }
    }
    var next: Work?
    if let replica = report.taken {
      let isStale = stale.remove(replica) != nil
      if let unwritten = report.unwritten {
        taking[replica, default: []].insert(unwritten, at: 0)
      }
      if report.unwritten != nil, !isStale {
        unwritten.insert(replica)
        if report.isForLater { retryAt = retryAt ?? now + Self.retryPause }
      } else {
        next = takeNext(of: replica, timeline.lines)
      }
    }
    var isUnkept = !report.unkept.isEmpty
    if case .failure(.disk)? = report.outcomes[timeline.replica] { isUnkept = true }
    if isUnkept {
      requestedAt = max(requestedAt ?? 0, now + Self.retryPause)
    }
    return (next, warnings)
  }

  /// The last one before the end, unless that would take long; nothing else may be under way. Returns
  /// what is to be told.
  func finish(_ view: ReadView) -> String? {
    keeper.stop()
    var warning: String?
    for (replica, head) in toKeep { _ = keeper.take(head.note.bytes, of: replica, view) }
    do throws(HeadProblem) { _ = try keeper.sign(view, isKept: true) } catch {
      if error != .stopped, !problems.values.contains(error) {
        warning = "the last lines are not signed: \(error.message)"
      }
    }
    keeper.saveTrees()
    return warning
  }
}

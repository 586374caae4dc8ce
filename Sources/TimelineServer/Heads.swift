// When heads are signed: once at the start for what no head covers yet, then behind commits, at most one
// a second, and at the end; and those of other machines, as peers bring them. The work is done on a
// thread beside the engine's, one piece after the other.

import EventStore
import TimelineModel
import TimelineWire

/// A piece of work on heads.
struct HeadWork: Sendable {
  enum Kind: Sendable {
    /// All logs are looked at.
    case all
    /// This machine's log is signed.
    case sign(ReplicaID)
    /// A head that a peer sent.
    case take(ReplicaID, note: [UInt8], from: ConnectionID)
    /// Lines to prove to a peer that lacks them.
    case prove(WantedLines, SyncSession, for: ConnectionID)
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
      keeper.saveTrees()
      return HeadReport(outcomes: outcomes)
    case .sign(let own):
      return HeadReport(outcomes: [own: sign()].compactMapValues { $0 }, isOfSigning: true)
    case .take(let replica, let note, let connection):
      switch keeper.take(note, of: replica, view) {
      // Whoever has the lines, but not yet the one with the key, is told nothing new.
      case .here(.failure(.noKey)), .here(.failure(.stopped)):
        return HeadReport(taken: replica)
      case .here(let outcome):
        var report = HeadReport(outcomes: [replica: outcome], taken: replica)
        if case .failure(.disk) = outcome { report.unwritten = (connection, note) }
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
      out += session.proved(WantedLines(lines.replica, lines.first, looked))
      return HeadReport(reply: (connection, out))
    case .check(let proofs): return HeadReport(repairs: keeper.proven(proofs, view))
    }
  }

  private func sign() -> HeadKeeper.Outcome? {
    do throws(HeadProblem) { return try keeper.sign(view).map { .success($0) } } catch {
      return .failure(error)
    }
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
  /// The head itself, where the disk did not take it.
  var unwritten: (connection: ConnectionID, note: [UInt8])?
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
  private var signingDue: Int64? { isSigning ? nil : wanted }
  private var wanted: Int64?
  private var isSigning = false
  private var lastBegun: Int64 = .min / 2
  /// Logs of which a peer's head is being looked at, each with the newest ones that came meanwhile: one of
  /// each peer, since what another sends later may be older.
  private var taking: [ReplicaID: [(connection: ConnectionID, note: [UInt8])]] = [:]

  /// Logs of which the disk did not take a head: it waits in `taking`, first of those that do.
  private var unwritten: Set<ReplicaID> = []
  /// When that is tried again.
  private var retryAt: Int64?

  private static let pause: Int64 = 1_000_000
  /// A disk that was full may have room again by then: nothing else may come that would have a head written.
  private static let retryPause: Int64 = 10_000_000

  init(_ keeper: HeadKeeper) { self.keeper = keeper }

  func work(_ kind: HeadWork.Kind, _ view: ReadView) -> Work {
    Work(kind: .heads(HeadWork(keeper: keeper, view: view, kind: kind)))
  }

  /// Lines have become durable that are to be signed soon.
  func want(_ now: Int64) {
    if wanted == nil { wanted = max(now, lastBegun + Self.pause) }
  }

  /// Whatever else is being done: peers can ask for proofs without a pause.
  func isDue(_ now: Int64) -> Bool { signingDue.map { $0 <= now } ?? false }

  /// Heads of others that the disk did not take, once it is time to try them again.
  func retry(_ view: ReadView, _ now: Int64) -> [Work] {
    guard let at = retryAt, at <= now else { return [] }
    retryAt = nil
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
    wanted = nil
    isSigning = true
    lastBegun = now
    return work(.sign(own), view)
  }

  /// Looks at a head that a peer sent, or keeps it until the last one of that log was looked at. A log
  /// that is not here costs nothing.
  func take(
    _ note: [UInt8], of replica: ReplicaID, _ view: ReadView, from connection: ConnectionID
  ) -> Work? {
    guard view.position[replica] > 0 else { return nil }
    if let waiting = taking[replica] {
      let place = waiting.firstIndex { $0.connection == connection } ?? waiting.count
      taking[replica]!.replaceSubrange(
        place..<min(place + 1, waiting.count), with: [(connection, note)])
      return nil
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
      if let unwritten = report.unwritten {
        taking[replica, default: []].insert(unwritten, at: 0)
        self.unwritten.insert(replica)
        retryAt = retryAt ?? now + Self.retryPause
      } else {
        next = takeNext(of: replica, timeline.lines)
      }
    }
    if case .failure(.disk)? = report.outcomes[timeline.replica] {
      wanted = max(wanted ?? 0, now + Self.retryPause)
    }
    return (next, warnings)
  }

  /// The last one before the end, unless that would take long; nothing else may be under way. Returns
  /// what is to be told.
  func finish(_ view: ReadView) -> String? {
    keeper.stop()
    var warning: String?
    do throws(HeadProblem) { _ = try keeper.sign(view) } catch {
      if error != .stopped, !problems.values.contains(error) {
        warning = "the last lines are not signed: \(error.message)"
      }
    }
    keeper.saveTrees()
    return warning
  }
}

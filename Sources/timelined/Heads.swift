// When heads are signed: once at the start for what no head covers yet, then behind commits, at most one
// a second, and at the end; and those of other machines, as peers bring them. The work is done beside
// the loop, which this belongs to.

import Dispatch
import EventStore
import TimelineModel
import TimelineWire

final class Heads {
  typealias Outcomes = [ReplicaID: HeadKeeper.Outcome]

  /// What came of some work.
  struct Report: Sendable {
    var outcomes: Outcomes
    /// The peer that sent what it should not have, and why.
    var blame: (connection: ConnectionID, error: RequestError)?
    /// For a peer that asked.
    var reply: (connection: ConnectionID, bytes: [UInt8])?
    /// Lines to put back, each proven.
    var mends: [LogPlace: [UInt8]] = [:]
    /// Whether this was the signing of our own.
    var isOfSigning = false
  }

  let keeper: HeadKeeper
  /// Takes what came of work, on any thread.
  var report: @Sendable (Report) -> Void = { _ in }
  /// Why a log has no head that can be relied on.
  private(set) var problems: [ReplicaID: HeadProblem] = [:]
  /// When the next one is to be signed, in microseconds; nil while one is, whose end wakes the loop.
  var due: Int64? { isSigning ? nil : wanted }
  private var wanted: Int64?
  private var isSigning = false
  private var lastBegun: Int64 = 0
  /// Reports that are to come.
  private var running = 0
  private let queue = DispatchQueue(label: "heads", qos: .utility)

  private static let pause: Int64 = 1_000_000
  /// Beyond so many a peer's heads are dropped: newer ones will come.
  private static let runningMax = 64
  private static let proofBytesMax = 1 << 20

  init(_ keeper: HeadKeeper) { self.keeper = keeper }

  private func run(_ work: @escaping @Sendable () -> Report) {
    running += 1
    queue.async { [report] in report(work()) }
  }

  /// Looks at all logs.
  func begin(_ snapshot: Snapshot) {
    run { [keeper] in
      let outcomes = keeper.checkAll(snapshot)
      keeper.saveTrees()
      return Report(outcomes: outcomes)
    }
  }

  /// Lines have become durable that are to be signed soon.
  func want(_ now: Int64) {
    if wanted == nil { wanted = max(now, lastBegun + Self.pause) }
  }

  /// Whatever else is being done: peers can ask for proofs without a pause.
  func isDue(_ now: Int64) -> Bool { due.map { $0 <= now } ?? false }

  func sign(_ snapshot: Snapshot, own: ReplicaID, _ now: Int64) {
    wanted = nil
    isSigning = true
    lastBegun = now
    run { [keeper] in
      Report(
        outcomes: [own: Self.sign(keeper, snapshot)].compactMapValues { $0 }, isOfSigning: true)
    }
  }

  private static func sign(_ keeper: HeadKeeper, _ snapshot: Snapshot) -> HeadKeeper.Outcome? {
    do throws(HeadProblem) { return try keeper.sign(snapshot).map { .success($0) } } catch {
      return .failure(error)
    }
  }

  /// Looks at a head that a peer sent.
  func take(
    _ note: [UInt8], of replica: ReplicaID, _ snapshot: Snapshot, from connection: ConnectionID
  ) {
    guard running < Self.runningMax else { return }
    run { [keeper] in
      switch keeper.take(note, of: replica, snapshot) {
      // Whoever has the lines, but not yet the one with the key, is told nothing new.
      case .here(.failure(.noKey)), .here(.failure(.stopped)): Report(outcomes: [:])
      case .here(let outcome): Report(outcomes: [replica: outcome])
      case .refused(let problem):
        Report(
          outcomes: [:], blame: (connection, RequestError(.badRequest, problem.message)))
      }
    }
  }

  /// Proves lines to a peer that lacks them.
  func prove(
    _ lines: WantedLines, _ snapshot: Snapshot, _ session: SyncSession, for connection: ConnectionID
  ) {
    run { [keeper] in
      let (proofs, looked) = keeper.prove(
        lines.first, count: lines.count, of: lines.replica, bytesMax: Self.proofBytesMax, snapshot)
      var out: [UInt8] = []
      for proof in proofs { out += session.proven(proof.seq, proof.bare, proof.line, lines) }
      out += session.proved(WantedLines(lines.replica, lines.first, looked))
      return Report(outcomes: [:], reply: (connection, out))
    }
  }

  /// Looks at lines that a peer proved.
  func check(
    _ proofs: [(place: LogPlace, proof: [UInt8], line: [UInt8])], _ snapshot: Snapshot
  ) {
    run { [keeper] in
      Report(outcomes: [:], mends: keeper.proven(proofs, snapshot))
    }
  }

  /// The last one before the end, unless that would take long.
  func finish(_ snapshot: Snapshot) {
    keeper.stop()
    queue.sync {}
    if case .failure(let problem) = Self.sign(keeper, snapshot), problem != .stopped,
      !problems.values.contains(problem)
    {
      Journal.write(.warning, "the last lines are not signed: \(problem.message)")
    }
    keeper.saveTrees()
  }

  /// Notes what came of it; makes the heads known.
  func took(_ report: Report, _ timeline: Timeline) {
    running -= 1
    if report.isOfSigning { isSigning = false }
    for (replica, outcome) in report.outcomes {
      switch outcome {
      case .success(let head):
        problems[replica] = nil
        timeline.publish(head, of: replica)
      case .failure(let problem):
        if problems.updateValue(problem, forKey: replica) != problem {
          Journal.write(.warning, problem.message)
        }
      }
    }
  }
}

// When heads are signed: once at the start for what no head covers yet, then behind commits, at most one
// a second, and at the end. The work is done beside the loop, which this belongs to.

import Dispatch
import EventStore
import TimelineModel

final class Heads {
  typealias Outcomes = [ReplicaID: HeadKeeper.Outcome]

  let keeper: HeadKeeper
  /// Why a log has no head that can be relied on.
  private(set) var problems: [ReplicaID: HeadProblem] = [:]
  /// When the next one is to be signed, in microseconds.
  private(set) var due: Int64?
  private var lastBegun: Int64 = 0
  private var isBusy = false
  private let queue = DispatchQueue(label: "heads", qos: .utility)

  private static let pause: Int64 = 1_000_000

  init(_ keeper: HeadKeeper) { self.keeper = keeper }

  /// Looks at all logs.
  func begin(_ snapshot: Snapshot, _ report: @escaping @Sendable (Outcomes) -> Void) {
    isBusy = true
    queue.async { [keeper] in report(keeper.checkAll(snapshot)) }
  }

  /// Lines have become durable that are to be signed soon.
  func want(_ now: Int64) {
    if due == nil { due = max(now, lastBegun + Self.pause) }
  }

  func isDue(_ now: Int64) -> Bool { !isBusy && due.map { $0 <= now } ?? false }

  func sign(
    _ snapshot: Snapshot, own: ReplicaID, _ now: Int64,
    _ report: @escaping @Sendable (Outcomes) -> Void
  ) {
    isBusy = true
    due = nil
    lastBegun = now
    queue.async { [keeper] in report([own: Self.sign(keeper, snapshot)].compactMapValues { $0 }) }
  }

  private static func sign(_ keeper: HeadKeeper, _ snapshot: Snapshot) -> HeadKeeper.Outcome? {
    do throws(HeadProblem) { return try keeper.sign(snapshot).map { .success($0) } } catch {
      return .failure(error)
    }
  }

  /// The last one before the end, unless one is being made.
  func finish(_ snapshot: Snapshot) {
    guard !isBusy else { return }
    if case .failure(let problem) = Self.sign(keeper, snapshot) {
      Journal.write(.warning, "the last lines are not signed: \(problem.message)")
    }
  }

  /// Notes what came of it; makes the heads known.
  func took(_ outcomes: Outcomes, _ timeline: Timeline) {
    isBusy = false
    for (replica, outcome) in outcomes {
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

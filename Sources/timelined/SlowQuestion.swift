// What may take long is asked as a value and answered on any thread, from a snapshot: the loop goes on.

import Engagement
import EventStore
import TimelineModel

/// A question that may take long, to be answered off the loop.
struct SlowQuestion: Sendable {
  enum Kind: Sendable {
    case events
    case count
    /// The state of a dyad, or the events behind one of its figures; from what is kept of it, if
    /// anything.
    case state(Dyad, Day, figure: String?, KeptHistory?)
    /// Everything read again.
    case verify
  }

  enum Answer: Sendable {
    case events(EventList)
    case json(JSONValue)
    case state(JSONValue, KeptHistory?)
    /// Some of the answer, with more to come.
    case row(JSONValue)
    /// The last of it: rows, and what END says.
    case rows([JSONValue], end: JSONValue)
  }

  var snapshot: Snapshot
  var query: Query
  var kind: Kind

  /// The answer, or the last of it; what there is before goes to `report`.
  func answer(_ report: (Answer) -> Void = { _ in }) -> Answer {
    switch kind {
    case .verify:
      let total = snapshot.lineCount
      let verification = Verification(snapshot) { done in
        report(
          .row(
            .object(["progress": .string("verifying"), "done": .int(done), "total": .int(total)])))
      }
      return .rows(verification.logs.map(\.json), end: verification.summary)
    case .count: return .json(.object(["count": .int(snapshot.count(query))]))
    case .events: return .events(EventList(query, in: snapshot))
    case .state(let dyad, let day, let figure, let kept):
      let now =
        kept.map { $0.brought(upTo: snapshot) }
        ?? KeptHistory(dyad, in: snapshot, knownAt: query.knownAt)
      return .state(Self.state(now.history, day, figure), query.knownAt == nil ? now : nil)
    }
  }

  static func state(_ history: DyadHistory, _ day: Day, _ figure: String?) -> JSONValue {
    figure.flatMap { history.why($0, on: day) } ?? history.state(on: day)
  }
}

extension Verification {
  var summary: JSONValue {
    .object([
      "whole": .bool(isWhole), "lines": .int(logs.reduce(0) { $0 + Int($1.lines) }),
      "bytes": .int(logs.reduce(0) { $0 + $1.bytes }),
    ])
  }
}

extension Verification.Log {
  var json: JSONValue {
    .object([
      "replica": .string(replica.description), "lines": .int(Int(lines)), "erased": .int(stubs),
      "root": root.map { .string($0.base64) },
      "damage": .array(
        damage.map { damage in
          .object([
            "first": .int(Int(damage.first)), "last": .int(Int(damage.last)),
            "reason": .string(damage.reason),
          ])
        }),
    ])
  }
}

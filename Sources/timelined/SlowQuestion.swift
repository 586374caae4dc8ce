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
  }

  enum Answer: Sendable {
    case events(EventList)
    case json(JSONValue)
    case state(JSONValue, KeptHistory?)
  }

  var snapshot: Snapshot
  var query: Query
  var kind: Kind

  func answer() -> Answer {
    switch kind {
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

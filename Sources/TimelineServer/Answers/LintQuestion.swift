// LINT: which gaps and faults the events have, looked for by `Lint` over a read view, off the loop.

import Coding
import EventStore
import TimelineModel

struct LintQuestion: Sendable {
  /// Rows of each kind that are listed where nothing is said, and at most: nobody reads more, and the
  /// answer stands in memory until it is sent.
  static let limitUsual = 100
  static let limitMax = 10_000
  /// Fewer are done before anybody asks how far it is.
  static let quietEvents = 100_000

  /// On which day things are open, overdue or to come.
  var day: Day
  /// Rows of each kind.
  var limit: Int

  enum Outcome {
    case rows([JSONValue], end: JSONValue)
    case damaged(DamagedLine)
    /// Nobody waits any more.
    case unwanted
  }

  /// - Parameter query: its filter says findings of which events are wanted; all events are looked at.
  func answer(
    _ query: Query, _ view: ReadView, _ progress: (_ done: Int, _ total: Int) -> Bool
  ) -> Outcome {
    var everything = query
    everything.filter = Filter()
    let all = EventList(everything, in: view)
    if query.cited != nil, let damaged = all.damaged { return .damaged(damaged) }
    let wanted = query.filter.isEmpty ? nil : EventList(query, in: view).ids
    let shown = view.shownIDs(knownAt: query.knownAt)
    var lint = Lint(
      on: day, registry: view.registry(knownAt: query.knownAt), limit: limit,
      apart: view.apart(knownAt: query.knownAt),
      isWanted: { wanted?.contains($0) ?? true })
    var isUnwanted = false
    func take(_ events: [LintedEvent]) -> Bool {
      for event in events { lint.take(event) }
      isUnwanted = !progress(lint.events, all.count)
      return !isUnwanted
    }
    let damaged = all.read(
      { event, document, node, text in
        LintedEvent(
          id: event.id, isContested: event.isContested, document, node: node, in: text
        )?.leading(to: shown)
      }, take)
    if isUnwanted { return .unwanted }
    if query.cited != nil, let damaged { return .damaged(damaged) }
    if wanted == nil {
      let lines = view.unreadableLines(knownAt: query.knownAt, max: .max)
      for (id, why) in lines { lint.take(unreadable: id, why) }
    }
    let findings = lint.finish { target(shown[$0] ?? $0, query, view) }
    let rows = findings.map { finding in
      var said: LinkedEvent?
      if case .event(let event) = target(finding.ids[0], query, view) { said = event }
      return finding.json(said)
    }
    return .rows(rows, end: end(lint, query, view))
  }

  private func target(_ id: EventID, _ query: Query, _ view: ReadView) -> Lint.Target {
    switch view.find(id, knownAt: query.knownAt) {
    case .shown:
      view.linked(id, knownAt: query.knownAt, isItself: true).map { .event($0) } ?? .unknown
    case .retracted: .retracted
    case .line: .line
    case .unknown: .unknown
    }
  }

  private func end(_ lint: Lint, _ query: Query, _ view: ReadView) -> JSONValue {
    let counts = LintKind.allCases.compactMap { kind in
      lint.counts[kind].map { JSONValue.Member(kind.rawValue, .int($0)) }
    }
    return JSONValue.object([
      "day": .string(day.description), "events": .int(lint.events), "counts": .object(counts),
      "accepted": .int(lint.accepted),
      "position": (query.knownAt ?? view.position).json,
    ]).citing(query.cited)
  }
}

extension Finding {
  fileprivate func json(_ event: LinkedEvent?) -> JSONValue {
    .object([
      "kind": .string(kind.rawValue), "ids": .strings(ids),
      "events": count > ids.count ? .int(count) : nil,
      "date": event.map { .string($0.date) }, "title": event.map { .string($0.title) },
      "text": .string(text), "reason": reason.map { .string($0.rawValue) },
      "key": key.map { .string($0) }, "days": days.map { .int($0) },
    ])
  }
}

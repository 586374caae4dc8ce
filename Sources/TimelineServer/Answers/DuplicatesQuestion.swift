// DUPLICATES: pairs of events that may be one happening, a row each, the likeliest first: looked for by
// `Duplicates` over a read view, off the loop.

import Coding
import EventStore
import TimelineModel

struct DuplicatesQuestion: Sendable {
  static let limitUsual = 100
  static let limitMax = 10_000

  var limit: Int

  /// - Parameter query: its filter says of which events pairs are wanted; all events are looked at.
  func answer(
    _ query: Query, _ view: ReadView, _ progress: (_ done: Int, _ total: Int) -> Bool
  ) -> LintQuestion.Outcome {
    var everything = query
    everything.filter = Filter()
    let all = EventList(everything, in: view)
    if query.cited != nil, let damaged = all.damaged { return .damaged(damaged) }
    let wanted = query.filter.isEmpty ? nil : EventList(query, in: view).ids
    var duplicates = Duplicates(
      limit: limit, apart: view.apart(knownAt: query.knownAt),
      isWanted: { wanted?.contains($0) ?? true })
    var isUnwanted = false
    let damaged = all.read(
      { shown, document, node, text in
        LintedEvent(
          id: shown.id, isContested: shown.isContested, document, node: node, in: text)
      },
      { events in
        for event in events { duplicates.take(event) }
        isUnwanted = !progress(duplicates.events, all.count)
        return !isUnwanted
      })
    if isUnwanted { return .unwanted }
    if query.cited != nil, let damaged { return .damaged(damaged) }
    let rows = duplicates.pairs.map { pair in row(pair, query, view) }
    let end = JSONValue.object([
      "events": .int(duplicates.events), "count": .int(duplicates.count),
      "position": (query.knownAt ?? view.position).json,
    ]).citing(query.cited)
    return .rows(rows, end: end)
  }

  private func row(_ pair: Duplicates.Pair, _ query: Query, _ view: ReadView) -> JSONValue {
    .object([
      "score": .int(pair.likeness.score), "ids": .strings(pair.ids),
      "parts": .array(
        pair.likeness.parts.map { part in
          .object([
            "part": .string(part.name), "points": .int(part.points), "of": .int(part.max),
            "why": .string(part.why),
          ])
        }),
      "events": .array(
        pair.ids.map { id in
          let event = view.linked(id, knownAt: query.knownAt, isItself: true)
          return .object([
            "id": .string(id.description), "date": event.map { .string($0.date) },
            "title": event.map { .string($0.title) },
          ])
        }),
    ])
  }
}

extension EventList {
  /// Of all events that are in it.
  var ids: Set<EventID> { Set((0..<count).compactMap { self[$0]?.id }) }
}

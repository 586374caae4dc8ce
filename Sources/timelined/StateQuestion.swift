// What is asked of states: one dyad on a day or through the years, or every two of a group.

import Engagement
import EventStore
import TimelineModel

struct StateQuestion: Sendable {
  /// The days of a series.
  struct Series: Sendable {
    var step: SeriesStep
    var days: [Day]
  }

  static let partiesMax = 8
  static let rowsMax = 15_000

  /// In order; those of a group are every two of them.
  var parties: [ActorCode]
  var day: Day
  /// How the log stood.
  var query: Query
  /// The figure whose events are wanted; nil for the state itself.
  var figure: String?
  var series: Series?

  var dyads: [Dyad] {
    parties.indices.flatMap { place in
      parties[(place + 1)...].compactMap { Dyad(parties[place], $0) }
    }
  }

  /// Whether one dyad's state on one day answers it: that is soon done.
  var isOne: Bool { parties.count == 2 && series == nil }

  func answer(_ histories: [DyadHistory]) -> JSONValue {
    if let series {
      return .object([
        "parties": .strings(parties), "rules": histories[0].rulesJSON,
        "every": .string(series.step.rawValue),
        "rows": .array(histories[0].series(series.days, every: series.step)),
      ])
    }
    let answers = histories.map { history in
      figure.flatMap { history.why($0, on: day) } ?? history.state(on: day)
    }
    guard !isOne else { return answers[0] }
    return .object([
      "parties": .strings(parties), "day": .string(day.description),
      "rules": histories[0].rulesJSON, "dyads": .array(answers),
    ])
  }
}

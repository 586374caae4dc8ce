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

  /// What changed since a day: up to the day asked for, or day by day.
  struct Changes: Sendable {
    var from: Day
    var isDaily: Bool
  }

  /// What is taken to have happened, and what not.
  struct Hypothesis: Sendable {
    var without: [EventID]
    /// Else it is asked for a day on which all of the events have begun.
    var isDayGiven: Bool
    /// All of the events, those that are there already included.
    var events: [Event] = []
    /// What is left out, or added, and has been so already: `recorded`, `retracted`.
    var known: [EventID: WhatIf.Idle.Reason] = [:]
    var laid = WhatIf(events: [])
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
  var changes: Changes?
  var whatIf: Hypothesis?

  var dyads: [Dyad] {
    parties.indices.flatMap { place in
      parties[(place + 1)...].compactMap { Dyad(parties[place], $0) }
    }
  }

  /// Whether one dyad's state on one day answers it: that is soon done.
  var isOne: Bool { parties.count == 2 && series == nil && changes == nil && whatIf == nil }

  func answer(_ histories: [DyadHistory], isWanted: () -> Bool = { true }) -> JSONValue {
    if let changes { return answer(changes, histories, isWanted) }
    if let whatIf { return answer(whatIf, histories) }
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

  private func answer(
    _ changes: Changes, _ histories: [DyadHistory], _ isWanted: () -> Bool
  ) -> JSONValue {
    let head: [JSONValue.Member] = [
      JSONValue.Member("parties", .strings(parties)),
      JSONValue.Member("from", .string(changes.from.description)),
      JSONValue.Member("to", .string(day.description)),
      JSONValue.Member("rules", histories[0].rulesJSON),
    ]
    return each(histories, head) { history in
      guard !changes.isDaily else {
        let diary = history.diary(from: changes.from, through: day, isWanted: isWanted)
        return [JSONValue.Member("changes", .array(diary.map(\.json)))]
      }
      let (before, after) = (
        DatedHistory(history, on: changes.from), DatedHistory(history, on: day)
      )
      let found = StateChanges.between(before.state, after.state)
      return [
        JSONValue.Member("changes", .array(found.map(\.json))),
        JSONValue.Member("reasons", ReasonChanges.between(before, after, found)),
      ]
    }
  }

  private func answer(_ whatIf: Hypothesis, _ histories: [DyadHistory]) -> JSONValue {
    let head: [JSONValue.Member] = [
      JSONValue.Member("parties", .strings(parties)),
      JSONValue.Member("day", .string(day.description)),
      JSONValue.Member("rules", histories[0].rulesJSON),
      JSONValue.Member("events", .strings(whatIf.events.map(\.id))),
      JSONValue.Member("without", .strings(whatIf.without)),
    ]
    return each(histories, head) { history in
      let laid = DatedHistory(whatIf.laid.laid(over: history), on: day)
      let asItIs = DatedHistory(history, on: day)
      let (before, after) = (asItIs.state, laid.state)
      let found = StateChanges.between(before, after)
      return [
        JSONValue.Member("changes", .array(found.map(\.json))),
        JSONValue.Member("reasons", ReasonChanges.between(asItIs, laid, found)),
        JSONValue.Member(
          "without_effect",
          .array(
            WhatIf.idle(
              whatIf.events, without: whatIf.without, known: whatIf.known, asItIs, laid
            ).map(\.json))),
        JSONValue.Member("before", before), JSONValue.Member("after", after),
      ]
    }
  }

  /// What is said of two parties, or of every two of a group.
  private func each(
    _ histories: [DyadHistory], _ head: [JSONValue.Member],
    _ body: (DyadHistory) -> [JSONValue.Member]
  ) -> JSONValue {
    guard parties.count > 2 else { return .object(head + body(histories[0])) }
    let dyads = histories.map { history in
      let pair = [history.dyad.first, history.dyad.second]
      return JSONValue.object([JSONValue.Member("parties", .strings(pair))] + body(history))
    }
    return .object(head + [JSONValue.Member("dyads", .array(dyads))])
  }
}

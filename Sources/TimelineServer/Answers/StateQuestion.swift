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

  /// What changed: from a day to the one asked for, on each day between, or by what came into the log
  /// since a moment, which stands as it was given.
  enum Changes: Sendable {
    case days(from: Day)
    case daily(from: Day)
    case log(since: Position, as: JSONValue)
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
    parties.indices.flatMap { index in
      parties[(index + 1)...].compactMap { Dyad(parties[index], $0) }
    }
  }

  /// Whether one dyad's state on one day answers it: that is soon done.
  var isOne: Bool { parties.count == 2 && series == nil && changes == nil && whatIf == nil }

  /// The earlier moment of the log that this one is compared with, if it is.
  var comparedWith: Position? {
    if case .log(let since, _) = changes { since } else { nil }
  }

  /// - Parameter earlier: the histories at `comparedWith`.
  func answer(
    _ histories: [DyadHistory], earlier: [DyadHistory] = [], isWanted: () -> Bool = { true }
  ) -> JSONValue {
    if let changes { return answer(changes, histories, earlier, isWanted) }
    if let whatIf { return answer(whatIf, histories) }
    if let series {
      return .object([
        "parties": .strings(parties), "rules": histories[0].rules.versions.json,
        "every": .string(series.step.rawValue),
        "rows": .array(
          histories[0].series(series.days, every: series.step).map {
            $0.json(of: histories[0].dyad)
          }),
      ])
    }
    let answers = histories.map { history in
      figure.flatMap(Figure.init(rawValue:)).map { history.why($0, on: day).json }
        ?? history.state(on: day).json
    }
    guard !isOne else { return answers[0] }
    return .object([
      "parties": .strings(parties), "day": .string(day.description),
      "rules": histories[0].rules.versions.json, "dyads": .array(answers),
    ])
  }

  private func answer(
    _ changes: Changes, _ histories: [DyadHistory], _ earlier: [DyadHistory],
    _ isWanted: () -> Bool
  ) -> JSONValue {
    let (to, rules) = (JSONValue.string(day.description), histories[0].rules.versions.json)
    func days(_ from: Day) -> KeyValuePairs<String, JSONValue?> {
      ["from": .string(from.description), "to": to, "rules": rules]
    }
    switch changes {
    case .daily(let from):
      return each(histories, days(from)) { index in
        let diary = histories[index].diary(from: from, through: day, isWanted: isWanted)
        return [JSONValue.Member("changes", .array(diary.map(\.json)))]
      }
    case .days(let from):
      return each(histories, days(from)) { index in
        StateDifference(
          DatedHistory(histories[index], on: from), DatedHistory(histories[index], on: day)
        ).members(of: histories[index].dyad)
      }
    case .log(_, let moment):
      return each(histories, ["since": moment, "day": to, "rules": rules]) { index in
        StateDifference(
          DatedHistory(earlier[index], on: day), DatedHistory(histories[index], on: day)
        ).members(of: histories[index].dyad)
      }
    }
  }

  private func answer(_ whatIf: Hypothesis, _ histories: [DyadHistory]) -> JSONValue {
    let head: KeyValuePairs<String, JSONValue?> = [
      "day": .string(day.description), "rules": histories[0].rules.versions.json,
      "events": .strings(whatIf.events.map(\.id)), "without": .strings(whatIf.without),
    ]
    return each(histories, head) { index in
      whatIf.laid.result(
        whatIf.events, known: whatIf.known, over: histories[index], on: day
      ).members
    }
  }

  /// What is said of two parties, or of every two of a group, by the index of their history.
  private func each(
    _ histories: [DyadHistory], _ head: KeyValuePairs<String, JSONValue?>,
    _ body: (Int) -> [JSONValue.Member]
  ) -> JSONValue {
    func about(_ parties: [ActorCode], _ members: [JSONValue.Member]) -> JSONValue {
      .object([JSONValue.Member("parties", .strings(parties))] + members)
    }
    let members = JSONValue.object(head).members ?? []
    guard parties.count > 2 else { return about(parties, members + body(0)) }
    let dyads = histories.enumerated().map { index, history in
      about([history.dyad.first, history.dyad.second], body(index))
    }
    return about(parties, members + [JSONValue.Member("dyads", .array(dyads))])
  }
}

// What came to be for and against a criterion, an approach, a ratio, and what no longer is: the reasons of
// two days, or of two histories, held against each other.

import TimelineModel

/// A history, the day on which it is asked, and what it says.
public struct DatedHistory: Sendable {
  public let history: DyadHistory
  public let day: Day
  public let state: JSONValue

  public init(_ history: DyadHistory, on day: Day) {
    self.history = history
    self.day = day
    state = history.state(on: day)
  }
}

public enum ReasonChanges {
  /// Of each list so many are named, the latest, or of a sum the largest; `why` lists all.
  static let namedMax = 20

  /// For each of the changes that comes about by several events.
  public static func between(
    _ before: DatedHistory, _ after: DatedHistory, _ changes: [StateChange]
  ) -> JSONValue {
    .array(
      changes.compactMap { change in
        guard let figure = figure(change) else { return nil }
        let (old, new) = (Explained(figure, before, change), Explained(figure, after, change))
        return .object([
          "what": .string(change.what.rawValue), "key": change.key.map { .string($0) },
          "came": new.without(old), "gone": old.without(new),
          "gave": new.parts.map { .object(["from": old.parts ?? .null, "to": $0]) },
        ])
      })
  }

  private static func figure(_ change: StateChange) -> String? {
    switch change.what {
    case .criterion: change.key
    case .approach, .reciprocity: change.what.rawValue
    default: nil
    }
  }

  /// The events behind a figure, as `why` tells them.
  private struct Explained {
    private var rows: [JSONValue]
    private let isSum: Bool
    let parts: JSONValue?

    init(_ figure: String, _ asked: DatedHistory, _ change: StateChange) {
      let answer = asked.history.why(figure, on: asked.day)
      rows = answer?["events"]?.array ?? []
      if change.what == .approach { rows.removeAll { $0["from"]?.string != change.key } }
      isSum = change.what == .reciprocity
      parts = answer?["parts"]
    }

    func without(_ other: Explained) -> JSONValue {
      let known = Set(other.rows.map(Self.said))
      let own = rows.filter { !known.contains(Self.said($0)) }
      let named = ReasonChanges.namedMax
      return .object([
        "count": .int(own.count),
        "events": .array(
          (isSum ? own.prefix(named) : own.suffix(named)).map { row in
            .object((row.members ?? []).filter { !["by", "days", "from"].contains($0.key) })
          }),
      ])
    }

    /// What makes a row another one: how old it is does not.
    private static func said(_ row: JSONValue) -> [JSONValue?] {
      [row["id"], row["side"], row["reason"], row["share"]]
    }
  }
}

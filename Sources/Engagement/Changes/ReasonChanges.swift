// E-16.5: what came to be for and against a criterion, an approach, a ratio, and what no longer is: the reasons
// of two days, or of two histories, compared.

import TimelineModel

/// A history, the day on which it is asked, and what it says.
public struct DatedHistory: Sendable {
  public let history: DyadHistory
  public let day: Day
  public let state: DyadState

  public init(_ history: DyadHistory, on day: Day) {
    self.history = history
    self.day = day
    state = history.state(on: day)
  }
}

/// What is different, and the events that brought it about where several do.
public struct StateDifference: Sendable, Hashable {
  public var changes: [StateChange]
  public var reasons: [ReasonChange]

  public init(_ before: DatedHistory, _ after: DatedHistory) {
    changes = StateChanges.between(before.state, after.state)
    reasons = ReasonChange.between(before, after, changes)
  }
}

/// The events behind one change.
public struct ReasonChange: Sendable, Hashable {
  /// Those that one side has alone.
  public struct Events: Sendable, Hashable {
    public var count: Int
    /// The latest 20, or of a sum the largest; `why` lists all.
    public var named: [FigureRow]
  }

  /// What each side gave, where that is weighed.
  public struct Gave: Sendable, Hashable {
    public var from: FigureParts?
    public var to: FigureParts
  }

  static let namedMax = 20

  public var what: StateChange.What
  public var key: String?
  public var came: Events
  public var gone: Events
  public var gave: Gave?

  /// For each of the changes that comes about by several events.
  public static func between(
    _ before: DatedHistory, _ after: DatedHistory, _ changes: [StateChange]
  ) -> [ReasonChange] {
    changes.compactMap { change in
      guard let figure = figure(change) else { return nil }
      let (old, new) = (Explained(figure, before, change), Explained(figure, after, change))
      return ReasonChange(
        what: change.what, key: change.key, came: new.without(old), gone: old.without(new),
        gave: new.parts.map { Gave(from: old.parts, to: $0) })
    }
  }

  private static func figure(_ change: StateChange) -> Figure? {
    switch change.what {
    case .criterion: change.key.flatMap(Figure.init(rawValue:))
    case .approach: .approach
    case .reciprocity: .reciprocity
    default: nil
    }
  }

  /// The events behind a figure, as `why` tells them.
  private struct Explained {
    private var rows: [FigureRow]
    private let isSum: Bool
    let parts: FigureParts?

    init(_ figure: Figure, _ asked: DatedHistory, _ change: StateChange) {
      let answer = asked.history.why(figure, on: asked.day)
      rows = answer.rows
      if figure == .approach { rows.removeAll { $0.offer?.from.description != change.key } }
      isSum = figure == .reciprocity
      parts = answer.parts
    }

    func without(_ other: Explained) -> Events {
      let known = Set(other.rows.map(Said.init))
      let own = rows.filter { !known.contains(Said($0)) }
      return Events(
        count: own.count,
        named: Array(isSum ? own.prefix(namedMax) : own.suffix(namedMax)))
    }
  }

  /// What makes a row another one: how old it is does not.
  private struct Said: Hashable {
    let id: EventID
    let side: FigureRow.Side?
    let reason: String?
    let share: Double?

    init(_ row: FigureRow) {
      id = row.event.id
      side = row.side
      reason = row.reason
      share = row.share
    }
  }
}

// E-17: events that are laid over a history without being recorded, and events that are left out of it.

import TimelineModel

public struct WhatIf: Sendable {
  public let events: [Event]
  public let without: [EventID]

  public init(events: [Event], without: [EventID] = []) {
    self.events = events
    self.without = without
  }

  /// The history as if it had been so.
  public func laid(over history: DyadHistory) -> DyadHistory {
    var history = history
    history.replace(Set(without), with: events)
    return history
  }
}

/// What would be different, and the two states that were compared.
public struct WhatIfResult: Sendable, Hashable {
  public var difference: StateDifference
  /// Events of the question that make no difference.
  public var withoutEffect: [WhatIf.Idle]
  public var before: DyadState
  public var after: DyadState
}

extension WhatIf {
  /// Lays the events over a history.
  /// - Parameters:
  ///   - asked: all events of the question, those that are there already included.
  ///   - known: what the log says of some of them already.
  public func result(
    _ asked: [Event], known: [EventID: Idle.Reason], over history: DyadHistory, on day: Day
  ) -> WhatIfResult {
    let before = DatedHistory(history, on: day)
    let after = DatedHistory(laid(over: history), on: day)
    return WhatIfResult(
      difference: StateDifference(before, after),
      withoutEffect: Self.idle(asked, without: without, known: known, before, after),
      before: before.state, after: after.state)
  }

  /// An event of the question that makes no difference to two parties, and why.
  public struct Idle: Sendable, Hashable {
    public enum Reason: String, Sendable {
      /// It is there already; it was taken back already.
      case recorded, retracted
      /// It begins after the day.
      case later
      case otherParties = "other parties"
      /// What a party does to itself is between no two.
      case oneself
    }

    public let id: EventID
    public internal(set) var reason: Reason
    /// The day on which one that is later begins.
    public internal(set) var begins: Day?
  }

  /// Which of the events make no difference, in order.
  /// - Parameter known: what the log says of some of them already.
  public static func idle(
    _ events: [Event], without: [EventID], known: [EventID: Idle.Reason], _ before: DatedHistory,
    _ after: DatedHistory
  ) -> [Idle] {
    func idle(_ id: EventID, _ days: [EventID: Day], _ day: Day) -> Idle? {
      if let reason = known[id] { return Idle(id: id, reason: reason) }
      guard let first = days[id] else { return Idle(id: id, reason: .otherParties) }
      return first > day ? Idle(id: id, reason: .later, begins: first) : nil
    }
    let laid = after.history.firstDays(of: Set(events.map(\.id)))
    let left = before.history.firstDays(of: Set(without))
    let oneself = events.filter { event in
      !event.targets.isEmpty && Set(event.actors + event.targets).count == 1
    }
    let alone = Set(oneself.map(\.id))
    return events.compactMap { event -> Idle? in
      var found = idle(event.id, laid, after.day)
      if found?.reason == .otherParties, alone.contains(event.id) { found?.reason = .oneself }
      return found
    }
      + without.compactMap { idle($0, left, before.day) }
  }
}

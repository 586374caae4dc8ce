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

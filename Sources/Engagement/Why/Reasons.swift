// Why an event stands behind a figure: the rule that put it there, in a few words. They say what the event
// is or what became of it, never how old it is, so that the reasons of two days can be compared with each
// other.

import TimelineModel

extension DyadHistory {
  /// E-13: why an event is for a criterion, or against it.
  func reason(
    _ criterion: CriterionName, _ index: Int, _ side: FigureRow.Side, on day: Day
  ) -> String {
    let entry = entries[index]
    switch (criterion, side) {
    case (.conducive, _): return Self.easedOrStrained(entry.event)
    case (.jointAction, .supporting): return Self.jointAction(entry.event)
    case (.jointAction, .opposing): return Self.broken(entry.event)
    case (.rewards, .supporting):
      let isGift = entry.weight > 0 && !entry.isJoint
      let isOpen = entry.event.offer != nil && message(entry, on: day)?.isOpen ?? false
      return [
        isGift ? "it gave: its weight is above 0" : nil, isOpen ? "an offer that is open" : nil,
      ].compactMap { $0 }.joined(separator: "; ")
    case (.rewards, .opposing):
      let outcome = message(entry, on: day)?.outcome
      return outcome == .expired
        ? "an offer that expired" : "an offer that was \(outcome?.rawValue ?? "not taken")"
    case (.respect, .supporting): return "answered within \(windows[.answerDays]) days"
    case (.respect, .opposing): return unanswered(entry, on: day)
    }
  }

  private static func easedOrStrained(_ event: Event) -> String {
    switch (event.type, event.subtype) {
    case (.statement, "threat"): "a threat"
    case (.statement, _): "an assurance"
    case (.sanction, "ease"): "a sanction eased"
    case (.sanction, "waive"): "a sanction waived"
    case (.sanction, "lift"): "a sanction lifted"
    case (.sanction, "extend"): "a sanction extended"
    case (.sanction, _): "a sanction imposed"
    case (.test, "moratorium"): "tests given up"
    case (.test, _): "a test"
    case (.exercise, "cancelled"): "an exercise cancelled"
    case (.exercise, "postponed"): "an exercise postponed"
    case (.exercise, _): "an exercise"
    case (.deployment, "withdrawal"): "forces withdrawn"
    case (.deployment, _): "forces deployed"
    case (.incident, "attack"): "an attack"
    case (.incident, _): "an incident"
    case (.release, _): "somebody let go"
    default: event.type.word
    }
  }

  private static func jointAction(_ event: Event) -> String {
    switch (event.type, event.subtype) {
    case (.talks, _): "talks that were held"
    case (.agreement, _): "an agreement"
    case (.step, "verification"): "a step verified"
    case (.step, _): "a step taken"
    case (.exchange, _): "an exchange"
    default: event.type.word
    }
  }

  private static func broken(_ event: Event) -> String {
    switch (event.type, event.subtype) {
    case (.talks, _): "talks broken off"
    case (.step, "suspension"): "a promise suspended"
    case (.step, "violation"): "a promise violated"
    case (.step, "withdrawal"): "a promise withdrawn"
    default: event.type.word
    }
  }

  /// E-13.4.
  private func unanswered(_ entry: PlacedEvent, on day: Day) -> String {
    var reasons = entry.kinds.contains(.threat) ? ["a threat"] : []
    // A threat that is a message too may have been answered.
    if let message = message(entry, on: day), !message.isRespected(within: windows[.answerDays]) {
      if message.isScorned { reasons.append("declined with scorn") }
      if message.respectedAfter != nil {
        reasons.append("answered after more than \(windows[.answerDays]) days")
      } else if message.answeredAfter == nil, message.age ?? 0 > windows[.answerDays] {
        reasons.append("no answer within \(windows[.answerDays]) days")
      }
    }
    return reasons.joined(separator: "; ")
  }

  /// E-12.
  static func reason(_ condition: Offer.Condition) -> String {
    switch condition {
    case .prior: "asks the other side to go first: sticks and carrots"
    case .simultaneous: "asks for steps at the same time: engagement"
    case .none: "asks for nothing first: engagement"
    }
  }

  /// E-4.3, and who wrote to whom.
  static func reason(_ message: ResolvedMessage) -> String {
    "\(message.from) → \(message.to), \(message.outcome.rawValue)"
  }

  /// E-6.4: what each event says of the agreements of the ledger; of an agreement, what it promises.
  static func reasons(in agreements: [AgreementState]) -> [EventID: String] {
    var reasons: [EventID: [String]] = [:]
    for one in agreements {
      reasons[one.id, default: []].append("promises: \(one.commitments.count)")
      for move in one.moves {
        reasons[move.id, default: []] += move.says.map { link in
          "\(link.relation.rawValue) \(one.id.short)" + (link.key.map { "#\($0)" } ?? "")
        }
      }
    }
    return reasons.mapValues { $0.joined(separator: "; ") }
  }

  /// E-9.
  static func underWay(_ event: Event) -> String {
    event.type == .sanction ? "no event withdraws or suspends it" : "its end is not over"
  }
}

// The JSON of `why`: docs/reference/engagement.md, "Why"; and of rows of a series (E-15.2).

import TimelineModel

extension FigureRows {
  public var json: JSONValue {
    .object([
      "parties": .strings(dyad.parties), "day": .string(day.description), "rules": rules.json,
      "figure": .string(figure.rawValue), "verdict": verdict.map { .string($0.rawValue) },
      "value": value?.json, "parts": parts?.json(of: dyad),
      "sums": sums.isEmpty ? nil : .array(sums.map(\.json)),
      "provisional": provisional.isEmpty ? nil : .strings(provisional),
      "events": .array(rows.map(\.json)),
    ])
  }
}

extension FigureRows.Value {
  var json: JSONValue {
    switch self {
    case .sum(let sum): .double(sum)
    case .days(let days): .int(days)
    }
  }
}

extension FigureParts {
  func json(of dyad: Dyad) -> JSONValue {
    .object([
      "\(dyad.first)": .double(first), "\(dyad.second)": .double(second),
      "joint": joint.map { .double($0) },
    ])
  }
}

extension FigureSum {
  var json: JSONValue {
    .object([
      "of": .string(party?.description ?? "all"), "value": .double(value.number),
      "threshold": .double(threshold.number),
    ])
  }
}

extension FigureRow {
  var json: JSONValue {
    .object(
      members + event.members + (isContested ? [JSONValue.Member("contested", .bool(true))] : []))
  }

  /// What is said of it before the event.
  private var members: [JSONValue.Member] {
    JSONValue.object([
      "side": side.map { .string($0.rawValue) }, "share": share.map { .double($0) },
      "by": by.map { .strings($0) }, "reason": reason.map { .string($0) },
      "from": offer.map { .string($0.from.description) },
      "state": offer.map { .string($0.outcome.rawValue) },
      "condition": offer.map { .string($0.condition.rawValue) },
    ]).members ?? []
  }

  /// As one of the reasons of a change: whose it is and how old it is stand elsewhere.
  var reasonJSON: JSONValue {
    .object((members + event.members).filter { !["by", "days", "from"].contains($0.key) })
  }
}

extension SeriesRow {
  /// - Parameter dyad: the parties whose codes name the parts of the climate.
  public func json(of dyad: Dyad) -> JSONValue {
    .object([
      "day": .string(day.description), "phase": .string(phase.rawValue),
      "climate": climate.total.json, "\(dyad.first)": climate.first.json,
      "\(dyad.second)": climate.second.json, "joint": climate.joint.json,
      "trend": climate.trend.json, "neglect": neglect.map { .int($0) },
      "unanswered": .int(unanswered), "open_offers": .int(openOffers),
      "outstanding": .int(outstanding), "overdue": .int(overdue), "exercises": .int(exercises),
      "tests": .int(tests), "provisional": provisional == 0 ? nil : .int(provisional),
    ])
  }
}

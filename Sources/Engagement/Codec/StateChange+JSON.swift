// The JSON of what changed: docs/reference/engagement.md, E-16, E-17.

import TimelineModel

extension StateChange.Value {
  public var json: JSONValue {
    switch self {
    case .word(let word): .string(word)
    case .count(let count): .int(count)
    case .number(let number): number.json
    case .isTrue(let isTrue): .bool(isTrue)
    case .day(let day): .string(day.description)
    case .event(let id): .string(id.description)
    case .parties(let parties): .strings(parties)
    }
  }
}

extension StateChange {
  public var json: JSONValue {
    .object([
      "what": .string(what.rawValue), "party": party.map { .string($0.description) },
      "key": key.map { .string($0) }, "id": id.map { .string($0.description) },
      "title": title.map { .string($0) }, "from": from?.json, "to": to?.json,
      "by": by.map { .strings($0) },
    ])
  }
}

extension DiaryEntry {
  public var json: JSONValue {
    .object([JSONValue.Member("day", .string(day.description))] + (change.json.members ?? []))
  }
}

extension StateDifference {
  /// - Parameter dyad: the parties whose codes name what each gave.
  public func members(of dyad: Dyad) -> [JSONValue.Member] {
    [
      JSONValue.Member("changes", .array(changes.map(\.json))),
      JSONValue.Member("reasons", .array(reasons.map { $0.json(of: dyad) })),
    ]
  }
}

extension ReasonChange {
  func json(of dyad: Dyad) -> JSONValue {
    .object([
      "what": .string(what.rawValue), "key": key.map { .string($0) }, "came": came.json,
      "gone": gone.json,
      "gave": gave.map { gave in
        .object(["from": gave.from?.json(of: dyad) ?? .null, "to": gave.to.json(of: dyad)])
      },
    ])
  }
}

extension ReasonChange.Events {
  var json: JSONValue {
    .object(["count": .int(count), "events": .array(named.map(\.reasonJSON))])
  }
}

extension WhatIf.Idle {
  public var json: JSONValue {
    .object([
      "id": .string(id.description), "reason": .string(reason.rawValue),
      "begins": begins.map { .string($0.description) },
    ])
  }
}

extension WhatIfResult {
  /// The parties, day and rules stand in both states; what is asked stands before these.
  public var members: [JSONValue.Member] {
    difference.members(of: before.dyad) + [
      JSONValue.Member("without_effect", .array(withoutEffect.map(\.json))),
      JSONValue.Member("before", before.json), JSONValue.Member("after", after.json),
    ]
  }
}

// Tables of rules as a team might have them, the same ones for the same seed.

import Engagement
import TimelineModel

extension RandomEvents {
  mutating func rules() -> Rules {
    var tables = RuleTables.shipped
    if next(4) > 0 { tables.use(weights()) }
    if next(4) > 0 { tables.use(windows()) }
    if next(4) > 0 { tables.use(interests()) }
    return Rules(tables)
  }

  private mutating func weights() -> RuleTable {
    // In some all that happens is held against the other side, so that they confront each other.
    let isGrim = next(3) == 0
    return table(
      .weights,
      EventType.ofEvents.flatMap { type -> [JSONValue] in
        let subtypes = type.knownSubtypes.filter { _ in next(2) == 0 }
        return ([nil] + subtypes.map { $0 }).map { (subtype: String?) in
          .object([
            "type": .string(type.word), "subtype": subtype.map { .string($0) },
            "weight": .double(Double((isGrim ? -next(3_000) : next(20_001) - 10_000)) / 1000),
          ])
        }
      })
  }

  private mutating func windows() -> RuleTable {
    table(
      .windows,
      WindowName.allCases.map { window in
        let most = window.range.upperBound == 1000 ? 60 : 900
        return .object(["name": .string(window.rawValue), "value": .int(1 + next(most))])
      })
  }

  private mutating func interests() -> RuleTable {
    let keys = ["assurance", "legitimacy", "verification", "own"]
    return table(
      .interests,
      ["USA", "PRK", "KOR"].flatMap { party in
        keys.filter { _ in next(2) == 0 }.map { key in
          .object(["party": .string(party), "key": .string(key), "name": .string("Name of \(key)")])
        }
      })
  }

  private mutating func table(_ kind: RuleTable.Kind, _ rows: [JSONValue]) -> RuleTable {
    do throws(RuleTable.Fault) {
      return try RuleTable(kind, version: "TEAM-\(next(1000))", rows: rows, registry: nil)
    } catch { fatalError("\(error.location): \(error.message)") }
  }
}

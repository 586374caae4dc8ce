// The lengths and thresholds of the rules; docs/reference/engagement.md names each, and which rule reads it.

import TimelineModel

struct Windows: Sendable {
  private let values: [WindowName: Int]

  init(_ table: RuleTable) {
    let values = Dictionary(table.rows.map { ($0["name"], $0.number) }) { $1 }
    self.values = Dictionary(
      uniqueKeysWithValues: WindowName.allCases.map { name in
        guard let value = values[name.rawValue] else { fatalError("no window \(name.rawValue)") }
        return (name, value)
      })
  }

  /// Days, or a weight as the table has it.
  subscript(name: WindowName) -> Int { values[name]! }

  /// A weight in thousandths, as all weights are computed with.
  func weight(_ name: WindowName) -> Int { self[name] * 1000 }
}

// What two tables of rules have differently, row by row.

import TimelineModel

struct RuleDifference {
  private let before: RuleTable
  private let after: RuleTable
  private let added: [RuleTable.Row]
  private let removed: [RuleTable.Row]
  private let changed: [(before: RuleTable.Row, after: RuleTable.Row)]

  /// Of one kind.
  init(_ before: RuleTable, _ after: RuleTable) {
    let kind = before.kind
    func byKey(_ table: RuleTable) -> [String: RuleTable.Row] {
      Dictionary(table.rows.map { ($0.key(of: kind), $0) }) { first, _ in first }
    }
    let (old, new) = (byKey(before), byKey(after))
    self.before = before
    self.after = after
    added = after.rows.filter { old[$0.key(of: kind)] == nil }
    removed = before.rows.filter { new[$0.key(of: kind)] == nil }
    changed = after.rows.compactMap { row in
      old[row.key(of: kind)].flatMap { $0 == row ? nil : ($0, row) }
    }
  }

  /// The order of rows counts too: states list interests in it.
  var isEmpty: Bool { before.rows == after.rows }

  private var isReordered: Bool {
    !isEmpty && added.isEmpty && removed.isEmpty && changed.isEmpty
  }

  var json: JSONValue {
    let kind = before.kind
    return .object([
      "table": .string(kind.rawValue), "before": .string(before.version),
      "after": .string(after.version), "added": .array(added.map { $0.json(of: kind) }),
      "removed": .array(removed.map { $0.json(of: kind) }),
      "changed": .array(
        changed.map {
          .object(["before": $0.before.json(of: kind), "after": $0.after.json(of: kind)])
        }),
      "reordered": isReordered ? .bool(true) : nil,
    ])
  }

  func text(_ terminal: Terminal) -> String {
    let (kind, counts) = (before.kind, (changed.count, added.count, removed.count))
    var lines = [
      "\(kind.rawValue) \(before.version) → \(after.version): "
        + (isEmpty
          ? "the same rows"
          : isReordered
            ? "the same rows in another order"
            : "\(counts.0) changed, \(counts.1) added, \(counts.2) removed")
    ]
    lines += changed.map { old, new in "~ \(new.key(of: kind)): \(change(old, new))" }
    lines += added.map { "+ \($0.key(of: kind)): \(words($0))" }
    lines += removed.map { "- \($0.key(of: kind)): \(words($0))" }
    return lines.map { terminal.hanging(SafeText.line($0), indent: 4) }.joined()
  }

  private var values: [(index: Int, column: String)] {
    before.kind.columns.enumerated().filter { !before.kind.keys.contains($0.element) }
      .map { ($0.offset, $0.element) }
  }

  private func words(_ row: RuleTable.Row) -> String {
    let cells = row.cells(of: before.kind)
    return values.filter { !cells[$0.index].isEmpty }.map { "\($0.column) \(cells[$0.index])" }
      .joined(separator: ", ")
  }

  private func change(_ old: RuleTable.Row, _ new: RuleTable.Row) -> String {
    let (old, new) = (old.cells(of: before.kind), new.cells(of: before.kind))
    return values.filter { old[$0.index] != new[$0.index] }.map { index, column in
      func shown(_ cell: String) -> String { cell.isEmpty ? "nothing" : cell }
      return "\(column) \(shown(old[index])) → \(shown(new[index]))"
    }.joined(separator: ", ")
  }
}

// What two wordings of an event say differently, field by field: shown before a correction is recorded
// and next to each version.

import TimelineModel

struct EventDifference {
  struct Change {
    let field: String
    let before: JSONValue?
    let after: JSONValue?
  }

  let changes: [Change]

  init(_ before: EventBody, _ after: EventBody) {
    let added = after.members.map(\.key).filter { before[$0] == nil }
    changes = (before.members.map(\.key) + added).compactMap { key in
      before[key] == after[key] ? nil : Change(field: key, before: before[key], after: after[key])
    }
  }

  var isEmpty: Bool { changes.isEmpty }

  var json: JSONValue {
    .array(
      changes.map {
        .object(["field": .string($0.field), "before": $0.before, "after": $0.after])
      })
  }

  /// `- title: wrong`, `+ title: right`; of lists, only the items that came or went.
  func text(_ terminal: Terminal, indent: Int = 0) -> String {
    let margin = String(repeating: " ", count: indent)
    return changes.flatMap { change -> [String] in
      let (old, new) = (Self.items(change.before), Self.items(change.after))
      let gone = old.filter { !new.contains($0) }
      let come = new.filter { !old.contains($0) }
      // The same items in another order, or one of them twice.
      let isOrder = gone.isEmpty && come.isEmpty
      return (isOrder ? old : gone).map { Self.line("-", change.field, $0) }
        + (isOrder ? new : come).map { Self.line("+", change.field, $0) }
    }.map { terminal.hanging(margin + $0, indent: indent + 4) }.joined()
  }

  private static func items(_ value: JSONValue?) -> [JSONValue] {
    guard let value else { return [] }
    // Lists of words are short, and read best whole.
    if let list = value.array, list.contains(where: { $0.members != nil }) { return list }
    return [value]
  }

  private static func line(_ sign: String, _ field: String, _ value: JSONValue) -> String {
    "\(sign) \(field): \(EventText.value(value))"
  }
}

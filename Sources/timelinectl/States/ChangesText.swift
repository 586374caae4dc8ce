// What changed, as people read it: a line for each difference.

import TimelineModel

enum ChangesText {
  /// The name of what changed, and what is said of it.
  static func parts(_ change: JSONValue) -> (name: String, said: String) {
    let what = change["what"]?.string ?? ""
    return (what.replacing("_", with: " "), said(change, what))
  }

  /// A line of a list.
  static func row(_ change: JSONValue, _ terminal: Terminal) -> String {
    let (name, said) = parts(change)
    return terminal.field(name, SafeText.line(said), at: 13)
  }

  /// All of the changes of two parties, each with its reasons below, or that there are none.
  static func list(_ dyad: JSONValue, _ terminal: Terminal) -> String {
    let reasons = ReasonsText(dyad["reasons"], terminal)
    let rows = (dyad["changes"]?.array ?? []).map { row($0, terminal) + reasons.below($0) }
    return rows.isEmpty ? "nothing changed\n" : rows.joined()
  }

  /// One line that stands by itself.
  static func line(_ change: JSONValue) -> String {
    let (name, said) = parts(change)
    let parties = (change["parties"]?.array ?? []).compactMap(\.string).joined(separator: " – ")
    return SafeText.line("\(change["day"]?.string ?? "")  \(parties)  \(name)  \(said)")
  }

  private static func said(_ change: JSONValue, _ what: String) -> String {
    let (from, to) = (change["from"], change["to"])
    // That it came about by itself goes without saying.
    let by = (change["by"]?.array ?? []).compactMap(\.string).filter { $0 != change["id"]?.string }
      .map { String($0.prefix(8)) }
    let moved = by.isEmpty ? "" : " by \(by.joined(separator: " "))"
    switch what {
    case "phase":
      return arrow(change) + (by.isEmpty ? ", by time alone" : ", moved\(moved)")
    case "since": return arrow(change) + (by.isEmpty ? "" : ", moved\(moved)")
    case "silence":
      guard let to = to?.string else { return "broken\(moved); it had lasted since \(value(from))" }
      return "no contact since \(to), as long as an answer may take"
        + (from.map { "; before since \(value($0))" } ?? "")
    case "offer", "message": return arrow(change) + moved + titled(change)
    case "commitment":
      let key = change["key"]?.string ?? ""
      return arrow(change) + moved + ": \(change["title"]?.string ?? "")"
        + " [\(id(change))#\(key)]"
    case "owed", "moved_last", "in_force": return arrow(change) + titled(change)
    case "climate":
      let difference = (to?.number ?? 0) - (from?.number ?? 0)
      return "\(change["key"]?.string ?? "") \(arrow(change))"
        + " (\(difference > 0 ? "+" : "")\(JSONValue.threeDecimals(difference)))"
    case "contact", "test":
      let old = from?.string.map { "after \($0.prefix(8))" } ?? "the first"
      let key = change["key"]?.string.map { $0 + " " } ?? ""
      return key + (to == nil ? "gone" : old)
        + ": \(change["title"]?.string ?? "")" + (to?.string.map { " [\($0.prefix(8))]" } ?? "")
    case "interest":
      return "\(change["party"]?.string ?? "") \(change["title"]?.string ?? ""):"
        + " \(arrow(change)) offers\(moved)"
    case "under_way": return (to == nil ? "over" : "new") + titled(change)
    case "provisional", "left_out":
      return (to == nil ? "no longer: " : "") + id(change)
        + (change["key"]?.string.map { " \($0)" } ?? "")
        + ((to ?? from)?.string.map { " (\($0))" } ?? "")
    default:
      return (change["key"]?.string.map { words($0) + " " } ?? "") + arrow(change)
    }
  }

  private static func arrow(_ change: JSONValue) -> String {
    guard let from = change["from"] else { return "new, \(value(change["to"]))" }
    guard let to = change["to"] else { return "gone, was \(value(from))" }
    return "\(value(from)) → \(value(to))"
  }

  private static func value(_ value: JSONValue?) -> String {
    switch value {
    case .bool(let isTrue)?: isTrue ? "yes" : "no"
    case .int(let number)?: String(number)
    case .double(let number)?, .thousandths(let number)?: JSONValue.threeDecimals(number)
    case .array(let items)?:
      items.isEmpty ? "nobody" : items.compactMap(\.string).joined(separator: "+")
    default: value?.string ?? ""
    }
  }

  private static func words(_ key: String) -> String { key.replacing("_", with: " ") }
  private static func id(_ change: JSONValue) -> String {
    String((change["id"]?.string ?? "").prefix(8))
  }
  private static func titled(_ change: JSONValue) -> String {
    ": \(change["title"]?.string ?? "") [\(id(change))]"
  }
}

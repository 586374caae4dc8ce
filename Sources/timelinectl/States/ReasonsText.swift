// Below a change that several events bring about: which came to be behind it, and which no longer are.

import TimelineModel

struct ReasonsText {
  private let reasons: [JSONValue]
  private let terminal: Terminal

  /// Of each list so many are shown; --json has more.
  private static let shownMax = 5

  init(_ reasons: JSONValue?, _ terminal: Terminal) {
    self.reasons = reasons?.array ?? []
    self.terminal = terminal
  }

  /// The lines below a change; none where there are no reasons of it.
  func below(_ change: JSONValue) -> String {
    guard
      let its = reasons.first(where: {
        $0["what"] == change["what"] && $0["key"] == change["key"]
      })
    else { return "" }
    let isSum = its["what"]?.string == "reciprocity"
    let all =
      lines(its["came"], "+", isSum) + lines(its["gone"], "-", isSum) + gave(its["gave"])
    return all.map { terminal.hanging(String(repeating: " ", count: 15) + $0, indent: 17) }.joined()
  }

  /// The latest, or of a sum the largest.
  private func lines(_ list: JSONValue?, _ sign: String, _ isSum: Bool) -> [String] {
    let (count, events) = (list?["count"]?.int ?? 0, list?["events"]?.array ?? [])
    let shown = isSum ? events.prefix(Self.shownMax) : events.suffix(Self.shownMax)
    let more = count - shown.count
    let rest = more > 0 ? ["\(sign) \(more) \(isSum ? "smaller" : "earlier")"] : []
    let said = shown.map { "\(sign) \(Self.said($0))" }
    return isSum ? said + rest : rest + said
  }

  private static func said(_ event: JSONValue) -> String {
    let side = event["side"]?.string.map { "\($0), " } ?? ""
    let share = event["share"]?.number.map { "\(JSONValue.threeDecimals($0)), " } ?? ""
    let reason = event["reason"]?.string.map { "\($0): " } ?? ""
    return side + share + reason + "\(event["date"]?.string ?? "")  \(event["title"]?.string ?? "")"
      + " [\((event["id"]?.string ?? "").prefix(8))]"
  }

  /// What each side gave, where that is weighed.
  private func gave(_ gave: JSONValue?) -> [String] {
    guard let after = gave?["to"]?.members else { return [] }
    func decimal(_ value: JSONValue?) -> String { JSONValue.threeDecimals(value?.number ?? 0) }
    return [
      after.map { "\($0.key) gave \(decimal(gave?["from"]?[$0.key])) → \(decimal($0.value))" }
        .joined(separator: ", ")
    ]
  }
}

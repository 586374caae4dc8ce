// The lengths and thresholds of the rules; docs/reference/engagement.md names each.

import TimelineModel

struct Windows: Sendable {
  let crisisDays: Int
  /// In thousandths, as all weights.
  let crisisWeight: Int
  let talksDays: Int
  let stepDays: Int
  let confrontationDays: Int
  let confrontationWeight: Int
  let contactDays: Int
  let offerDays: Int
  let stalledDays: Int
  let reciprocityDays: Int
  let criteriaDays: Int
  let answerDays: Int

  init(_ table: RuleTable) {
    let values = Dictionary(table.rows.map { ($0["name"], $0.number) }) { $1 }
    func value(_ name: WindowName) -> Int {
      guard let value = values[name.rawValue] else { fatalError("no window \(name.rawValue)") }
      return value
    }
    crisisDays = value(.crisisDays)
    crisisWeight = value(.crisisWeight) * 1000
    talksDays = value(.talksDays)
    stepDays = value(.stepDays)
    confrontationDays = value(.confrontationDays)
    confrontationWeight = value(.confrontationWeight) * 1000
    contactDays = value(.contactDays)
    offerDays = value(.offerDays)
    stalledDays = value(.stalledDays)
    reciprocityDays = value(.reciprocityDays)
    criteriaDays = value(.criteriaDays)
    answerDays = value(.answerDays)
  }

  /// Days after an event in which a phase can still change by it, or by its growing old: no rule
  /// looks back further, and then `stalled` passes.
  var echoDays: Int {
    let back = [
      crisisDays, talksDays, stepDays, confrontationDays, contactDays, offerDays,
    ].max()!
    return back + talksDays + stalledDays + 2
  }
}

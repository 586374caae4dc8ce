// The lengths and thresholds of the rules (data/windows.csv), versioned; docs/engagement.md names each.

import TimelineModel

public struct Windows: Sendable {
  public let version: String
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

  public static let shipped = Windows(CSVTable(utf8: PackageResources.windows_csv))

  init(_ table: CSVTable) {
    let values = Dictionary(table.rows.map { ($0["name"], Int($0["value"])) }) { $1 }
    func value(_ name: String) -> Int {
      guard let value = values[name] ?? nil else { fatalError("data/windows.csv: no \(name)") }
      return value
    }
    version = table.rows.first?["version"] ?? ""
    crisisDays = value("crisis_days")
    crisisWeight = value("crisis_weight") * 1000
    talksDays = value("talks_days")
    stepDays = value("step_days")
    confrontationDays = value("confrontation_days")
    confrontationWeight = value("confrontation_weight") * 1000
    contactDays = value("contact_days")
    offerDays = value("offer_days")
    stalledDays = value("stalled_days")
    reciprocityDays = value("reciprocity_days")
    criteriaDays = value("criteria_days")
    answerDays = value("answer_days")
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

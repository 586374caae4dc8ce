// The lengths and thresholds that a table of windows has, and what each may be.

/// The windows of the rules. Who adds one says in docs/reference/engagement.md what it is for a table that came
/// before it, so that such a table goes on meaning what it meant.
public enum WindowName: String, Sendable, CaseIterable {
  case crisisDays = "crisis_days"
  case crisisWeight = "crisis_weight"
  case talksDays = "talks_days"
  case stepDays = "step_days"
  case confrontationDays = "confrontation_days"
  case confrontationWeight = "confrontation_weight"
  case contactDays = "contact_days"
  case offerDays = "offer_days"
  case stalledDays = "stalled_days"
  case reciprocityDays = "reciprocity_days"
  case criteriaDays = "criteria_days"
  case answerDays = "answer_days"

  public var range: ClosedRange<Int> {
    switch self {
    case .crisisWeight, .confrontationWeight: 1...1000
    default: 1...3650
    }
  }
}

// What `why` explains.

public enum Figure: String, Sendable, CaseIterable {
  case phase, climate, trend, contact, neglect, messages, unanswered, offers, interests, commitments
  case underWay = "under_way"
  case tests, reciprocity, conducive
  case jointAction = "joint_action"
  case rewards, respect, approach
}

extension DyadHistory {
  /// The words of the figures that `why` explains.
  public static let figures = Figure.allCases.map(\.rawValue)
}

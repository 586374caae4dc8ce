// The three tables that hold at one moment: those that ship, and in the place of some those of a team.

public struct RuleTables: Sendable, Hashable {
  private var weights: RuleTable
  private var windows: RuleTable
  private var interests: RuleTable

  public static let shipped = RuleTables(
    weights: RuleTable(.weights, shipped: PackageResources.weights_csv),
    windows: RuleTable(.windows, shipped: PackageResources.windows_csv),
    interests: RuleTable(.interests, shipped: PackageResources.interests_csv))

  public subscript(kind: RuleTable.Kind) -> RuleTable {
    switch kind {
    case .weights: weights
    case .windows: windows
    case .interests: interests
    }
  }

  /// Puts a table in the place of the one of its kind.
  public mutating func use(_ table: RuleTable) {
    switch table.kind {
    case .weights: weights = table
    case .windows: windows = table
    case .interests: interests = table
    }
  }

  public var all: [RuleTable] { [weights, windows, interests] }
}

// What a member may do in a timeline. docs/reference/membership.md, M-8.

/// A role; each may do what those before it may.
public enum Role: String, Sendable, CaseIterable, Comparable {
  /// Follows and asks. Its lines count for nothing.
  case read
  /// Records events, and corrects, retracts and erases its own.
  case write
  /// Invites, ends, and erases what others wrote.
  case admin

  public static func < (left: Self, right: Self) -> Bool {
    left.number < right.number
  }

  private var number: Int {
    switch self {
    case .read: 0
    case .write: 1
    case .admin: 2
    }
  }
}

// One gap or fault that `Lint` found, and of which events.

import TimelineModel

public struct Finding: Sendable, Hashable {
  /// Why a link says nothing; the words of E-1.6 and E-1.7 in docs/reference/engagement.md, and one more.
  public enum Reason: String, Sendable {
    case itself, later, circle
    case noSuchKey = "no such key"
    case ownWords = "own words"
    case notTheirs = "not theirs"
    /// A step that does not say which promise it keeps.
    case noKey = "no key"
  }

  public var kind: LintKind
  /// The event that it is of, then others that it has to do with; at most `idsMax`.
  public var ids: [EventID]
  /// How many events it has to do with.
  public var count: Int
  /// What is found, in a few words.
  public var text: String
  public var reason: Reason?
  /// Of a commitment.
  public var key: String?
  /// Since when it is so.
  public var days: Int?

  /// Of a circle of ten thousand nobody reads all.
  public static let idsMax = 100

  public init(
    _ kind: LintKind, _ ids: [EventID], _ text: String, reason: Reason? = nil,
    key: String? = nil, days: Int? = nil
  ) {
    self.kind = kind
    self.ids = Array(ids.prefix(Self.idsMax))
    count = ids.count
    self.text = text
    self.reason = reason
    self.key = key
    self.days = days
  }
}

// Two parties, and which events are between them.

import TimelineModel

/// Two parties, the smaller code first: {USA, PRK} and {PRK, USA} are one.
public struct Dyad: Sendable, Hashable {
  public let first: ActorCode
  public let second: ActorCode

  public init?(_ left: ActorCode, _ right: ActorCode) {
    guard left != right else { return nil }
    first = min(left, right)
    second = max(left, right)
  }

  /// The first, then the second.
  public var parties: [ActorCode] { [first, second] }

  public func other(_ party: ActorCode) -> ActorCode { party == first ? second : first }

  /// E-1: whether an event is between the two. One acts and the other acts too or is a target; a test
  /// counts where one of the two made it; an exercise that states no target is aimed at those that
  /// data/actors.csv names for its actors.
  public func holds(
    _ type: EventType, actors: [ActorCode], targets: [ActorCode],
    exerciseTargets: [ActorCode: [ActorCode]]
  ) -> Bool {
    func acts(_ party: ActorCode, on other: ActorCode) -> Bool {
      guard actors.contains(party) else { return false }
      return type == .test || actors.contains(other) || targets.contains(other)
        || (type == .exercise && targets.isEmpty
          && actors.contains { exerciseTargets[$0]?.contains(other) ?? false })
    }
    return acts(first, on: second) || acts(second, on: first)
  }
}

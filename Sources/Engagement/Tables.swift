// The tables that the rules use, versioned; every answer states the version.

import TimelineModel

/// Cooperation weights in whole thousandths, from -10,000 to +10,000, by type and subtype
/// (data/weights.csv; the idea of the scale is Goldstein 1992).
public struct Weights: Sendable {
  public let version: String
  private let byKind: [String: Int]

  public static let shipped = Weights(CSVTable(utf8: PackageResources.weights_csv))

  init(_ table: CSVTable) {
    version = table.rows.first?["version"] ?? ""
    byKind = Dictionary(
      table.rows.map { row in
        let key = row["subtype"].isEmpty ? row["type"] : row["type"] + "/" + row["subtype"]
        return (key, Int(((Double(row["weight"]) ?? 0) * 1000).rounded()))
      }
    ) { $1 }
  }

  /// E-2: the event's own weight, else its subtype's, else its type's.
  public func weight(of event: Event) -> Int {
    if let own = event.weight { return Int(own) }
    return event.subtype.flatMap { byKind[event.type.word + "/" + $0] }
      ?? byKind[event.type.word] ?? 0
  }
}

/// What each party wants, by key (data/interests.csv).
public struct Interests: Sendable {
  public struct Interest: Sendable {
    public let party: ActorCode
    public let key: String
    public let name: String
  }

  public let version: String
  public let all: [Interest]

  public static let shipped = Interests(CSVTable(utf8: PackageResources.interests_csv))

  init(_ table: CSVTable) {
    version = table.rows.first?["version"] ?? ""
    all = table.rows.compactMap { row in
      ActorCode(row["party"]).map {
        Interest(party: $0, key: row["key"], name: row["name"])
      }
    }
  }
}

/// Two parties, the smaller code first: {USA, PRK} and {PRK, USA} are one.
public struct Dyad: Sendable, Hashable {
  public let first: ActorCode
  public let second: ActorCode

  public init?(_ left: ActorCode, _ right: ActorCode) {
    guard left != right else { return nil }
    first = min(left, right)
    second = max(left, right)
  }

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

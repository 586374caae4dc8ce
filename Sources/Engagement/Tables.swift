// What the rules reckon with beside events: weights and interests by their tables, of which every answer
// states the versions.

import TimelineModel

/// The tables that are in use; answers state which.
public struct Rules: Sendable, Hashable {
  public let tables: RuleTables
  let weights: Weights
  let windows: Windows
  let interests: [Interest]

  public static let shipped = Rules(.shipped)

  public init(_ tables: RuleTables) {
    self.tables = tables
    weights = Weights(tables[.weights])
    windows = Windows(tables[.windows])
    interests = tables[.interests].rows.compactMap { row in
      ActorCode(row["party"]).map { Interest(party: $0, key: row["key"], name: row["name"]) }
    }
  }

  public static func == (left: Rules, right: Rules) -> Bool { left.tables == right.tables }
  public func hash(into hasher: inout Hasher) { hasher.combine(tables) }

  /// The versions, and the events that hold those tables that do not ship.
  var json: JSONValue {
    let events = tables.all.compactMap { table in
      table.event.map { JSONValue.Member(table.kind.rawValue, .string($0.description)) }
    }
    return .object(
      [JSONValue.Member("version", .string(DyadHistory.rulesVersion))]
        + tables.all.map { JSONValue.Member($0.kind.rawValue, .string($0.version)) }
        + (events.isEmpty ? [] : [JSONValue.Member("events", .object(events))]))
  }
}

/// Cooperation weights in whole thousandths, from -10,000 to +10,000, by type and subtype
/// (the idea of the scale is Goldstein 1992).
struct Weights: Sendable {
  private let byKind: [String: Int]

  init(_ table: RuleTable) {
    byKind = Dictionary(table.rows.map { ($0.key(of: .weights), $0.number) }) { $1 }
  }

  /// E-2: the event's own weight, else its subtype's, else its type's.
  func weight(of event: Event) -> Int {
    if let own = event.weight { return Int(own) }
    return event.subtype.flatMap { byKind[event.type.word + "/" + $0] }
      ?? byKind[event.type.word] ?? 0
  }
}

/// What a party wants, by key.
struct Interest: Sendable {
  let party: ActorCode
  let key: String
  let name: String
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

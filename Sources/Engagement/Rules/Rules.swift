// What the rules compute with, next to events: weights and interests by their tables, of which every answer
// states the versions.

import TimelineModel

/// The tables that are in use; answers state which.
public struct Rules: Sendable, Hashable {
  public let tables: RuleTables
  let weights: Weights
  let windows: Windows
  let phases: PhaseRules
  let interests: [Interest]

  public static let shipped = Rules(.shipped)

  public init(_ tables: RuleTables) {
    self.tables = tables
    weights = Weights(tables[.weights])
    windows = Windows(tables[.windows])
    phases = PhaseRules(windows)
    interests = tables[.interests].rows.compactMap { row in
      ActorCode(row["party"]).map { Interest(party: $0, key: row["key"], name: row["name"]) }
    }
  }

  public static func == (left: Rules, right: Rules) -> Bool { left.tables == right.tables }
  public func hash(into hasher: inout Hasher) { hasher.combine(tables) }

  /// What an answer states of them.
  public var versions: RuleVersions {
    RuleVersions(
      version: RuleVersions.textVersion,
      tables: tables.all.map {
        RuleVersions.Table(kind: $0.kind, version: $0.version, event: $0.event)
      })
  }
}

/// E-0.6: by which text and tables an answer was computed.
public struct RuleVersions: Sendable, Hashable {
  public struct Table: Sendable, Hashable {
    public var kind: RuleTable.Kind
    public var version: String
    /// The event that holds it; nil for one that ships.
    public var event: EventID?
  }

  /// Of docs/reference/engagement.md, of the same build as this code.
  public static let textVersion = "4"

  /// Of the text.
  public var version: String
  /// One of each kind.
  public var tables: [Table]
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

// Who can act: the states of ISO 3166-1 and the organisations of data/actors.csv, and what a team
// has added by log.actor events.

/// A party that events can name.
public struct Actor: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    case state, organisation, group, person
  }

  public var code: ActorCode
  public var name: String
  public var kind: Kind
  public var aliases: [String]
  /// Whom an exercise of this actor is aimed at where the event states no target.
  public var exercisesAgainst: [ActorCode]

  public init(
    code: ActorCode, name: String, kind: Kind, aliases: [String] = [],
    exercisesAgainst: [ActorCode] = []
  ) {
    self.code = code
    self.name = name
    self.kind = kind
    self.aliases = aliases
    self.exercisesAgainst = exercisesAgainst
  }

  public var json: JSONValue {
    .object([
      "code": .string(code.description), "name": .string(name), "kind": .string(kind.rawValue),
      "aliases": .strings(aliases),
    ])
  }
}

/// The actors that are known, by code.
public struct ActorRegistry: Sendable {
  private var byCode: [ActorCode: Actor]
  /// Whom the exercises of some are aimed at.
  public private(set) var exerciseTargets: [ActorCode: [ActorCode]]

  public init(_ actors: [Actor]) {
    byCode = Dictionary(actors.map { ($0.code, $0) }) { _, last in last }
    exerciseTargets = byCode.mapValues(\.exercisesAgainst).filter { !$0.value.isEmpty }
  }

  /// The table that ships, `data/actors.csv`.
  public static let shipped = ActorRegistry(
    CSVTable(utf8: PackageResources.actors_csv).rows.compactMap { row in
      guard let code = ActorCode(row["code"]), let kind = Actor.Kind(rawValue: row["kind"]) else {
        return nil
      }
      return Actor(
        code: code, name: row["name"], kind: kind,
        aliases: row["aliases"].split(separator: ";").map(String.init),
        exercisesAgainst: row["exercises_against"].split(separator: ";").compactMap {
          ActorCode($0)
        })
    })

  public subscript(code: ActorCode) -> Actor? { byCode[code] }

  public func contains(_ code: ActorCode) -> Bool { byCode[code] != nil }

  public mutating func add(_ actor: Actor) {
    byCode[actor.code] = actor
    let targets = actor.exercisesAgainst
    exerciseTargets[actor.code] = targets.isEmpty ? nil : targets
  }

  /// All, by code.
  public var all: [Actor] { byCode.values.sorted { $0.code < $1.code } }

  /// Up to three codes that may have been meant, the nearest first.
  public func nearest(to text: String) -> [Actor] {
    guard text.utf8.count <= EditDistance.wordBytesMax else { return [] }
    // In capitals it is the code of one.
    if let code = ActorCode(text.uppercased()), let actor = self[code] { return [actor] }
    let wanted = text.lowercased()
    func distance(_ actor: Actor) -> Int {
      let names = [actor.name] + actor.aliases
      if names.contains(where: { $0.lowercased() == wanted }) { return 0 }
      let byName = names.contains { $0.lowercased().hasPrefix(wanted) } && wanted.count > 2 ? 1 : 9
      return min(byName, EditDistance.between(wanted, actor.code.description.lowercased()))
    }
    // Letters in the wrong order are the likeliest slip.
    func isAnagram(_ actor: Actor) -> Bool {
      actor.code.description.lowercased().sorted() == wanted.sorted()
    }
    return all.map { (distance($0), isAnagram($0) ? 0 : 1, $0) }.filter { $0.0 <= 1 }
      .sorted { ($0.0, $0.1, $0.2.code) < ($1.0, $1.1, $1.2.code) }.prefix(3).map(\.2)
  }
}

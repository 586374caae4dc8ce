// Who can be named, as the daemon knows it.

import TimelineModel

enum Parties {
  /// - Parameter moment: how the log stood, as members of a question.
  static func all(
    _ client: Client, _ moment: [JSONValue.Member] = []
  ) throws(Failure) -> [Actor] {
    var actors: [Actor] = []
    _ = try client.stream(.actors(moment.isEmpty ? nil : .object(moment))) { _, json in
      let json = Client.json(json)
      guard let code = json["code"]?.string.flatMap({ ActorCode($0) }) else { return }
      actors.append(
        Actor(
          code: code, name: json["name"]?.string ?? "",
          kind: json["kind"]?.string.flatMap(Actor.Kind.init(rawValue:)) ?? .group,
          aliases: (json["aliases"]?.array ?? []).compactMap(\.string)))
    }
    return actors
  }

  static func registry(_ client: Client) throws(Failure) -> ActorRegistry {
    ActorRegistry(try all(client))
  }

  /// Those that this timeline's people added, as the lines that would add them elsewhere.
  static func added(
    _ client: Client, _ moment: [JSONValue.Member]
  ) throws(Failure) -> [JSONValue] {
    try all(client, moment).filter { !ActorRegistry.shipped.contains($0.code) }.map { actor in
      .object([
        "type": .string("log.actor"), "code": .string(actor.code.description),
        "name": .string(actor.name), "kind": .string(actor.kind.rawValue),
        "aliases": actor.aliases.isEmpty ? nil : .strings(actor.aliases),
      ])
    }
  }

  /// What an export puts before its events, where it is asked to: the actors and the tables of rules that
  /// this timeline's people added, as lines for another.
  static func preface(
    _ context: Context, _ client: Client, _ moment: [JSONValue.Member]
  ) throws(Failure) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    if context.words.has("--with-actors") {
      lines = try added(client, moment).map { Array($0.text.utf8) }
    }
    if context.words.has("--with-rules") {
      let question = JSONValue.object([JSONValue.Member("lines", .bool(true))] + moment)
      _ = try client.stream(.tables(question)) { _, line in lines.append(Array(line)) }
    }
    return lines
  }

  static let prefaceFlags = [
    Flag(name: "--with-actors", value: nil, help: "first the actors that your team added"),
    Flag(name: "--with-rules", value: nil, help: "first the tables of rules that your team set"),
  ]

  /// Different parties, all known; what is wrong is said before anything is asked.
  static func distinct(
    _ words: [String], _ client: Client, _ moment: [JSONValue.Member]
  ) throws(Failure) -> [ActorCode] {
    let registry = ActorRegistry(try all(client, moment))
    var codes: [ActorCode] = []
    for word in words {
      // There are capitals alone, so nothing else can be meant.
      guard let code = ActorCode(word.uppercased()), registry.contains(code) else {
        let near = registry.nearest(to: word).map { "\($0.code) (\($0.name))" }
        throw Failure(
          .usage,
          "unknown actor \"\(word.prefix(40))\"; "
            + (near.isEmpty
              ? "\(Again.timelinectl) actor list shows all"
              : "did you mean \(near.joined(separator: ", "))?"))
      }
      codes.append(code)
    }
    guard Set(codes).count == codes.count else {
      throw Failure(
        .usage,
        codes.count == 2
          ? "name two different parties, as USA PRK; \(words.joined(separator: " ")) is one and the same"
          : "name different parties; in \(words.joined(separator: " ")) one stands twice"
      )
    }
    return codes
  }
}

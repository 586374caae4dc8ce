// All that the log holds of one event: what was recorded, corrected, retracted, and what of it stands
// (F-8 of docs/reference/event-format.md). `show` tells it, `correct` and `retract` start from it.

import TimelineModel

struct EventVersions {
  /// One line of the log: what the event is said to be, or that it is not.
  struct Version {
    enum Kind: String { case recorded, corrected, retracted }

    let id: String
    let kind: Kind
    /// Empty for a retraction.
    let body: EventBody
    let line: JSONValue

    init(_ line: JSONValue) {
      self.line = line
      id = line["id"]?.string ?? ""
      switch line["type"]?.string {
      case "log.correct":
        kind = .corrected
        body = EventBody(line["body"]?.members ?? [])
      case "log.retract":
        kind = .retracted
        body = EventBody()
      default:
        kind = .recorded
        body = EventBody(of: line)
      }
    }

    var recorded: String { line["recorded"]?.string ?? "" }
    var author: String { line["author"]?.string ?? "?" }
    var reason: String? { line["reason"]?.string }
    var supersedes: [String] { (line["supersedes"]?.array ?? []).compactMap(\.string) }
  }

  let id: String
  /// The event as answers carry it; nil where it was retracted.
  let shown: JSONValue?
  /// Oldest first; of very many the first one and the newest.
  let all: [Version]
  /// How many they are in all.
  let count: Int
  /// Ids of the versions that nothing supersedes; at most a hundred.
  let current: [String]
  /// How many stand in all.
  let standing: Int
  /// What a correction has to say that is to replace them all.
  let superseding: [JSONValue.Member]
  /// The id of the retraction that shows.
  let retraction: String?
  /// What the daemon answered, for scripts.
  let json: JSONValue

  /// Looks an event up by its name or the first characters of its id, or by the id of one of its
  /// versions.
  init(_ word: String, _ client: Client) throws(Failure) {
    try self.init(asking: try EventName.id(word, client), client)
  }

  private init(asking id: String, _ client: Client) throws(Failure) {
    var event: JSONValue?
    var lines: [JSONValue] = []
    let end = try client.stream(.get(id)) { word, json in
      if word == "EVENT" { event = Client.json(json) } else { lines.append(Client.json(json)) }
    }
    if let line = event, let subject = (line["corrects"] ?? line["retracts"])?.string,
      subject != line["id"]?.string
    {
      self = try Self(asking: subject, client)
      return
    }
    let retraction = end["retracted"]?.string
    shown = event
    self.retraction = retraction
    all = (lines.isEmpty ? event.map { [$0] } ?? [] : lines).map(Version.init)
    count = end["lines"]?.int ?? all.count
    current = (end["versions"]?.array ?? []).compactMap(\.string)
    standing = end["standing"]?.int ?? current.count
    superseding =
      end["settling"]?.members ?? [JSONValue.Member("supersedes", .strings(current))]
    let subject = lines.compactMap { ($0["corrects"] ?? $0["retracts"])?.string }.first
    self.id = event?["id"]?.string ?? subject ?? ""
    json = .object(["event": event ?? .null, "versions": .array(lines), "state": end])
  }

  var isContested: Bool { standing > 1 || !conflict.isEmpty }

  /// The records of the happening that this one is of, itself among them; none where nothing was joined.
  var records: [String] { (json["state"]?["same"]?["events"]?.array ?? []).compactMap(\.string) }

  /// The record that shows in its place; nil where it shows itself.
  var shownInstead: String? {
    json["state"]?["same"]?["shows"]?.string.flatMap { $0 == id ? nil : $0 }
  }

  /// A version by its id, or the first characters of it, also where it is none of those told.
  func version(named word: String, _ client: Client) throws(Failure) -> Version {
    let found = all.filter { $0.id.hasPrefix(word.lowercased()) }
    if let one = found.first, Set(found.map(\.id)).count == 1, word.count >= 4 { return one }
    guard found.isEmpty, word.count >= 4 else {
      throw Failure(
        .usage, "--take: \"\(word)\" begins more than one version's id, or is too short")
    }
    var line: JSONValue?
    _ = try client.stream(.get(word.lowercased())) { word, json in
      if word == "EVENT" { line = Client.json(json) }
    }
    guard let line, (line["corrects"] ?? line["retracts"])?.string == id else {
      throw Failure(
        .usage,
        "--take: \(word) is no version of \(id.prefix(8)); \(Again.timelinectl) show"
          + " \(id.prefix(8)) has them")
    }
    return Version(line)
  }

  subscript(id: String) -> Version? { all.first { $0.id == id } }

  /// The line by which its words were erased.
  var erasure: JSONValue? { json["state"]?["erased"] }

  /// Refuses what a word of the user led to where that is a control record.
  func needEvent(named word: String) throws(Failure) {
    guard !id.isEmpty, shown?["type"]?.string?.hasPrefix("log.") != true else {
      throw Failure(.failed, code: "not-found", "\(word) is a line of the log, not an event")
    }
  }

  /// The body that shows, or, of a retracted event, the one that stood last.
  var body: EventBody { shown.map(EventBody.init(of:)) ?? lastStanding?.body ?? EventBody() }

  var title: String { body["title"]?.string ?? EventText.kind(body.json) }

  /// Another wording that stands still, else what the retraction took away.
  private var lastStanding: Version? {
    let standing = all.last { current.contains($0.id) && $0.kind != .retracted }
    return standing ?? retraction.flatMap { self[$0] }.flatMap { before($0) }
      ?? all.last { $0.kind != .retracted }
  }

  /// The newest wording that a version replaced; for a copy of the event, its first one.
  func before(_ version: Version) -> Version? {
    guard version.kind != .recorded else {
      return all.first.flatMap {
        $0.kind == .recorded && $0.recorded != version.recorded ? $0 : nil
      }
    }
    let replaced = all.filter { version.supersedes.contains($0.id) && $0.id != version.id }
    return replaced.last { $0.kind != .retracted } ?? replaced.last.flatMap { before($0) }
  }

  /// A field, and what the versions that stand against each other say of it.
  struct Disagreement {
    let field: String
    let wordings: [(version: Version, value: JSONValue?)]
  }

  /// The fields in which the versions that stand differ.
  var conflict: [Disagreement] {
    let wordings = all.filter { current.contains($0.id) && $0.kind != .retracted }
    var fields: [String] = []
    for member in wordings.flatMap(\.body.members) where !fields.contains(member.key) {
      fields.append(member.key)
    }
    return fields.compactMap { field in
      let said = wordings.map { (version: $0, value: $0.body[field]) }
      guard Set(said.map(\.value)).count > 1 else { return nil }
      return Disagreement(field: field, wordings: said)
    }
  }
}

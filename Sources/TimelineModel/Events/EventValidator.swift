// What a body must be: every rule for events that are recorded here stands in this file, each with
// a message that names the field, the value and what would be right. The same walk gives the facts
// that the index keeps. It reads the parsed line in place and makes no strings on success.

import TransparencyLog

/// Why a body is refused.
public struct EventError: Error, Sendable, Hashable {
  /// Where it stands: `sources[2].url`.
  public var field: String
  public var message: String
  /// What stands there, where it is of few words.
  public var value: String?
  public var hint: ErrorHint?

  public init(
    _ field: String, _ message: String, value: String? = nil, hint: ErrorHint? = nil
  ) {
    self.field = field
    self.message = message
    self.value = value
    self.hint = hint
  }

  public var text: String { "\(field): \(message)" }
}

/// What the index keeps of an event: plain numbers, those of shared values from a `Vocabulary`.
public struct EventFacts: Sendable, Equatable, BitwiseCopyable {
  public var first: Day
  public var last: Day
  public var parties: UInt32 = 0
  public var tags: UInt32 = 0
  public var subtype: UInt32 = 0
  public var type: EventType
  public var hasLinks = false
  /// The envelope says it, not the body: whoever reads the line puts it here.
  public var author: UInt16 = 0
}

/// A line of the log that speaks of other lines.
public enum LogStatement: Sendable {
  /// `body` is the node of the event as it should be.
  case correct(EventID, supersedes: [EventID], body: Int, facts: EventFacts)
  case retract(EventID, supersedes: [EventID])
  case actor(Actor)
  /// The event's words are to go, with the lines that hold them, as far as its recorder knew of any.
  case erase(EventID, lines: [LogPlace])
  /// The key that the heads of a replica's log are signed with.
  case member(ReplicaID, NoteVerifier)
  /// What the id of a timeline is made from.
  case timeline(TimelineFounding)
  case snapshot(NamedSnapshot)
  /// A team's own table of rules.
  case rules(RuleTable)
  /// One of another machine that cannot be reckoned with, and why.
  case unusableRules(String)
  case other
}

/// A body that was accepted.
public enum ValidBody: Sendable {
  case happening(EventFacts)
  indirect case statement(EventType, LogStatement)

  /// The same by an author.
  public func by(_ author: UInt16) -> ValidBody {
    switch self {
    case .happening(var facts):
      facts.author = author
      return .happening(facts)
    case .statement(let type, .correct(let id, let supersedes, let body, var facts)):
      facts.author = author
      return .statement(type, .correct(id, supersedes: supersedes, body: body, facts: facts))
    case .statement: return self
    }
  }
}

/// The name of a field for a message, put together only where there is one: `sources[2].url`.
private struct Field: ExpressibleByStringLiteral {
  private let name: StaticString
  private let place: Int?
  private let member: StaticString?

  init(_ name: StaticString, _ place: Int? = nil, _ member: StaticString? = nil) {
    self.name = name
    self.place = place
    self.member = member
  }

  init(stringLiteral name: StaticString) { self.init(name) }

  subscript(member: StaticString) -> Field { Field(name, place, member) }

  var text: String {
    "\(name)" + (place.map { "[\($0)]" } ?? "") + (member.map { ".\($0)" } ?? "")
  }
}

extension EventError {
  fileprivate init(
    _ field: Field, _ message: String, value: String? = nil, hint: ErrorHint? = nil
  ) {
    self.init(field.text, message, value: value, hint: hint)
  }
}

public struct EventValidator {
  public static let titleBytesMax = 300
  /// Commitments or links of one event: each is looked at with every figure that the event goes into.
  public static let itemsMax = 200

  private let reader: BodyReader
  private let document: JSONDocument
  private let text: UnsafeBufferPointer<UInt8>
  /// Nil where any well-formed code will do: a line of another machine may come before the event
  /// that adds its actor.
  private let registry: ActorRegistry?
  /// Lines of a log carry `salt`; a request does not.
  private let isStored: Bool
  /// The event that a correction is of.
  private let subject: EventID?

  /// What is to be recorded must hold together; what others recorded is kept as long as it can be read.
  private var isNew: Bool { registry != nil }

  /// - Parameters:
  ///   - reader: has parsed the text; `text`: its bytes.
  ///   - isStored: the body stands in a log already, so envelope fields beside it are no error.
  init(
    _ reader: BodyReader, in text: UnsafeBufferPointer<UInt8>, registry: ActorRegistry?,
    isStored: Bool, subject: EventID? = nil
  ) {
    self.reader = reader
    document = reader.document
    self.text = text
    self.registry = registry
    self.isStored = isStored
    self.subject = subject
  }

  func validate(node: Int = 0) throws(EventError) -> ValidBody {
    guard document.kind(node) == .object else {
      throw EventError("event", "an event is a JSON object {…}")
    }
    let members = BodyMembers(of: node, document, in: text)
    if !isStored, let name = members.reserved {
      throw EventError("\(name.text)", "this field is written by the daemon: leave it out")
    }
    if let node = members[.author] {
      let bytes = try nonEmpty(node, "author")
      let count =
        document.nodes[node].hasEscape ? document.string(node, in: text).utf8.count : bytes.count
      guard count <= LineLimits.authorBytesMax else {
        throw EventError("author", "\(count) bytes; at most \(LineLimits.authorBytesMax)")
      }
    }
    guard let typeNode = members[.type] else {
      throw EventError(
        "type", "missing; one of \(Self.list(EventType.happenings.map(\.word)))", hint: .missing)
    }
    let word = try string(typeNode, "type")
    guard let type = EventType(word: word) else {
      let advice = EditDistance.advice(
        on: word, in: EventType.allCases.map(\.word),
        else: "one of \(Self.list(EventType.happenings.map(\.word)))")
      throw EventError("type", "\"\(word)\" is no type; \(advice)", value: word)
    }
    return type.isHappening
      ? .happening(try happening(members, type)) : .statement(type, try statement(node, type))
  }

  // MARK: Happenings

  private func happening(
    _ members: BodyMembers, _ type: EventType
  ) throws(EventError) -> EventFacts {
    guard let dateNode = members[.date] else {
      throw EventError(
        "date", "missing; write a day, month or year such as 2017-11-29", hint: .missing)
    }
    let (first, last) = try date(dateNode, "date")
    guard let actors = members[.actors] else {
      throw EventError("actors", "missing; a list of codes such as [\"PRK\"]", hint: .missing)
    }
    var facts = EventFacts(first: first, last: last, type: type)
    facts.parties = try parties(actors, members[.targets])
    if let node = members[.subtype] { facts.subtype = try subtype(node) }
    guard let title = members[.title] else {
      throw EventError("title", "missing; one line that says what happened", hint: .missing)
    }
    try checkLine(title, "title", "summary")
    if let node = members[.summary] { try someString(node, "summary") }
    if let node = members[.place] { try someString(node, "place") }
    var hasSource = false
    if let node = members[.sources] { hasSource = try sources(node) }
    if let node = members[.unsourced] {
      guard document.kind(node) == .yes else {
        throw EventError("unsourced", "only true can be said; or leave it out and give a source")
      }
      hasSource = true
    }
    guard hasSource else {
      throw EventError(
        "sources", "missing; give at least one {\"title\":…}, or say \"unsourced\": true",
        hint: .missing)
    }
    if let node = members[.confidence] {
      try oneOf(node, "confidence", Confidence.allCases.map(\.rawValue))
    }
    if let node = members[.offer] { try offer(node, type, first) }
    if let node = members[.commitments] { try commitments(node, type, first) }
    if let node = members[.links] {
      try links(node, of: subject ?? members[.id].flatMap(eventID))
      facts.hasLinks = document.next(node) > node + 1
    }
    if let node = members[.tags] { facts.tags = try tags(node) }
    if let node = members[.weightReason] { try someString(node, "weight_reason") }
    if let node = members[.weight] {
      try checkWeight(node)
      guard let reason = members[.weightReason], !document.bytes(reason, in: text).isEmpty else {
        throw EventError(
          "weight_reason", "missing; an event with its own weight says why", hint: .missing)
      }
    }
    // Unknown fields are kept, byte for byte.
    return facts
  }

  /// One line of text, not long; what is more has a place of its own, if any.
  private func checkLine(
    _ node: Int, _ field: Field, _ other: StaticString? = nil
  ) throws(EventError) {
    let bytes = try nonEmpty(node, field)
    guard bytes.count <= Self.titleBytesMax else {
      throw EventError(
        field,
        "\(bytes.count) bytes; at most \(Self.titleBytesMax)"
          + (other.map { ", the rest goes to \($0)" } ?? ""))
    }
    let isPlain = !document.nodes[node].hasEscape && bytes.allSatisfy { $0 < 0x7F }
    guard
      isPlain
        || !document.string(node, in: text).unicodeScalars.contains(where: Self.breaksALine)
    else {
      let value = JSONValue.string(String(document.string(node, in: text).prefix(60))).text
      throw EventError(
        field,
        "\(value): one line of text, without tabs and the like"
          + (other.map { "; more goes to \($0)" } ?? ""))
    }
  }

  private static func breaksALine(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  /// Lines of others are read whatever they hold.
  private func checkCount(_ node: Int, _ field: Field, _ advice: String) throws(EventError) {
    guard isNew else { return }
    var count = 0
    for _ in document.children(node) { count += 1 }
    guard count <= Self.itemsMax else {
      throw EventError(field, "\(count) of them; at most \(Self.itemsMax): \(advice)")
    }
  }

  private func sources(_ node: Int) throws(EventError) -> Bool {
    try array(node, "sources", "a list of {\"title\":…,\"publisher\":…,\"date\":…,\"url\":…}")
    var count = 0
    for source in document.children(node) {
      let field = Field("sources", count)
      try object(source, field)
      var names = false
      for key in document.children(source) {
        for name in Self.sourceNames where document.is(key, name, in: text) {
          _ = try nonEmpty(key + 1, field[name])
          names = true
        }
        if document.is(key, "quote", in: text) { try someString(key + 1, field["quote"]) }
        if document.is(key, "date", in: text) { _ = try date(key + 1, field["date"]) }
      }
      guard names else {
        throw EventError(field, "a source needs a title, publisher, url or doi")
      }
      count += 1
    }
    return count > 0
  }

  private static let sourceNames: [StaticString] = ["title", "publisher", "url", "doi"]

  /// What stands for a time after the event does not end before it begins.
  private func ending(
    _ node: Int, _ field: Field, notBefore first: Day, _ advice: StaticString
  ) throws(EventError) {
    let last = try date(node, field).last
    guard !isNew || last >= first else {
      throw EventError(
        field,
        "\(document.string(node, in: text)) is over before the event begins, on \(first); \(advice)"
      )
    }
  }

  private func offer(_ node: Int, _ type: EventType, _ first: Day) throws(EventError) {
    guard type == .message || type == .statement || type == .talks else {
      throw EventError("offer", "stands on a message, statement or talks, not on \(type.word)")
    }
    try object(node, "offer")
    var hasThen = false
    var hasCondition = false
    for key in document.children(node) {
      let value = key + 1
      switch document.string(key, in: text) {
      case "if": try strings(value, "offer.if")
      case "then":
        try strings(value, "offer.then")
        hasThen = document.next(value) > value + 1
      case "condition":
        try oneOf(value, "offer.condition", Offer.Condition.allCases.map(\.rawValue))
        hasCondition = true
      case "expires":
        try ending(
          value, "offer.expires", notBefore: first,
          "an offer stands until a day that comes after it, or for no stated time")
      case "interests": _ = try words(value, "offer.interests")
      default: break
      }
    }
    guard hasThen else {
      throw EventError(
        "offer.then", "missing; a list of what the offering side would do", hint: .missing)
    }
    guard hasCondition else {
      throw EventError("offer.condition", "missing; prior, simultaneous or none", hint: .missing)
    }
  }

  private func commitments(
    _ node: Int, _ type: EventType, _ first: Day
  ) throws(EventError) {
    guard type == .agreement else {
      throw EventError("commitments", "stand on an agreement, not on \(type.word)")
    }
    try array(node, "commitments", "a list of {\"key\":…,\"by\":[…],\"what\":…}")
    try checkCount(node, "commitments", "make it two agreements")
    var keys: Set<String> = []
    var count = 0
    for item in document.children(node) {
      let field = Field("commitments", count)
      try object(item, field)
      count += 1
      guard let key = document.member("key", of: item, in: text) else {
        throw EventError(field["key"], "missing; a short word that links can name", hint: .missing)
      }
      guard keys.insert(try word(key, field["key"])).inserted else {
        throw EventError(field["key"], "stands twice in one agreement")
      }
      guard let by = document.member("by", of: item, in: text) else {
        throw EventError(
          field["by"], "missing; a commitment has parties: a list of codes", hint: .missing)
      }
      _ = try codes(by, field["by"], atLeast: 1)
      guard let what = document.member("what", of: item, in: text) else {
        throw EventError(field["what"], "missing; what was promised", hint: .missing)
      }
      _ = try nonEmpty(what, field["what"])
      if let to = document.member("to", of: item, in: text) {
        _ = try codes(to, field["to"], atLeast: 0)
      }
      if let verifier = document.member("verifier", of: item, in: text) {
        _ = try codes(verifier, field["verifier"], atLeast: 0)
      }
      if let due = document.member("due", of: item, in: text) {
        try ending(
          due, field["due"], notBefore: first,
          "a promise falls due after it was made; mend this or the event's date")
      }
    }
  }

  private func links(_ node: Int, of own: EventID?) throws(EventError) {
    try array(node, "links", "a list of {\"rel\":…,\"id\":…}")
    try checkCount(node, "links", "let the others link to this event")
    var said: Set<Link> = []
    var count = 0
    for item in document.children(node) {
      let field = Field("links", count)
      try object(item, field)
      count += 1
      guard let relation = document.member("rel", of: item, in: text) else {
        throw EventError(field["rel"], "missing", hint: .missing)
      }
      try oneOf(relation, field["rel"], Link.Relation.allCases.map(\.rawValue))
      let id = try id(item, "id", of: field)
      let key: String? =
        if let key = document.member("key", of: item, in: text) {
          try word(key, field["key"])
        } else { nil }
      if isNew, let relation = Link.Relation(rawValue: document.string(relation, in: text)) {
        let link = Link(relation: relation, id: id, key: key)
        if id == own { throw EventError.linkToItself(count - 1, link) }
        guard said.insert(link).inserted else {
          throw EventError(field, "says what a link before it says; leave it out")
        }
      }
    }
  }

  // MARK: What the log says of itself

  private func statement(_ node: Int, _ type: EventType) throws(EventError) -> LogStatement {
    switch type {
    case .logCorrect:
      guard let body = document.member("body", of: node, in: text) else {
        throw EventError("body", "missing; the whole event as it should be", hint: .missing)
      }
      for name: StaticString in ["id", "author"]
      where document.member(name, of: body, in: text) != nil {
        throw EventError("body.\(name)", "a correction keeps the event's: leave it out")
      }
      let target = try id(node, "corrects")
      let supersedes = try ids(node, "supersedes")
      guard
        case .happening(let facts) = try EventValidator(
          reader, in: text, registry: registry, isStored: false, subject: target
        ).validate(node: body)
      else {
        throw EventError("body.type", "a correction holds an event, not a line of the log")
      }
      return .correct(target, supersedes: supersedes, body: body, facts: facts)
    case .logRetract:
      return .retract(try id(node, "retracts"), supersedes: try ids(node, "supersedes"))
    case .logActor:
      guard let code = document.member("code", of: node, in: text) else {
        throw EventError("code", "missing", hint: .missing)
      }
      let word = try string(code, "code")
      guard let code = ActorCode(word) else {
        throw EventError(
          "code", "\"\(word)\": two to eight capital letters, digits or hyphens, a letter first")
      }
      guard let nameNode = document.member("name", of: node, in: text) else {
        throw EventError("name", "missing", hint: .missing)
      }
      _ = try nonEmpty(nameNode, "name")
      var kind = Actor.Kind.group
      if let node = document.member("kind", of: node, in: text) {
        try oneOf(node, "kind", Actor.Kind.allCases.map(\.rawValue))
        kind = Actor.Kind(rawValue: document.string(node, in: text)) ?? kind
      }
      var aliases: [String] = []
      if let node = document.member("aliases", of: node, in: text) {
        try strings(node, "aliases")
        aliases = document.children(node).map { document.string($0, in: text) }
      }
      return .actor(
        Actor(code: code, name: document.string(nameNode, in: text), kind: kind, aliases: aliases))
    // Those of requests are not: the daemon makes these itself.
    case .logErase where isStored:
      guard let list = document.member("lines", of: node, in: text),
        document.kind(list) == .array
      else { throw EventError("lines", "a list of [\"REPLICA\", number]") }
      var lines: [LogPlace] = []
      for item in document.children(list) {
        guard let place = LogPlace(json: document.value(item, in: text)) else {
          throw EventError("lines", "each is [\"REPLICA\", number]")
        }
        lines.append(place)
      }
      return .erase(try id(node, "erases"), lines: lines)
    case .logMember where isStored:
      guard let member = document.member("member", of: node, in: text),
        let replica = ReplicaID(try string(member, "member"))
      else { throw EventError("member", "the id of the replica whose key it is") }
      guard let key = document.member("vkey", of: node, in: text) else {
        throw EventError("vkey", "missing", hint: .missing)
      }
      do throws(NoteVerifierError) {
        return .member(replica, try NoteVerifier(vkey: document.string(key, in: text)))
      } catch { throw EventError("vkey", error.message) }
    case .logTimeline where isStored: return .timeline(try founding(node))
    case .logSnapshot: return .snapshot(try snapshot(node))
    case .logRules:
      do throws(EventError) { return .rules(try rules(node)) } catch {
        guard registry == nil else { throw error }
        return .unusableRules(error.text)
      }
    default:
      return .other
    }
  }

  private func founding(_ node: Int) throws(EventError) -> TimelineFounding {
    func member(_ name: StaticString) throws(EventError) -> String? {
      guard let value = document.member(name, of: node, in: text) else { return nil }
      _ = try string(value, Field(name))
      return document.string(value, in: text)
    }
    let name = try member("name") ?? ""
    guard TimelineFounding.isName(name) else { throw EventError("name", TimelineFounding.nameRule) }
    let key = try member("key").map { (text) throws(EventError) in
      guard let key = Base64.decode(text.utf8).flatMap({ Ed25519PublicKey($0) }) else {
        throw EventError("key", "an Ed25519 public key in base64")
      }
      return key
    }
    let nonce = try member("nonce").flatMap { Base64.decode($0.utf8) } ?? []
    guard let founding = TimelineFounding(name: name, key: key, nonce: nonce) else {
      throw EventError("nonce", "\(TimelineFounding.nonceBytes) bytes in base64")
    }
    return founding
  }

  private func rules(_ node: Int) throws(EventError) -> RuleTable {
    let kinds = RuleTable.Kind.allCases.map(\.rawValue)
    guard let kindNode = document.member("table", of: node, in: text) else {
      throw EventError("table", "missing; one of \(Self.list(kinds))", hint: .missing)
    }
    try oneOf(kindNode, "table", kinds)
    guard let nameNode = document.member("name", of: node, in: text) else {
      throw EventError(
        "name", "missing; what answers state as the version of the table", hint: .missing)
    }
    guard let rows = document.member("rows", of: node, in: text) else {
      throw EventError("rows", "missing; the whole table, a list of {…}", hint: .missing)
    }
    try array(rows, "rows", "a list of {…}, the whole table")
    if let reason = document.member("reason", of: node, in: text) {
      _ = try nonEmpty(reason, "reason")
    } else if registry != nil {
      throw EventError("reason", "missing; why the table is as it is", hint: .missing)
    }
    let name = try string(nameNode, "name")
    do throws(RuleTable.Fault) {
      return try RuleTable(
        RuleTable.Kind(rawValue: document.string(kindNode, in: text))!, version: name,
        rows: document.value(rows, in: text).array ?? [], registry: registry)
    } catch { throw EventError(error.place, error.message, hint: error.hint) }
  }

  private func snapshot(_ node: Int) throws(EventError) -> NamedSnapshot {
    guard let nameNode = document.member("name", of: node, in: text) else {
      throw EventError("name", "missing; what the snapshot is cited by", hint: .missing)
    }
    let name = try SnapshotName(try string(nameNode, "name"))
    let sizes = try byReplica(node, "position") { value -> UInt64? in
      guard case .int(let size) = value, size > 0, size <= NamedSnapshot.linesMax else {
        return nil
      }
      return UInt64(size)
    }
    let roots = try byReplica(node, "roots") { $0.string.flatMap { SHA256Digest(base64: $0) } }
    guard !sizes.isEmpty else { throw EventError("position", "names no log") }
    guard Set(sizes.keys) == Set(roots.keys) else {
      throw EventError("roots", "must be of the same logs as the position")
    }
    var note: String?
    if let node = document.member("note", of: node, in: text) {
      try checkLine(node, "note")
      note = document.string(node, in: text)
    }
    return NamedSnapshot(name: name, position: Position(sizes), roots: roots, note: note)
  }

  private func byReplica<Value>(
    _ node: Int, _ name: StaticString, _ read: (JSONValue) -> Value?
  ) throws(EventError) -> [ReplicaID: Value] {
    guard let object = document.member(name, of: node, in: text) else {
      throw EventError("\(name)", "missing", hint: .missing)
    }
    try self.object(object, Field(name))
    var values: [ReplicaID: Value] = [:]
    for key in document.children(object) {
      guard let replica = ReplicaID(document.string(key, in: text)),
        let value = read(document.value(key + 1, in: text))
      else {
        let member = String(decoding: text[document.rawRange(key + 1)].prefix(50), as: UTF8.self)
        throw EventError("\(name)", "\(member) is not what a log has here")
      }
      values[replica] = value
    }
    return values
  }

  private func ids(_ node: Int, _ name: StaticString) throws(EventError) -> [EventID] {
    guard let list = document.member(name, of: node, in: text) else {
      throw EventError(
        "\(name)", "missing; the list of versions that its author had before him", hint: .missing)
    }
    try array(list, Field(name), "a list of ids")
    var result: [EventID] = []
    for item in document.children(list) {
      guard document.kind(item) == .string,
        let id = document.withText(item, in: text, { EventID(utf8: $0) })
      else { throw EventError("\(name)", "holds something that is no event id") }
      result.append(id)
    }
    return result
  }

  // MARK: Fields

  private func eventID(_ node: Int) -> EventID? {
    guard document.kind(node) == .string else { return nil }
    return document.withText(node, in: text) { EventID(utf8: $0) }
  }

  private func id(
    _ object: Int, _ name: StaticString, of list: Field? = nil
  ) throws(EventError) -> EventID {
    let field = list.map { $0[name] } ?? Field(name)
    guard let node = document.member(name, of: object, in: text) else {
      throw EventError(field, "missing; the id of an event", hint: .missing)
    }
    guard let id = eventID(node) else {
      let value = String(decoding: text[document.rawRange(node)].prefix(50), as: UTF8.self)
      throw EventError(
        field, "\(value) is no event id: 36 characters, lower-case hex and hyphens", value: value)
    }
    return id
  }

  private func date(_ node: Int, _ field: Field) throws(EventError) -> (first: Day, last: Day) {
    guard document.kind(node) == .string else {
      throw EventError(field, "a date is a string such as \"2017-11-29\"")
    }
    do {
      return try document.withText(node, in: text) { (bytes) throws(DateError) in
        try EventDate.bounds(utf8: bytes)
      }
    } catch {
      throw EventError(field, error.message, value: error.text)
    }
  }

  /// The number of those that take part.
  private func parties(_ actors: Int, _ targets: Int?) throws(EventError) -> UInt32 {
    func read() throws(EventError) -> UInt32 {
      let actors = try codes(actors, "actors", atLeast: 1)
      let targets = try targets.map { (node) throws(EventError) in
        try codes(node, "targets", atLeast: 0)
      }
      return reader.vocabulary.number(of: Parties(actors: actors, targets: targets ?? []))
    }
    let first = min(actors, targets ?? actors)
    let last = max(actors, targets ?? actors)
    // Where the two stand side by side, as they mostly do, the text of both is one key.
    guard first == last || document.next(first) == last - 1 else { return try read() }
    let key = UnsafeBufferPointer(
      rebasing: text[document.rawRange(first).lowerBound..<document.rawRange(last).upperBound])
    return registry == nil
      ? try reader.legacy.shelves.formedParties.number(of: key, read)
      : try reader.legacy.shelves.knownParties.number(of: key, read)
  }

  private func codes(
    _ node: Int, _ field: Field, atLeast minimum: Int
  ) throws(EventError) -> [ActorCode] {
    try array(node, field, "a list of codes such as [\"PRK\"]")
    var result: [ActorCode] = []
    for item in document.children(node) {
      guard document.kind(item) == .string else { throw EventError(field, "must hold strings") }
      guard let code = document.withText(item, in: text, { ActorCode(utf8: $0) }),
        registry?.contains(code) ?? true
      else {
        let name = document.string(item, in: text)
        let near = (registry ?? .shipped).nearest(to: name).map { "\($0.code) (\($0.name))" }
        throw EventError(
          field,
          "unknown actor \"\(name)\"" + (near.isEmpty ? "" : "; did you mean \(Self.list(near))?"),
          value: name, hint: near.isEmpty ? .unknownActor : .similarActor)
      }
      guard !result.contains(code) else { throw EventError(field, "\(code) stands twice") }
      result.append(code)
    }
    guard result.count >= minimum else {
      throw EventError(field, "the list is empty; name at least one")
    }
    return result
  }

  private func string(_ node: Int, _ field: Field) throws(EventError) -> String {
    guard document.kind(node) == .string else { throw EventError(field, "must be a string") }
    return document.string(node, in: text)
  }

  private func someString(_ node: Int, _ field: Field) throws(EventError) {
    guard document.kind(node) == .string else { throw EventError(field, "must be a string") }
  }

  private func nonEmpty(
    _ node: Int, _ field: Field
  ) throws(EventError) -> UnsafeBufferPointer<UInt8> {
    guard document.kind(node) == .string else { throw EventError(field, "must be a string") }
    let bytes = document.bytes(node, in: text)
    guard bytes.contains(where: { $0 > 0x20 }) else { throw EventError(field, "is empty") }
    return bytes
  }

  /// Lower-case letters, digits, and `.`, `-`, `_`, `:`.
  private func word(_ node: Int, _ field: Field) throws(EventError) -> String {
    let word = try string(node, field)
    guard !word.isEmpty, word.utf8.allSatisfy(Self.isOfAWord) else {
      throw EventError(
        field, "\"\(word)\" is no word: lower-case letters, digits, and . - _ : only", value: word)
    }
    return word
  }

  static func isOfAWord(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
      || byte == 0x2E || byte == 0x2D || byte == 0x5F || byte == 0x3A
  }

  private func words(_ node: Int, _ field: Field) throws(EventError) -> [String] {
    try array(node, field, "a list of words")
    var result: [String] = []
    for item in document.children(node) { result.append(try word(item, field)) }
    return result
  }

  private func tags(_ node: Int) throws(EventError) -> UInt32 {
    let key = UnsafeBufferPointer(rebasing: text[document.rawRange(node)])
    return try reader.legacy.shelves.tags.number(of: key) { () throws(EventError) in
      reader.vocabulary.number(ofTags: try words(node, "tags"))
    }
  }

  private func subtype(_ node: Int) throws(EventError) -> UInt32 {
    let key = UnsafeBufferPointer(rebasing: text[document.rawRange(node)])
    return try reader.legacy.shelves.subtypes.number(of: key) { () throws(EventError) in
      reader.vocabulary.number(ofSubtype: try word(node, "subtype"))
    }
  }

  private func strings(_ node: Int, _ field: Field) throws(EventError) {
    try array(node, field, "a list of sentences")
    for item in document.children(node) { _ = try nonEmpty(item, field) }
  }

  private func oneOf(_ node: Int, _ field: Field, _ words: [String]) throws(EventError) {
    let word = try string(node, field)
    guard words.contains(word) else {
      throw EventError(field, "\"\(word)\" is not one of \(Self.list(words))", value: word)
    }
  }

  /// A weight in thousandths; nil where it is none. A number with three decimals is the double nearest to
  /// so many thousandths; 1000 times that need not be whole (4.039).
  static func thousandths(_ weight: Double) -> Int? {
    guard abs(weight) <= 10, case let number = (weight * 1000).rounded(), number / 1000 == weight
    else { return nil }
    return Int(number)
  }

  private func checkWeight(_ node: Int) throws(EventError) {
    guard document.kind(node) == .number,
      document.value(node, in: text).number.flatMap(Self.thousandths) != nil
    else {
      let value = String(decoding: text[document.rawRange(node)].prefix(40), as: UTF8.self)
      throw EventError(
        "weight", "\(value): a number from -10 to 10 with at most three decimals", value: value)
    }
  }

  private func array(_ node: Int, _ field: Field, _ what: String) throws(EventError) {
    guard document.kind(node) == .array else { throw EventError(field, "must be \(what)") }
  }

  private func object(_ node: Int, _ field: Field) throws(EventError) {
    guard document.kind(node) == .object else {
      throw EventError(field, "must be an object {…}")
    }
  }

  private static func list(_ words: [String]) -> String { words.joined(separator: ", ") }
}

extension Event {
  /// Decodes a body that was validated; nil where it is not a happening.
  public init?(
    id: EventID, document: JSONDocument, node: Int = 0, in text: UnsafeBufferPointer<UInt8>,
    isContested: Bool = false
  ) {
    let body = document.value(node, in: text)
    guard let type = body["type"]?.string.flatMap(EventType.init(word:)), type.isHappening,
      let date = body["date"]?.string.flatMap({ try? EventDate($0) })
    else { return nil }
    func strings(_ value: JSONValue?) -> [String] { value?.array?.compactMap(\.string) ?? [] }
    func codes(_ value: JSONValue?) -> [ActorCode] { strings(value).compactMap { ActorCode($0) } }
    func optionalDate(_ value: JSONValue?) -> EventDate? {
      value?.string.flatMap { try? EventDate($0) }
    }
    self.init(
      id: id, type: type, subtype: body["subtype"]?.string, date: date,
      actors: codes(body["actors"]), targets: codes(body["targets"]),
      title: body["title"]?.string ?? "",
      weight: body["weight"]?.number.map { Int32(($0 * 1000).rounded()) },
      confidence: body["confidence"]?.string.flatMap(Confidence.init(rawValue:)),
      offer: body["offer"].flatMap { offer in
        offer["condition"]?.string.flatMap(Offer.Condition.init(rawValue:)).map { condition in
          Offer(
            if: strings(offer["if"]), then: strings(offer["then"]), condition: condition,
            expires: optionalDate(offer["expires"]), interests: strings(offer["interests"]))
        }
      },
      commitments: (body["commitments"]?.array ?? []).compactMap {
        (item: JSONValue) -> Commitment? in
        guard let key = item["key"]?.string, let what = item["what"]?.string else { return nil }
        return Commitment(
          key: key, by: codes(item["by"]), to: codes(item["to"]), what: what,
          due: optionalDate(item["due"]), verifier: codes(item["verifier"]))
      },
      links: (body["links"]?.array ?? []).compactMap { (item: JSONValue) -> Link? in
        guard let relation = item["rel"]?.string.flatMap(Link.Relation.init(rawValue:)),
          let id = item["id"]?.string.flatMap({ EventID($0) })
        else { return nil }
        return Link(relation: relation, id: id, key: item["key"]?.string)
      },
      tags: strings(body["tags"]), isContested: isContested)
  }
}

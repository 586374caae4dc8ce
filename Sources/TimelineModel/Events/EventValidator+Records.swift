// Control records: what the log says of itself.

import TransparencyLog

extension EventValidator {
  func controlRecord(_ node: Int, _ type: EventType) throws(EventError) -> ControlRecord {
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
      let supersedes = try superseded(node)
      guard
        case .event(let facts) = try EventValidator(
          reader, in: text, registry: registry, isStored: false, subject: target
        ).validate(node: body)
      else {
        throw EventError("body.type", "a correction holds an event, not a line of the log")
      }
      return .correct(target, supersedes: supersedes, body: body, facts: facts)
    case .logRetract:
      return .retract(try id(node, "retracts"), supersedes: try superseded(node))
    case .logSame, .logApart: return .same(try same(node, type))
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
      var lines: [LineAddress] = []
      for item in document.children(list) {
        guard let address = LineAddress(json: document.value(item, in: text)) else {
          throw EventError("lines", "each is [\"REPLICA\", number]")
        }
        lines.append(address)
      }
      return .erase(try id(node, "erases"), lines: lines)
    case .logMember where isStored:
      // Else it is a device that is brought in: MembershipRecord reads it, to the byte.
      guard let member = document.member("member", of: node, in: text) else { return .other }
      guard let replica = ReplicaID(try string(member, "member"))
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
    guard TimelineFounding(name: name, key: key, nonce: nonce) != nil else {
      throw EventError("nonce", "\(TimelineFounding.nonceBytes) bytes in base64")
    }
    guard let founding = TimelineFounding(json: document.value(node, in: text)) else {
      throw EventError("adopts", "{REPLICA: [size, root, key, device key]}, ids not of version 8")
    }
    return founding
  }

  func rules(_ node: Int) throws(EventError) -> RuleTable {
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
    } catch { throw EventError(error.location, error.message, hint: error.hint) }
  }

  func snapshot(_ node: Int) throws(EventError) -> NamedSnapshot {
    guard let nameNode = document.member("name", of: node, in: text) else {
      throw EventError("name", "missing; what the snapshot is cited by", hint: .missing)
    }
    let name = try SnapshotName(try string(nameNode, "name"))
    let sizes = try sizes(node, "position")
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

  private func superseded(_ node: Int) throws(EventError) -> Superseded {
    let named = try ids(node, "supersedes", "the list of versions that its author had before him")
    guard document.member("up_to", of: node, in: text) != nil else { return Superseded(named) }
    return Superseded(named, upTo: Position(try sizes(node, "up_to")))
  }

  private func same(_ node: Int, _ type: EventType) throws(EventError) -> SameRecord {
    let both = try ids(node, "events", "a list of the ids of two events")
    guard both.count == 2, let pair = EventPair(both[0], both[1]) else {
      throw EventError("events", "a list of the ids of two events")
    }
    if let reason = document.member("reason", of: node, in: text) {
      _ = try nonEmpty(reason, "reason")
    }
    guard type == .logSame else { return SameRecord(pair, shows: nil) }
    let shows = try id(node, "shows")
    guard pair.ids.contains(shows) else {
      throw EventError("shows", "\(shows) is none of the two events")
    }
    return SameRecord(pair, shows: shows)
  }

  /// How many lines of each log.
  private func sizes(
    _ node: Int, _ name: StaticString
  ) throws(EventError) -> [ReplicaID: UInt64] {
    try byReplica(node, name) { value in
      guard case .int(let size) = value, size > 0, size <= NamedSnapshot.linesMax else {
        return nil
      }
      return UInt64(size)
    }
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

  private func ids(
    _ node: Int, _ name: StaticString, _ what: String
  ) throws(EventError) -> [EventID] {
    guard let list = document.member(name, of: node, in: text) else {
      throw EventError("\(name)", "missing; \(what)", hint: .missing)
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
}

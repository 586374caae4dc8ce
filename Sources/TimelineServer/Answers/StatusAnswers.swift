// What is answered at once about one event, and about this machine and its timeline.

import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

extension Router {
  /// Lines of one event that are sent, and records of one happening that are named.
  private static let linesMax = 200
  private static let recordsMax = 100

  /// The one id that a request names, whole or by its first characters.
  func id(_ request: Request, _ view: ReadView) throws(ErrorReply) -> EventID {
    guard request.arguments.count == 1, let prefix = request.arguments.first?.lowercased(),
      prefix.count >= 4
    else {
      throw ErrorReply(
        .badRequest, "\(request.verb.rawValue) takes an id, or at least its first 4 characters",
        hint: .eventID)
    }
    let ids = view.ids(beginningWith: prefix, limit: 10)
    guard let id = ids.first else {
      throw ErrorReply(.notFound, "no event whose id begins with \(prefix)", value: prefix)
    }
    guard ids.count == 1 else {
      throw ErrorReply(
        .badRequest,
        "\(prefix) begins more than one id: \(ids.map(\.description).joined(separator: ", "))")
    }
    return id
  }

  func get(_ request: Request, _ connection: Connection) throws(ErrorReply) {
    let view = timeline.view
    let id = try id(request, view)
    var end = versions(of: id, view)
    var isPlain = true
    switch view.find(id) {
    case .shown(let event):
      _ = Self.append(event, view, to: &connection.out)
    case .retracted(_, let by):
      end.append(JSONValue.Member("retracted", .string(by.description)))
      isPlain = false
    case .line, .unknown:
      if let line = view.line(of: id) {
        connection.out.append(contentsOf: "EVENT ".utf8)
        connection.out.append(contentsOf: line)
        connection.out.append(0x0A)
      }
    }
    if let text = view.erasure(of: id), let erasure = try? JSONValue(parsing: text) {
      let keys = ["id", "recorded", "author", "reason"]
      let members = (erasure.members ?? []).filter { keys.contains($0.key) }
      end.append(JSONValue.Member("erased", .object(members)))
      isPlain = false
    }
    let history = view.history(of: id, max: Self.linesMax)
    if history.count > history.lines.count {
      end.append(JSONValue.Member("lines", .int(history.count)))
    }
    for line in history.lines where !isPlain || history.count > 1 {
      connection.out.append(contentsOf: "ROW ".utf8)
      connection.out.append(contentsOf: line)
    }
    Reply.end(.object(end), to: &connection.out)
  }

  /// The versions that stand, what settles them where one line cannot name all, and which events are records
  /// of the same happening.
  private func versions(of id: EventID, _ view: ReadView) -> [JSONValue.Member] {
    let standing = view.standing(of: id)
    var end = [JSONValue.Member("versions", .strings(standing?.ids ?? [id]))]
    if let standing, standing.count > standing.ids.count {
      end.append(JSONValue.Member("standing", .int(standing.count)))
      end.append(JSONValue.Member("settling", .object(standing.settling.json)))
    }
    let records = view.records(ofSameAs: id)
    guard records.count > 1 else { return end }
    let same = JSONValue.object([
      "shows": .string(view.shownID(of: id).description), "count": .int(records.count),
      "events": .strings(records.prefix(Self.recordsMax)),
    ])
    return end + [JSONValue.Member("same", same)]
  }

  /// The key that a backup is to hold, and what it is to be encrypted with; nil for one without.
  func keyWanted(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) -> BackupStream.WantedKey? {
    let json = try request.value(in: line, keys: ["passphrase"])
    guard let text = json["passphrase"] else { return nil }
    guard let passphrase = text.string.flatMap({ Passphrase($0) }) else {
      throw ErrorReply(.badRequest, Passphrase.rule)
    }
    guard let key = service.keys?.heads else {
      throw ErrorReply(.notFound, "this machine has no key yet")
    }
    return BackupStream.WantedKey(key: key, passphrase: passphrase)
  }

  /// Lines that a peer may have and this machine lacks.
  var missingLineCount: Int { timeline.lines.missingLines.reduce(0) { $0 + $1.lines.count } }

  var keys: [JSONValue] {
    timeline.lines.members.map { replica, key in
      .object([
        "replica": .string(replica.description), "vkey": .string(key.vkey),
        "own": .bool(replica == timeline.replica),
        "signed": .int(Int(timeline.heads[replica]?.size ?? 0)),
        "lines": .int(Int(timeline.size(of: replica))),
      ])
    }
  }

  var status: JSONValue {
    let view = timeline.view
    let contested = view.contested
    let unusable = view.unusableRules.map { id, address, fault in
      "event \(id), line \(address.seq) of replica \(address.replica): \(fault)"
    }
    return .object([
      "version": .string(service.version), "timeline": .string(timeline.name),
      "uuid": .string(timeline.id.description),
      "replica": .string(timeline.replica.description), "position": view.position.json,
      "events": .int(view.count(Query())), "bytes": .int(timeline.bytesOnDisk),
      "first": view.span.map { .string($0.first.description) },
      "last": view.span.map { .string($0.last.description) },
      "contested": .strings(contested.prefix(Self.recordsMax)),
      "contested_count": contested.count > Self.recordsMax ? .int(contested.count) : nil,
      "unreadable": .int(view.unreadable),
      "unusable_rules": unusable.isEmpty ? nil : .strings(unusable),
      "damage": .strings(timeline.damage.map(\.message)),
      "erased": view.erased == 0 ? nil : .int(view.erased),
      "unfinished_erasure": timeline.unfinishedErasure.map { .string($0) },
      "withheld": .array(view.missingBodies.map(\.json)), "wanted": .int(missingLineCount),
      "unsigned": .strings(
        heads.problems.sorted { $0.key < $1.key }.map { $0.value.message }),
      "forks": host.forks.isEmpty
        ? nil
        : .array(
          host.forks.sorted { $0.key < $1.key }.map { replica, seq in
            .object(["replica": .string(replica.description), "line": .int(Int(seq))])
          }),
      "read_only": timeline.readOnly.map { .string($0) },
    ])
  }
}

// From requests to replies: every verb is answered here, from the store. An append is answered only
// by `settle`, after the commit that covers it.

import Engagement
import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

struct Router {
  /// A question over fewer rows is quicker than a hand-over to another thread.
  private static let inlineRowsMax = 20_000
  /// Lines that a watch looks at before others have their turn.
  private static let watchedLinesMax = 500

  let timeline: Timeline
  let heads: Heads
  /// What this machine signs with.
  let key: SigningKey?
  let peers: Peers
  let now: () -> RecordedTime
  let random: () -> UInt64
  let newID: () -> EventID
  let states = States()
  /// Called where lines turn out to be damaged that were not.
  var onDamage: () -> Void = {}
  /// Called where peers are to be asked again for what is lacking.
  var onRepair: () -> Void = {}

  enum Step {
    case goOn
    /// A read after appends of the same connection: it must see them, so it waits for their commit.
    case afterCommit
    case slow(SlowQuestion)
  }

  /// Answers one line.
  func handle(_ range: Range<Int>, _ connection: Connection) -> Step {
    connection.splitter.buffer.withUnsafeBufferPointer { buffer in
      handle(UnsafeBufferPointer(rebasing: buffer[range]), connection)
    }
  }

  func tooLong(_ connection: Connection) {
    let error = RequestError(
      .tooLarge, "a request has at most \(LineLimits.requestBytesMax) bytes; this one was skipped")
    switch connection.mode {
    case .collecting(var many):
      many.refuse(error)
      _ = collected(many, connection)
    case .syncing(var session):
      if case .end(let error) = session.tooLong() { end(connection, error) }
      connection.mode = .syncing(session)
    default: reply(connection) { Reply.error(error, to: &$0) }
    }
  }

  private func handle(_ line: UnsafeBufferPointer<UInt8>, _ connection: Connection) -> Step {
    if case .syncing(var session) = connection.mode {
      // Emptied first, so that lines are added in place.
      connection.mode = .requests
      advance(&session, line, connection)
      return .goOn
    }
    if case .collecting(var many) = connection.mode {
      // Emptied first, so that the lines are added in place.
      connection.mode = .requests
      many.take(line)
      return collected(many, connection)
    }
    if line.isEmpty { return .goOn }
    do throws(RequestError) {
      let request = try Request(line)
      switch request.verb {
      case .append: try append(request, line, connection)
      case .erase: try erase(request, line, connection)
      case .appendMany, .checkMany: connection.mode = .collecting(try ManyLines(request))
      case .whatIf:
        guard connection.deferred.isEmpty else { return .afterCommit }
        return collected(try hypotheses(request, line), connection)
      default:
        guard connection.deferred.isEmpty else { return .afterCommit }
        return try read(request, line, connection)
      }
    } catch {
      reply(connection) { Reply.error(error, to: &$0) }
    }
    return .goOn
  }

  /// Replies come in the order of requests: behind appends that wait, others wait too.
  private func reply(_ connection: Connection, _ write: (inout [UInt8]) -> Void) {
    guard !connection.deferred.isEmpty else { return write(&connection.out) }
    var bytes: [UInt8] = []
    write(&bytes)
    connection.deferred.append(.ready(bytes))
  }

  // MARK: Appending

  private func recording(_ connection: Connection) -> Timeline.Recording {
    Timeline.Recording(
      author: connection.author, now: now(), random: random, newID: newID)
  }

  private func append(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(RequestError) {
    guard let json = request.json else {
      throw RequestError(.badRequest, "APPEND takes an event: APPEND {\"type\":…}")
    }
    var recording = recording(connection)
    var event = UnsafeBufferPointer(rebasing: line[json])
    if let split = Self.endOfFirstObject(event) {
      let text = UnsafeBufferPointer(rebasing: event[..<split])
      guard let value = try? JSONValue(parsing: text), let position = Position(json: value) else {
        throw RequestError(
          .badRequest, "the position before the event is {\"REPLICA\": number of lines, …}")
      }
      recording.position = position
      event = UnsafeBufferPointer(rebasing: event[split...])
    }
    do throws(AppendError) {
      connection.deferred.append(.appended(try timeline.stage(event, recording)))
    } catch { throw RequestError(error) }
  }

  private func erase(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(RequestError) {
    let value = try request.value(in: line, keys: ["id", "reason", "author"])
    guard let id = value["id"]?.string.flatMap({ EventID($0) }),
      let reason = value["reason"]?.string,
      !reason.isEmpty, reason.utf8.count <= 1000
    else {
      throw RequestError(
        .badRequest,
        "ERASE takes a whole id, and a reason of at most 1000 bytes that holds none of "
          + "the words: ERASE {\"id\":ID,\"reason\":TEXT}")
    }
    var recording = recording(connection)
    if let author = value["author"]?.string, !author.isEmpty,
      author.utf8.count <= LineLimits.authorBytesMax
    {
      recording.author = author
    }
    do throws(AppendError) {
      connection.deferred.append(
        .erased(try timeline.stageErasure(of: id, reason: reason, recording)))
    } catch { throw RequestError(error) }
  }

  /// Where a position stands before the event: the end of the first of two objects. A position is
  /// `{}`, or begins with a replica's id, as no event does.
  private static func endOfFirstObject(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
    let quote = UInt8(ascii: "\"")
    let afterKey = 2 + UUIDBytes.textLength
    let isPosition =
      text.count > afterKey
      && (text[1] == UInt8(ascii: "}") || (text[1] == quote && text[afterKey] == quote))
    guard isPosition, let end = text.firstIndex(of: UInt8(ascii: "}")) else { return nil }
    let rest = text[(end + 1)...].drop { $0 == UInt8(ascii: " ") }
    return rest.first == UInt8(ascii: "{") ? rest.startIndex : nil
  }

  private func collected(_ many: ManyLines, _ connection: Connection) -> Step {
    guard many.left == 0 else {
      connection.mode = .collecting(many)
      return .goOn
    }
    connection.mode = .requests
    if let refusal = many.refusal {
      reply(connection) { Reply.error(refusal, to: &$0) }
      return .goOn
    }
    return many.withTexts { texts in
      switch many.purpose {
      case .append: append(texts, connection)
      case .check: check(texts, connection)
      case .whatIf(let question?): return whatIf(question, texts, connection)
      case .whatIf(nil): break
      }
      return .goOn
    }
  }

  /// What a WHATIF asks; where that is wrong, its lines are passed over.
  private func hypotheses(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(RequestError) -> ManyLines {
    var many = try ManyLines(request)
    do throws(RequestError) {
      many.purpose = .whatIf(try questions.whatIf(request, line))
    } catch { many.refuseAll(error) }
    return many
  }

  private func whatIf(
    _ question: StateQuestion, _ texts: [UnsafeBufferPointer<UInt8>], _ connection: Connection
  ) -> Step {
    do throws(RequestError) {
      var question = question
      try question.lay(Hypotheses(texts), timeline, recording(connection))
      return state(question, connection)
    } catch {
      Reply.error(error, to: &connection.out)
      return .goOn
    }
  }

  private func check(_ texts: [UnsafeBufferPointer<UInt8>], _ connection: Connection) {
    let verdicts = timeline.check(texts, recording(connection))
    reply(connection) { out in
      var bad = 0
      var duplicates = 0
      for (place, verdict) in verdicts.enumerated() {
        switch verdict {
        case .success(let staged): duplicates += staged.isDuplicate ? 1 : 0
        case .failure(let failure):
          bad += 1
          let error = RequestError(failure)
          let row = JSONValue.object([
            "line": .int(place + 1), "error": .string(error.code.rawValue),
            "text": .string(error.text),
          ])
          Reply.row(row, to: &out)
        }
      }
      Reply.end(
        .object([
          "count": .int(verdicts.count), "new": .int(verdicts.count - bad - duplicates),
          "duplicates": .int(duplicates), "bad": .int(bad),
        ]), to: &out)
    }
  }

  private func append(_ texts: [UnsafeBufferPointer<UInt8>], _ connection: Connection) {
    switch timeline.stageAll(texts, recording(connection)) {
    case .success(let staged): connection.deferred.append(.appendedMany(staged))
    case .failure(let failure):
      var error = RequestError(failure.error)
      error.text = "line \(failure.place + 1): \(error.text) (none of the lines was taken)"
      reply(connection) { Reply.error(error, to: &$0) }
    }
  }

  /// Answers the appends of a connection after a commit; `failure` where it failed.
  func settle(_ connection: Connection, _ failure: AppendError?) {
    for deferred in connection.deferred {
      switch deferred {
      case .ready(let bytes): connection.out.append(contentsOf: bytes)
      case .took(let replica, let last):
        guard case .syncing(var session) = connection.mode else { break }
        if let failure {
          end(connection, RequestError(failure))
        } else {
          connection.out.append(contentsOf: session.committed(replica, last: last))
          connection.mode = .syncing(session)
        }
      case .appended(let staged):
        if let failure, !timeline.isDurable(staged) {
          Reply.error(RequestError(failure), to: &connection.out)
        } else {
          Self.acknowledge(staged, to: &connection.out)
        }
      case .snapshot(let staged, let named):
        if let failure, !timeline.isDurable(staged) {
          Reply.error(RequestError(failure), to: &connection.out)
        } else {
          Reply.ok(staged.json(of: named), to: &connection.out)
        }
      case .erased(let staged):
        if let failure, !timeline.isDurable(staged) {
          Reply.error(RequestError(failure), to: &connection.out)
        } else {
          Reply.ok(
            .object([
              "id": .string(staged.id.description), "replica": .string(staged.replica.description),
              "seq": .int(Int(staged.seq)),
              "unfinished": timeline.unfinishedErasure.map { .string($0) },
            ]), to: &connection.out)
        }
      case .appendedMany(let staged):
        if let failure, let last = staged.last, !timeline.isDurable(last) {
          Reply.error(RequestError(failure), to: &connection.out)
        } else {
          let new = staged.filter { !$0.isDuplicate }
          Reply.ok(
            .object([
              "count": .int(staged.count), "duplicates": .int(staged.count - new.count),
              "replica": .string(timeline.replica.description),
              "first": new.first.map { .int(Int($0.seq)) },
              "last": new.last.map { .int(Int($0.seq)) },
            ]), to: &connection.out)
        }
      }
    }
    connection.deferred.removeAll(keepingCapacity: true)
  }

  /// `OK {"id":"…","replica":"…","seq":7}`, written without a tree: it is the hottest reply.
  private static func acknowledge(_ staged: Timeline.Staged, to out: inout [UInt8]) {
    out.append(contentsOf: #"OK {"id":""#.utf8)
    staged.id.uuid.append(to: &out)
    out.append(contentsOf: #"","replica":""#.utf8)
    staged.replica.uuid.append(to: &out)
    out.append(contentsOf: #"","seq":"#.utf8)
    out.append(contentsOf: String(staged.seq).utf8)
    if staged.isDuplicate { out.append(contentsOf: #","duplicate":true"#.utf8) }
    out.append(contentsOf: "}\n".utf8)
  }

  // MARK: Reading

  private var questions: QuestionReader { QuestionReader(log: timeline.lines, today: now().day) }

  private func read(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(RequestError) -> Step {
    switch request.verb {
    case .ping, .help, .quit, .status, .peers, .sync, .verify, .keys, .repair:
      guard request.isBare else {
        throw RequestError(.badRequest, "\(request.verb.rawValue) stands alone on its line")
      }
    default: break
    }
    switch request.verb {
    case .append, .appendMany, .checkMany, .whatIf, .erase: break
    case .hello:
      if request.arguments.first == "timeline-sync" {
        var session = SyncSession(
          timeline: timeline.id, name: timeline.name, device: timeline.replica, isInitiator: false)
        advance(&session, line, connection)
        return .goOn
      }
      guard request.arguments == ["timeline", "1"] else {
        throw RequestError(.unsupported, "this daemon speaks: HELLO timeline 1")
      }
      Reply.ok(.object(["version": .string(Arguments.version)]), to: &connection.out)
    case .open:
      guard request.arguments == [timeline.name], request.json == nil else {
        throw RequestError(.notFound, "no such timeline; there is: \(timeline.name)")
      }
      Reply.ok(
        .object([
          "timeline": .string(timeline.id.description),
          "replica": .string(timeline.replica.description),
          "position": timeline.position.json,
        ]), to: &connection.out)
    case .ping: Reply.ok(to: &connection.out)
    case .help:
      for verb in Verb.allCases { Reply.row(.string(verb.usage), to: &connection.out) }
      Reply.end(.object(["count": .int(Verb.allCases.count)]), to: &connection.out)
    case .quit:
      Reply.ok(to: &connection.out)
      connection.isClosing = true
    case .actors:
      let actors = try questions.actors(request, line)
      for actor in actors { Reply.row(actor.json, to: &connection.out) }
      Reply.end(.object(["count": .int(actors.count)]), to: &connection.out)
    case .rules: try questions.rules(request, line).answer(timeline.lines, to: &connection.out)
    case .status: Reply.ok(status, to: &connection.out)
    case .get: try get(request, connection)
    case .query, .count:
      let query = try questions.query(request, line)
      let question = SlowQuestion(
        snapshot: timeline.snapshot, query: query,
        kind: request.verb == .count ? .count : .events)
      let isQuick = query.limit.map { $0 <= 1000 } ?? false
      if !query.filter.texts.isEmpty || question.snapshot.rowCount > Self.inlineRowsMax && !isQuick,
        !(request.verb == .count && query.filter.isEmpty && query.knownAt == nil)
      {
        connection.mode = .waiting
        return .slow(question)
      }
      deliver(question.answer(), connection)
    case .watch:
      let (filter, start) = try questions.watch(request, line)
      connection.mode = .watching(filter, start)
      Reply.ok(.object(["position": start.json]), to: &connection.out)
    case .snapshot:
      let naming = try questions.naming(request, line)
      if let id = timeline.snapshot(named: naming.name) {
        throw RequestError(AppendError.nameTaken(naming.name, id))
      }
      guard !timeline.position.sizes.isEmpty else {
        throw RequestError(.notFound, "nothing is recorded yet that could be cited")
      }
      connection.mode = .waiting
      return .slow(SlowQuestion(snapshot: timeline.lines, query: Query(), kind: .name(naming)))
    case .snapshots:
      let here = timeline.lines
      if let one = try questions.snapshot(request) {
        connection.mode = .waiting
        return .slow(SlowQuestion(snapshot: here, query: Query(), kind: .compare(one)))
      }
      let all = here.recordedSnapshots
      for snapshot in all { Reply.row(snapshot.json(in: here), to: &connection.out) }
      Reply.end(.object(["count": .int(all.count)]), to: &connection.out)
    case .lint:
      let (asked, query) = try questions.lint(request, line)
      connection.mode = .waiting
      return .slow(SlowQuestion(snapshot: timeline.snapshot, query: query, kind: .lint(asked)))
    case .state, .explain, .changes: return state(try questions.state(request, line), connection)
    case .peers:
      for peer in peers.all { Reply.row(peer.json, to: &connection.out) }
      Reply.end(.object(["count": .int(peers.all.count)]), to: &connection.out)
    case .peer: try peer(request, connection)
    case .sync:
      peers.tryAllNow()
      Reply.ok(.object(["peers": .int(peers.all.count)]), to: &connection.out)
    case .repair:
      // What VERIFY found and no start did is named from here on, and asked for.
      if states.damagedLines > wanted - timeline.lines.withheld.count { onDamage() }
      states.damagedLines = 0
      onRepair()
      peers.tryAllNow()
      Reply.ok(
        .object([
          "wanted": .int(wanted), "peers": .int(peers.all.count(where: \.isLive)),
        ]), to: &connection.out)
    case .keys:
      let rows = keys
      for row in rows { Reply.row(row, to: &connection.out) }
      Reply.end(.object(["count": .int(rows.count)]), to: &connection.out)
    case .prove:
      let id = try id(request, timeline.snapshot)
      connection.mode = .waiting
      return .slow(
        SlowQuestion(snapshot: timeline.lines, query: Query(), kind: .prove(id, heads.keeper)))
    case .verify:
      connection.mode = .waiting
      let snapshot = timeline.lines
      // Read here: a head that is signed meanwhile covers more than the snapshot has.
      let kind = SlowQuestion.Kind.verify(heads: heads.keeper.stored(snapshot))
      return .slow(SlowQuestion(snapshot: snapshot, query: Query(), kind: kind))
    case .backup:
      let wanted = BackupStream.Request(
        name: timeline.name, replica: timeline.replica, made: now(), heads: heads.keeper,
        key: try keyWanted(request, line, connection))
      connection.mode = .waiting
      return .slow(
        SlowQuestion(snapshot: timeline.lines, query: Query(), kind: .backup(wanted)))
    }
    return .goOn
  }

  /// The one id that a request names, whole or by its first characters.
  private func id(_ request: Request, _ snapshot: Snapshot) throws(RequestError) -> EventID {
    guard request.arguments.count == 1, let prefix = request.arguments.first?.lowercased(),
      prefix.count >= 4
    else {
      throw RequestError(
        .badRequest, "\(request.verb.rawValue) takes an id, or at least its first 4 characters")
    }
    let ids = snapshot.ids(beginningWith: prefix, limit: 10)
    guard let id = ids.first else {
      throw RequestError(.notFound, "no event whose id begins with \(prefix)")
    }
    guard ids.count == 1 else {
      throw RequestError(
        .badRequest,
        "\(prefix) begins more than one id: \(ids.map(\.description).joined(separator: ", "))")
    }
    return id
  }

  private func get(_ request: Request, _ connection: Connection) throws(RequestError) {
    let snapshot = timeline.snapshot
    let id = try id(request, snapshot)
    var end: [JSONValue.Member] = [
      JSONValue.Member("versions", .strings(snapshot.currentVersions(of: id)))
    ]
    switch snapshot.find(id) {
    case .shown(let event):
      _ = Self.append(event, snapshot, to: &connection.out)
    case .retracted(_, let by): end.append(JSONValue.Member("retracted", .string(by.description)))
    case .line, .unknown:
      if let line = snapshot.line(of: id) {
        connection.out.append(contentsOf: "EVENT ".utf8)
        connection.out.append(contentsOf: line)
        connection.out.append(0x0A)
      }
    }
    if let text = snapshot.erasure(of: id), let erasure = try? JSONValue(parsing: text) {
      let keys = ["id", "recorded", "author", "reason"]
      let members = (erasure.members ?? []).filter { keys.contains($0.key) }
      end.append(JSONValue.Member("erased", .object(members)))
    }
    let history = snapshot.history(of: id)
    for line in history where end.count > 1 || history.count > 1 {
      connection.out.append(contentsOf: "ROW ".utf8)
      connection.out.append(contentsOf: line)
    }
    Reply.end(.object(end), to: &connection.out)
  }

  /// The key that a backup is to hold, and what it is to be encrypted with; nil for one without.
  private func keyWanted(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(RequestError) -> BackupStream.WantedKey? {
    let json = try request.value(in: line, keys: ["passphrase"])
    guard let text = json["passphrase"] else { return nil }
    guard !connection.isRemote else {
      throw RequestError(.denied, "the key is given to its owner alone, on the Unix socket")
    }
    guard let passphrase = text.string.flatMap({ Passphrase($0) }) else {
      throw RequestError(.badRequest, Passphrase.rule)
    }
    guard let key else { throw RequestError(.notFound, "this machine has no key yet") }
    return BackupStream.WantedKey(key: key, passphrase: passphrase)
  }

  /// Lines that a peer may have and this machine lacks.
  private var wanted: Int { timeline.lines.lacking.reduce(0) { $0 + $1.lines.count } }

  private var keys: [JSONValue] {
    timeline.lines.members.map { replica, key in
      .object([
        "replica": .string(replica.description), "vkey": .string(key.vkey),
        "own": .bool(replica == timeline.replica),
        "signed": .int(Int(timeline.heads[replica]?.size ?? 0)),
        "lines": .int(Int(timeline.position[replica])),
      ])
    }
  }

  private var status: JSONValue {
    let snapshot = timeline.snapshot
    let unusable = snapshot.unusableRules.map { id, place, fault in
      "event \(id), line \(place.seq) of log \(place.replica): \(fault)"
    }
    return .object([
      "version": .string(Arguments.version), "timeline": .string(timeline.name),
      "uuid": .string(timeline.id.description),
      "replica": .string(timeline.replica.description), "position": snapshot.position.json,
      "events": .int(snapshot.count(Query())), "bytes": .int(timeline.bytesOnDisk),
      "first": snapshot.span.map { .string($0.first.description) },
      "last": snapshot.span.map { .string($0.last.description) },
      "contested": .strings(snapshot.contested), "unreadable": .int(snapshot.unreadable),
      "unusable_rules": unusable.isEmpty ? nil : .strings(unusable),
      "damage": .strings(timeline.damage.map(\.message)),
      "erased": snapshot.erased == 0 ? nil : .int(snapshot.erased),
      "unfinished_erasure": timeline.unfinishedErasure.map { .string($0) },
      "withheld": .array(snapshot.withheld.map(\.json)), "wanted": .int(wanted),
      "unsigned": .strings(
        heads.problems.sorted { $0.key < $1.key }.map { $0.value.message }),
      "read_only": timeline.readOnly.map { .string($0) },
    ])
  }

  // MARK: Sync

  private func advance(
    _ session: inout SyncSession, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) {
    let effects = session.receive(line, timeline.lines)
    connection.mode = .syncing(session)
    for effect in effects {
      switch effect {
      case .send(let bytes): connection.out.append(contentsOf: bytes)
      case .end(let error): end(connection, error)
      case .head(let replica, let note):
        heads.take(note, of: replica, timeline.lines, from: connection.id)
      case .want(let lines):
        guard !connection.isProving else {
          end(
            connection,
            RequestError(.badRequest, "one WANT at a time: the last is not answered yet"))
          break
        }
        connection.isProving = true
        heads.prove(lines, timeline.lines, session, for: connection.id)
      case .proof(let place, let proof, let line):
        connection.proofs.append((place, proof, line))
        let bytes = connection.proofs.reduce(0) { $0 + $1.line.count + $1.proof.count }
        guard bytes <= Connection.proofBytesMax else {
          end(connection, RequestError(.tooLarge, "more was proven at once than was to be"))
          break
        }
      case .proved:
        heads.check(connection.proofs, timeline.lines)
        connection.proofs = []
      case .ingest(let replica, let lines, let first, let last):
        do throws(IngestError) {
          try lines.withTypedBuffer { (bytes) throws(IngestError) in
            try timeline.ingest(bytes, of: replica, from: first, now: now())
          }
          connection.deferred.append(.took(replica, last: last))
        } catch { end(connection, RequestError(error)) }
      }
    }
  }

  /// Tells a peer why, and lets it go.
  func end(_ connection: Connection, _ error: RequestError) {
    Reply.error(error, to: &connection.out)
    connection.reason = error.text
    connection.isClosing = true
  }

  /// The connection to a peer, once it is made.
  func begin(_ connection: Connection) {
    var session = SyncSession(
      timeline: timeline.id, name: timeline.name, device: timeline.replica, isInitiator: true)
    connection.out.append(contentsOf: session.start(timeline.lines))
    connection.mode = .syncing(session)
  }

  private func peer(_ request: Request, _ connection: Connection) throws(RequestError) {
    guard request.arguments.count == 2 else {
      throw RequestError(.badRequest, "PEER add ADDRESS, or PEER remove ADDRESS")
    }
    let address: String
    do throws(UsageError) { address = try Arguments.loopback(request.arguments[1]).address } catch {
      throw RequestError(.badRequest, error.text)
    }
    do {
      switch request.arguments[0] {
      case "add":
        guard try peers.add(address) else {
          throw RequestError(.exists, "\(address) is a peer already")
        }
      case "remove":
        guard try peers.remove(address) != nil else {
          throw RequestError(.notFound, "no peer \(address); PEERS lists them")
        }
      case let word: throw RequestError(.badRequest, "PEER \(word)? It is PEER add or PEER remove")
      }
    } catch let error as RequestError {
      throw error
    } catch let error as OpenError {
      var code = ErrorCode.internal
      if case .disk(let failure) = error, failure.cause == .full { code = .full }
      throw RequestError(code, error.message)
    } catch {
      throw RequestError(.internal, "\(error)")
    }
    Reply.ok(.object(["address": .string(address)]), to: &connection.out)
  }

  // MARK: States

  private func state(_ asked: StateQuestion, _ connection: Connection) -> Step {
    let kept = asked.query.knownAt == nil ? states[asked.dyads] : [:]
    if asked.isOne, let one = kept.values.first, one.position == timeline.position {
      Reply.ok(asked.answer([one.history]), to: &connection.out)
      return .goOn
    }
    connection.mode = .waiting
    return .slow(
      SlowQuestion(
        snapshot: timeline.snapshot, query: asked.query, kind: .state(asked, kept)))
  }

  // MARK: Streams

  func deliver(_ answer: SlowQuestion.Answer, _ connection: Connection) {
    switch answer {
    case .json(let json):
      connection.mode = .requests
      Reply.ok(json, to: &connection.out)
    case .state(let json, let kept):
      for history in kept { states.keep(history) }
      connection.mode = .requests
      Reply.ok(json, to: &connection.out)
    case .events(let events):
      connection.mode = .streaming(events, sent: 0)
      _ = pump(connection)
    case .backup(let backup):
      if let head = backup.newestHead { timeline.publish(head, of: timeline.replica) }
      connection.mode = .backingUp(backup)
      _ = pump(connection)
    case .proof(let proof):
      connection.mode = .requests
      timeline.publish(proof.head, of: proof.replica)
      Reply.ok(proof.json, to: &connection.out)
    case .named(let named, let author):
      connection.mode = .requests
      do throws(AppendError) {
        let staged = try timeline.stage(named, author: author, recording(connection))
        connection.deferred.append(.snapshot(staged, named))
      } catch { Reply.error(RequestError(error), to: &connection.out) }
    case .error(let error):
      connection.mode = .requests
      Reply.error(error, to: &connection.out)
    case .row(let row): Reply.row(row, to: &connection.out)
    case .rows(let rows, let end):
      connection.mode = .requests
      for row in rows { Reply.row(row, to: &connection.out) }
      Reply.end(end, to: &connection.out)
    case .verified(let rows, let end, let damaged):
      states.damagedLines = damaged
      deliver(.rows(rows, end: end), connection)
    }
  }

  /// Writes what a stream has, as far as the connection has room; whether there may be more.
  func pump(_ connection: Connection) -> Bool {
    let before = connection.out.count
    switch connection.mode {
    case .streaming(let events, var sent):
      while sent < events.count, !connection.isCongested {
        let isSent =
          events[sent].map { Self.append($0, events.snapshot, to: &connection.out) } ?? false
        if !isSent, let cited = events.query.cited {
          let error = CitationError.damaged(cited, events.line(of: sent))
          Reply.error(RequestError(error), to: &connection.out)
          connection.mode = .requests
          return true
        }
        sent += 1
      }
      connection.mode = .streaming(events, sent: sent)
      guard sent == events.count else { break }
      let cited = events.query.cited
      let position = cited?.position ?? events.snapshot.position
      Reply.end(
        JSONValue.object(["count": .int(sent), "position": position.json]).citing(cited),
        to: &connection.out)
      connection.mode = .requests
    case .backingUp(var backup):
      // Emptied first, so that what the walk knows is not copied.
      connection.mode = .requests
      while !connection.isCongested {
        guard backup.next(to: &connection.out) else { return true }
      }
      connection.mode = .backingUp(backup)
    case .watching(let filter, var position):
      let hasMore =
        !connection.isCongested
        && timeline.lines.follow(filter, from: &position, linesMax: Self.watchedLinesMax) { line in
          connection.out.append(contentsOf: "EVENT ".utf8)
          connection.out.append(contentsOf: line)
          return !connection.isCongested
        }
      connection.mode = .watching(filter, position)
      // Lines that nobody wants are looked at in turns too.
      return hasMore || connection.out.count > before
    case .syncing(var session):
      let snapshot = timeline.lines
      if !connection.isCongested {
        connection.out.append(contentsOf: session.pump(snapshot))
        connection.mode = .syncing(session)
      }
      peers.note(
        connection.descriptor, isLive: session.isLive,
        isInSync: session.isInSync(with: snapshot))
    case .requests, .collecting, .waiting: break
    }
    return connection.out.count > before
  }

  /// `EVENT` and its line; nothing, and false, where the line has been damaged since it was read.
  private static func append(
    _ event: ShownEvent, _ snapshot: Snapshot, to out: inout [UInt8]
  ) -> Bool {
    let start = out.count
    out.append(contentsOf: "EVENT ".utf8)
    guard snapshot.append(event, to: &out) else {
      out.removeSubrange(start...)
      return false
    }
    out.append(0x0A)
    return true
  }

  /// A request on a watching connection ends the watch.
  func endWatch(_ connection: Connection) {
    guard case .watching(_, let position) = connection.mode else { return }
    Reply.end(.object(["position": position.json]), to: &connection.out)
    connection.mode = .requests
  }
}

extension Snapshot: LogSource {
  public var wanted: [WantedLines] {
    lacking.map { WantedLines($0.replica, $0.lines.lowerBound, UInt64($0.lines.count)) }
  }
}

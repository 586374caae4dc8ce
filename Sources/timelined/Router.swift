// From requests to replies: every verb is answered here, from the store. An append is answered only
// by `settle`, after the commit that covers it.

import Engagement
import EventStore
import TimelineModel
import TimelineWire

/// A question that may take long, to be answered off the loop.
struct SlowQuestion: Sendable {
  enum Kind: Sendable {
    case events
    case count
    /// The state of a dyad, or the events behind one of its figures; from what is kept of it, if
    /// anything.
    case state(Dyad, Day, figure: String?, KeptHistory?)
  }

  enum Answer: Sendable {
    case events(EventList)
    case json(JSONValue)
    case state(JSONValue, KeptHistory?)
  }

  var snapshot: Snapshot
  var query: Query
  var kind: Kind

  func answer() -> Answer {
    switch kind {
    case .count: return .json(.object(["count": .int(snapshot.count(query))]))
    case .events: return .events(EventList(query, in: snapshot))
    case .state(let dyad, let day, let figure, let kept):
      let now =
        kept.map { $0.brought(upTo: snapshot) }
        ?? KeptHistory(dyad, in: snapshot, knownAt: query.knownAt)
      return .state(Self.state(now.history, day, figure), query.knownAt == nil ? now : nil)
    }
  }

  static func state(_ history: DyadHistory, _ day: Day, _ figure: String?) -> JSONValue {
    figure.flatMap { history.why($0, on: day) } ?? history.state(on: day)
  }
}

struct Router {
  static let manyLinesMax = 10_000
  static let manyBytesMax = 8 << 20
  /// A question over fewer rows is quicker than a hand-over to another thread.
  private static let inlineRowsMax = 20_000

  let timeline: Timeline
  let peers: Peers
  let now: () -> RecordedTime
  let random: () -> UInt64
  let newID: () -> EventID
  let states = States()

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
      collected(many, connection)
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
      collected(many, connection)
      return .goOn
    }
    if line.isEmpty { return .goOn }
    do throws(RequestError) {
      let request = try Request(line)
      switch request.verb {
      case .append: try append(request, line, connection)
      case .appendMany, .checkMany: try collect(request, connection)
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

  private func collect(_ request: Request, _ connection: Connection) throws(RequestError) {
    guard request.arguments.count == 1, let count = Int(request.arguments[0]), count > 0 else {
      throw RequestError(
        .badRequest, "\(request.verb.rawValue) takes the number of lines that follow")
    }
    // So many lines are skipped, and no more: whoever says more does not mean it.
    guard count <= 1_000_000, request.json == nil else {
      throw RequestError(
        .badRequest, "\(request.verb.rawValue) takes a number of at most \(Self.manyLinesMax)")
    }
    var many = Collection(left: count, isCheck: request.verb == .checkMany)
    if count > Self.manyLinesMax {
      many.refusal = RequestError(
        .tooLarge, "at most \(Self.manyLinesMax) lines at once; send less")
    }
    connection.mode = .collecting(many)
  }

  /// The lines of an APPENDMANY or CHECKMANY so far.
  struct Collection {
    var left: Int
    /// Nothing is to be recorded.
    let isCheck: Bool
    /// All of them in a row, and where each ends.
    var bytes: [UInt8] = []
    var ends: [Int] = []
    /// Why they will be refused: the rest is skipped.
    var refusal: RequestError?

    init(left: Int, isCheck: Bool) {
      self.left = left
      self.isCheck = isCheck
    }

    mutating func take(_ line: UnsafeBufferPointer<UInt8>) {
      if refusal == nil, bytes.count + line.count > Router.manyBytesMax {
        return refuse(
          RequestError(
            .tooLarge, "at most \(Router.manyBytesMax) bytes at once; send less"))
      }
      left -= 1
      guard refusal == nil else { return }
      bytes.append(contentsOf: line)
      ends.append(bytes.count)
    }

    /// Counts a line, and takes none.
    mutating func refuse(_ error: RequestError) {
      left -= 1
      refusal = refusal ?? error
      bytes = []
      ends = []
    }
  }

  private func collected(_ many: Collection, _ connection: Connection) {
    guard many.left == 0 else {
      connection.mode = .collecting(many)
      return
    }
    connection.mode = .requests
    if let refusal = many.refusal { return reply(connection) { Reply.error(refusal, to: &$0) } }
    many.bytes.withUnsafeBufferPointer { all in
      var start = 0
      let texts = many.ends.map { end in
        defer { start = end }
        return UnsafeBufferPointer(rebasing: all[start..<end])
      }
      if many.isCheck { check(texts, connection) } else { append(texts, connection) }
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
          out.append(contentsOf: "ROW \(row.text)\n".utf8)
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

  private func read(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(RequestError) -> Step {
    switch request.verb {
    case .append, .appendMany, .checkMany: break
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
      guard request.arguments == [timeline.name] else {
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
      for verb in Verb.allCases {
        connection.out.append(contentsOf: "ROW \(JSONValue.string(verb.usage).text)\n".utf8)
      }
      Reply.end(.object(["count": .int(Verb.allCases.count)]), to: &connection.out)
    case .quit:
      Reply.ok(to: &connection.out)
      connection.isClosing = true
    case .actors:
      let actors = timeline.snapshot.registry.all
      for actor in actors {
        connection.out.append(contentsOf: "ROW \(actor.json.text)\n".utf8)
      }
      Reply.end(.object(["count": .int(actors.count)]), to: &connection.out)
    case .status: Reply.ok(status, to: &connection.out)
    case .get: try get(request, connection)
    case .query, .count:
      let query = try query(try request.value(in: line, keys: Self.queryKeys))
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
      let value = try request.value(in: line, keys: Self.filterKeys + ["after"])
      let here = timeline.position
      var start = here
      if let after = value["after"] { start = try position(after) }
      guard here.covers(start) else {
        throw RequestError(
          .wrongPosition, "this log does not hold that position; it stands at \(here.json.text)")
      }
      let filter = try filter(value)
      try checkActors(filter)
      connection.mode = .watching(filter, start)
      Reply.ok(.object(["position": start.json]), to: &connection.out)
    case .state:
      return try state(request, try request.value(in: line, keys: Self.stateKeys), connection)
    case .explain:
      let value = try request.value(in: line, keys: Self.stateKeys + ["figure"])
      return try state(request, value, connection)
    case .peers:
      for peer in peers.all {
        connection.out.append(contentsOf: "ROW \(peer.json.text)\n".utf8)
      }
      Reply.end(.object(["count": .int(peers.all.count)]), to: &connection.out)
    case .peer: try peer(request, connection)
    case .sync:
      peers.tryAllNow()
      Reply.ok(.object(["peers": .int(peers.all.count)]), to: &connection.out)
    case .verify:
      throw RequestError(
        .unsupported, "\(request.verb.rawValue) is not there yet in version \(Arguments.version)")
    }
    return .goOn
  }

  private func filter(_ value: JSONValue) throws(RequestError) -> Filter {
    do throws(FilterError) { return try Filter(json: value) } catch {
      throw RequestError(.badRequest, error.message)
    }
  }

  private static let filterKeys = Filter.keys + ["where", "from", "to"]
  private static let queryKeys = filterKeys + ["known_at", "order", "limit"]
  private static let stateKeys = ["parties", "as_of", "known_at"]

  private func query(_ value: JSONValue) throws(RequestError) -> Query {
    var query = Query(try filter(value))
    try checkActors(query.filter)
    if let order = value["order"] {
      guard let order = order.string.flatMap(Query.Order.init(rawValue:)) else {
        throw RequestError(.badRequest, "order is \"asc\" or \"desc\"")
      }
      query.order = order
    }
    if let limit = value["limit"] {
      guard let limit = limit.int, limit >= 0 else {
        throw RequestError(.badRequest, "limit is a whole number, not below 0")
      }
      query.limit = limit
    }
    if let known = value["known_at"] { query.knownAt = try position(known) }
    return query
  }

  private func checkActors(_ filter: Filter) throws(RequestError) {
    let registry = timeline.lines.registry
    for code in filter.actors.union(filter.targets).union(filter.parties)
    where !registry.contains(code) {
      let near = registry.nearest(to: code.description).map(\.code.description)
      throw RequestError(
        .badRequest,
        "unknown actor \(code)"
          + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: ", "))?"))
    }
  }

  /// A position, or a moment: a position object, `2026-11-23T22:20:00.123456Z`, or a day (its end).
  private func position(_ json: JSONValue) throws(RequestError) -> Position {
    if let position = Position(json: json) { return position }
    let text = json.string ?? ""
    if let time = RecordedTime(text) { return timeline.lines.position(at: time) }
    if let date = try? EventDate(text), date.precision != .time, let end = date.endOfTime {
      return timeline.lines.position(at: end)
    }
    throw RequestError(
      .badRequest,
      "a position is {\"REPLICA\": lines, …}, a day, or a time such as 2026-11-23T22:20:00Z")
  }

  private func get(_ request: Request, _ connection: Connection) throws(RequestError) {
    let snapshot = timeline.snapshot
    guard request.arguments.count == 1, let prefix = request.arguments.first?.lowercased(),
      prefix.count >= 4
    else { throw RequestError(.badRequest, "GET takes an id, or at least its first 4 characters") }
    let ids = snapshot.ids(beginningWith: prefix, limit: 10)
    guard let id = ids.first else {
      throw RequestError(.notFound, "no event whose id begins with \(prefix)")
    }
    guard ids.count == 1 else {
      throw RequestError(
        .badRequest,
        "\(prefix) begins more than one id: \(ids.map(\.description).joined(separator: ", "))")
    }
    var end: [JSONValue.Member] = [
      JSONValue.Member("versions", .strings(snapshot.currentVersions(of: id)))
    ]
    switch snapshot.find(id) {
    case .shown(let event):
      Self.append(event, snapshot, to: &connection.out)
    case .retracted(_, let by): end.append(JSONValue.Member("retracted", .string(by.description)))
    case .line, .unknown:
      if let line = snapshot.line(of: id) {
        connection.out.append(contentsOf: "EVENT ".utf8)
        connection.out.append(contentsOf: line)
        connection.out.append(0x0A)
      }
    }
    for line in snapshot.history(of: id) where end.count > 1 || snapshot.history(of: id).count > 1 {
      connection.out.append(contentsOf: "ROW ".utf8)
      connection.out.append(contentsOf: line)
    }
    Reply.end(.object(end), to: &connection.out)
  }

  private var status: JSONValue {
    let snapshot = timeline.snapshot
    return .object([
      "version": .string(Arguments.version), "timeline": .string(timeline.name),
      "uuid": .string(timeline.id.description),
      "replica": .string(timeline.replica.description), "position": snapshot.position.json,
      "events": .int(snapshot.count(Query())), "bytes": .int(timeline.bytesOnDisk),
      "first": snapshot.span.map { .string($0.first.description) },
      "last": snapshot.span.map { .string($0.last.description) },
      "contested": .strings(snapshot.contested), "unreadable": .int(snapshot.unreadable),
      "damage": .strings(timeline.damage.map(\.message)),
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
  private func end(_ connection: Connection, _ error: RequestError) {
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

  private func state(
    _ request: Request, _ value: JSONValue, _ connection: Connection
  ) throws(RequestError) -> Step {
    let registry = timeline.snapshot.registry
    var codes: [ActorCode] = []
    for name in (value["parties"]?.array ?? []).map({ $0.string ?? "" }) {
      guard let code = ActorCode(name), registry.contains(code) else {
        let near = registry.nearest(to: name).map(\.code.description)
        throw RequestError(
          .badRequest,
          "unknown actor \"\(name)\""
            + (near.isEmpty
              ? "; ACTORS lists all" : "; did you mean \(near.joined(separator: ", "))?"))
      }
      codes.append(code)
    }
    guard codes.count == 2, let dyad = Dyad(codes[0], codes[1]) else {
      throw RequestError(
        .badRequest, "a state is that of two parties: {\"parties\":[\"USA\",\"PRK\"]}")
    }
    var day = now().day
    if let text = value["as_of"] {
      guard let given = text.string.flatMap({ Day($0) }) else {
        throw RequestError(.badRequest, "as_of is a day such as 2017-11-30")
      }
      day = given
    }
    var query = Query()
    if let known = value["known_at"] { query.knownAt = try position(known) }
    var figure: String?
    if request.verb == .explain {
      let word = value["figure"]?.string ?? ""
      guard DyadHistory.figures.contains(word) else {
        throw RequestError(
          .badRequest,
          "no figure \"\(word)\"; figures are \(DyadHistory.figures.joined(separator: ", "))")
      }
      figure = word
    }
    let kept = query.knownAt == nil ? states[dyad] : nil
    if let kept, kept.position == timeline.position {
      Reply.ok(SlowQuestion.state(kept.history, day, figure), to: &connection.out)
      return .goOn
    }
    connection.mode = .waiting
    return .slow(
      SlowQuestion(
        snapshot: timeline.snapshot, query: query, kind: .state(dyad, day, figure: figure, kept)))
  }

  // MARK: Streams

  func deliver(_ answer: SlowQuestion.Answer, _ connection: Connection) {
    switch answer {
    case .json(let json):
      connection.mode = .requests
      Reply.ok(json, to: &connection.out)
    case .state(let json, let kept):
      if let kept { states.keep(kept) }
      connection.mode = .requests
      Reply.ok(json, to: &connection.out)
    case .events(let events):
      connection.mode = .streaming(events, sent: 0)
      _ = pump(connection)
    }
  }

  /// Writes what a stream has, as far as the connection has room; whether it wrote anything.
  func pump(_ connection: Connection) -> Bool {
    let before = connection.out.count
    switch connection.mode {
    case .streaming(let events, var sent):
      while sent < events.count, !connection.isCongested {
        if let event = events[sent] { Self.append(event, events.snapshot, to: &connection.out) }
        sent += 1
      }
      connection.mode = .streaming(events, sent: sent)
      guard sent == events.count else { break }
      Reply.end(
        .object(["count": .int(sent), "position": events.snapshot.position.json]),
        to: &connection.out)
      connection.mode = .requests
    case .watching(let filter, var position):
      let snapshot = timeline.lines
      for (replica, size) in snapshot.position.sorted {
        while position[replica] < size, !connection.isCongested {
          position[replica] += 1
          guard snapshot.matches(filter, replica: replica, seq: position[replica]) else { continue }
          connection.out.append(contentsOf: "EVENT ".utf8)
          let line = snapshot.run(of: replica, from: position[replica], bytesMax: 0).bytes
          connection.out.append(contentsOf: line)
        }
      }
      connection.mode = .watching(filter, position)
    case .syncing(var session):
      let snapshot = timeline.lines
      if !connection.isCongested {
        connection.out.append(contentsOf: session.pump(snapshot))
        connection.mode = .syncing(session)
      }
      peers.note(connection.descriptor, isInSync: session.isInSync(with: snapshot))
    case .requests, .collecting, .waiting: break
    }
    return connection.out.count > before
  }

  /// `EVENT` and its line; nothing where the line has been damaged since it was read.
  private static func append(_ event: ShownEvent, _ snapshot: Snapshot, to out: inout [UInt8]) {
    let start = out.count
    out.append(contentsOf: "EVENT ".utf8)
    guard snapshot.append(event, to: &out) else { return out.removeSubrange(start...) }
    out.append(0x0A)
  }

  /// A request on a watching connection ends the watch.
  func endWatch(_ connection: Connection) {
    guard case .watching(_, let position) = connection.mode else { return }
    Reply.end(.object(["position": position.json]), to: &connection.out)
    connection.mode = .requests
  }
}

extension RequestError {
  init(_ error: AppendError) {
    let code: ErrorCode =
      switch error {
      case .notJSON, .badEvent: .badEvent
      case .exists: .exists
      case .unknownEvent: .notFound
      case .wrongPosition: .wrongPosition
      case .tooLarge: .tooLarge
      case .full: .full
      case .busy: .busy
      case .readOnly: .readOnly
      case .unsupported: .unsupported
      }
    self.init(code, error.message)
  }

  init(_ error: IngestError) {
    switch error {
    case .fork: self.init(.wrongPosition, error.message)
    case .disk(let failure): self.init(failure)
    default: self.init(.badRequest, error.message)
    }
  }
}

extension EventDate {
  /// The last microsecond of the last day, in UTC; nil for an open end, and beyond what a line can
  /// say of when it was recorded.
  var endOfTime: RecordedTime? {
    guard !isOpenEnd, !isOpenStart, (0...9999).contains(last.civil.year) else { return nil }
    return RecordedTime(microseconds: (Int64(last.number) + 1) * 86_400_000_000 - 1)
  }
}

extension Snapshot: LogSource {}

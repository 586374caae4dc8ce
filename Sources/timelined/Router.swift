// From requests to replies: every verb is answered from here. What is to be recorded is in Appending, what
// goes out bit by bit in Streaming, sync sessions in Syncing, plain facts in Facts.

import Engagement
import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

struct Router {
  /// A question over fewer rows is quicker than a hand-over to another thread.
  private static let inlineRowsMax = 20_000
  /// The answer on a dyad of more events may have megabytes.
  private static let inlineEventsMax = 50_000

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
  func reply(_ connection: Connection, _ write: (inout [UInt8]) -> Void) {
    guard !connection.deferred.isEmpty else { return write(&connection.out) }
    var bytes: [UInt8] = []
    write(&bytes)
    connection.deferred.append(.ready(bytes))
  }

  var questions: QuestionReader { QuestionReader(log: timeline.lines, today: now().day) }

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
      // Behind the commit: then everything may be read again.
      guard !timeline.hasStaged else { return .afterCommit }
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

  func state(_ asked: StateQuestion, _ connection: Connection) -> Step {
    let kept = asked.query.knownAt == nil ? states[asked.dyads] : [:]
    if asked.isOne, let one = kept.values.first, one.position == timeline.position,
      one.history.count <= Self.inlineEventsMax
    {
      Reply.ok(asked.answer([one.history]), to: &connection.out)
      return .goOn
    }
    connection.mode = .waiting
    return .slow(
      SlowQuestion(
        snapshot: timeline.snapshot, query: asked.query, kind: .state(asked, kept)))
  }
}

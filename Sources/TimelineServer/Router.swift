// From requests to replies: every verb of a client is answered from here. What is to be recorded is in
// Appending, what goes out bit by bit in Streaming, other machines in LinkRouter; each answer of some
// length has its file in Answers/.

import Access
import Engagement
import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

/// Answers the requests that one timeline gets.
struct Router {
  /// A question over fewer rows is quicker than a hand-over to another thread.
  private static let inlineRowsMax = 20_000
  /// The answer on a dyad of more events may have megabytes.
  private static let inlineEventsMax = 50_000

  unowned let host: Host
  let service: Service
  unowned let timelines: Timelines
  let peers: Peers
  let invitations: Invitations
  /// Told of the connection of a peer that was removed.
  let dropped: (ConnectionID) -> Void

  var timeline: Timeline { host.timeline }
  var heads: Heads { host.heads }
  var states: States { host.states }
  var now: RecordedTime { service.now.wall }

  enum Step {
    case goOn
    /// A read after appends of the same connection: it must see them, so it waits for their write.
    case afterReplies
    /// Nothing may be staged now.
    case whenOpen
    /// Something of a timeline is being written, or will be.
    case whenIdle(Host)
    case ask(SlowQuestion)
    /// An invitation is to be taken.
    case join(Joining)
    /// A name is to be looked up at another machine.
    case follow(PeerAddress, name: String, localName: String?)
  }

  /// Answers one line.
  func handle(_ line: UnsafeBufferPointer<UInt8>, _ connection: Connection) -> Step {
    if case .collecting(var many) = connection.mode {
      // The last line is the one that stages.
      if many.left == 1, !host.isOpenForStaging, many.stages { return .whenOpen }
      // Emptied first, so that the lines are added in place.
      connection.mode = .requests
      many.take(line)
      return collected(many, connection)
    }
    if line.isEmpty { return .goOn }
    do throws(ErrorReply) {
      let request = try connection.request(line)
      switch request.verb {
      case .append, .erase:
        guard host.isOpenForStaging else { return .whenOpen }
        if request.verb == .append {
          try append(request, line, connection)
        } else {
          try erase(request, line, connection)
        }
      case .appendMany, .checkMany: connection.mode = .collecting(try ManyLines(request))
      case .whatIf:
        guard connection.replies.isEmpty else { return .afterReplies }
        return collected(try hypotheses(request, line), connection)
      default:
        guard connection.replies.isEmpty else { return .afterReplies }
        return try read(request, line, connection)
      }
    } catch {
      reply(connection) { Reply.error(error, to: &$0) }
    }
    return .goOn
  }

  func tooLong(_ connection: Connection) {
    let error = Reception.tooLong
    if case .collecting(var many) = connection.mode {
      many.refuse(error)
      _ = collected(many, connection)
    } else {
      reply(connection) { Reply.error(error, to: &$0) }
    }
  }

  /// Replies come in the order of requests: behind appends that wait, others wait too.
  func reply(_ connection: Connection, _ write: (inout [UInt8]) -> Void) {
    guard !connection.replies.isEmpty else { return write(&connection.out) }
    var bytes: [UInt8] = []
    write(&bytes)
    connection.replies.add(bytes)
  }

  /// The next reply is paid for by the write of what was staged last.
  func promise(_ kind: Promise.Kind, _ connection: Connection) {
    connection.replies.promise()
    host.promise(kind, connection)
  }

  private var reception: Reception {
    Reception(service: service, timelines: timelines, peers: peers)
  }

  var questions: QuestionReader { QuestionReader(log: timeline.lines, today: now.day) }

  private func read(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) -> Step {
    switch request.verb {
    case .append, .appendMany, .checkMany, .whatIf, .erase: break
    case .hello, .open, .timelines, .timeline, .join, .ping, .help, .quit:
      return try reception.answer(request, line, connection)
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
        view: timeline.view, query: query,
        kind: request.verb == .count ? .count : .events)
      let isQuick = query.limit.map { $0 <= 1000 } ?? false
      if !query.filter.texts.isEmpty || question.view.rowCount > Self.inlineRowsMax && !isQuick,
        !(request.verb == .count && query.filter.isEmpty && query.knownAt == nil)
      {
        return .ask(question)
      }
      deliver(question.answer { _ in }, connection)
    case .watch:
      let (filter, start) = try questions.watch(request, line)
      connection.mode = .watching(filter, start)
      host.listeners.append(connection)
      Reply.ok(.object(["position": start.json]), to: &connection.out)
    case .snapshot:
      let naming = try questions.naming(request, line)
      if let id = timeline.snapshot(named: naming.name) {
        throw ErrorReply(AppendError.nameTaken(naming.name, id))
      }
      guard !timeline.position.sizes.isEmpty else {
        throw ErrorReply(.notFound, "nothing is recorded yet that could be cited")
      }
      return .ask(SlowQuestion(view: timeline.lines, query: Query(), kind: .name(naming)))
    case .snapshots:
      let here = timeline.lines
      if let one = try questions.snapshot(request) {
        return .ask(SlowQuestion(view: here, query: Query(), kind: .compare(one)))
      }
      let all = here.recordedSnapshots
      for snapshot in all { Reply.row(snapshot.json(in: here), to: &connection.out) }
      Reply.end(.object(["count": .int(all.count)]), to: &connection.out)
    case .lint:
      let (asked, query) = try questions.lint(request, line)
      return .ask(SlowQuestion(view: timeline.view, query: query, kind: .lint(asked)))
    case .duplicates:
      let (limit, query) = try questions.listing(
        request, line, usual: DuplicatesQuestion.limitUsual, max: DuplicatesQuestion.limitMax)
      return .ask(
        SlowQuestion(
          view: timeline.view, query: query, kind: .duplicates(DuplicatesQuestion(limit: limit))))
    case .conflicts:
      let (limit, query) = try questions.listing(
        request, line, usual: ConflictsQuestion.limitUsual, max: ConflictsQuestion.limitMax)
      return .ask(
        SlowQuestion(
          view: timeline.view, query: query, kind: .conflicts(ConflictsQuestion(limit: limit))))
    case .state, .explain, .changes: return state(try questions.state(request, line), connection)
    case .peers:
      let all = peers.of(timeline.id)
      for peer in all { Reply.row(json(of: peer), to: &connection.out) }
      Reply.end(.object(["count": .int(all.count)]), to: &connection.out)
    case .peer: try peer(request, line, connection)
    case .invite: try invite(request, line, connection)
    case .members: try members(connection)
    case .member: return try member(request, line, connection)
    case .sync:
      peers.tryNow(timeline.id)
      Reply.ok(.object(["peers": .int(peers.of(timeline.id).count)]), to: &connection.out)
    case .repair:
      // What VERIFY found and no start did is named from here on, and asked for.
      if states.damagedLines > missingLineCount - timeline.lines.missingBodies.count {
        host.maintain(.readAgain)
      }
      states.damagedLines = 0
      guard host.isOpenForStaging else { return .whenOpen }
      host.askAgain()
      peers.tryNow(timeline.id)
      Reply.ok(
        .object([
          "wanted": .int(missingLineCount),
          "peers": .int(peers.of(timeline.id).count(where: \.isLive)),
        ]), to: &connection.out)
    case .keys:
      let rows = keys
      for row in rows { Reply.row(row, to: &connection.out) }
      Reply.end(.object(["count": .int(rows.count)]), to: &connection.out)
    case .prove:
      let id = try id(request, timeline.view)
      return .ask(
        SlowQuestion(view: timeline.lines, query: Query(), kind: .prove(id, heads.keeper)))
    case .verify:
      let view = timeline.lines
      // Read here: a head that is signed meanwhile covers more than the view has.
      let kind = SlowQuestion.Kind.verify(heads: heads.keeper.stored(view))
      return .ask(SlowQuestion(view: view, query: Query(), kind: kind))
    case .backup:
      let backup = BackupStream.Request(
        name: timeline.name, replica: timeline.replica, made: now, heads: heads.keeper,
        key: try keyWanted(request, line, connection))
      return .ask(
        SlowQuestion(view: timeline.lines, query: Query(), kind: .backup(backup)))
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
    return .ask(
      SlowQuestion(
        view: timeline.view, query: asked.query, kind: .state(asked, kept, era: states.era)))
  }
}

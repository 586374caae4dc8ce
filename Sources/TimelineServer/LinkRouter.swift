// Connections to other machines: what a link says and hears, and what a sync session wants done.

import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

/// Answers the lines of a link.
struct LinkRouter {
  let service: Service
  let timelines: Timelines
  let peers: Peers
  let invitations: Invitations

  enum Step {
    case goOn
    /// Nothing may be staged now.
    case whenOpen
    /// What comes is to be checked by a tree that is being made.
    case whenTreeIsKnown
    /// The name that was looked up is that of this timeline.
    case found(Following, TimelineID, name: String, hash: SHA256Digest?)
    /// The next timeline of an invitation can be joined here.
    case joined(Joining, SyncJoined)
  }

  // MARK: Beginning

  /// The first words on a connection to a peer, to sync with it.
  func begin(_ connection: Connection, with host: Host) {
    var session = connection.newSession(of: host)
    SyncMessage.hello(features: []).append(to: &connection.out)
    sayRecovery(host, connection)
    connection.out += session.start(connection.logs(of: host))
    connection.host = host
    host.listen(connection)
    connection.mode = .linked(Link(isOutgoing: true, session: session, now: service.now))
    peers.note(connection.id, .greeting)
  }

  /// The first words on a connection to a machine that is to be followed.
  func begin(_ connection: Connection, following: Following) {
    SyncMessage.hello(features: []).append(to: &connection.out)
    SyncMessage.follow(name: following.name).append(to: &connection.out)
    connection.mode = .linked(Link(isOutgoing: true, following: following, now: service.now))
  }

  /// A connection whose first word is a peer's.
  func accept(_ connection: Connection) {
    connection.mode = .linked(Link(isOutgoing: false, now: service.now))
  }

  // MARK: Lines

  func handle(
    _ line: UnsafeBufferPointer<UInt8>, _ link: Link, _ connection: Connection
  ) -> Step {
    do throws(ErrorReply) {
      switch link.stage {
      case .greeting:
        try greet(line, link)
        if !link.isOutgoing { SyncMessage.hello(features: []).append(to: &connection.out) }
        link.enter(link.session == nil ? .naming : .syncing, service.now)
      case .naming: return try name(line, link, connection)
      case .syncing:
        guard let host = connection.host else { break }
        guard host.isOpenForStaging else { return .whenOpen }
        if let replica = link.session?.endingRun, !isTreeKnown(of: replica, host, connection) {
          return .whenTreeIsKnown
        }
        advance(line, link, host, connection)
      }
    } catch { end(connection, error) }
    return .goOn
  }

  func tooLong(_ connection: Connection) {
    end(
      connection,
      ErrorReply(.tooLarge, "a line has at most \(LineLimits.lineBytesMax) bytes"))
  }

  /// What says no HELLO is no timelined; what it says may tell the user what it is.
  private func greet(
    _ line: UnsafeBufferPointer<UInt8>, _ link: Link
  ) throws(ErrorReply) {
    let message: SyncMessage
    do throws(ErrorReply) { message = try SyncMessage(line) } catch {
      guard link.isOutgoing, error.code != .unsupported else { throw error }
      throw Self.noPeer(String(decoding: line.prefix(60), as: UTF8.self))
    }
    switch message {
    case .hello: break
    case .error(let error): throw ErrorReply.said(error)
    case _ where link.isOutgoing:
      throw Self.noPeer(String(decoding: line.prefix(60), as: UTF8.self))
    default: throw ErrorReply(.badRequest, "a greeting comes first: HELLO timeline-sync 1")
    }
  }

  private static func noPeer(_ said: String) -> ErrorReply {
    ErrorReply(
      .unsupported, "what answers there is no timelined: it said \(JSONValue.string(said).text)")
  }

  /// What is said once both have greeted: of which timeline the connection is.
  private func name(
    _ line: UnsafeBufferPointer<UInt8>, _ link: Link, _ connection: Connection
  ) throws(ErrorReply) -> Step {
    switch try SyncMessage(line) {
    case .have(let have) where !link.isOutgoing:
      guard let host = try host(have.timeline, for: connection) else {
        throw ErrorReply(.notFound, "no timeline here has that id")
      }
      var session = connection.newSession(of: host)
      connection.out += session.start(connection.logs(of: host))
      connection.host = host
      host.listen(connection)
      link.session = session
      link.enter(.syncing, service.now)
      advance(line, link, host, connection)
    case .follow(let name) where !link.isOutgoing:
      guard connection.handshake == nil, let hosted = timelines.hosted[name], !hosted.isArchived
      else {
        throw ErrorReply(.notFound, "no timeline here is named \(name.prefix(64))")
      }
      SyncMessage.timeline(hosted.id, name: hosted.name, hash: hosted.hash)
        .append(to: &connection.out)
    case .timeline(let id, let name, let hash):
      guard let following = link.following else {
        throw ErrorReply(.badRequest, "TIMELINE answers FOLLOW alone")
      }
      return .found(following, id, name: name, hash: hash)
    case .join(let join) where !link.isOutgoing: return try self.join(join, connection)
    case .joined(let joined): return try self.joined(joined, link)
    case .ping: SyncMessage.pong.append(to: &connection.out)
    case .error(let error): throw ErrorReply.said(error)
    default: throw ErrorReply(.badRequest, "HAVE comes first")
    }
    return .goOn
  }

  private func advance(
    _ line: UnsafeBufferPointer<UInt8>, _ link: Link, _ host: Host, _ connection: Connection
  ) {
    guard let effects = link.session?.receive(line, connection.logs(of: host)) else { return }
    for effect in effects { carryOut(effect, link, host, connection) }
    // The lines of a run change nothing before they are durable.
    if link.session?.isTakingLines == false { note(link, host, connection) }
  }

  /// Whether lines of a log can be taken now, or have no tree to be checked by; else that is made.
  private func isTreeKnown(
    of replica: ReplicaID, _ host: Host, _ connection: Connection
  ) -> Bool {
    if connection.isOwner || host.timeline.hasTree(of: replica)
      || host.heads.lostTrees.contains(replica)
    {
      return true
    }
    host.run(host.heads.tree(of: replica, host.timeline.lines))
    return false
  }

  private func carryOut(
    _ effect: SyncSession.Effect, _ link: Link, _ host: Host, _ connection: Connection
  ) {
    switch effect {
    case .send(let bytes): connection.out += bytes
    case .end(let error): end(connection, error)
    case .head(let replica, let note):
      host.run(host.heads.take(note, of: replica, host.timeline.lines, from: connection.id))
    case .want(let lines):
      guard !link.isProving else {
        return end(
          connection,
          ErrorReply(.badRequest, "one WANT at a time: the last is not answered yet"))
      }
      link.isProving = true
      guard let session = link.session else { return }
      host.run(host.heads.work(.prove(lines, session, for: connection.id), host.timeline.lines))
    case .proof(let address, let proof, let line):
      guard link.take(address, proof, line) else {
        return end(connection, ErrorReply(.tooLarge, "more was proven at once than was to be"))
      }
    case .fork(let replica, let seq):
      host.note(forkOf: replica, at: seq)
      service.log(
        .warning,
        "replica \(replica) was written twice: line \(seq) is another one at a peer; all other logs go on"
      )
    case .proved: host.run(host.heads.work(.check(link.takeProofs()), host.timeline.lines))
    case .ingest(let replica, let lines, let first, let last, let under):
      let claim = under.map { HeadClaim(note: $0.note, consistency: $0.consistency) }
      let provenance: Timeline.Provenance =
        connection.isOwner ? .owner : connection.isAmongMembers ? .member(claim) : .peer(claim)
      do throws(IngestError) {
        let head = try lines.withTypedBuffer { (bytes) throws(IngestError) in
          try host.timeline.ingest(
            bytes, of: replica, from: first, by: provenance, now: service.now.wall)
        }
        let taken: Promise.TakenHead? =
          if let head { .checked(head) } else if let under, under.size == last {
            .unchecked(note: under.note)
          } else { nil }
        host.promise(.took(replica, last: last, taken), connection)
      } catch {
        if case .fork(let seq) = error {
          let effects = link.session?.fork(of: replica, at: seq, connection.logs(of: host)) ?? []
          for effect in effects { carryOut(effect, link, host, connection) }
          return
        }
        // What is damaged may come on this connection too.
        guard case .treeUnknown = error else { return end(connection, ErrorReply(error)) }
        if !link.hasPassedOver { service.log(.warning, error.message) }
        link.hasPassedOver = true
      }
    }
  }

  /// Lines of a peer are durable, or could not be made so.
  func took(
    _ replica: ReplicaID, last: UInt64, _ failure: AppendError?, _ connection: Connection
  ) {
    guard case .linked(let link) = connection.mode, !connection.isClosing else { return }
    if let failure { return end(connection, ErrorReply(failure)) }
    if let bytes = link.session?.committed(replica, last: last) { connection.out += bytes }
  }

  /// The head of lines that are durable now, whether or not the peer that sent them is still there.
  func know(
    _ head: Promise.TakenHead, of replica: ReplicaID, _ host: Host, from connection: ConnectionID
  ) {
    switch head {
    case .checked(let head):
      host.timeline.publish(head, of: replica)
      host.heads.keep(head, of: replica, service.now.monotonic)
    case .unchecked(let note):
      host.run(host.heads.take(note, of: replica, host.timeline.lines, from: connection))
    }
  }

  /// What the other side lacks, as far as there is room; whether there may be more.
  func pump(_ link: Link, _ connection: Connection) -> Bool {
    guard link.stage == .syncing, let host = connection.host else { return false }
    if link.beginsAnew, !connection.isClosing {
      end(connection, ErrorReply(.busy, "damaged lines are back here: the sync begins anew"))
    }
    var hasMore = false
    if connection.hasRoom, !connection.isClosing,
      let pumped = link.session?.pump(connection.logs(of: host))
    {
      hasMore = !pumped.isEmpty
      connection.out += pumped.bytes
      if let run = pumped.held {
        host.run(host.heads.work(.cover(run, for: connection.id), host.timeline.lines))
      }
    }
    note(link, host, connection)
    return hasMore
  }

  /// Sends lines of which it is known now how their head covers them; passes over their log where it is not.
  func send(
    _ run: SyncSession.HeldRun, _ consistency: [SHA256Digest]?, _ connection: Connection
  ) {
    guard case .linked(let link) = connection.mode, let host = connection.host else { return }
    guard let consistency else {
      link.session?.skip(run)
      return
    }
    let bytes = link.session?.send(run, consistency: consistency, connection.logs(of: host))
    connection.out += bytes ?? []
  }

  private func note(_ link: Link, _ host: Host, _ connection: Connection) {
    guard link.isLive, !connection.isClosing, let session = link.session else { return }
    peers.note(
      connection.id, session.isInSync(with: connection.logs(of: host)) ? .inSync : .syncing)
  }

  /// Lines are proven, as the other side asked.
  func proved(_ bytes: [UInt8], _ connection: Connection) {
    guard case .linked(let link) = connection.mode else { return }
    link.isProving = false
    connection.out += bytes
  }

  /// Tells a peer why, and lets it go.
  func end(_ connection: Connection, _ error: ErrorReply) {
    Reply.error(error, to: &connection.out)
    connection.reason = error.text
    connection.isClosing = true
  }
}

extension ReadView: LogSource {
  public var linesToRequest: [LineRange] {
    missingLines.map { LineRange($0.replica, $0.lines.lowerBound, UInt64($0.lines.count)) }
  }
}

/// The same without a copy of what is known of the lines: a session looks at the logs alone.
extension Timeline: LogSource {
  public var linesToRequest: [LineRange] { lines.linesToRequest }
}

// The daemon without sockets, threads and clocks: inputs in, effects out. A step:
//
//     take in what came ─▶ route lines, staging appends ─▶ one write for each timeline ─▶ replies, streams
//
// So the appends of all connections that came together share one sync of the disk, and while that is
// under way the next are staged. It belongs to one thread, which drives it (LinuxServer) or plays it
// (the simulation). To add an input: a case in Input, what becomes of it in `take`.

import Access
import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

public final class Engine {
  /// What is handed in.
  public struct World {
    public var directory: DataDirectory
    /// What this machine signs with; nil for none.
    public var keys: MachineKeys?
    public var random: () -> UInt64
    public var newID: () -> EventID
    /// What STATUS and HELLO say.
    public var version: String
    /// Where this machine answers others, `tls://…`: what invitations name.
    public var addresses: () -> [String]
    /// Beyond so many bytes staged, further lines wait for the write that is under way.
    public var stagedBytesMax: Int

    public init(
      directory: DataDirectory, keys: MachineKeys?, version: String, random: @escaping () -> UInt64,
      newID: @escaping () -> EventID, addresses: @escaping () -> [String] = { [] },
      stagedBytesMax: Int = 16 << 20
    ) {
      self.addresses = addresses
      self.directory = directory
      self.keys = keys
      self.version = version
      self.random = random
      self.newID = newID
      self.stagedBytesMax = stagedBytesMax
    }
  }

  public static let connectionsMax = 1024
  /// Those that are not the owner's, so that he always finds a place.
  public static let remoteMax = 768
  /// Numbers from here on are the engine's to give.
  public static let dialedFrom: UInt64 = 1 << 63
  public static let tooMany = "ERR busy too many connections; try again later\n"
  public static let notOwner = "ERR denied this socket serves its owner alone\n"
  /// For a connection to a peer to come about.
  private static let dialTime: Int64 = 10_000_000

  private static let noMore = "the timeline is served no more"
  private static let ended = "its device is a member of the timeline no more"

  private let service: Service
  private let timelines: Timelines
  private let peers: Peers
  private let invitations: Invitations
  private let links: LinkRouter

  private var connections: [ConnectionID: Connection] = [:]
  private var remotes = 0
  private var dialed = Engine.dialedFrom
  private var strangers = Strangers()
  /// Links that are being made, for whom, and until when.
  private var dialing: [ConnectionID: (purpose: Purpose, deadline: Int64)] = [:]
  /// Connections that wait for a question, by its job.
  private var asked: [JobID: ConnectionID] = [:]

  /// Connections with lines to route, in the order in which they came.
  private var active: [Connection] = []
  /// Connections of which something may have to be said before the step ends.
  private var touched: [Connection] = []
  /// Connections with more to say once others had their turn.
  private var again: [Connection] = []
  private var isStopping = false
  /// When the clock is to be looked at, in microseconds of the monotonic clock.
  private var nextLook: Int64 = 0
  private var wakeSaid: Int64?

  private enum Purpose {
    case sync(TimelineID)
    case follow(Following)
    case join(Joining)
  }

  /// Opens the data directory's timelines; the standard one at once, the others when they are asked
  /// for.
  public init(_ world: World, now: Moment) throws(OpenError) {
    service = Service(
      directory: world.directory, keys: world.keys, version: world.version, now: now,
      random: world.random, newID: world.newID, addresses: world.addresses,
      stagedBytesMax: world.stagedBytesMax)
    timelines = try Timelines(service)
    peers = try Peers(world.directory, main: timelines.standard?.id)
    invitations = try Invitations(world.directory)
    links = LinkRouter(
      service: service, timelines: timelines, peers: peers, invitations: invitations)
    timelines.gone = { [unowned self] in leave($0) }
    if let standard = timelines.standard { _ = try timelines.host(standard.id) }
    for peer in peers.all { _ = try? timelines.host(peer.timeline) }
  }

  /// What happened since the last step is taken in; what is to be done is given back, in this order.
  public func step(_ inputs: [Input], now: Moment) -> [Effect] {
    service.now = now
    for connection in again { activate(connection) }
    again = []
    for input in inputs { take(input) }
    passTime()
    routeUntilQuiet()
    finishStop()
    sayWake()
    return service.takeEffects()
  }

  /// After `stopped`: signs and saves what is not yet. Nothing else may be under way.
  public func finish() -> [String] { timelines.open.flatMap { $0.finish() } }

  /// Of how many timelines, and under which ids, this machine is ready to answer.
  public var openTimelines: [Timeline] { timelines.open.map(\.timeline) }

  // MARK: Inputs

  private func take(_ input: Input) {
    switch input {
    case .opened(let id, let principal, let handshake): open(id, principal, handshake)
    case .dialed(let id, let handshake): dialed(id, handshake)
    case .bytes(let id, let bytes):
      guard let connection = connections[id] else { return }
      if case .linked(let link) = connection.mode { link.noteReceived(service.now) }
      bytes.withUnsafeBufferPointer { connection.splitter.take($0) }
      activate(connection)
    case .inputEnded(let id):
      guard let connection = connections[id] else { return }
      connection.isInputDone = true
      activate(connection)
    case .closed(let id, let reason): closed(id, reason)
    case .blocked(let id): connections[id]?.isBlocked = true
    case .unblocked(let id):
      guard let connection = connections[id] else { return }
      connection.isBlocked = false
      connection.unsent = 0
      activate(connection)
    case .written(let written): finish(written)
    case .progress(let job, let row):
      guard let connection = asked[job].flatMap({ connections[$0] }) else { return }
      Reply.row(row, to: &connection.out)
      touch(connection)
    case .finished(let job, let result): finish(job, result)
    case .networkChanged:
      peers.networkChanged(service.now)
      askAll()
    case .badPages:
      service.log(.error, "the disk cannot read a part of the log; everything is read again")
      for host in timelines.open { host.maintain(.readAgain) }
    case .stop: isStopping = true
    }
  }

  private func open(_ id: ConnectionID, _ principal: Principal, _ handshake: DeviceHandshake?) {
    let isOwner = principal.may(.own)
    guard connections.count < Self.connectionsMax, isOwner || remotes < Self.remoteMax,
      !isStopping
    else { return turnAway(id) }
    let standard = timelines.standard.flatMap { hosted in
      timelines.open.first { $0.id == hosted.id }
    }
    let connection = Connection(
      id, handshake.map { .stranger(DeviceID($0.device)) } ?? principal, isOwner ? standard : nil,
      handshake: handshake)
    guard isOwner || strangers.take(connection, isMember(connection), service.now) else {
      return turnAway(id)
    }
    connections[id] = connection
    guard !isOwner else { return }
    remotes += 1
    look(at: strangers.deadline ?? .max)
  }

  /// Whether its device has a role in a timeline that is open here: of such a one it is known who it is.
  private func isMember(_ connection: Connection) -> Bool {
    guard let device = connection.device else { return false }
    return timelines.open.contains { $0.timeline.membership?.role(of: device) != nil }
  }

  private func turnAway(_ id: ConnectionID) {
    service.emit(.send(id, Array(Self.tooMany.utf8)))
    service.emit(.close(id))
  }

  /// Lets one go who is no member by its line, and has said more than a stranger may.
  private func countStranger(_ bytes: Int, _ connection: Connection) {
    guard connection.isStranger else { return }
    connection.strangerBytes += bytes + 1
    guard connection.strangerBytes > Strangers.bytesMax else { return }
    drop(connection, "it said more than \(Strangers.bytesMax) bytes, and is no member")
  }

  private func dialed(_ id: ConnectionID, _ handshake: DeviceHandshake?) {
    guard let (purpose, _) = dialing.removeValue(forKey: id) else { return }
    let connection = Connection(id, .nobody, nil, handshake: handshake)
    connections[id] = connection
    remotes += 1
    switch purpose {
    case .sync(let timeline):
      // The timeline may have been put aside meanwhile, or the end of the device have come.
      guard let host = timelines.open.first(where: { $0.id == timeline }) else {
        return giveUp(connection, Self.noMore)
      }
      if let device = connection.device, host.hasEnded(device) {
        return giveUp(connection, Self.ended)
      }
      links.begin(connection, with: host)
    case .follow(let following): links.begin(connection, following: following)
    case .join(let joining): links.begin(connection, joining: joining)
    }
    touch(connection)
    look(at: 0)
  }

  /// Ends a peer's connection that is not begun.
  private func giveUp(_ connection: Connection, _ reason: String) {
    peers.ended(connection.id, reason, service.now, random: service.random())
    drop(connection, nil)
  }

  private func closed(_ id: ConnectionID, _ reason: String?) {
    if let (purpose, _) = dialing.removeValue(forKey: id) {
      peers.ended(
        id, reason ?? "the connection could not be made", service.now, random: service.random())
      if case .follow(let following) = purpose {
        let why = reason ?? "no answer"
        answer(following.asker, ErrorReply(.notFound, "\(following.address): \(why)"))
      }
      if case .join(let joining) = purpose { tryNext(joining, reason ?? "no answer") }
      return look(at: 0)
    }
    guard let connection = connections[id] else { return }
    forget(connection, connection.reason ?? reason)
  }

  /// A connection is over on this side.
  private func forget(_ connection: Connection, _ reason: String?) {
    guard connections.removeValue(forKey: connection.id) != nil else { return }
    if !connection.principal.may(.own) {
      remotes -= 1
      strangers.leave(connection)
    }
    connection.isClosing = true
    connection.host?.listeners.removeAll { $0 === connection }
    connection.host?.held.removeAll { $0 === connection }
    connection.host?.awaitingTrees.removeAll { $0 === connection }
    if case .waiting(let job) = connection.mode {
      asked[job] = nil
      service.emit(.cancel(job))
    }
    guard case .linked(let link) = connection.mode else { return }
    var why = reason ?? "the connection ended"
    if link.stage == .greeting, reason == nil, link.isOutgoing {
      why = "what answers there is no timelined: it ended the connection without a greeting"
    }
    peers.ended(connection.id, why, service.now, random: service.random())
    if let following = link.following, !connection.isAnswered {
      answer(following.asker, ErrorReply(.notFound, "\(following.address): \(why)"))
    }
    if let joining = link.joining, !connection.isAnswered {
      answer(joining.asker, ErrorReply(.denied, "the other machine refused: \(why)"))
    }
    look(at: 0)
  }

  /// Ends a connection from here, at once.
  private func drop(_ connection: Connection, _ reason: String?) {
    guard connections[connection.id] != nil else { return }
    service.emit(.close(connection.id))
    forget(connection, reason)
  }

  private func leave(_ host: Host) {
    for connection in connections.values.sorted(by: { $0.id < $1.id })
    where connection.host === host {
      // It chooses again, or means the standard one.
      if connection.isBetween { connection.host = nil } else { drop(connection, Self.noMore) }
    }
  }

  // MARK: Routing

  private func activate(_ connection: Connection) {
    touch(connection)
    guard !connection.isActive else { return }
    connection.isActive = true
    active.append(connection)
  }

  private func touch(_ connection: Connection) {
    guard !connection.isTouched else { return }
    connection.isTouched = true
    touched.append(connection)
  }

  private func routeUntilQuiet() {
    repeat {
      var index = 0
      while index < active.count {
        let connection = active[index]
        index += 1
        connection.isActive = false
        route(connection)
      }
      active.removeAll(keepingCapacity: true)
      for host in timelines.open { proceed(host) }
      if active.isEmpty { say() }
    } while !active.isEmpty
  }

  private func proceed(_ host: Host) {
    for connection in host.proceed() {
      connection.isHeld = false
      activate(connection)
    }
    if !host.answers.isEmpty, host.isOpenForStaging {
      let answers = host.answers
      host.answers = []
      for (job, result) in answers { finish(job, result) }
    }
    for promise in host.takeKept() { keep(promise, nil, host) }
    guard host.hasNews else { return }
    host.hasNews = false
    for connection in host.listeners { touch(connection) }
  }

  /// Routes the lines that came on a connection.
  private func route(_ connection: Connection) {
    // A client that goes on asking does not keep it from its end.
    while !isStopping, !connection.isClosing, !connection.isHeld,
      connections[connection.id] != nil
    {
      switch connection.mode {
      case .waiting, .following, .streaming, .backingUp: return
      // What a peer waits for may be what it says now: it is read whatever waits to be sent.
      case .linked: break
      case .watching, .requests, .collecting: guard connection.hasRoom else { return }
      }
      let before = connection.splitter
      guard let piece = connection.splitter.next() else { return }
      guard take(piece, connection) else {
        connection.splitter = before
        return
      }
    }
  }

  /// Takes one line; false where it has to wait, and be taken again.
  private func take(_ piece: LineSplitter.Piece, _ connection: Connection) -> Bool {
    if !connection.isLinked, !meet(piece, connection) { return true }
    if case .linked(let link) = connection.mode {
      guard case .line(let range) = piece else {
        links.tooLong(connection)
        return true
      }
      let stage = link.stage
      let isDone = take(connection.line(range) { links.handle($0, link, connection) }, connection)
      leaveStrangers(connection)
      countStranger(range.count, connection)
      // Who begins to sync may be the first that waits for a head.
      if link.stage != stage { look(at: connection.host?.wake ?? .max) }
      return isDone
    }
    if case .line(let range) = piece, range.isEmpty, !connection.isCollecting { return true }
    guard let host = host(of: connection) else {
      let reception = Reception(service: service, timelines: timelines, peers: peers)
      guard case .line(let range) = piece else {
        reception.tooLong(connection)
        return true
      }
      return take(connection.line(range) { reception.handle($0, connection) }, connection)
    }
    let router = router(host)
    router.endWatch(connection)
    guard case .line(let range) = piece else {
      router.tooLong(connection)
      return true
    }
    return take(connection.line(range) { router.handle($0, connection) }, connection)
  }

  /// Looks at the first word of a connection that is no link yet: a peer's makes it one; any
  /// other ends the connection, unless it is the owner's. False where the line is done with.
  private func meet(_ piece: LineSplitter.Piece, _ connection: Connection) -> Bool {
    guard case .requests = connection.mode else { return true }
    var isGreeting = false
    if case .line(let range) = piece {
      isGreeting = connection.line(range) { $0.starts(with: "HELLO timeline-sync ".utf8) }
    }
    if isGreeting, connection.replies.isEmpty {
      links.accept(connection)
      if !connection.isStranger { strangers.leave(connection) }
      look(at: 0)
      return true
    }
    guard !connection.principal.may(.read) else { return true }
    links.end(
      connection,
      ErrorReply(.denied, "here machines sync alone: HELLO timeline-sync \(SyncMessage.version)"))
    return false
  }

  /// One that is known to be a member has as much time and room as others.
  private func leaveStrangers(_ connection: Connection) {
    guard connection.isStranger, case .device = connection.principal else { return }
    strangers.leave(connection)
  }

  private func host(of connection: Connection) -> Host? {
    if connection.host == nil, !connection.hasChosen, let standard = timelines.standard {
      connection.host = (try? timelines.host(standard.id)) ?? nil
    }
    return connection.host
  }

  /// Made once for each: it is asked for with every line.
  private func router(_ host: Host) -> Router {
    if let router = host.router { return router }
    let router = Router(
      host: host, service: service, timelines: timelines, peers: peers, invitations: invitations
    ) {
      [unowned self] id in
      if let connection = connections[id] { drop(connection, "the peer was removed") }
      if dialing.removeValue(forKey: id) != nil { service.emit(.close(id)) }
    }
    host.router = router
    return router
  }

  private func take(_ step: Router.Step, _ connection: Connection) -> Bool {
    switch step {
    case .goOn: return true
    case .afterReplies:
      // Once the last of them is kept, it is routed again.
      return false
    case .whenOpen:
      if let host = connection.host { hold(connection, host) }
      return false
    case .whenIdle(let host):
      // Before the others who wait: they would write again.
      connection.isHeld = true
      host.held.insert(connection, at: 0)
      host.maintain(.pause)
      return false
    case .ask(let question):
      let job = service.run(Work(kind: .question(question)))
      asked[job] = connection.id
      connection.mode = .waiting(job)
      return true
    case .join(let joining):
      connection.mode = .following
      tryNext(joining, "the code names no address; say how the machine is reached by --via")
      return true
    case .follow(let address, let name, let localName):
      connection.mode = .following
      dial(
        address,
        .follow(
          Following(asker: connection.id, address: address, name: name, localName: localName)))
      return true
    }
  }

  private func take(_ step: LinkRouter.Step, _ connection: Connection) -> Bool {
    switch step {
    case .goOn: return true
    case .whenOpen:
      guard let host = connection.host else { return true }
      hold(connection, host)
      return false
    case .whenTreeIsKnown:
      connection.isHeld = true
      connection.host?.awaitingTrees.append(connection)
      return false
    case .found(let following, let id, let name, let hash):
      connection.isAnswered = true
      join(following, id, following.localName ?? name, hash)
      drop(connection, nil)
      return true
    case .joined(let joining, let joined):
      join(joining, joined, connection)
      return true
    }
  }

  /// Calls the host of an invitation by the next way to it.
  private func tryNext(_ joining: Joining, _ why: String) {
    guard !joining.untried.isEmpty else {
      return answer(
        joining.asker, ErrorReply(.notFound, "the machine that invites was not reached: \(why)"))
    }
    dial(
      joining.untried.removeFirst(), .join(joining), expected: joining.invitation.device.digest)
  }

  /// A timeline of an invitation is ours too.
  private func join(_ joining: Joining, _ joined: SyncJoined, _ connection: Connection) {
    let id = TimelineID(hash: joined.timeline)
    do throws(OpenError) {
      let hosted =
        if let known = timelines.hosted[id] { known } else {
          try timelines.join(
            id, hash: joined.timeline, founding: joined.founding,
            as: joining.localName ?? joined.name)
        }
      _ = try peers.add(Peer(joining.addresses, id, device: joining.invitation.device.digest))
      _ = try timelines.host(id)
      joining.joined.append(
        .object([
          "name": .string(hosted.name), "timeline": .string(id.description),
          "role": .string(joined.role.rawValue),
        ]))
    } catch {
      connection.isAnswered = true
      answer(joining.asker, ErrorReply(error))
      return drop(connection, nil)
    }
    guard !links.ask(joining, connection) else { return }
    connection.isAnswered = true
    look(at: 0)
    answer(joining.asker, .object(["timelines": .array(joining.joined)]))
    drop(connection, nil)
  }

  private func hold(_ connection: Connection, _ host: Host) {
    connection.isHeld = true
    host.held.append(connection)
  }

  private func join(
    _ following: Following, _ id: TimelineID, _ name: String, _ hash: SHA256Digest?
  ) {
    do throws(OpenError) {
      let hosted =
        if let known = timelines.hosted[id] { known } else {
          try timelines.join(id, hash: hash, founding: nil, as: name)
        }
      _ = try peers.add(following.address, id)
      _ = try timelines.host(id)
      look(at: 0)
      answer(
        following.asker,
        .object([
          "name": .string(hosted.name), "timeline": .string(id.description),
          "peer": .string(following.address.description),
        ]))
    } catch { answer(following.asker, ErrorReply(error)) }
  }

  private func answer(_ id: ConnectionID, _ json: JSONValue) {
    resume(id) { Reply.ok(json, to: &$0) }
  }

  private func answer(_ id: ConnectionID, _ error: ErrorReply) {
    resume(id) { Reply.error(error, to: &$0) }
  }

  private func resume(_ id: ConnectionID, _ write: (inout [UInt8]) -> Void) {
    guard let connection = connections[id], case .following = connection.mode else { return }
    connection.mode = .requests
    write(&connection.out)
    activate(connection)
  }

  // MARK: What comes back

  private func finish(_ written: Written) {
    guard let host = timelines.open.first(where: { $0.id == written.timeline }) else { return }
    let (promises, failure) = host.finish(written)
    for promise in promises { keep(promise, failure, host) }
    host.hasNews = true
    dropEnded(host)
    host.saveIndex(isQuiet: false)
    look(at: host.wake ?? .max)
  }

  /// Who is a member no more is told so and let go.
  private func dropEnded(_ host: Host) {
    guard host.takeMembershipChanged(), let membership = host.timeline.membership else { return }
    for connection in host.listeners {
      guard let device = connection.device else { continue }
      guard membership.hasEnded(device) else {
        if let role = membership.role(of: device) { connection.become(role) }
        continue
      }
      links.end(connection, LinkRouter.ended)
      touch(connection)
    }
  }

  private func keep(_ promise: Promise, _ failure: AppendError?, _ host: Host) {
    // Of lines behind the reach, which are not kept, there is nothing that a head could be compared with.
    if case .took(let replica, let last, let head?) = promise.kind,
      host.timeline.size(of: replica) >= last
    {
      links.know(head, of: replica, host, from: promise.connection)
    }
    guard let connection = connections[promise.connection] else { return }
    if case .took(let replica, let last, _) = promise.kind {
      // What was here already needs no write, and is not to be told of one.
      let isDurable = host.timeline.size(of: replica) >= last
      links.took(replica, last: last, isDurable ? nil : failure, connection)
    } else if case .joined(let joined, let addresses) = promise.kind {
      links.joined(joined, addresses: addresses, failure, connection)
      leaveStrangers(connection)
    } else {
      router(host).keep(promise.kind, failure, connection)
    }
    activate(connection)
  }

  private func finish(_ job: JobID, _ result: WorkResult) {
    if case .answer(let answer) = result.kind {
      guard let connection = asked.removeValue(forKey: job).flatMap({ connections[$0] }),
        let host = connection.host
      else { return }
      // What is one more line to append waits as others do.
      guard !answer.isAppend || host.isOpenForStaging else {
        asked[job] = connection.id
        return host.answers.append((job, result))
      }
      router(host).deliver(answer, connection)
      return activate(connection)
    }
    guard let host = timelines.open.first(where: { $0.jobs.contains(job) }) else { return }
    look(at: 0)
    guard let report = host.finished(job, result) else { return }
    if let (id, error) = report.blame, let connection = connections[id] {
      links.end(connection, error)
      touch(connection)
    }
    if let (id, bytes) = report.reply, let connection = connections[id] {
      links.proved(bytes, connection)
      touch(connection)
    }
    if let (id, run, consistency) = report.covered, let connection = connections[id] {
      links.send(run, consistency, connection)
      touch(connection)
    }
    if report.tree != nil {
      for connection in host.awaitingTrees {
        connection.isHeld = false
        activate(connection)
      }
      host.awaitingTrees = []
    }
  }

  // MARK: Time

  /// Whoever is connected is asked whether he still is: of a way that is gone nobody is told.
  private func askAll() {
    for connection in connections.values.sorted(by: { $0.id < $1.id }) {
      guard case .linked(let link) = connection.mode, link.ask(service.now) else { continue }
      SyncMessage.ping.append(to: &connection.out)
      touch(connection)
    }
    look(at: 0)
  }

  /// Has the clock looked at by then.
  private func look(at moment: Int64) { nextLook = min(nextLook, moment) }

  private func passTime() {
    let now = service.now.monotonic
    guard now >= min(nextLook, peers.nextAttempt ?? .max), !isStopping else { return }
    for peer in peers.due(now) { dial(peer) }
    for (id, entry) in dialing.sorted(by: { $0.key < $1.key }) where entry.deadline <= now {
      service.emit(.close(id))
      closed(id, "no connection came about within \(Self.dialTime / 1_000_000) seconds")
    }
    while let connection = strangers.overdue(service.now) {
      let lacking = connection.isLinked ? "no member's word" : "no greeting"
      strangers.leave(connection)
      links.end(
        connection,
        ErrorReply(.denied, "\(lacking) came within \(Strangers.time / 1_000_000) seconds"))
      touch(connection)
    }
    var next = Int64.max
    for connection in connections.values.sorted(by: { $0.id < $1.id }) {
      guard case .linked(let link) = connection.mode else { continue }
      switch link.overdue(service.now) {
      case .ask:
        SyncMessage.ping.append(to: &connection.out)
        touch(connection)
      case .end(let why):
        drop(connection, why)
        continue
      case nil: break
      }
      next = min(next, link.deadline)
    }
    for host in timelines.open {
      host.passTime()
      next = min(next, host.wake ?? .max)
    }
    next = min(next, peers.nextAttempt ?? .max, strangers.deadline ?? .max)
    nextLook = dialing.values.reduce(next) { min($0, $1.deadline) }
  }

  private func sayWake() {
    guard !isStopping else { return }
    let next = min(nextLook, peers.nextAttempt ?? .max)
    let wake = next == .max ? nil : next
    if wake != wakeSaid || next <= service.now.monotonic {
      wakeSaid = wake
      service.emit(.wake(at: wake))
    }
  }

  private func dial(_ peer: Peer) {
    guard let host = timelines.open.first(where: { $0.id == peer.timeline }) else {
      return peers.rest(peer)
    }
    if let device = peer.device, host.hasEnded(DeviceID(device)) {
      return peers.rest(peer, Self.ended)
    }
    peers.dialing(peer, dial(peer.address, .sync(peer.timeline), expected: peer.device))
  }

  @discardableResult
  private func dial(
    _ address: PeerAddress, _ purpose: Purpose, expected: SHA256Digest? = nil
  ) -> ConnectionID {
    let id = ConnectionID(dialed)
    dialed += 1
    let deadline = service.now.monotonic + Self.dialTime
    dialing[id] = (purpose, deadline)
    look(at: deadline)
    service.emit(.dial(id, address, expected: expected))
    return id
  }

  // MARK: Output

  /// Fills what streams, sends what is to be said, and ends what is over.
  private func say() {
    var index = 0
    while index < touched.count {
      let connection = touched[index]
      index += 1
      connection.isTouched = false
      guard connections[connection.id] != nil else { continue }
      pump(connection)
      say(connection)
    }
    touched.removeAll(keepingCapacity: true)
  }

  private func pump(_ connection: Connection) {
    guard connection.mayProduce, connection.hasRoom, let host = connection.host else { return }
    let isStreaming = connection.isStreaming
    let hasMore =
      if case .linked(let link) = connection.mode {
        links.pump(link, connection)
      } else { router(host).pump(connection) }
    // The next request may be there already.
    if isStreaming, !connection.isStreaming { activate(connection) }
    // What is full now goes on once it is sent.
    if hasMore, connection.hasRoom { goOn(connection) }
  }

  /// Has a connection looked at again once what has come meanwhile was.
  private func goOn(_ connection: Connection) {
    guard !connection.isClosing else { return }
    again.append(connection)
    if again.count == 1 { service.emit(.again) }
  }

  private func say(_ connection: Connection) {
    if !connection.out.isEmpty {
      connection.unsent += connection.isBlocked ? connection.out.count : 0
      // Where the other side takes all of it at once, nothing else says that there is room again.
      if !connection.hasRoom, !connection.isBlocked { goOn(connection) }
      service.emit(.send(connection.id, connection.out))
      connection.out = []
    }
    if connection.isDone, !connection.isActive { return drop(connection, connection.reason) }
    if connection.isLinked, connection.unsent > Link.unsentBytesMax {
      return drop(connection, "it goes on talking, and does not read what is sent to it")
    }
    let isWanted = connection.wantsInput
    guard isWanted != connection.isRead else { return }
    connection.isRead = isWanted
    service.emit(.read(connection.id, isWanted))
  }

  // MARK: The end

  private func finishStop() {
    guard isStopping, !hasStopped, timelines.open.allSatisfy(\.isIdle) else { return }
    hasStopped = true
    service.emit(.stopped)
  }

  private var hasStopped = false
}

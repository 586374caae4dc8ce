// One simulated machine: the real engine and store, on a simulated disk, clock, network and executor.

import Access
import EventStore
import Support
import TimelineModel
import TimelineServer
import TransparencyLog

final class Machine {
  static let wallStart: Int64 = 1_780_000_000_000_000
  /// Until a connection that is being made has to be there, and until one is tried again at the latest.
  private static let dialTime: Int64 = 10_000_000
  private static let retryTime: Int64 = 72_000_000

  let name: String
  let port: UInt16
  let fileSystem: SimulatedFileSystem
  private let cluster: Cluster
  private var world: World { cluster.world }
  private var random: SplitMix

  private var engine: Engine?
  private var directory: DataDirectory?
  /// Which start this is: what was on its way to an earlier one comes to nobody.
  private(set) var start = 0
  private var inbox: [Input] = []
  private var isStepDue = false
  private var sockets: [ConnectionID: (connection: SimulatedConnection, side: Int)] = [:]
  private var opened: UInt64 = 0
  private var isCancelled: Set<JobID> = []
  private var givenUp: Set<ConnectionID> = []
  /// Attempts under way, since when.
  private var attempts: [ConnectionID: (port: UInt16, since: Int64)] = [:]
  /// Whom the connections are to that were made from here.
  private var called: [ConnectionID: UInt16] = [:]
  /// When the last attempt, or connection, to an address ended.
  private var ended: [UInt16: Int64] = [:]
  /// It was asked to stop, and looks at no clock any more.
  private(set) var isStopping = false
  /// Since when lines of its own log wait for a head, by timeline, and under how many lines the last was.
  private var unsigned: [TimelineID: (since: Int64, signed: UInt64)] = [:]
  /// When the last job of a lane ends.
  private var laneEnds: [Work.Lane: Int64] = [:]
  private var failedStarts = 0
  /// What the wall clock shows more than the time of the world, in microseconds.
  var clockOffset: Int64 = 0
  /// The disk does not read a part of the log while the next write is under way.
  var losesPages = false
  /// What the engine said.
  private(set) var warnings: [String] = []

  init(_ cluster: Cluster, _ number: Int, seed: UInt64) {
    self.cluster = cluster
    name = "m\(number)"
    port = UInt16(7000 + number)
    random = SplitMix(seed: seed)
    fileSystem = SimulatedFileSystem(seed: random.next())
  }

  var isUp: Bool { engine != nil }
  var address: String { address(at: port) }
  /// The same machine under another address: whoever has both calls it twice.
  var secondAddress: String { address(at: port + Self.secondPort) }

  private func address(at port: UInt16) -> String {
    "\(cluster.plan.hasMembers ? "tls" : "tcp")://127.0.0.1:\(port)"
  }

  /// What it is known by to others.
  private(set) var device: DeviceID?
  private static let secondPort: UInt16 = 1000
  var timelines: [Timeline] { engine?.openTimelines ?? [] }
  var isReadOnly: Bool { timelines.contains { $0.readOnly != nil } }
  func timeline(_ name: String) -> Timeline? { timelines.first { $0.name == name } }
  var lacksLines: Bool { timelines.contains { !$0.lines.missingLines.isEmpty } }
  var isDamaged: Bool { timelines.contains { !$0.damage.isEmpty } }

  private var moment: Moment {
    Moment(
      wall: RecordedTime(microseconds: Self.wallStart + world.now + clockOffset),
      monotonic: world.now + 1_000_000)
  }

  // MARK: Starts and ends

  func boot() {
    guard engine == nil else { return }
    start += 1
    inbox = []
    isStepDue = false
    laneEnds = [:]
    (attempts, called, ended, unsigned, isStopping) = ([:], [:], [:], [:], false)
    do throws(OpenError) {
      let directory = try DataDirectory("data", fileSystem: fileSystem)
      func seed() -> [UInt8] { (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) } }
      let keys = MachineKeys(
        heads: try directory.signingKey(newSeed: seed),
        device: try directory.deviceKey(newSeed: seed))
      device = DeviceID(of: keys.device.publicKey)
      engine = try Engine(
        Engine.World(
          directory: directory, keys: keys, version: "simulated",
          random: { [unowned self] in random.next() },
          newID: { [unowned self] in EventID(UUIDBytes(random: random.next(), random.next())) },
          stagedBytesMax: cluster.plan.stagedBytesMax),
        now: moment)
      self.directory = directory
    } catch {
      // A crash in the middle of a start, or a disk that fails in it: it is started again.
      failedStarts += 1
      world.tell("\(name) does not start: \(error.message)")
      guard failedStarts < 10 else {
        return cluster.fail("\(name) does not start: \(error.message)")
      }
      if fileSystem.isOff { fileSystem.restart() }
      return boot()
    }
    failedStarts = 0
    world.tell("\(name) starts")
    schedule()
  }

  /// The power fails, or the process is killed.
  func crash() {
    guard engine != nil else { return }
    world.tell("\(name) crashes")
    leave()
    fileSystem.restart()
  }

  private func leave() {
    engine = nil
    directory = nil
    for id in sockets.keys.sorted() {
      let (connection, side) = sockets[id]!
      // Who speaks to it on the same machine is always told.
      connection.vanish(side, isTold: connection.isLocal || world.chance(3, in: 4))
    }
    sockets = [:]
  }

  /// Forgets whom it holds, and who holds it.
  func end() {
    (engine, directory) = (nil, nil)
    (sockets, inbox) = ([:], [])
  }

  /// Asks it to stop, as a user does.
  func stop() {
    guard engine != nil else { return }
    world.tell("\(name) is to stop")
    isStopping = true
    put(.stop)
  }

  // MARK: Steps

  private func put(_ input: Input) {
    guard engine != nil else { return }
    inbox.append(input)
    schedule()
  }

  private func schedule() {
    guard !isStepDue else { return }
    isStepDue = true
    let started = start
    world.after(world.time(0...300)) { [self] in
      guard started == start else { return }
      isStepDue = false
      step()
    }
  }

  private func step() {
    guard let engine else { return }
    let inputs = inbox
    inbox = []
    let hasWritten = inputs.contains { if case .written = $0 { true } else { false } }
    let full = hasWritten ? [] : engine.openTimelines.filter(isFull).map { ($0, $0.stagedBytes) }
    let effects = engine.step(inputs, now: moment)
    // What a machine without power did in this step nobody sees.
    guard !fileSystem.isOff else { return crash() }
    for effect in effects { carryOut(effect) }
    for (timeline, before) in full where timeline.isCommitting && timeline.stagedBytes > before {
      cluster.fail("\(name): with \(before) bytes staged, more are: \(timeline.stagedBytes)")
    }
    let isOfBytes = inputs.contains { if case .bytes = $0 { true } else { false } }
    if !isOfBytes { for timeline in timelines { lookAtHead(timeline) } }
  }

  /// Whether nothing more may be staged, while a write is under way.
  private func isFull(_ timeline: Timeline) -> Bool {
    timeline.isCommitting && timeline.stagedBytes > cluster.plan.stagedBytesMax
  }

  /// Lines are signed a second behind the last head at the latest, or behind the work on one that was under
  /// way and did not know them yet.
  private func lookAtHead(_ timeline: Timeline) {
    guard timeline.wantsHead, !isStopping, !fileSystem.hasFailed, !cluster.hasDamaged else {
      unsigned[timeline.id] = nil
      return
    }
    let signed = timeline.signedSize(of: timeline.replica)
    guard let entry = unsigned[timeline.id], entry.signed == signed else {
      unsigned[timeline.id] = (world.now, signed)
      return
    }
    let time = world.now - entry.since
    if time > 1_000_000 + 2 * cluster.plan.headTime + SyncAudit.slack {
      cluster.fail("\(name): lines are not signed for \(time / 1000) ms")
    }
  }

  /// What it should have done by now, that nothing else would show.
  var late: String? {
    guard !isStopping else { return nil }
    for (port, since) in attempts.values where world.now > since + Self.dialTime + SyncAudit.slack {
      return "it calls \(port) for \((world.now - since) / 1000) ms"
    }
    return nil
  }

  private func carryOut(_ effect: Effect) {
    switch effect {
    case .send(let id, let bytes):
      guard let (connection, side) = sockets[id] else { return }
      connection.send(bytes, from: side)
    case .read(let id, let isWanted):
      guard let (connection, side) = sockets[id] else { return }
      connection.read(isWanted, at: side)
    case .close(let id):
      noteEnd(id)
      guard let (connection, side) = sockets.removeValue(forKey: id) else {
        // It was not made yet.
        givenUp.insert(id)
        return
      }
      connection.close(side)
    case .dial(let id, let address, let expected): dial(id, address, expected)
    case .write(let write): makeDurable(write)
    case .run(let job, let work): run(job, work)
    case .cancel(let job): isCancelled.insert(job)
    case .again: schedule()
    case .wake(let time): wake(time)
    case .log(let level, let text):
      if level != .info { warnings.append(text) }
      world.tell("\(name) says: \(text)")
    case .stopped:
      _ = engine?.finish()
      world.tell("\(name) has stopped")
      let isOff = fileSystem.isOff
      leave()
      if isOff { fileSystem.restart() }
    }
  }

  private var wakes = 0

  private func wake(_ time: Int64?) {
    wakes += 1
    guard let time else { return }
    let (started, number) = (start, wakes)
    world.at(max(world.now, time - 1_000_000)) { [self] in
      if started == start, number == wakes { schedule() }
    }
  }

  // MARK: Work elsewhere

  private func makeDurable(_ write: Write) {
    let started = start
    if losesPages {
      losesPages = false
      world.after(world.time(0...cluster.plan.writeTime)) { [self] in
        if started == start { put(.badPages) }
      }
    }
    world.after(world.time(50...cluster.plan.writeTime)) { [self] in
      guard started == start, engine != nil else { return }
      let written = write.perform()
      guard !fileSystem.isOff else { return crash() }
      put(.written(written))
    }
  }

  private func run(_ job: JobID, _ work: Work) {
    let started = start
    var time = world.now + world.time(50...(work.lane == .heads ? cluster.plan.headTime : 20_000))
    if work.lane != .questions {
      time = max(time, laneEnds[work.lane] ?? 0)
      laneEnds[work.lane] = time
    }
    world.at(time) { [self] in
      guard started == start, engine != nil else { return }
      var rows: [JSONValue] = []
      let result = work.perform(
        report: { rows.append($0) }, isWanted: { !isCancelled.contains(job) })
      guard !fileSystem.isOff else { return crash() }
      for row in rows { put(.progress(job, row)) }
      put(.finished(job, result))
    }
  }

  // MARK: Connections

  private final class Socket: Endpoint {
    unowned let machine: Machine
    let id: ConnectionID
    let start: Int

    init(_ machine: Machine, _ id: ConnectionID) {
      self.machine = machine
      self.id = id
      start = machine.start
    }

    private func put(_ input: Input) { if start == machine.start { machine.put(input) } }

    func received(_ bytes: [UInt8]) { put(.bytes(id, bytes)) }
    func ended() { put(.inputEnded(id)) }
    func closed(_ reason: String?) {
      guard start == machine.start, machine.sockets.removeValue(forKey: id) != nil else { return }
      machine.noteEnd(id)
      put(.closed(id, reason: reason))
    }
    func blocked(_ isBlocked: Bool) { put(isBlocked ? .blocked(id) : .unblocked(id)) }
  }

  private func dial(_ id: ConnectionID, _ address: PeerAddress, _ expected: SHA256Digest?) {
    let port: UInt16
    switch address {
    case .loopback(let there), .tls(_, let there): port = there
    // In a simulation there are no others.
    case .via: return put(.closed(id, reason: "no way there"))
    }
    let other = cluster.machines.first { $0.port == port || $0.port + Self.secondPort == port }
    let started = start
    world.tell("\(name) calls \(address): \(cluster.reach(self, other))")
    if let end = ended.removeValue(forKey: port), cluster.plan.timelines.count == 1,
      world.now > end + Self.retryTime + SyncAudit.slack
    {
      cluster.fail("\(name): it calls \(address) again after \((world.now - end) / 1000) ms")
    }
    attempts[id] = (port, world.now)
    func refuse() {
      guard started == start, attempts[id] != nil else { return }
      noteEnd(id)
      put(.closed(id, reason: "Connection refused"))
    }
    switch cluster.reach(self, other) {
    case .refused: world.after(500) { refuse() }
    case .silent: break
    case .made:
      let other = other!
      world.after(world.time(100...20_000)) { [self] in
        guard started == start, engine != nil, other.isUp else { return refuse() }
        guard givenUp.remove(id) == nil else { return }
        attempts[id] = nil
        called[id] = port
        let socket = Socket(self, id)
        guard address.isNetwork, let device, let there = other.device else {
          let connection = other.accept(socket, .nobody)
          sockets[id] = (connection, 0)
          cluster.note(connection, self, other)
          return put(.dialed(id))
        }
        guard there.digest == expected else {
          return put(.closed(id, reason: "another device answers there"))
        }
        let binding = (0..<32).map { _ in UInt8.random(in: 0...255, using: &world.random) }
        func shown(_ device: DeviceID) -> DeviceHandshake {
          DeviceHandshake(device: device.digest, channelBinding: binding, source: .local)
        }
        let connection = other.accept(socket, .nobody, shown(device))
        sockets[id] = (connection, 0)
        cluster.note(connection, self, other)
        put(.dialed(id, shown(there)))
      }
    }
  }

  /// A connection, or the attempt to make one, is over.
  private func noteEnd(_ id: ConnectionID) {
    if let attempt = attempts.removeValue(forKey: id) {
      if !isStopping, world.now > attempt.since + Self.dialTime + SyncAudit.slack {
        cluster.fail(
          "\(name): it called \(attempt.port) for \((world.now - attempt.since) / 1000) ms")
      }
      ended[attempt.port] = world.now
    }
    if let port = called.removeValue(forKey: id) { ended[port] = world.now }
  }

  /// A connection to this machine; the caller's side is 0.
  func accept(
    _ caller: any Endpoint, _ principal: Principal, _ handshake: DeviceHandshake? = nil,
    isWide: Bool = false
  ) -> SimulatedConnection {
    opened += 1
    let id = ConnectionID(opened)
    let connection = SimulatedConnection(
      world, caller, Socket(self, id), capacity: isWide ? 16 << 20 : cluster.plan.capacity,
      latency: isWide ? 10...20 : cluster.plan.latency, isLocal: principal.may(.own))
    sockets[id] = (connection, 1)
    put(.opened(id, principal, handshake))
    return connection
  }
}

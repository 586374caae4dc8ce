// Drives the engine on Linux: waits for sockets, signals and finished work, brings them to a step, and
// carries out the effects. It holds no rule. A turn:
//
//     epoll_wait ─▶ inputs ─▶ Engine.step ─▶ effects: sockets here, the rest to Executor

import Access
import CLinux
import Glibc
import TimelineModel
import TimelineServer
import TransparencyLog
import TransportSecurity

/// What the loop brings inputs to.
protocol Stepping: AnyObject {
  func step(_ inputs: [Input], now: Moment) -> [Effect]
  func finish() -> [String]
}

extension Engine: Stepping {}

public final class Server {
  private let engine: Stepping
  /// What this machine speaks TLS with; nil where it has no key.
  private let tls: TLSContext?
  private let poller = Poller()
  private let executor = Executor()
  private let listeners: [Int32: Listener.Kind]
  private let signals: Int32
  /// Tells of addresses and ways that come; -1 where the system does not.
  private let network = clinux_open_network()
  private var sockets: [Int32: Socket] = [:]
  private var byID: [ConnectionID: Socket] = [:]
  private var handshakes = Handshakes()
  /// Connections to peers that are being made.
  private var dialing: [ConnectionID: Dialing] = [:]
  private let processes: PeerProcesses
  private var opened: UInt64 = 0
  private var inputs: [Input] = []
  /// Writes that are done here, once the step's other effects are.
  private var writes: [Write] = []
  private var isWaitingForMore = false
  private var wake: Int64?
  private var signal: UInt32 = 0
  private var hasStopped = false
  /// Given up for a moment where no descriptor is left, so that a new caller gets an answer.
  private var spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)

  /// A write of fewer bytes is done on the loop: handing it over and being woken takes 0.04 ms, which is
  /// more than is won where little waits. One of more overlaps with reading and stamping the next.
  static let inlineBytesMax = 32 << 10
  /// Ended connections that may still have something to send.
  private static let closingMax = 256

  /// - Parameters:
  ///   - listeners: sockets that listen, and who is served there.
  ///   - tls: what this machine speaks TLS with; nil where it has no key.
  ///   - signals: a signalfd of those that ask to stop.
  public convenience init(
    _ engine: Engine, listeners: [Int32: Listener.Kind], tls: TLSContext?, signals: Int32
  ) {
    self.init(stepping: engine, listeners: listeners, tls: tls, signals: signals)
  }

  init(
    stepping engine: Stepping, listeners: [Int32: Listener.Kind], tls: TLSContext?, signals: Int32
  ) {
    self.engine = engine
    self.listeners = listeners
    self.tls = tls
    self.signals = signals
    processes = PeerProcesses(poller)
    for descriptor in [signals, executor.wake, network] + listeners.keys where descriptor >= 0 {
      poller.add(descriptor)
    }
    // What the start has to report is logged before anybody is served.
    turn()
  }

  deinit {
    buffer.deallocate()
    for descriptor in [spare, network] where descriptor >= 0 { close(descriptor) }
  }

  /// Serves until a signal asks to stop; returns the signal.
  public func run() -> UInt32 {
    while !hasStopped { wait(patience) }
    processes.endAll(Moment.now.monotonic)
    executor.finish()
    for warning in engine.finish() { Journal.write(.warning, warning) }
    return signal
  }

  /// Waits for what happens, so many milliseconds at most, and does what is to be done.
  func wait(_ patience: Int32) {
    guard let events = poller.wait(patience) else { return }
    if clinux_take_bad_pages() > 0 { inputs.append(.badPages) }
    for event in events {
      let descriptor = event.data.fd
      if descriptor == signals {
        signal = readSignal()
        inputs.append(.stop)
      } else if descriptor == executor.wake {
        for arrival in executor.take() { take(arrival) }
      } else if descriptor == network {
        if clinux_has_network_come(network) != 0 { inputs.append(.networkChanged) }
      } else if let kind = listeners[descriptor] {
        accept(descriptor, kind)
      } else if let socket = sockets[descriptor] {
        take(event.events, socket)
      } else {
        _ = processes.take(descriptor)
      }
    }
    passTime()
    turn()
  }

  /// Milliseconds until the engine wants a step; for ever where nothing is to be done.
  private var patience: Int32 {
    if isWaitingForMore || !inputs.isEmpty { return 0 }
    let next = min(wake ?? .max, handshakes.deadline ?? .max, processes.deadline ?? .max)
    guard next < .max else { return -1 }
    return Int32(clamping: max(0, (next - Moment.now.monotonic + 999) / 1000))
  }

  private func readSignal() -> UInt32 {
    var info = signalfd_siginfo()
    _ = read(signals, &info, MemoryLayout<signalfd_siginfo>.size)
    return info.ssi_signo
  }

  private func take(_ arrival: Executor.Arrival) {
    switch arrival {
    case .input(let input): inputs.append(input)
    case .found(let id, let found): connect(id, found)
    }
  }

  /// What is due by the clock, other than the engine's.
  private func passTime() {
    let now = Moment.now.monotonic
    for id in handshakes.overdue(now) {
      if let socket = byID[id] { end(socket, nil) } else { handshakes.end(id) }
    }
    processes.passTime(now)
  }

  // MARK: Turns

  /// One step, and the steps that what was written here makes due.
  private func turn() {
    step()
    while !writes.isEmpty {
      let due = writes
      writes = []
      for write in due { inputs.append(.written(write.perform())) }
      step()
    }
  }

  private func step() {
    let taken = inputs
    inputs = []
    isWaitingForMore = false
    for effect in engine.step(taken, now: .now) { carryOut(effect) }
  }

  private func carryOut(_ effect: Effect) {
    switch effect {
    case .send(let id, let bytes):
      guard let socket = byID[id], !socket.isClosing else { return }
      take(socket.send(bytes), socket)
    case .read(let id, let isWanted):
      guard let socket = byID[id] else { return }
      socket.wantsInput = isWanted
      watch(socket)
    case .close(let id):
      dialing[id] = nil
      guard let socket = byID.removeValue(forKey: id) else { return }
      letGo(socket)
    case .dial(let id, let address, let expected):
      dialing[id] = Dialing(address: address, expected: expected)
      dial(id, address)
    case .write(let write):
      if write.bytes <= Self.inlineBytesMax { writes.append(write) } else { executor.write(write) }
    case .run(let job, let work): executor.run(job, work)
    case .cancel(let job): executor.cancel(job)
    case .again: isWaitingForMore = true
    case .wake(let moment): wake = moment
    case .log(let level, let text): Journal.write(level, text)
    case .stopped: hasStopped = true
    }
  }

  // MARK: Sockets

  private func take(_ events: UInt32, _ socket: Socket) {
    if socket.isConnecting { return takeConnected(socket) }
    let isOver = events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
    if events & EPOLLIN.rawValue != 0 || isOver, socket.wantsInput || !socket.isOpen {
      guard receive(socket) else { return }
    } else if isOver {
      // Nobody is left who could take an answer.
      return end(socket, nil)
    }
    if events & EPOLLOUT.rawValue != 0 { take(socket.flush(), socket) }
  }

  private func takeConnected(_ socket: Socket) {
    if let reason = socket.takeConnected() { return notConnected(socket, reason) }
    watch(socket)
    if socket.isOpen {
      dialing[socket.id] = nil
      inputs.append(.dialed(socket.id))
    } else {
      take(socket.flush(), socket)
    }
  }

  /// Reads a socket; false where it is over.
  private func receive(_ socket: Socket) -> Bool {
    let wasOpen = socket.isOpen
    let received = socket.receive(into: buffer)
    if !wasOpen, socket.isOpen { opened(socket, received.handshake) }
    if socket.isOpen, !received.bytes.isEmpty { inputs.append(.bytes(socket.id, received.bytes)) }
    if received.isEnd {
      socket.wantsInput = false
      watch(socket)
      inputs.append(.inputEnded(socket.id))
    }
    if let failure = received.failure {
      // The other side is told why, where it still listens.
      if socket.hasWaiting { _ = socket.flush() }
      end(socket, failure)
      return false
    }
    // Over TLS what came may be answered before anybody has read it.
    if socket.hasWaiting, !socket.isBlocked { take(socket.flush(), socket) }
    return sockets[socket.descriptor] === socket
  }

  /// The other side is known now.
  private func opened(_ socket: Socket, _ handshake: DeviceHandshake?) {
    handshakes.end(socket.id)
    if socket.isDialed {
      dialing[socket.id] = nil
      inputs.append(.dialed(socket.id, handshake))
    } else {
      inputs.append(.opened(socket.id, .nobody, handshake))
    }
  }

  private func take(_ outcome: Socket.Outcome, _ socket: Socket) {
    switch outcome {
    case .broken(let reason): end(socket, reason)
    case .sent where socket.isClosing: remove(socket)
    case .sent:
      if socket.isBlocked {
        socket.isBlocked = false
        inputs.append(.unblocked(socket.id))
      }
      watch(socket)
    case .waits:
      if !socket.isBlocked, !socket.isClosing, socket.isOpen {
        socket.isBlocked = true
        inputs.append(.blocked(socket.id))
      }
      watch(socket)
    }
  }

  /// Asks epoll for what the socket waits for now.
  private func watch(_ socket: Socket) {
    guard socket.interest != socket.wanted else { return }
    socket.interest = socket.wanted
    poller.change(socket.descriptor, socket.interest)
  }

  /// The other side is gone, or could not be reached.
  private func end(_ socket: Socket, _ reason: String?) {
    // Of one that was never known the engine has not heard.
    if byID.removeValue(forKey: socket.id) != nil, socket.isOpen || socket.isDialed {
      var why = reason.map { dialing[socket.id]?.reason($0) ?? $0 }
      if !socket.isOpen, let words = processes.lastWords(socket.id) {
        why = why.map { "\($0); \(words)" } ?? words
      }
      inputs.append(.closed(socket.id, reason: why))
    }
    remove(socket)
  }

  private func letGo(_ socket: Socket) {
    if !socket.isOpen || sockets.count - byID.count > Self.closingMax { return remove(socket) }
    take(socket.finish(), socket)
  }

  private func remove(_ socket: Socket) {
    handshakes.end(socket.id)
    dialing[socket.id] = nil
    processes.end(socket.id, Moment.now.monotonic)
    guard sockets[socket.descriptor] === socket else { return }
    poller.remove(socket.descriptor)
    sockets[socket.descriptor] = nil
  }

  private func add(_ socket: Socket) {
    socket.interest = socket.wanted
    sockets[socket.descriptor] = socket
    byID[socket.id] = socket
    poller.add(socket.descriptor, socket.interest)
  }

  // MARK: Calling

  private func dial(_ id: ConnectionID, _ address: PeerAddress) {
    let isPlain = if case .loopback = address { true } else { false }
    guard isPlain || tls != nil && dialing[id]?.expected != nil else {
      return notDialed(
        id, tls == nil ? "this machine has no device key" : "which device is to answer is not known"
      )
    }
    switch address {
    case .loopback(let port): connect(id, .addresses([.loopback(port)]))
    case .tls(let host, let port):
      let found = SocketAddress.find(host, port, isNumeric: true)
      if case .addresses = found { connect(id, found) } else { executor.find(host, port, for: id) }
    case .via(let command): start(id, command)
    }
  }

  private func connect(_ id: ConnectionID, _ found: SocketAddress.Found) {
    guard dialing[id] != nil else { return }
    switch found {
    case .failure(let reason): notDialed(id, reason)
    case .addresses(let addresses):
      dialing[id]?.candidates = addresses
      connectNext(id, "it has no address")
    }
  }

  /// Tries the next address; `reason` is why the last one failed.
  private func connectNext(_ id: ConnectionID, _ reason: String) {
    var reason = reason
    while var attempt = dialing[id], !attempt.candidates.isEmpty {
      let address = attempt.candidates.removeFirst()
      attempt.current = address
      dialing[id] = attempt
      if let descriptor = Listener.connect(address) {
        return add(
          Socket(
            id, descriptor, isDialed: true, isConnecting: true, session: session(attempt),
            source: address.source))
      }
      reason = attempt.reason(String(cString: strerror(errno)))
    }
    notDialed(id, reason)
  }

  private func notDialed(_ id: ConnectionID, _ reason: String) {
    dialing[id] = nil
    inputs.append(.closed(id, reason: reason))
  }

  /// What is spoken with whoever answers; nil for nothing but bytes.
  private func session(_ attempt: Dialing) -> TLSSession? {
    guard let tls, let expected = attempt.expected else { return nil }
    return TLSSession(.client, tls, expected: expected)
  }

  private func start(_ id: ConnectionID, _ command: PeerCommand) {
    guard let attempt = dialing[id] else { return }
    switch processes.start(command, for: id) {
    case .failure(let reason): notDialed(id, reason)
    case .socket(let descriptor):
      let socket = Socket(id, descriptor, isDialed: true, session: session(attempt))
      add(socket)
      take(socket.flush(), socket)
    }
  }

  private func notConnected(_ socket: Socket, _ reason: String) {
    guard let attempt = dialing[socket.id], !attempt.candidates.isEmpty else {
      return end(socket, reason)
    }
    byID[socket.id] = nil
    poller.remove(socket.descriptor)
    sockets[socket.descriptor] = nil
    connectNext(socket.id, attempt.reason(reason))
  }

  // MARK: Being called

  private func accept(_ listener: Int32, _ kind: Listener.Kind) {
    while true {
      var from = sockaddr_storage()
      let descriptor = clinux_accept_from(listener, &from)
      if descriptor < 0 {
        guard errno == EMFILE || errno == ENFILE, turnAway(listener, kind) else { return }
        continue
      }
      // The socket's directory keeps others out already; this says so where it does not.
      if kind == .owner || kind == .relayed, clinux_peer_uid(descriptor) != Int64(getuid()) {
        refuse(descriptor, kind, Engine.notOwner)
        continue
      }
      opened += 1
      let id = ConnectionID(opened)
      switch kind {
      case .owner:
        add(Socket(id, descriptor))
        inputs.append(.opened(id, .owner(name: Self.userName)))
      case .loopback:
        add(Socket(id, descriptor))
        inputs.append(.opened(id, .nobody))
      case .relayed: shakeHands(id, descriptor, .local)
      case .devices: shakeHands(id, descriptor, SocketAddress(from).source)
      }
    }
  }

  /// The engine hears of it once the other side is known.
  private func shakeHands(_ id: ConnectionID, _ descriptor: Int32, _ source: PeerSource) {
    guard let tls,
      case let answer = handshakes.begin(id, source, now: Moment.now.monotonic),
      answer != .refused
    else {
      close(descriptor)
      return
    }
    if case .begunFor(let oldest) = answer, let socket = byID[oldest] { end(socket, nil) }
    Listener.sendAtOnce(descriptor)
    add(Socket(id, descriptor, session: TLSSession(.server, tls), source: source))
  }

  /// Whoever speaks TLS would not understand a word.
  private func refuse(_ descriptor: Int32, _ kind: Listener.Kind, _ reason: String) {
    if kind == .owner || kind == .loopback {
      _ = send(descriptor, reason, reason.utf8.count, Int32(MSG_NOSIGNAL))
    }
    close(descriptor)
  }

  /// Tells one who knocks that no descriptor is left; false where nobody does.
  private func turnAway(_ listener: Int32, _ kind: Listener.Kind) -> Bool {
    close(spare)
    let descriptor = clinux_accept(listener)
    if descriptor >= 0 { refuse(descriptor, kind, Engine.tooMany) }
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
    return descriptor >= 0
  }

  private static let userName: String =
    getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "user-\(getuid())"
}

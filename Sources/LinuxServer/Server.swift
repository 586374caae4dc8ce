// Drives the engine on Linux: waits for sockets, signals and finished work, brings them to a step, and
// carries out the effects. It holds no rule. A turn:
//
//     epoll_wait ─▶ inputs ─▶ Engine.step ─▶ effects: sockets here, the rest to Executor

import Access
import CLinux
import Glibc
import TimelineModel
import TimelineServer

public final class Server {
  private let engine: Engine
  private let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
  private let executor = Executor()
  private let listeners: [Int32: Bool]  // descriptor: whether it is the Unix socket
  private let signals: Int32
  private var sockets: [Int32: Socket] = [:]
  private var byID: [ConnectionID: Socket] = [:]
  private var opened: UInt64 = 0
  private var inputs: [Input] = []
  /// Writes that are done here, once the step's other effects are.
  private var writes: [Write] = []
  private var isWaitingForMore = false
  private var wake: Int64?
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
  ///   - listeners: sockets that listen, and whether each is the Unix socket.
  ///   - signals: a signalfd of those that ask to stop.
  public init(_ engine: Engine, listeners: [Int32: Bool], signals: Int32) {
    self.engine = engine
    self.listeners = listeners
    self.signals = signals
    for descriptor in [signals, executor.wake] + listeners.keys {
      control(EPOLL_CTL_ADD, descriptor, EPOLLIN.rawValue)
    }
    // What the start has to report is logged before anybody is served.
    turn()
  }

  deinit { buffer.deallocate() }

  /// Serves until a signal asks to stop; returns the signal.
  public func run() -> UInt32 {
    var signal: UInt32 = 0
    var events = [epoll_event](repeating: epoll_event(), count: 256)
    while !hasStopped {
      let count = epoll_wait(epoll, &events, Int32(events.count), patience)
      if count < 0 { continue }
      if clinux_take_bad_pages() > 0 { inputs.append(.badPages) }
      for event in events[..<Int(count)] {
        let descriptor = event.data.fd
        if descriptor == signals {
          signal = readSignal()
          inputs.append(.stop)
        } else if descriptor == executor.wake {
          inputs += executor.take()
        } else if let isUnix = listeners[descriptor] {
          accept(descriptor, isUnix: isUnix)
        } else if let socket = sockets[descriptor] {
          take(event.events, socket)
        }
      }
      turn()
    }
    executor.finish()
    for warning in engine.finish() { Journal.write(.warning, warning) }
    return signal
  }

  private func control(_ operation: Int32, _ descriptor: Int32, _ interest: UInt32) {
    var event = epoll_event()
    event.events = interest
    event.data.fd = descriptor
    epoll_ctl(epoll, operation, descriptor, &event)
  }

  /// Milliseconds until the engine wants a step; for ever where nothing is to be done.
  private var patience: Int32 {
    if isWaitingForMore || !inputs.isEmpty { return 0 }
    guard let wake else { return -1 }
    return Int32(clamping: max(0, (wake - Moment.now.monotonic + 999) / 1000))
  }

  private func readSignal() -> UInt32 {
    var info = signalfd_siginfo()
    _ = read(signals, &info, MemoryLayout<signalfd_siginfo>.size)
    return info.ssi_signo
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
      guard let socket = byID.removeValue(forKey: id) else { return }
      socket.isClosing = true
      if !socket.hasWaiting || sockets.count - byID.count > Self.closingMax { remove(socket) }
    case .dial(let id, let address): dial(id, address)
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
    if socket.isConnecting {
      if let reason = socket.takeConnected() {
        end(socket, reason)
      } else {
        watch(socket)
        inputs.append(.dialed(socket.id))
      }
      return
    }
    if events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0, socket.wantsInput {
      switch socket.receive(into: buffer) {
      case .bytes(let bytes): inputs.append(.bytes(socket.id, bytes))
      case .end:
        socket.wantsInput = false
        watch(socket)
        inputs.append(.inputEnded(socket.id))
      case .broken(let reason): return end(socket, reason)
      case .nothing: break
      }
    } else if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
      // Nobody is left who could take an answer.
      return end(socket, nil)
    }
    if events & EPOLLOUT.rawValue != 0 { take(socket.flush(), socket) }
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
      if !socket.isBlocked, !socket.isClosing {
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
    control(EPOLL_CTL_MOD, socket.descriptor, socket.interest)
  }

  /// The other side is gone.
  private func end(_ socket: Socket, _ reason: String?) {
    if byID.removeValue(forKey: socket.id) != nil {
      inputs.append(.closed(socket.id, reason: reason))
    }
    remove(socket)
  }

  private func remove(_ socket: Socket) {
    control(EPOLL_CTL_DEL, socket.descriptor, 0)
    sockets[socket.descriptor] = nil
  }

  private func add(_ id: ConnectionID, _ descriptor: Int32, isConnecting: Bool) {
    let socket = Socket(id, descriptor, isConnecting: isConnecting)
    socket.interest = socket.wanted
    sockets[descriptor] = socket
    byID[id] = socket
    control(EPOLL_CTL_ADD, descriptor, socket.interest)
  }

  private func dial(_ id: ConnectionID, _ address: PeerAddress) {
    guard let descriptor = Listener.connect(address.port) else {
      return inputs.append(.closed(id, reason: String(cString: strerror(errno))))
    }
    add(id, descriptor, isConnecting: true)
  }

  private func accept(_ listener: Int32, isUnix: Bool) {
    while true {
      let descriptor = clinux_accept(listener)
      if descriptor < 0 {
        guard errno == EMFILE || errno == ENFILE, turnAway(listener) else { return }
        continue
      }
      // The socket's directory keeps others out already; this says so where it does not.
      if isUnix, clinux_peer_uid(descriptor) != Int64(getuid()) {
        refuse(descriptor, Engine.notOwner)
        continue
      }
      opened += 1
      let id = ConnectionID(opened)
      add(id, descriptor, isConnecting: false)
      inputs.append(.opened(id, isUnix ? .owner(name: Self.userName) : .nobody))
    }
  }

  private func refuse(_ descriptor: Int32, _ reason: String) {
    _ = send(descriptor, reason, reason.utf8.count, Int32(MSG_NOSIGNAL))
    close(descriptor)
  }

  /// Tells one who knocks that no descriptor is left; false where nobody does.
  private func turnAway(_ listener: Int32) -> Bool {
    close(spare)
    let descriptor = clinux_accept(listener)
    if descriptor >= 0 { refuse(descriptor, Engine.tooMany) }
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
    return descriptor >= 0
  }

  private static let userName: String =
    getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "user-\(getuid())"
}

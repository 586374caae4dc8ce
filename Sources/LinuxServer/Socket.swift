// One socket: what waits to be sent on it, and what epoll is asked about it. It knows nothing of what the bytes
// say. Over TLS they pass a session on their way:
//
//     send ─▶ waiting ─▶ TLSSession ─▶ sealed ─▶ socket ─▶ TLSSession ─▶ bytes
//
// Only so much is sealed as the other side takes: what waits for longer waits as it came.

import CLinux
import Glibc
import TimelineModel
import TimelineServer
import TransportSecurity

final class Socket {
  let id: ConnectionID
  let descriptor: Int32
  let source: PeerSource
  /// Whether we called.
  let isDialed: Bool
  /// A connection that is being made.
  var isConnecting: Bool
  var wantsInput = true
  /// Ends once all was sent.
  private(set) var isClosing = false
  /// Whether the engine knows that its bytes wait here.
  var isBlocked = false
  var interest: UInt32 = 0

  private let session: TLSSession?
  /// Whether the other side is known, which is so from the beginning without TLS.
  private(set) var isOpen: Bool
  private var hasInputEnded = false
  private var waiting = ByteQueue()
  private var sealed = ByteQueue()

  init(
    _ id: ConnectionID, _ descriptor: Int32, isDialed: Bool = false, isConnecting: Bool = false,
    session: TLSSession? = nil, source: PeerSource = .local
  ) {
    self.id = id
    self.descriptor = descriptor
    self.isDialed = isDialed
    self.isConnecting = isConnecting
    self.session = session
    self.source = source
    isOpen = session == nil
  }

  deinit { close(descriptor) }

  var hasWaiting: Bool { !waiting.isEmpty || !sealed.isEmpty || session?.hasOutput ?? false }

  /// What epoll is to tell.
  var wanted: UInt32 {
    ((wantsInput || !isOpen) && !isConnecting ? EPOLLIN.rawValue : 0)
      | (hasWaiting || isConnecting ? EPOLLOUT.rawValue : 0)
  }

  // MARK: What goes

  enum Outcome {
    case sent, waits
    case broken(String)
  }

  func send(_ bytes: [UInt8]) -> Outcome {
    // Most often all of it goes at once, and nothing has to be kept.
    if session == nil, waiting.isEmpty {
      let count = bytes.withUnsafeBytes { put($0) }
      if count == bytes.count { return .sent }
      waiting.append(bytes, done: max(0, count))
    } else {
      waiting.append(bytes)
    }
    return flush()
  }

  /// Nothing more is to be sent: the other side is told so, behind what waits.
  func finish() -> Outcome {
    isClosing = true
    return flush()
  }

  /// Sends as much as the other side takes.
  func flush() -> Outcome {
    guard let session else { return passed(waiting.pass(to: put)) }
    repeat {
      let outcome = passed(sealed.pass(to: put))
      guard case .sent = outcome else { return outcome }
      _ = waiting.pass { session.send($0) }
      if isClosing, waiting.isEmpty { session.close() }
      sealed.append(session.takeOutput())
    } while !sealed.isEmpty
    // What it does not take any more would wait for ever.
    if case .closed(let failure?) = session.state, !waiting.isEmpty { return .broken(failure.text) }
    return .sent
  }

  private func passed(_ count: Int) -> Outcome {
    if count == 0 { return .sent }
    return errno == EAGAIN ? .waits : .broken(Self.reason)
  }

  private func put(_ bytes: UnsafeRawBufferPointer) -> Int {
    while true {
      let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
      if count >= 0 || errno != EINTR { return count }
    }
  }

  // MARK: What comes

  /// What a read brought, to be told in this order.
  struct Received {
    /// The other side is known now.
    var handshake: DeviceHandshake?
    var bytes: [UInt8] = []
    /// It says no more.
    var isEnd = false
    /// It is gone.
    var failure: String?
  }

  /// Reads what is there, once.
  func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
    let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
    guard count >= 0 else {
      let isOver = errno != EAGAIN && errno != EINTR
      return Received(failure: isOver ? Self.reason : nil)
    }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    guard let session else {
      return count == 0 ? Received(isEnd: true) : Received(bytes: Array(bytes))
    }
    return receive(bytes, session)
  }

  private func receive(_ bytes: UnsafeRawBufferPointer, _ session: TLSSession) -> Received {
    // What is still said to one that is let go is not heard.
    guard !isClosing else { return Received(isEnd: bytes.isEmpty) }
    var received = Received()
    if bytes.isEmpty { session.receiveEnd() } else { received.bytes = session.receive(bytes) }
    if !isOpen, case .open(let peer) = session.state {
      isOpen = true
      received.handshake = session.exportKeyingMaterial(label: TLSSession.channelBinding).map {
        DeviceHandshake(device: peer.deviceID, channelBinding: $0, source: source)
      }
    }
    if case .closed(let failure) = session.state {
      received.failure = failure.map(Self.text) ?? "the connection ended"
    }
    received.isEnd = session.hasInputEnded && !hasInputEnded
    hasInputEnded = session.hasInputEnded
    return received
  }

  /// A device is named as it is everywhere.
  private static func text(_ failure: TLSFailure) -> String {
    guard case .otherDevice(let id) = failure else { return failure.text }
    return "another device answers there: \(DeviceID(id))"
  }

  /// What became of a connection that was being made; nil where it is made.
  func takeConnected() -> String? {
    isConnecting = false
    var error: Int32 = 0
    var length = socklen_t(4)
    getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length)
    return error == 0 ? nil : String(cString: strerror(error))
  }

  private static var reason: String { String(cString: strerror(errno)) }
}

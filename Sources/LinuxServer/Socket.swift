// One socket: what waits to be sent on it, and what epoll is asked about it. It knows nothing of what
// the bytes say.

import CLinux
import Glibc
import TimelineServer

final class Socket {
  let id: ConnectionID
  let descriptor: Int32
  /// A connection that is being made.
  var isConnecting: Bool
  var wantsInput = true
  /// Ends once all was sent.
  var isClosing = false
  /// Whether the engine knows that its bytes wait here.
  var isBlocked = false
  var interest: UInt32 = 0

  private var waiting: [[UInt8]] = []
  /// Bytes of the first that were sent.
  private var sent = 0

  init(_ id: ConnectionID, _ descriptor: Int32, isConnecting: Bool) {
    self.id = id
    self.descriptor = descriptor
    self.isConnecting = isConnecting
  }

  deinit { close(descriptor) }

  var hasWaiting: Bool { !waiting.isEmpty }

  /// What epoll is to tell.
  var wanted: UInt32 {
    (wantsInput && !isConnecting ? EPOLLIN.rawValue : 0)
      | (hasWaiting || isConnecting ? EPOLLOUT.rawValue : 0)
  }

  enum Outcome {
    case sent, waits
    case broken(String)
  }

  func send(_ bytes: [UInt8]) -> Outcome {
    // Most often all of it goes at once, and nothing has to be kept.
    if waiting.isEmpty {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count == bytes.count { return .sent }
      sent = max(0, count)
    }
    waiting.append(bytes)
    return flush()
  }

  /// Sends as much as the other side takes.
  func flush() -> Outcome {
    while let first = waiting.first {
      let count = first.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno == EINTR { continue }
        return errno == EAGAIN ? .waits : .broken(Self.reason)
      }
      sent += count
      if sent == first.count {
        waiting.removeFirst()
        sent = 0
      }
    }
    return .sent
  }

  enum Received {
    case bytes([UInt8])
    case nothing, end
    case broken(String)
  }

  /// Reads what is there, once.
  func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
    let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
    if count > 0 { return .bytes(Array(UnsafeRawBufferPointer(rebasing: buffer[..<count]))) }
    if count == 0 { return .end }
    return errno == EAGAIN || errno == EINTR ? .nothing : .broken(Self.reason)
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

// A daemon that says what it was told to: for each connection the bytes to send and those to wait for, in
// order. Each connection is one end of a socket pair, served by a thread that ends with the script; nothing
// waits for time.

import Glibc
import Synchronization
import TimelineClient

final class ScriptedDaemon: Sendable {
  enum Step: Sendable {
    /// Waits for a line, and notes it.
    case receive
    case say(String)
    /// What has come may lie unread.
    case hangUp
  }

  private let received = Mutex<[String]>([])
  private let scripts: Mutex<[[Step]]>

  init(_ scripts: [Step]...) { self.scripts = Mutex(scripts) }

  /// The lines that were sent, over all connections.
  var requests: [String] { received.withLock { $0 } }

  /// Connects; `ECONNREFUSED` where no script is left.
  func connect() throws(ClientError) -> Connection {
    guard let script = scripts.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else {
      throw .noDaemon(path: "scripted", errno: ECONNREFUSED)
    }
    var ends: [Int32] = [-1, -1]
    precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    // A refused connection is closed before its first request, not some time after.
    if case .receive? = script.first { start(script, ends[1]) } else { play(script, ends[1]) }
    return Connection(descriptor: ends[0])
  }

  private func start(_ script: [Step], _ descriptor: Int32) {
    let work = Unmanaged.passRetained(Work { self.play(script, descriptor) })
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { argument in
        Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      }, work.toOpaque())
    precondition(status == 0)
    // It ends with the script, or with the connection.
    pthread_detach(thread)
  }

  private final class Work: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  private func play(_ script: [Step], _ descriptor: Int32) {
    defer { close(descriptor) }
    for step in script {
      switch step {
      case .receive:
        guard let line = receive(descriptor) else { return }
        received.withLock { $0.append(line) }
      case .say(let text):
        var left = Array(text.utf8)[...]
        while !left.isEmpty {
          let count = left.withUnsafeBytes {
            send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL))
          }
          guard count > 0 else { return }
          left = left.dropFirst(count)
        }
      case .hangUp: return
      }
    }
    // The one that asked goes first.
    while receive(descriptor) != nil {}
  }

  private func receive(_ descriptor: Int32) -> String? {
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while recv(descriptor, &byte, 1, 0) == 1 {
      if byte == 0x0A { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    return nil
  }
}

/// What is thrown, or nil.
func error(of body: () throws(ClientError) -> Void) -> ClientError? {
  do throws(ClientError) {
    try body()
    return nil
  } catch { return error }
}

// A connection to the daemon: requests out, replies in, in the order of the requests. It blocks; one
// thread at a time uses it.
//
//     let connection = try Connection(path: "/run/user/1000/timeline.sock")
//     let events = try connection.ask(.count(filter)).count
//
// It never connects again by itself, and knows no verb: those are in Requests.swift.

import CLinux
import Glibc
import TimelineModel
import TimelineWire

public final class Connection {
  /// For callers that wait for several; reading from it is for this class alone.
  public let descriptor: Int32
  private var lines: ReplyLines
  /// Whether the daemon has taken the connection: a line of it was handed out.
  private var isTaken = false
  private let interruption: @Sendable () -> Int32
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)

  /// Connects.
  /// - Parameters:
  ///   - path: of the Unix socket.
  ///   - interruption: a descriptor that ends a wait once it is readable, with `.interrupted`; -1 for none.
  public convenience init(
    path: String, interruption: @escaping @Sendable () -> Int32 = { -1 }
  ) throws(ClientError) {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw .noDaemon(path: path, errno: ENAMETOOLONG)
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let descriptor = socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw .noDaemon(path: path, errno: errno) }
    let isConnected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    guard isConnected else {
      let error = errno
      close(descriptor)
      throw error == EACCES || error == EPERM
        ? .denied(path: path) : .noDaemon(path: path, errno: error)
    }
    self.init(descriptor: descriptor, interruption: interruption)
  }

  /// Takes a connected stream socket over, and closes it in the end.
  public convenience init(
    descriptor: Int32, interruption: @escaping @Sendable () -> Int32 = { -1 }
  ) {
    self.init(descriptor, ReplyLines(), interruption)
  }

  init(
    _ descriptor: Int32, _ lines: ReplyLines, _ interruption: @escaping @Sendable () -> Int32
  ) {
    self.descriptor = descriptor
    self.lines = lines
    self.interruption = interruption
  }

  deinit {
    close(descriptor)
    buffer.deallocate()
  }

  // MARK: Out

  /// Sends all of it, however long that takes.
  public func send(_ bytes: [UInt8]) throws(ClientError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw whyItEnded() }
      done += count
    }
  }

  /// Sends as many bytes as are taken without waiting, and says how many.
  public func sendSome(_ bytes: ArraySlice<UInt8>) -> Int {
    max(
      0,
      bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      })
  }

  /// The other side takes no more. One that refuses a connection says why and closes at once: what is
  /// sent after that fails, and the reason still waits to be read.
  private func whyItEnded() -> ClientError {
    guard !isTaken else { return .ended }
    while case let count = recv(descriptor, buffer.baseAddress!, buffer.count, Int32(MSG_DONTWAIT)),
      count > 0
    {
      lines.take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    }
    guard let line = try? lines.next(), let refusal = ErrorReply.parse(line),
      // No other error ends a connection (P-3).
      refusal.code == .busy || refusal.code == .denied
    else { return .ended }
    return .refused(refusal)
  }

  // MARK: In

  /// The next line, without its LF. Half a line at the end is none.
  public func line() throws(ClientError) -> [UInt8] { try line(until: nil)! }

  /// The same; nil where it does not come in time.
  public func line(until end: ContinuousClock.Instant?) throws(ClientError) -> [UInt8]? {
    while true {
      if let line = try lines.next() {
        isTaken = true
        return line
      }
      guard try waitToRead(until: end) else { return nil }
      try receive { lines.take($0) }
    }
  }

  /// Hands over what has come, waiting for it where nothing has; for another protocol on the same socket,
  /// such as a sync, once no reply is due.
  public func receive(_ body: (UnsafeRawBufferPointer) -> Void) throws(ClientError) {
    let count = recv(descriptor, buffer.baseAddress!, buffer.count, 0)
    if count < 0 && errno == EINTR { return }
    guard count > 0 else { throw .ended }
    body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
  }

  private func waitToRead(until end: ContinuousClock.Instant?) throws(ClientError) -> Bool {
    let signal = interruption()
    // What comes next waits by itself.
    if end == nil, signal < 0 { return true }
    while true {
      var milliseconds: Int32 = -1
      if let end {
        let left = ContinuousClock.now.duration(to: end)
        guard left >= .zero else { return false }
        let (seconds, attoseconds) = left.components
        milliseconds = Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
      }
      var waiting = [
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        pollfd(fd: signal, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&waiting, 2, milliseconds)
      // A negative descriptor is passed over.
      if count > 0, waiting[1].revents != 0 { throw .interrupted }
      if count > 0, waiting[0].revents != 0 { return true }
    }
  }

  // MARK: Requests

  /// Sends a request, and the lines that it announces, each with its LF.
  public func send<Answer>(
    _ ask: Ask<Answer>, _ lines: some Sequence<[UInt8]>
  ) throws(ClientError) {
    try send(ask.bytes)
    for line in lines { try send(line) }
  }

  public func send(_ ask: AskStream, _ lines: some Sequence<[UInt8]>) throws(ClientError) {
    try send(ask.bytes)
    for line in lines { try send(line) }
  }

  /// Asks, and waits for the reply.
  public func ask<Answer>(_ ask: Ask<Answer>) throws(ClientError) -> Answer {
    try send(ask.bytes)
    return try answer(to: ask)
  }

  /// The reply to what was sent before; replies come in the order of the requests.
  public func answer<Answer>(to ask: Ask<Answer>) throws(ClientError) -> Answer {
    let line = try line()
    guard line.starts(with: "OK".utf8) else { throw Self.error(line) }
    let json = line.count > 3 ? try JSONValue(reply: line[3...]) : .null
    guard let answer = ask.read(json) else {
      throw .protocolViolation(.incomplete(verb: ask.verb, ClientError.Violation.shown(line)))
    }
    return answer
  }

  /// Asks for a stream.
  public func stream(_ ask: AskStream) throws(ClientError) -> ReplyStream {
    try send(ask.bytes)
    return rest()
  }

  /// A stream that was asked for before.
  public func rest() -> ReplyStream { ReplyStream(self) }

  /// What a line means that is not the one that was due.
  static func error(_ line: [UInt8]) -> ClientError {
    ErrorReply.parse(line).map { .refused($0) }
      ?? .protocolViolation(.notAReply(ClientError.Violation.shown(line)))
  }
}

extension JSONValue {
  /// Reads what stands behind the word of a reply.
  public init(reply bytes: ArraySlice<UInt8>) throws(ClientError) {
    guard let value = bytes.withUnsafeBufferPointer({ try? JSONValue(parsing: $0) }) else {
      throw .protocolViolation(.notJSON(ClientError.Violation.shown(bytes)))
    }
    self = value
  }
}

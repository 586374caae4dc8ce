// A connection to the daemon: requests out, replies in.

import CLinux
import Glibc
import TimelineModel
import TimelineWire

final class Client {
  let descriptor: Int32
  private var splitter = ReplyLines()

  init(socket path: String) throws(Failure) {
    descriptor = Glibc.socket(
      AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw Failure(.usage, "--socket: the path is too long for a socket: \(path)")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let isConnected = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    guard isConnected else {
      let error = errno
      close(descriptor)
      if error == EACCES || error == EPERM {
        throw Failure(
          .notAllowed, code: "denied",
          "no permission for the socket \(path): it is another user's; name your own daemon's with"
            + " --socket PATH")
      }
      throw Failure(
        .noDaemon,
        "no timelined answers at \(path); start one with `timelined --socket \(path) &`")
    }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws(Failure) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + done, bytes.count - done, Int32(MSG_NOSIGNAL))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Failure(.noDaemon, "timelined ended the connection") }
      done += count
    }
  }

  /// Sends as many as are taken without waiting.
  func sendSome(_ bytes: ArraySlice<UInt8>) -> Int {
    max(
      0,
      bytes.withUnsafeBytes {
        Glibc.send(
          descriptor, $0.baseAddress!, $0.count,
          Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      })
  }

  /// Takes what the daemon has sent, whatever it is.
  func receive(_ body: (UnsafeBufferPointer<UInt8>) -> Void) throws(Failure) {
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65_536)
    defer { buffer.deallocate() }
    let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
    if count < 0 && errno == EINTR { return }
    guard count > 0 else { throw Failure(.noDaemon, "timelined ended the connection") }
    body(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
  }

  /// The next line that the daemon sends.
  func line() throws(Failure) -> [UInt8] { try line(until: nil)! }

  /// The same; nil where it does not come in time.
  func line(until end: ContinuousClock.Instant?) throws(Failure) -> [UInt8]? {
    while true {
      if let line = splitter.next() { return line }
      if let end, !isReadable(before: end) { return nil }
      var buffer = [UInt8](repeating: 0, count: 65_536)
      try Interruption.wait(toRead: descriptor)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw Failure(.noDaemon, "timelined ended the connection") }
      splitter.take(buffer[..<count])
    }
  }

  private func isReadable(before end: ContinuousClock.Instant) -> Bool {
    while true {
      let left = ContinuousClock.now.duration(to: end).components
      guard left.seconds >= 0, left.attoseconds >= 0 else { return false }
      let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let count = poll(&wait, 1, Int32(clamping: milliseconds))
      if count > 0 { return true }
    }
  }

  /// The JSON of an OK reply; an ERR is thrown.
  func reply() throws(Failure) -> JSONValue {
    let line = try line()
    guard line.starts(with: "OK".utf8) else { throw Self.failure(line) }
    return Self.json(line.dropFirst(3))
  }

  func ask(_ request: String) throws(Failure) -> JSONValue {
    try send(Array((request + "\n").utf8))
    return try reply()
  }

  /// Sends a request that is answered by a stream; gives each event and row as it comes, and returns
  /// what END says.
  func stream(
    _ request: String, _ each: (_ word: String, _ json: ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) -> JSONValue {
    try send(Array((request + "\n").utf8))
    return try rest(each)
  }

  /// The answer of a stream that was asked for already.
  func rest(
    _ each: (_ word: String, _ json: ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) -> JSONValue {
    while true {
      let line = try line()
      let space = line.firstIndex(of: UInt8(ascii: " ")) ?? line.count
      let rest = line.dropFirst(space + 1)
      switch String(decoding: line[..<space], as: UTF8.self) {
      case "EVENT": try each("EVENT", rest)
      case "ROW": try each("ROW", rest)
      case "END": return Self.json(rest)
      default: throw Self.failure(line)
      }
    }
  }

  static func json(_ bytes: ArraySlice<UInt8>) -> JSONValue {
    bytes.withUnsafeBufferPointer { try? JSONValue(parsing: $0) } ?? .null
  }

  static func failure(_ line: [UInt8]) -> Failure {
    let parts = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 2)
    guard parts.count == 3, parts[0] == "ERR" else {
      return Failure(.failed, "timelined answered: \(String(decoding: line, as: UTF8.self))")
    }
    let code = String(parts[1])
    // What a command asks is made from what the person wrote: what is wrong with it is theirs.
    let exit: ExitCode =
      switch code {
      case "denied", "read-only": .notAllowed
      case "bad-request": .usage
      case "damaged": .verificationFailed
      default: .failed
      }
    return Failure(exit, code: code, PlainWords.of(String(parts[2])))
  }
}

/// The daemon's lines, which may be longer than a request.
private struct ReplyLines {
  private var buffer: [UInt8] = []
  private var start = 0

  mutating func take(_ bytes: ArraySlice<UInt8>) {
    if start > 1 << 20 || start == buffer.count {
      buffer.removeSubrange(..<start)
      start = 0
    }
    buffer.append(contentsOf: bytes)
  }

  mutating func next() -> [UInt8]? {
    let found = buffer.withUnsafeBytes { bytes -> Int? in
      guard start < bytes.count else { return nil }
      return memchr(bytes.baseAddress! + start, 0x0A, bytes.count - start).map {
        UnsafeRawPointer($0) - bytes.baseAddress!
      }
    }
    guard let found else { return nil }
    defer { start = found + 1 }
    return Array(buffer[start..<found])
  }
}

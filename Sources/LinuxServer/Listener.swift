// Sockets: those that wait for clients, and the one that leads to a peer.

import CLinux
import EventStore
import Glibc
import TimelineServer

public enum Listener {
  /// Who is served.
  public enum Kind: Sendable {
    /// The owner, at his Unix socket.
    case owner
    /// Anybody on this machine, with nothing but the grammar.
    case loopback
    /// Devices, over a network.
    case devices
    /// Devices, by way of what this machine's owner runs: `timelinectl relay`.
    case relayed
  }

  /// A socket that a dead daemon left behind is taken over; that of a live one never is, since the
  /// data directory's lock was taken first and another --data has another socket.
  public static func unix(_ path: String) throws(FileError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    guard path.utf8.count < capacity else {
      throw FileError(
        "bind", path,
        .other(code: ENAMETOOLONG, text: "a socket's path has at most \(capacity - 1) bytes"))
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    if !parent.isEmpty { try PosixFileSystem().createDirectory(parent) }
    guard clinux_is_socket_or_absent(path) != 0 else {
      throw FileError(
        "bind", path,
        .other(code: EEXIST, text: "something that is no socket is there; give another --socket"))
    }
    if isServed(address) { throw FileError("bind", path, .isLocked) }
    unlink(path)
    let before = umask(0o077)
    defer { umask(before) }
    return try listen(AF_UNIX, path) { descriptor in
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    }
  }

  private static func isServed(_ address: sockaddr_un) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }

  /// A connection that is being made; what comes of it, epoll says. Nil with errno.
  static func connect(_ address: SocketAddress) -> Int32? {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(address.family, type, 0)
    guard descriptor >= 0 else { return nil }
    // Whoever is not there is asked twice, which takes three seconds: a name may have other addresses.
    var again: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_SYNCNT, &again, 4)
    sendAtOnce(descriptor)
    if address.withPointer({ Glibc.connect(descriptor, $0, $1) }) == 0 || errno == EINPROGRESS {
      return descriptor
    }
    let error = errno
    close(descriptor)
    errno = error
    return nil
  }

  /// What is sent goes at once: a step's words are one piece already.
  static func sendAtOnce(_ descriptor: Int32) {
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, 4)
  }

  public static func loopback(_ port: UInt16) throws(FileError) -> Int32 {
    try tcp(.loopback(port), "tcp://127.0.0.1:\(port)")
  }

  /// For machines that speak TLS. `[::]` is every address of this machine, of IPv4 too.
  public static func network(_ host: String, _ port: UInt16) throws(FileError) -> Int32 {
    let name = PeerAddress.tls(host: host, port: port).description
    guard case .addresses(let found) = SocketAddress.find(host, port, isNumeric: true),
      let address = found.first
    else {
      let text = "give an address of this machine in digits; [::] is all of them"
      throw FileError("listen on", name, .other(code: EINVAL, text: text))
    }
    return try tcp(address, name)
  }

  private static func tcp(_ address: SocketAddress, _ name: String) throws(FileError) -> Int32 {
    try listen(address.family, name) { descriptor in
      var (yes, no): (Int32, Int32) = (1, 0)
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
      setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &no, 4)
      return address.withPointer { bind(descriptor, $0, $1) }
    }
  }

  private static func listen(
    _ family: Int32, _ name: String, _ bind: (Int32) -> Int32
  ) throws(FileError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0, bind(descriptor) == 0, Glibc.listen(descriptor, 128) == 0 else {
      let text = String(cString: strerror(errno))
      throw FileError("listen on", name, .other(code: errno, text: text))
    }
    return descriptor
  }
}

// Sockets: those that wait for clients, and the one that leads to a peer.

import CLinux
import EventStore
import Glibc

public enum Listener {
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

  private static func loopbackAddress(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  /// A connection that is being made; what comes of it, epoll says. Nil with errno.
  static func connect(_ port: UInt16) -> Int32? {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    let outcome = withUnsafePointer(to: loopbackAddress(port)) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if outcome == 0 || errno == EINPROGRESS { return descriptor }
    close(descriptor)
    return nil
  }

  public static func loopback(_ port: UInt16) throws(FileError) -> Int32 {
    var address = loopbackAddress(port)
    return try listen(AF_INET, "tcp://127.0.0.1:\(port)") { descriptor in
      var yes: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
      return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
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

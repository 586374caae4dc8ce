// An address of IPv4 or IPv6, as system calls take it.

import CLinux
import Glibc
import TimelineServer

struct SocketAddress: Sendable, CustomStringConvertible {
  private var storage: sockaddr_storage
  private let length: socklen_t

  init(_ storage: sockaddr_storage) {
    self.storage = storage
    length = socklen_t(
      storage.ss_family == sa_family_t(AF_INET6)
        ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
  }

  static func loopback(_ port: UInt16) -> SocketAddress {
    var storage = sockaddr_storage()
    withUnsafeMutableBytes(of: &storage) {
      $0.withMemoryRebound(to: sockaddr_in.self) {
        $0[0].sin_family = sa_family_t(AF_INET)
        $0[0].sin_port = port.bigEndian
        $0[0].sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      }
    }
    return SocketAddress(storage)
  }

  /// More than these are not tried: a name that has more is no help.
  private static let foundMax = 8

  enum Found: Sendable {
    case addresses([SocketAddress])
    case failure(String)
  }

  /// Looks a name up, which may take as long as it takes; an address in digits is there at once.
  ///
  /// - Parameter isNumeric: whether nobody is asked.
  static func find(_ host: String, _ port: UInt16, isNumeric: Bool) -> Found {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (isNumeric ? AI_NUMERICHOST : AI_ADDRCONFIG)
    var list: UnsafeMutablePointer<addrinfo>?
    let error = getaddrinfo(host, String(port), &hints, &list)
    guard error == 0 else {
      let text =
        error == EAI_SYSTEM ? strerror(errno) : UnsafeMutablePointer(mutating: gai_strerror(error))
      return .failure("\(host): \(text.map { String(cString: $0) } ?? "unknown")")
    }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var entry = list
    while let info = entry?.pointee, addresses.count < foundMax {
      var storage = sockaddr_storage()
      if let address = info.ai_addr, Int(info.ai_addrlen) <= MemoryLayout<sockaddr_storage>.size {
        withUnsafeMutableBytes(of: &storage) {
          $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen)))
        }
        addresses.append(SocketAddress(storage))
      }
      entry = info.ai_next
    }
    return .addresses(addresses)
  }

  var family: Int32 { Int32(storage.ss_family) }

  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    withUnsafePointer(to: storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
    }
  }

  /// What counts as one place from which strangers come.
  var source: PeerSource {
    withUnsafeBytes(of: storage) { bytes in
      family == AF_INET6
        ? PeerSource(address: Array(bytes[8..<24])) : PeerSource(address: Array(bytes[4..<8]))
    }
  }

  var description: String {
    var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
    let isWritten = withPointer {
      getnameinfo(
        $0, $1, &host, socklen_t(host.count), &port, socklen_t(port.count),
        Int32(NI_NUMERICHOST | NI_NUMERICSERV))
    }
    guard isWritten == 0 else { return "an address" }
    let (name, number) = (text(host), text(port))
    return name.contains(":") ? "[\(name)]:\(number)" : "\(name):\(number)"
  }

  private func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

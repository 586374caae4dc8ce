// Where this machine can be reached: what invitations name where its owner does not say it.

import Glibc
import TimelineServer

public enum OwnAddresses {
  /// Those of the listeners as `tls://…`; one that listens everywhere is reached at every address of the machine
  /// that others can route to: none of its loopback, none that is a link's own.
  public static func of(_ listeners: [PeerAddress]) -> [String] {
    var all: [String] = []
    for listener in listeners {
      guard case .tls(let host, let port) = listener else { continue }
      let hosts = ["::", "0.0.0.0"].contains(host) ? routable(ipv4Only: host != "::") : [host]
      for host in hosts {
        let address = PeerAddress.tls(host: host, port: port).description
        if !all.contains(address) { all.append(address) }
      }
    }
    return all
  }

  /// IPv4 first: it is what most networks of today route.
  private static func routable(ipv4Only: Bool) -> [String] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var found: (four: [String], six: [String]) = ([], [])
    var entry = list
    while let interface = entry?.pointee {
      entry = interface.ifa_next
      guard let address = interface.ifa_addr, interface.ifa_flags & UInt32(IFF_UP) != 0,
        interface.ifa_flags & UInt32(IFF_LOOPBACK) == 0
      else { continue }
      let family = Int32(address.pointee.sa_family)
      guard family == AF_INET || family == AF_INET6 && !ipv4Only else { continue }
      var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
      let length = socklen_t(
        family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
      guard
        getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
      else { continue }
      let host = String(
        decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      // With a zone it is a link's own.
      guard !host.contains("%"), !host.hasPrefix("169.254.") else { continue }
      if family == AF_INET { found.four.append(host) } else { found.six.append(host) }
    }
    return found.four + found.six
  }
}

// A connection to a peer until it is made: the addresses that are still to be tried, one after the other.

import TimelineServer
import TransparencyLog

struct Dialing {
  let address: PeerAddress
  /// Nil on the loopback alone.
  let expected: SHA256Digest?
  /// Addresses that were not tried yet.
  var candidates: [SocketAddress] = []
  /// What is being tried now.
  var current: SocketAddress?

  /// Names the address that failed where the peer's own does not say it.
  func reason(_ text: String) -> String {
    guard case .tls(let host, _) = address, let current,
      case let tried = current.description, !tried.contains(host)
    else { return text }
    return "\(tried): \(text)"
  }
}

// What is known of a connection over TLS before its first word. The handshake itself is the driver's (LinuxServer,
// TransportSecurity); the engine sees what it proved.

import TransparencyLog

public struct DeviceHandshake: Sendable, Hashable {
  /// The device at the other end, which has shown that it has the key: the SHA-256 of the public one.
  public let device: SHA256Digest
  /// 32 bytes that both ends of this one connection know, and nobody else.
  public let channelBinding: [UInt8]
  /// Where it came from.
  public let source: PeerSource

  public init(device: SHA256Digest, channelBinding: [UInt8], source: PeerSource) {
    self.device = device
    self.channelBinding = channelBinding
    self.source = source
  }
}

/// What counts as one address where strangers share places.
public enum PeerSource: Sendable, Hashable {
  /// A socket of this machine, of its owner alone.
  case local
  /// The 4 bytes of an IPv4 address, or the first 8 of an IPv6 address: whoever has one of a /64 has all.
  case network([UInt8])

  /// - Parameter address: 4 or 16 bytes. An IPv4 address that is written as an IPv6 one is an IPv4 address.
  public init(address: [UInt8]) {
    let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
    if address.count == 16, address.starts(with: mapped) {
      self = .network(Array(address[12...]))
    } else {
      self = .network(Array(address.prefix(address.count == 16 ? 8 : 4)))
    }
  }
}

/// Places for those who are not known yet: so many in all, and so many from one address.
public struct Places: Sendable {
  public let total: Int
  public let each: Int
  public private(set) var taken = 0
  /// How many each has; the sum is `taken`, and none is zero.
  private var of: [PeerSource: Int] = [:]

  public init(total: Int, each: Int) {
    self.total = total
    self.each = each
  }

  /// Those of a stranger: whoever connects has shown nothing but a key that anybody can make.
  public static let ofStrangers = Places(total: 64, each: 4)

  public var isFull: Bool { taken >= total }

  /// Whether one address has all that one may have. The owner's own sockets are not counted against him.
  public func isFull(for source: PeerSource) -> Bool {
    source != .local && of[source, default: 0] >= each
  }

  /// False where there is none left.
  public mutating func take(_ source: PeerSource) -> Bool {
    guard !isFull, !isFull(for: source) else { return false }
    taken += 1
    of[source, default: 0] += 1
    return true
  }

  public mutating func leave(_ source: PeerSource) {
    guard let count = of[source] else { return }
    taken -= 1
    of[source] = count == 1 ? nil : count - 1
  }
}

// How a machine is reached.
//
//     tcp://127.0.0.1:7411              plain, on the loopback alone, for tests
//     tls://lab.example.org:7411        a name is looked up anew at each attempt
//     tls://[2001:db8::7]:7411
//     via:ssh lab timelinectl relay     a command whose standard input and output lead to the other daemon
//
// A command is run as the daemon's user: only the owner may set one, so a text from elsewhere, such as a
// code or a line, is read as an address that is none.

public enum PeerAddress: Sendable, Hashable, CustomStringConvertible {
  case loopback(port: UInt16)
  /// `host` is a name in small letters, or an address without brackets.
  case tls(host: String, port: UInt16)
  case via(PeerCommand)

  public struct Invalid: Error { public let text: String }

  /// Whether it leads over a network, to a device that shows who it is.
  public var isNetwork: Bool { if case .tls = self { true } else { false } }

  private static let viaPrefix = "via:"
  private static let hostBytesMax = 253

  /// Reads an address that leads over a network; a command is none.
  public init(_ text: String) throws(Invalid) {
    if let rest = text.removingPrefix("tcp://") {
      self = .loopback(port: try Self.loopbackPort(rest, text))
    } else if let rest = text.removingPrefix("tls://") {
      let (host, port) = try Self.hostAndPort(rest, text)
      self = .tls(host: host, port: port)
    } else {
      throw Invalid(text: "\(text): write an address as tls://HOST:PORT or tcp://127.0.0.1:7411")
    }
  }

  /// Reads what the owner set, or `description` wrote.
  public init(owner text: String) throws(Invalid) {
    guard let command = text.removingPrefix(Self.viaPrefix) else {
      try self.init(text)
      return
    }
    self = .via(try PeerCommand(command))
  }

  public var description: String {
    switch self {
    case .loopback(let port): "tcp://127.0.0.1:\(port)"
    case .tls(let host, let port):
      host.contains(":") ? "tls://[\(host)]:\(port)" : "tls://\(host):\(port)"
    case .via(let command): Self.viaPrefix + command.text
    }
  }

  private static func loopbackPort(_ rest: Substring, _ text: String) throws(Invalid) -> UInt16 {
    guard let colon = rest.lastIndex(of: ":"), let port = port(rest[colon...].dropFirst()) else {
      throw Invalid(text: "\(text): write an address as tcp://127.0.0.1:7411")
    }
    guard ["127.0.0.1", "localhost"].contains(rest[..<colon]) else {
      throw Invalid(
        text: "\(text): without TLS only the loopback is served; write tcp://127.0.0.1:\(port)")
    }
    return port
  }

  private static func hostAndPort(
    _ rest: Substring, _ text: String
  ) throws(Invalid) -> (String, UInt16) {
    guard let colon = rest.lastIndex(of: ":"), let port = port(rest[colon...].dropFirst()),
      let host = host(rest[..<colon])
    else {
      throw Invalid(
        text: "\(text): write an address as tls://HOST:PORT or tls://[2001:db8::7]:PORT")
    }
    return (host, port)
  }

  private static func port(_ digits: Substring) -> UInt16? {
    guard digits.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let port = UInt16(digits),
      port > 0
    else { return nil }
    return port
  }

  /// A name or an IPv4 address, or an IPv6 address (with the zone of a local one) in brackets.
  private static func host(_ text: Substring) -> String? {
    guard !text.isEmpty, text.utf8.count <= hostBytesMax else { return nil }
    if text.hasPrefix("["), text.hasSuffix("]") {
      let address = text.dropFirst().dropLast()
      let digits = address.prefix { $0 != "%" }
      guard digits.contains(":"),
        digits.utf8.allSatisfy({
          isDigit($0) || isLetter($0, upTo: "f") || $0 == 0x3A || $0 == 0x2E
        }),
        address.dropFirst(digits.count + 1).utf8.allSatisfy(isOfName)
      else { return nil }
      return address.lowercased()
    }
    guard text.utf8.allSatisfy(isOfName), !text.hasPrefix("-") else { return nil }
    return text.lowercased()
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  private static func isLetter(_ byte: UInt8, upTo last: Unicode.Scalar) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: last)).contains(byte | 0x20)
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    isDigit(byte) || isLetter(byte, upTo: "z") || "-._".utf8.contains(byte)
  }
}

extension String {
  fileprivate func removingPrefix(_ prefix: String) -> Substring? {
    hasPrefix(prefix) ? dropFirst(prefix.count) : nil
  }
}

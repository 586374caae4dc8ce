// Where a machine is reached. Without TLS only the loopback is served: what travels there is neither
// sealed nor signed.

public struct PeerAddress: Sendable, Hashable, CustomStringConvertible {
  public let port: UInt16

  public struct Invalid: Error { public let text: String }

  /// Reads `tcp://127.0.0.1:PORT`.
  public init(_ text: String) throws(Invalid) {
    let prefix = "tcp://"
    guard text.hasPrefix(prefix), let colon = text.lastIndex(of: ":"),
      case let digits = text[text.index(after: colon)...],
      digits.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let port = UInt16(digits), port > 0
    else { throw Invalid(text: "\(text): write an address as tcp://127.0.0.1:7411") }
    let host = text[text.index(text.startIndex, offsetBy: prefix.count)..<colon]
    guard host == "127.0.0.1" || host == "localhost" else {
      throw Invalid(
        text: "\(text): without TLS only the loopback is served; write tcp://127.0.0.1:\(port)")
    }
    self.port = port
  }

  public var description: String { "tcp://127.0.0.1:\(port)" }
}

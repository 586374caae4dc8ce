// Swift holds "é" in one scalar and "é" in two for the same text. To a signature they are different
// bytes, so what is signed, and names that decide whose signature counts, are compared by bytes.

/// Text that equals another only where every byte does.
public struct ExactText: Sendable, Hashable, ExpressibleByStringInterpolation,
  CustomStringConvertible
{
  public let string: String

  public init(_ string: String) { self.string = string }

  public init(stringLiteral string: String) { self.string = string }

  public var bytes: [UInt8] { Array(string.utf8) }

  public static func == (one: ExactText, other: ExactText) -> Bool {
    one.string.utf8.elementsEqual(other.string.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(bytes)
  }

  public var description: String { string }
}

extension ExactText {
  /// The first byte below 20 (hexadecimal) that is no LF, which no signed text may hold, and where.
  var controlByte: (byte: UInt8, offset: Int)? {
    for (offset, byte) in string.utf8.enumerated() where byte < 0x20 && byte != 0x0A {
      return (byte, offset)
    }
    return nil
  }
}

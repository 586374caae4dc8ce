// What a key is encrypted with outside its machine: some words that a person remembers.

/// Long enough to mean something, and typed the same way everywhere. It is not printed.
public struct Passphrase: Sendable, CustomStringConvertible {
  public static let charactersMin = 8
  /// As many as `openssl pkey` takes.
  public static let bytesMax = 1024

  public static let rule =
    "a passphrase has \(charactersMin) characters or more, and no control characters"

  let bytes: [UInt8]

  /// Nil where it is too short, too long, or has what no keyboard types.
  public init?(_ text: String) {
    guard text.count >= Self.charactersMin, text.utf8.count <= Self.bytesMax,
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
    else { return nil }
    bytes = Array(text.utf8)
  }

  public var text: String { String(decoding: bytes, as: UTF8.self) }

  public var description: String { "a passphrase" }
}

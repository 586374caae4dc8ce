// Who signed, as the signature line says; with the `KeyID` it finds a key among those one knows.
//
//     — example.com/foo Uw2QOkn8srV1…

/// A signer's name: not empty, no space of any kind, no `+`, no control byte. Should be an address
/// without `https://`.
public struct KeyName: Sendable, Hashable, CustomStringConvertible {
  public let text: ExactText

  /// Nil where it is no name.
  public init?(_ string: String) {
    guard !string.isEmpty,
      string.unicodeScalars.allSatisfy({
        // Of ASCII a space is the only one, and the tables need not be asked.
        $0.isASCII ? $0.value > 0x20 && $0 != "+" : !$0.properties.isWhitespace
      })
    else { return nil }
    text = ExactText(string)
  }

  public var description: String { text.string }
}

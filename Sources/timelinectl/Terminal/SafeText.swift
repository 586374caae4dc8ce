// What may reach a terminal. Words of a log were written by others, and a terminal obeys more than
// letters: ESC and the C1 controls move its cursor and set its title, bidirectional overrides show a
// line in another order than it has. All output passes here twice:
//
//     a word from a log ─ line, paragraphs ─▶ our own layout and colour ─ Terminal.write ─▶ screen
//
// The first pass makes it plain, so that widths are right; the second, `forTerminal`, is the door:
// nothing that the first may have missed leaves by it, whichever command wrote it.

enum SafeText {
  /// Whether a terminal would obey it, or show what stands next to it out of order.
  static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
    default: false
    }
  }

  /// On one line: line ends and tabs are spaces, the rest of what is dangerous shows as U+FFFD.
  static func line(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isDangerous) else { return text }
    return String(
      String.UnicodeScalarView(
        text.replacing("\r\n", with: "\n").unicodeScalars.map { scalar in
          guard isDangerous(scalar) else { return scalar }
          return ["\n", "\r", "\t", "\u{2028}", "\u{2029}"].contains(scalar) ? " " : "\u{FFFD}"
        }))
  }

  /// With its lines as they are.
  static func paragraphs(_ text: String) -> String {
    text.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
      .map { line(String($0)) }.joined(separator: "\n")
  }

  static let bold = "\u{1B}[1m"
  static let dim = "\u{1B}[2m"
  /// Black on white, by the two entries of the palette that no theme changes.
  static let darkOnLight = "\u{1B}[38;5;16;48;5;231m"
  static let end = "\u{1B}[0m"
  static let styles = [bold, dim, darkOnLight, end]

  /// Lets through our own four sequences, line ends and tabs; all else shows as `\u001b`, which in
  /// JSON is the same character still.
  static func forTerminal(_ bytes: [UInt8]) -> [UInt8] {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.unicodeScalars.contains(where: { isDangerous($0) && $0 != "\n" }) else {
      return bytes
    }
    var safe = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      if scalar == "\u{1B}", let style = style(after: rest) {
        safe.append(contentsOf: style.unicodeScalars)
        rest = rest.dropFirst(style.unicodeScalars.count - 1)
      } else if !isDangerous(scalar) || scalar == "\n" || scalar == "\t"
        || (scalar == "\r" && rest.first == "\n")
      {
        safe.append(scalar)
      } else {
        let digits = String(scalar.value, radix: 16)
        let padded = String(repeating: "0", count: 4 - digits.count) + digits
        safe.append(contentsOf: "\\u\(padded)".unicodeScalars)
      }
    }
    return Array(String(safe).utf8)
  }

  private static func style(after escape: Substring.UnicodeScalarView) -> String? {
    styles.first { escape.starts(with: $0.unicodeScalars.dropFirst()) }
  }
}

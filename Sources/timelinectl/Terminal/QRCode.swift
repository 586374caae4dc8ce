// A text as a QR code that a phone or another machine's camera reads off a terminal. Two modules stand in one
// character, one above the other, since a character is about twice as high as wide:
//
//     █▀▀▀▀▀█
//     █ ███ █        dark on light, as readers want it, with four light modules around it
//
// With colours we set both, so it is dark on light on any terminal. Without, the terminal's own show, and most
// write light on dark: so the light modules are what is drawn. Where a terminal writes dark on light that comes
// out as a negative, edge included. ZXing reads those, ZBar and OpenCV do not: with colours nobody has to.

import CQREncode

/// The modules of a code, without the edge.
struct QRCode {
  /// Light modules that readers want on each side.
  static let edge = 4

  /// Modules in a row, and rows.
  let size: Int
  private let modules: [Bool]

  /// Nil where it is more than a QR code holds. A screen has no scratches, so 7 % of repair are enough for it,
  /// and small codes have large modules; 15 % are taken where they come without another row.
  init?(_ text: String) {
    guard let least = Self(text, QR_ECLEVEL_L) else { return nil }
    let more = Self(text, QR_ECLEVEL_M)
    self = more?.size == least.size ? more! : least
  }

  private init?(_ text: String, _ level: QRecLevel) {
    // Hinted as bytes, the library takes the densest mode for each part of the text.
    guard let code = QRcode_encodeString(text, 0, level, QR_MODE_8, 1) else { return nil }
    defer { QRcode_free(code) }
    size = Int(code.pointee.width)
    // The lowest bit of a byte is the module; the others say what it is there for.
    modules = (0..<size * size).map { code.pointee.data[$0] & 1 == 1 }
  }

  /// Characters in a line of the picture.
  var columns: Int { size + 2 * Self.edge }

  /// Whether the module in this row and column is dark; outside it is light.
  private func isDark(_ row: Int, _ column: Int) -> Bool {
    (0..<size).contains(row) && (0..<size).contains(column) && modules[row * size + column]
  }

  /// Lines of half blocks.
  func picture(inColour: Bool) -> String {
    let (begin, end) = inColour ? (SafeText.darkOnLight, SafeText.end) : ("", "")
    let places = -Self.edge..<size + Self.edge
    return stride(from: places.lowerBound, to: places.upperBound, by: 2).map { row in
      let blocks = places.map { column in
        let upper = isDark(row, column) == inColour
        let lower = isDark(row + 1, column) == inColour
        return upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ")
      }
      return begin + blocks.joined() + end + "\n"
    }.joined()
  }
}

extension Terminal {
  /// The text as a QR code; nil where the terminal is too narrow for it, or no code holds it.
  func qrCode(_ text: String) -> String? {
    guard let code = QRCode(text), code.columns <= width ?? .max else { return nil }
    return code.picture(inColour: hasColour)
  }
}

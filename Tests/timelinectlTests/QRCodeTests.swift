import CQREncode
import Testing

@testable import timelinectl

@Suite("QR codes")
struct QRCodeTests {
  /// An invitation to one timeline at two addresses has about so many letters.
  private let text = "TIMELINE-JOIN-1-" + String(repeating: "P56IOI7MZJNU2", count: 15)

  /// What libqrencode makes of it: the lines of dark modules.
  private func matrix(_ text: String, _ level: QRecLevel) throws -> [[Bool]] {
    let code = try #require(QRcode_encodeString(text, 0, level, QR_MODE_8, 1))
    defer { QRcode_free(code) }
    let size = Int(code.pointee.width)
    return (0..<size).map { row in
      (0..<size).map { code.pointee.data[row * size + $0] & 1 == 1 }
    }
  }

  /// What is drawn, two rows to a line.
  private func drawn(_ picture: String) -> [[Bool]] {
    picture.split(separator: "\n").flatMap { line in
      [line.map { "█▀".contains($0) }, line.map { "█▄".contains($0) }]
    }
  }

  /// The rows of a code with its edge, and the light half row below that fills its last line.
  private func edged(_ matrix: [[Bool]]) -> [[Bool]] {
    let size = matrix.count + 2 * QRCode.edge
    let light = [[Bool]](repeating: .init(repeating: false, count: size), count: QRCode.edge)
    let side = [Bool](repeating: false, count: QRCode.edge)
    return light + matrix.map { side + $0 + side } + light + light.prefix(1)
  }

  @Test("With colours, what is drawn is dark, and each line sets both colours and puts them back")
  func inColour() throws {
    let picture = try #require(QRCode(text)).picture(inColour: true)
    let lines = picture.split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { $0.hasPrefix(SafeText.darkOnLight) && $0.hasSuffix(SafeText.end) })
    let plain = picture.replacing(SafeText.darkOnLight, with: "").replacing(SafeText.end, with: "")
    #expect(drawn(plain) == edged(try matrix(text, QR_ECLEVEL_L)))
    #expect(SafeText.forTerminal(Array(picture.utf8)) == Array(picture.utf8))
  }

  @Test("Without colours, what is drawn is light, edge included")
  func withoutColour() throws {
    let picture = try #require(QRCode(text)).picture(inColour: false)
    #expect(!picture.contains("\u{1B}"))
    #expect(drawn(picture).map { $0.map { !$0 } } == edged(try matrix(text, QR_ECLEVEL_L)))
  }

  @Test("Capitals are in the dense mode, and more repair is taken where it needs no more room")
  func density() throws {
    // ISO/IEC 18004, table 7: with repair L, versions 5 to 7 hold 154, 195 and 224 letters; 5 holds 122 with M.
    for (count, size, level) in [
      (122, 37, QR_ECLEVEL_M), (123, 37, QR_ECLEVEL_L), (154, 37, QR_ECLEVEL_L),
      (155, 41, QR_ECLEVEL_L), (195, 41, QR_ECLEVEL_L), (196, 45, QR_ECLEVEL_L),
      (224, 45, QR_ECLEVEL_L), (225, 49, QR_ECLEVEL_L),
    ] {
      let text = String(String(repeating: "TIMELINE-7", count: 30).prefix(count))
      let code = try #require(QRCode(text))
      #expect(code.size == size && code.columns == size + 8, "\(count)")
      let rows = drawn(code.picture(inColour: false)).map { $0.map { !$0 } }
      #expect(rows == edged(try matrix(text, level)), "\(count)")
    }
  }

  @Test("The largest invitation has a code, and what no code holds has none")
  func limits() throws {
    #expect(try #require(QRCode(String(repeating: "A", count: 4296))).size == 177)
    #expect(QRCode(String(repeating: "A", count: 4297)) == nil)
    #expect(QRCode("") == nil)
  }

  @Test("A terminal that is too narrow shows none")
  func narrow() throws {
    let code = try #require(QRCode(text))
    func shown(_ columns: Int, isTerminal: Bool = true) -> String? {
      Terminal(environment: ["COLUMNS": "\(columns)"], isTerminal: isTerminal).qrCode(text)
    }
    #expect(shown(code.columns) == code.picture(inColour: true))
    #expect(shown(code.columns - 1) == nil)
    #expect(shown(20, isTerminal: false) == code.picture(inColour: false))
  }
}

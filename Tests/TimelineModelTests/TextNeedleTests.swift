import Foundation
import Glibc
import Support
import Testing
import TimelineModel

/// Bytes that end where memory ends: a read beyond them is fatal.
private final class Brink {
  private static let page = 4096
  private let start = mmap(
    nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!

  init() { mprotect(start + Self.page, Self.page, PROT_NONE) }
  deinit { munmap(start, 2 * Self.page) }

  func hold(_ bytes: [UInt8]) -> UnsafeBufferPointer<UInt8> {
    let target = (start + Self.page - bytes.count).bindMemory(to: UInt8.self, capacity: bytes.count)
    target.update(from: bytes, count: bytes.count)
    return UnsafeBufferPointer(start: target, count: bytes.count)
  }
}

@Suite("Words in text")
struct TextNeedleTests {
  private static let seed: UInt64 = {
    let given = ProcessInfo.processInfo.environment["TIMELINE_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("words in text: seed \(seed) (TIMELINE_SEED sets it)")
    return seed
  }()

  private static func lower(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
  }

  /// Offset by offset, byte by byte.
  private static func naively(_ needle: [UInt8], _ text: [UInt8]) -> Bool {
    guard needle.count <= text.count else { return false }
    return (0...text.count - needle.count).contains { offset in
      needle.indices.allSatisfy { lower(text[offset + $0]) == lower(needle[$0]) }
    }
  }

  /// What a look at raw bytes has to say.
  private static func expected(_ needle: [UInt8], _ text: [UInt8]) -> TextNeedle.Look {
    if text.contains(where: { $0 >= 0x80 || $0 == 0x5C }) { return .unclear }
    return naively(needle, text) ? .holds : .holdsNot
  }

  @Test("Every needle at every offset of texts of every length around a block")
  func everyOffset() {
    let brink = Brink()
    var count = 0
    for length in 1...40 {
      // One byte that is a letter, the others that are not, and the reverse: rare ones at both ends.
      for needle in [
        (0..<length).map { UInt8(ascii: "a") + UInt8($0 % 26) },
        [UInt8](repeating: 0x65, count: length), (0..<length).map { 0x30 + UInt8($0 % 10) },
      ] {
        let words = TextNeedle(String(decoding: needle, as: UTF8.self))
        for size in stride(from: 0, through: 110, by: 1) where size < 70 || size % 7 == 0 {
          for offset in stride(from: 0, through: max(0, size - length), by: 3) {
            var text = [UInt8](repeating: 0x20, count: size)
            if offset + length <= size {
              text.replaceSubrange(
                offset..<offset + length, with: needle.map { $0 & 0x40 != 0 ? $0 & 0xDF : $0 })
            }
            count += 1
            let found = words.look(at: brink.hold(text))
            guard found == Self.expected(needle, text) else {
              Issue.record("\(needle) at \(offset) of \(size): \(found)")
              return
            }
            // One byte that is to be read with care, wherever it stands.
            guard size > 0 else { continue }
            text[(offset * 7 + length) % size] = offset % 2 == 0 ? 0x5C : 0xC3
            guard words.look(at: brink.hold(text)) == .unclear else {
              Issue.record("\(needle) at \(offset) of \(size): a strange byte was passed over")
              return
            }
          }
        }
      }
    }
    print("words in text: \(count) texts")
  }

  @Test("Random needles in random bytes")
  func randomBytes() {
    var chance = SplitMix(seed: Self.seed)
    let brink = Brink()
    let letters = Array("aAbBeE 0-:,{}".utf8) + [0x40, 0x5B, 0x60, 0x7B, 0x7F, 0x21]
    for _ in 0..<30_000 {
      let few = Array(
        letters.shuffled(using: &chance).prefix(Int.random(in: 1...8, using: &chance)))
      var text = (0..<Int.random(in: 0...200, using: &chance)).map { _ in
        few.randomElement(using: &chance)!
      }
      var needle = (0..<Int.random(in: 1...40, using: &chance)).map { _ in
        few.randomElement(using: &chance)!
      }
      // Half of them stand there, or nearly.
      if Bool.random(using: &chance), needle.count <= text.count {
        let offset = Int.random(in: 0...text.count - needle.count, using: &chance)
        text.replaceSubrange(offset..<offset + needle.count, with: needle)
        if Bool.random(using: &chance) {
          text[offset + Int.random(in: 0..<needle.count, using: &chance)] ^= 0x20
        }
      }
      if Int.random(in: 0..<4, using: &chance) == 0, !text.isEmpty {
        text[Int.random(in: 0..<text.count, using: &chance)] = [0x5C, 0x80, 0xFF].randomElement(
          using: &chance)!
      }
      if Int.random(in: 0..<8, using: &chance) == 0 { needle = [needle[0]] }
      let found = TextNeedle(String(decoding: needle, as: UTF8.self)).look(at: brink.hold(text))
      guard found == Self.expected(needle, text) else {
        Issue.record("\(needle) in \(text): \(found), seed \(Self.seed)")
        return
      }
    }
  }

  /// As the search reads words, by nothing but the library: folded, and looked for as scalars.
  private static func naively(_ needle: String, in text: String) -> Bool {
    func scalars(_ text: String) -> [Unicode.Scalar] {
      Array(
        text.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
          .unicodeScalars)
    }
    let (needle, text) = (scalars(needle), scalars(text))
    guard needle.count <= text.count else { return false }
    return (0...text.count - needle.count).contains {
      text[$0..<$0 + needle.count].elementsEqual(needle)
    }
  }

  @Test("Random words in the strings of random documents, with escapes and beyond ASCII")
  func documents() throws {
    var chance = SplitMix(seed: Self.seed ^ 1)
    let letters: [String] =
      "abcdeABCDE 019-/\"\\éÉŏŎßñ김金Ж\u{301}".map(String.init) + ["\n", "\t", "😀", "é", "K"]
    func words(_ lengths: ClosedRange<Int>, _ letters: [String]) -> String {
      (0..<Int.random(in: lengths, using: &chance)).map { _ in
        letters.randomElement(using: &chance)!
      }
      .joined()
    }
    /// A string in JSON, its characters escaped or not as it comes.
    func json(_ text: String) -> String {
      text.utf16.map { unit in
        switch unit {
        case 0x22, 0x5C, 0..<0x20: return String(format: "\\u%04x", Int(unit))
        case 0xD800..<0xE000: return String(format: "\\u%04X", Int(unit))
        default:
          return Int.random(in: 0..<20, using: &chance) == 0
            ? String(format: "\\u%04x", Int(unit)) : String(utf16CodeUnits: [unit], count: 1)
        }
      }.joined()
    }
    var found = 0
    for _ in 0..<20_000 {
      // Of half of them plain texts alone.
      let few = Array(
        (Bool.random(using: &chance) ? Array(letters.prefix(15)) : letters).shuffled(using: &chance)
          .prefix(Int.random(in: 1...8, using: &chance)))
      let strings = (0..<Int.random(in: 1...4, using: &chance)).map { _ in words(0...60, few) }
      let needle = words(1...5, few)
      let text =
        "{"
        + strings.enumerated().map { #""k\#($0)":["\#(json($1))",17]"# }
        .joined(separator: ",") + "}"
      var document = JSONDocument()
      let holds = try Array(text.utf8).withUnsafeBufferPointer { bytes in
        try document.parse(bytes)
        return TextNeedle(needle).stands(in: document, from: 0, text: bytes)
      }
      let expected = strings.contains { Self.naively(needle, in: $0) }
      found += expected ? 1 : 0
      guard holds == expected else {
        Issue.record("\(needle.debugDescription) in \(text): \(holds), seed \(Self.seed)")
        return
      }
    }
    #expect(found > 1000)
  }
}

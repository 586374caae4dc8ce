// Free text is searched without regard to case and diacritics: "chongjin" finds "Chŏngjin".

import CLinux
import Foundation

/// Text to look for in the words of an event.
public struct TextNeedle: Sendable {
  private let folded: String
  /// The needle as raw JSON has it where it is plain; empty where every text is to be read with care. One
  /// that is beyond ASCII stands in no plain text.
  private let bytes: [UInt8]
  /// The two of its bytes that are rarest in lines of a log.
  private let rare: (one: Int, two: Int)

  public init(_ text: String) {
    folded = Self.fold(text)
    let utf8 = Array(folded.utf8)
    let isInOneSpelling = utf8.allSatisfy { $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }
    // Some beyond ASCII are, to a comparison of strings, the same as one that is not.
    let isBeyond = folded.decomposedStringWithCanonicalMapping.utf8.contains { $0 >= 0x80 }
    let isASCII = utf8.allSatisfy { $0 < 0x80 }
    bytes = isInOneSpelling && (isASCII || isBeyond) ? utf8 : []
    rare = Self.rareOffsets(of: bytes)
  }

  /// Bytes of lines from the most frequent on: ids are hexadecimal, the words English. Others are rare.
  private static let frequent = Array("e0123456789acdbf-toinrsl hupmgy:,.vwkxjqz".utf8)

  private static func rareOffsets(of needle: [UInt8]) -> (one: Int, two: Int) {
    func rank(_ offset: Int) -> Int { frequent.firstIndex(of: needle[offset]) ?? frequent.count }
    let offsets = needle.indices.sorted { (rank($0), -$0) > (rank($1), -$1) }
    guard let one = offsets.first else { return (0, 0) }
    return (one, offsets.dropFirst().first { needle[$0] != needle[one] } ?? offsets.last!)
  }

  public static func fold(_ text: String) -> String {
    text.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
  }

  /// What a look at raw bytes says.
  public enum Look: Sendable {
    case holds
    case holdsNot
    /// Beyond ASCII, and in escapes, letters have other spellings: it must be read with care.
    case unclear
  }

  /// Whether raw JSON holds the needle, in a string or elsewhere.
  public func look(at raw: UnsafeBufferPointer<UInt8>) -> Look {
    guard !bytes.isEmpty else { return .unclear }
    var found = false
    var at = 0
    while let offset = next(in: raw, from: at) {
      guard Self.isPlain(raw[offset]) else { return .unclear }
      found = true
      at = offset + 1
    }
    return found ? .holds : .holdsNot
  }

  /// The first offset, from one on, at which raw JSON, of many lines too, may hold the needle: where it
  /// stands, or where a byte is to be read with care.
  public func next(in raw: UnsafeBufferPointer<UInt8>, from at: Int) -> Int? {
    guard at < raw.count else { return nil }
    guard !bytes.isEmpty else { return at }
    let offset = bytes.withUnsafeBufferPointer { bytes in
      func letterCase(_ byte: UInt8) -> UInt8 { Self.isLetter(byte) ? 0x20 : 0 }
      let (one, two) = (bytes[rare.one], bytes[rare.two])
      return clinux_find(
        raw.baseAddress!, at, raw.count,
        clinux_needle(
          bytes: bytes.baseAddress!, count: bytes.count, one: one, one_case: letterCase(one),
          two: two, two_case: letterCase(two), one_at: rare.one, two_at: rare.two))
    }
    return offset < raw.count ? offset : nil
  }

  /// Whether a byte of raw JSON is all of the character that it stands for.
  private static func isPlain(_ byte: UInt8) -> Bool { byte < 0x80 && byte != 0x5C }

  private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte) }

  /// Whether the text holds the needle.
  public func stands(in text: String) -> Bool { Self.fold(text).contains(folded) }

  /// Whether a string value of the document does, from this node on.
  public func stands(
    in document: JSONDocument, from node: Int, text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    (node..<document.next(node)).contains { node in
      guard document.kind(node) == .string else { return false }
      return switch look(at: document.bytes(node, in: text)) {
      case .holds: true
      case .holdsNot: false
      case .unclear: stands(in: document.string(node, in: text))
      }
    }
  }
}

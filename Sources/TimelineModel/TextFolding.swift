// Free text is searched without regard to case and diacritics: "chongjin" finds "Chŏngjin".

import CLinux
import Foundation

/// Text to look for in the words of an event.
public struct TextNeedle: Sendable {
  private let folded: String
  /// The needle in lower-case ASCII, where it is nothing else: then raw bytes can be looked at first.
  private let ascii: [UInt8]?
  /// The two of its bytes that are rarest in lines of a log.
  private let pair: clinux_pair

  public init(_ text: String) {
    folded = Self.fold(text)
    let bytes = Array(folded.utf8)
    let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 < 0x80 && $0 != 0x22 && $0 != 0x5C }
    ascii = isPlain ? bytes : nil
    pair = Self.rarePair(of: bytes)
  }

  /// Bytes of lines from the most frequent on: ids are hexadecimal, the words English. Others are rare.
  private static let frequent = Array("e0123456789acdbf-toinrsl hupmgy:,.vwkxjqz".utf8)

  private static func rarePair(of needle: [UInt8]) -> clinux_pair {
    func rank(_ place: Int) -> Int { frequent.firstIndex(of: needle[place]) ?? frequent.count }
    let places = needle.indices.sorted { (rank($0), -$0) > (rank($1), -$1) }
    guard let one = places.first else { return clinux_pair() }
    let two = places.dropFirst().first { needle[$0] != needle[one] } ?? places.last!
    func letterCase(_ byte: UInt8) -> UInt8 { isLetter(byte) ? 0x20 : 0 }
    return clinux_pair(
      one: needle[one], one_case: letterCase(needle[one]), two: needle[two],
      two_case: letterCase(needle[two]), one_at: one, two_at: two)
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
    guard let ascii, !ascii.isEmpty, let base = raw.baseAddress else { return .unclear }
    return ascii.withUnsafeBufferPointer { needle in
      Self.look(for: needle, pair, in: base, raw.count)
    }
  }

  /// Thirty-two bytes at a time: they are looked at closely where the needle's two rarest bytes stand
  /// at their distance.
  private static func look(
    for needle: UnsafeBufferPointer<UInt8>, _ pair: clinux_pair, in text: UnsafePointer<UInt8>,
    _ count: Int
  ) -> Look {
    var found = false
    var isStrange: Int32 = 0
    var at = 0
    while true {
      at = clinux_next_block(text, at, count, needle.count, pair, &isStrange)
      guard at + 31 + needle.count <= count else { break }
      if isStrange != 0 { return .unclear }
      found = found || stands(needle, pair, text, at..<at + 32)
      at += 32
    }
    // The last block overlaps the one before it; a text that is shorter than one is read byte by byte.
    let last = count - 31 - needle.count
    if last >= 0, at > last {
      if clinux_next_block(text, last, count, needle.count, pair, &isStrange) == last {
        if isStrange != 0 { return .unclear }
        found = found || stands(needle, pair, text, last..<last + 32)
      }
      at = last + 32
    }
    for index in at..<max(at, count) where text[index] >= 0x80 || text[index] == 0x5C {
      return .unclear
    }
    return found || stands(needle, pair, text, at..<max(at, count - needle.count + 1))
      ? .holds : .holdsNot
  }

  /// Whether the needle begins at one of these places.
  private static func stands(
    _ needle: UnsafeBufferPointer<UInt8>, _ pair: clinux_pair, _ text: UnsafePointer<UInt8>,
    _ places: Range<Int>
  ) -> Bool {
    for place in places where text[place + pair.one_at] | pair.one_case == pair.one {
      var length = 0
      while length < needle.count, lower(text[place + length]) == needle[length] { length += 1 }
      if length == needle.count { return true }
    }
    return false
  }

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

  private static func lower(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
  }
}

// Free text is searched without regard to case and diacritics: "chongjin" finds "Chŏngjin".

import CLinux
import Foundation

/// Text to look for in the words of an event.
public struct TextNeedle: Sendable {
  private let folded: String
  /// The needle in lower-case ASCII, where it is nothing else: then raw bytes can be looked at first.
  private let ascii: [UInt8]?

  public init(_ text: String) {
    folded = Self.fold(text)
    let bytes = Array(folded.utf8)
    let isPlain = bytes.allSatisfy { $0 >= 0x20 && $0 < 0x80 && $0 != 0x22 && $0 != 0x5C }
    ascii = isPlain ? bytes : nil
  }

  static func fold(_ text: String) -> String {
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
    guard let ascii, let base = raw.baseAddress, let first = ascii.first, let last = ascii.last
    else { return .unclear }
    return ascii.withUnsafeBufferPointer { needle in
      Self.look(for: needle, first, last, in: base, raw.count)
    }
  }

  /// Thirty-two bytes at a time: they are looked at closely where the needle's first and last letters
  /// stand at its distance.
  private static func look(
    for needle: UnsafeBufferPointer<UInt8>, _ first: UInt8, _ last: UInt8,
    in text: UnsafePointer<UInt8>, _ count: Int
  ) -> Look {
    // The bit that tells cases apart, for letters alone.
    let firstCase: UInt8 = isLetter(first) ? 0x20 : 0
    let lastCase: UInt8 = isLetter(last) ? 0x20 : 0
    let distance = needle.count - 1
    var found = false
    var isStrange: Int32 = 0
    var at = 0
    while true {
      at = clinux_next_block(
        text, at, count, distance, first, firstCase, last, lastCase, &isStrange)
      guard at + 32 + distance <= count else { break }
      if isStrange != 0 { return .unclear }
      found = found || stands(needle, text, at..<at + 32)
      at += 32
    }
    for index in at..<max(at, count) where text[index] >= 0x80 || text[index] == 0x5C {
      return .unclear
    }
    return found || stands(needle, text, at..<max(at, count - distance)) ? .holds : .holdsNot
  }

  /// Whether the needle begins at one of these places.
  private static func stands(
    _ needle: UnsafeBufferPointer<UInt8>, _ text: UnsafePointer<UInt8>, _ places: Range<Int>
  ) -> Bool {
    places.contains { place in
      var length = 0
      while length < needle.count, lower(text[place + length]) == needle[length] { length += 1 }
      return length == needle.count
    }
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

// Free text is searched without regard to case and diacritics: "chongjin" finds "Chŏngjin".

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

  /// Whether raw JSON may hold the needle in one of its strings; false is certain. Beyond ASCII, and
  /// in escapes, letters have other spellings: text with either may.
  public func mayStand(in raw: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let ascii, let base = raw.baseAddress else { return true }
    return Self.mayHold(ascii, base, raw.count)
  }

  /// Blocks of 32 bytes, in a loop that the compiler turns into vector instructions: a block is
  /// looked at closely where the needle's first and last letters stand at its distance, or where it
  /// is not plain ASCII.
  private static func mayHold(
    _ needle: [UInt8], _ text: UnsafePointer<UInt8>, _ count: Int
  ) -> Bool {
    needle.withUnsafeBufferPointer { needle in
      guard let first = needle.first, let last = needle.last else { return true }
      // The bit that tells cases apart, for letters alone.
      let firstCase: UInt8 = isLetter(first) ? 0x20 : 0
      let lastCase: UInt8 = isLetter(last) ? 0x20 : 0
      let distance = needle.count - 1
      var at = 0
      while at + 32 + distance <= count {
        let head = text + at
        let tail = head + distance
        var hits: UInt8 = 0
        var strange: UInt8 = 0
        for index in 0..<32 {
          let byte = head[index]
          let difference = ((byte | firstCase) ^ first) | ((tail[index] | lastCase) ^ last)
          hits |= difference == 0 ? 1 : 0
          strange |= byte & 0x80
          strange |= byte == 0x5C ? 1 : 0
        }
        if strange != 0 { return true }
        if hits != 0, stands(needle, text, at..<at + 32) { return true }
        at += 32
      }
      for index in at..<max(at, count) where text[index] >= 0x80 || text[index] == 0x5C {
        return true
      }
      return stands(needle, text, at..<max(at, count - distance))
    }
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
      guard document.kind(node) == .string, mayStand(in: document.bytes(node, in: text)) else {
        return false
      }
      return stands(in: document.string(node, in: text))
    }
  }

  private static func lower(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
  }
}

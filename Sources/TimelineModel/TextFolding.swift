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

  /// Whether raw JSON may hold the needle in one of its strings; false is certain.
  public func mayStand(in raw: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let ascii, let first = ascii.first else { return true }
    var at = 0
    let last = raw.count - ascii.count
    // Beyond ASCII, and in escapes, letters have other spellings: these are looked at with care.
    var isPlain = true
    for byte in raw where byte >= 0x80 || byte == 0x5C {
      isPlain = false
      break
    }
    guard isPlain else { return true }
    while at <= last {
      if Self.lower(raw[at]) == first {
        var length = 1
        while length < ascii.count, Self.lower(raw[at + length]) == ascii[length] { length += 1 }
        if length == ascii.count { return true }
      }
      at += 1
    }
    return false
  }

  /// Whether the text holds the needle.
  public func stands(in text: String) -> Bool { Self.fold(text).contains(folded) }

  /// Whether a string value of the document does, from this node on.
  public func stands(
    in document: JSONDocument, from node: Int, text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    (node..<document.next(node)).contains { node in
      document.kind(node) == .string && stands(in: document.string(node, in: text))
    }
  }

  private static func lower(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
  }
}

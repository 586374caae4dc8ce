// The values of a JSON array, one after the other, each with the line on which it begins: `log --json`
// writes such a file, and so do most programs. What a value holds is read later, by who takes it.

import TimelineModel

struct JSONArrayItems {
  private let text: UnsafeBufferPointer<UInt8>
  private var at: Int
  private var line = 1
  private var isFirst = true
  private var isDone = false
  private(set) var fault: ImportReader.Problem?

  /// The text begins with `[`, after spaces.
  init(_ text: UnsafeBufferPointer<UInt8>) {
    self.text = text
    at = 0
    skipSpace()
    at += 1
  }

  mutating func next() -> (range: Range<Int>, line: Int)? {
    guard !isDone, fault == nil else { return nil }
    skipSpace()
    if byte == UInt8(ascii: "]") {
      at += 1
      isDone = true
      skipSpace()
      if at < text.count { fail("something follows the end of the array") }
      return nil
    }
    if !isFirst {
      guard byte == UInt8(ascii: ",") else {
        fail("expected ',' or ']' after a value of the array")
        return nil
      }
      at += 1
      skipSpace()
    }
    isFirst = false
    let (start, startLine) = (at, line)
    guard skipValue(), at > start else {
      fail("the array is not complete")
      return nil
    }
    return (start..<at, startLine)
  }

  private var byte: UInt8? { at < text.count ? text[at] : nil }

  private mutating func skipSpace() {
    while let byte, byte <= 0x20 {
      if byte == 0x0A { line += 1 }
      at += 1
    }
  }

  /// To the comma or bracket that ends the value; false where none does.
  private mutating func skipValue() -> Bool {
    var depth = 0
    var isQuoted = false
    while let byte {
      if byte == 0x0A { line += 1 }
      if isQuoted {
        if byte == UInt8(ascii: "\\") { at += 1 }
        if byte == UInt8(ascii: "\"") { isQuoted = false }
      } else {
        switch byte {
        case UInt8(ascii: "\""): isQuoted = true
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"): depth -= 1
        case UInt8(ascii: "]"):
          if depth == 0 { return true }
          depth -= 1
        case UInt8(ascii: ","): if depth == 0 { return true }
        default: break
        }
      }
      at += 1
    }
    return false
  }

  private mutating func fail(_ message: String) {
    fault = ImportReader.Problem(line: line, message: message)
  }
}

// RFC 8259 as we take it, byte by byte, without a thought of speed: what `JSONDocument` is held to.

struct PlainJSON {
  private let text: [UInt8]
  private var at = 0

  static func accepts(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard String(validating: text, as: UTF8.self) != nil else { return false }
    var reader = PlainJSON(text: Array(text))
    return reader.value(depth: 0) && reader.rest() == nil
  }

  private init(text: [UInt8]) { self.text = text }

  /// The next byte that is no space.
  private mutating func rest() -> UInt8? {
    while let byte = here, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { at += 1 }
    return here
  }

  private var here: UInt8? { at < text.count ? text[at] : nil }

  private mutating func skip(_ letter: Unicode.Scalar) -> Bool {
    guard here == UInt8(ascii: letter) else { return false }
    at += 1
    return true
  }

  private mutating func value(depth: Int) -> Bool {
    switch rest() {
    case UInt8(ascii: "{"): list(depth, end: "}", isObject: true)
    case UInt8(ascii: "["): list(depth, end: "]", isObject: false)
    case UInt8(ascii: "\""): string() != nil
    case UInt8(ascii: "t"): word("true")
    case UInt8(ascii: "f"): word("false")
    case UInt8(ascii: "n"): word("null")
    default: number()
    }
  }

  private mutating func word(_ word: String) -> Bool {
    guard text[at...].starts(with: word.utf8) else { return false }
    at += word.utf8.count
    return true
  }

  private mutating func list(_ depth: Int, end: Unicode.Scalar, isObject: Bool) -> Bool {
    guard depth < 32 else { return false }
    at += 1
    if rest() == UInt8(ascii: end) { return skip(end) }
    var keys: Set<[UInt16]> = []
    while true {
      if isObject {
        guard rest() == UInt8(ascii: "\""), let key = string(), keys.insert(key).inserted,
          rest() == UInt8(ascii: ":"), skip(":")
        else { return false }
      }
      guard value(depth: depth + 1) else { return false }
      if rest() == UInt8(ascii: end) { return skip(end) }
      guard skip(",") else { return false }
    }
  }

  /// The UTF-16 of a string, escapes resolved; nil where it is none.
  private mutating func string() -> [UInt16]? {
    at += 1
    var units: [UInt16] = []
    var plain: [UInt8] = []
    func flushed() -> [UInt16] { units + Array(String(decoding: plain, as: UTF8.self).utf16) }
    while let byte = here {
      at += 1
      switch byte {
      case UInt8(ascii: "\""):
        units = flushed()
        // Surrogates go in pairs: what was paired comes back unchanged.
        return Array(String(decoding: units, as: UTF16.self).utf16) == units ? units : nil
      case UInt8(ascii: "\\"):
        units = flushed()
        plain = []
        guard let unit = escape() else { return nil }
        units.append(unit)
      case 0..<0x20: return nil
      default: plain.append(byte)
      }
    }
    return nil
  }

  private mutating func escape() -> UInt16? {
    guard let letter = here else { return nil }
    at += 1
    let single: [UInt8: UInt16] = [
      0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 0xC, 0x6E: 0xA, 0x72: 0xD, 0x74: 9,
    ]
    guard letter == UInt8(ascii: "u") else { return single[letter] }
    guard at + 4 <= text.count else { return nil }
    let digits = String(decoding: text[at..<at + 4], as: UTF8.self)
    at += 4
    // Swift reads a sign too.
    return digits.allSatisfy(\.isHexDigit) ? UInt16(digits, radix: 16) : nil
  }

  private mutating func digits() -> Bool {
    let start = at
    while let byte = here, (0x30...0x39).contains(byte) { at += 1 }
    return at > start
  }

  private mutating func number() -> Bool {
    let start = at
    _ = skip("-")
    if !skip("0"), !digits() { return false }
    var isWhole = true
    if skip(".") {
      isWhole = false
      guard digits() else { return false }
    }
    if skip("e") || skip("E") {
      isWhole = false
      if !skip("+") { _ = skip("-") }
      guard digits() else { return false }
    }
    let number = String(decoding: text[start..<at], as: UTF8.self)
    guard let double = Double(number), double.isFinite else { return false }
    // A whole number is one that a double holds exactly, and that a reader of 64 bits can hold.
    return !isWhole || Int(number).map { Int(exactly: double) == $0 } == true
  }
}

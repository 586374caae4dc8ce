// Reads one JSON text in place, strictly: valid UTF-8, no duplicate keys, no number that a double
// cannot hold, nothing after the value. The result is a tape of nodes that point into the text,
// kept in one array that is used again for the next text, so that a line costs no allocation.
//
//     {"type":"test","actors":["PRK"]}
//     0 object  next=6        node n's subtree is n+1 ..< next
//     1 key     type
//     2 string  test
//     3 key     actors
//     4 array   next=6
//     5 string  PRK
//
// It stands at the edge: what is past it works on types, or on ranges of a text that was accepted.

import CLinux

/// Why a text is not the JSON that we take.
public struct JSONError: Error, Sendable, Hashable {
  public enum Problem: Sendable, Hashable {
    case empty
    case invalidUTF8
    case expected(String)
    case duplicateKey(String)
    case badEscape
    case controlCharacter
    case badNumber
    case numberTooLarge
    case tooDeep
    case trailing
  }

  public var problem: Problem
  /// Byte offset in the text, from 0.
  public var offset: Int

  public var message: String {
    let what =
      switch problem {
      case .empty: "there is no JSON value"
      case .invalidUTF8: "not valid UTF-8"
      case .expected(let what): "expected \(what)"
      case .duplicateKey(let key): "the key \"\(key)\" stands twice in one object"
      case .badEscape: "bad escape in a string (\\u takes four hex digits, surrogates go in pairs)"
      case .controlCharacter: "a control character in a string must be written as an escape"
      case .badNumber: "not a JSON number"
      case .numberTooLarge: "a number that a double cannot hold"
      case .tooDeep: "nested deeper than \(JSONDocument.depthMax) levels"
      case .trailing: "something follows the JSON value"
      }
    return "\(what), at byte \(offset + 1)"
  }
}

/// A JSON text taken apart in place. It holds offsets only: the text itself is given again to
/// every call that reads characters.
public struct JSONDocument: Sendable {
  public static let depthMax = 32

  public enum Kind: UInt8, Sendable {
    case object, array, key, string, number, yes, no, null
  }

  public struct Node: Sendable {
    public var kind: Kind
    /// For keys and strings: whether the characters hold an escape.
    public var hasEscape: Bool
    /// Bytes of the value in the text; for keys and strings without their quotes.
    public var start: UInt32
    public var end: UInt32
    /// The node after this one's subtree.
    public var next: UInt32
  }

  public private(set) var nodes: ContiguousArray<Node> = []

  public init() {}

  /// Takes the text apart; on an error the document is empty.
  public mutating func parse(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    nodes.removeAll(keepingCapacity: true)
    do throws(JSONError) {
      try UTF8Text.check(text)
      var at = 0
      try value(text, &at, depth: 0)
      skipSpace(text, &at)
      guard at == text.count else { throw JSONError(problem: .trailing, offset: at) }
    } catch {
      nodes.removeAll(keepingCapacity: true)
      throw error
    }
  }

  // MARK: Reading what was parsed

  public var isEmpty: Bool { nodes.isEmpty }

  public func kind(_ node: Int) -> Kind { nodes[node].kind }

  public func next(_ node: Int) -> Int { Int(nodes[node].next) }

  /// The bytes of the value; of strings and keys, between their quotes.
  public func bytes(
    _ node: Int, in text: UnsafeBufferPointer<UInt8>
  ) -> UnsafeBufferPointer<UInt8> {
    let node = nodes[node]
    return UnsafeBufferPointer(rebasing: text[Int(node.start)..<Int(node.end)])
  }

  /// The bytes of the value as they stand in the text, quotes included.
  public func rawRange(_ node: Int) -> Range<Int> {
    let node = nodes[node]
    let quotes = node.kind == .string || node.kind == .key ? 1 : 0
    return Int(node.start) - quotes..<Int(node.end) + quotes
  }

  /// Whether a key or string is exactly these ASCII characters.
  public func `is`(
    _ node: Int, _ word: StaticString, in text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    let node = nodes[node]
    let count = Int(node.end) - Int(node.start)
    guard count == word.utf8CodeUnitCount else {
      return node.hasEscape && string(node, in: text) == "\(word)"
    }
    let start = text.baseAddress! + Int(node.start)
    return count == 0
      || (start[0] == word.utf8Start[0] && memcmp(start, word.utf8Start, count) == 0)
  }

  /// The characters of a key or string, escapes resolved.
  public func string(_ node: Int, in text: UnsafeBufferPointer<UInt8>) -> String {
    string(nodes[node], in: text)
  }

  /// Lends the characters of a key or string as bytes, escapes resolved.
  public func withText<Result, Failure: Error>(
    _ node: Int, in text: UnsafeBufferPointer<UInt8>,
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard nodes[node].hasEscape else { return try body(bytes(node, in: text)) }
    return try Array(string(node, in: text).utf8).withTypedBuffer(body)
  }

  private func string(_ node: Node, in text: UnsafeBufferPointer<UInt8>) -> String {
    let raw = UnsafeBufferPointer(rebasing: text[Int(node.start)..<Int(node.end)])
    return node.hasEscape ? Self.unescaped(raw) : String(decoding: raw, as: UTF8.self)
  }

  /// The value of a member of an object, by its key.
  public func member(
    _ key: StaticString, of object: Int, in text: UnsafeBufferPointer<UInt8>
  ) -> Int? {
    guard kind(object) == .object else { return nil }
    var at = object + 1
    let end = next(object)
    while at < end {
      if self.is(at, key, in: text) { return at + 1 }
      at = next(at + 1)
    }
    return nil
  }

  /// The nodes of an array's values, or of an object's keys (the value is the node after its key).
  public func children(_ parent: Int) -> Children {
    Children(document: self, at: parent + 1, end: next(parent), step: kind(parent) == .object)
  }

  public struct Children: Sequence, IteratorProtocol {
    let document: JSONDocument
    var at: Int
    let end: Int
    let step: Bool
    public mutating func next() -> Int? {
      guard at < end else { return nil }
      defer { at = document.next(step ? at + 1 : at) }
      return at
    }
  }

  public func value(_ node: Int, in text: UnsafeBufferPointer<UInt8>) -> JSONValue {
    switch kind(node) {
    case .null: return .null
    case .yes: return .bool(true)
    case .no: return .bool(false)
    case .string, .key: return .string(string(node, in: text))
    case .number:
      let digits = String(decoding: bytes(node, in: text), as: UTF8.self)
      if let whole = Int(digits) { return .int(whole) }
      return .double(Double(digits)!)
    case .array: return .array(children(node).map { value($0, in: text) })
    case .object:
      return .object(
        children(node).map { key in
          JSONValue.Member(string(key, in: text), value(key + 1, in: text))
        })
    }
  }

  // MARK: The grammar (RFC 8259)

  private mutating func value(
    _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int, depth: Int
  ) throws(JSONError) {
    skipSpace(text, &at)
    guard at < text.count else {
      throw JSONError(problem: text.isEmpty ? .empty : .expected("a value"), offset: at)
    }
    switch text[at] {
    case UInt8(ascii: "{"): try object(text, &at, depth: depth)
    case UInt8(ascii: "["): try array(text, &at, depth: depth)
    case UInt8(ascii: "\""): try string(text, &at, kind: .string)
    case UInt8(ascii: "t"): try word("true", .yes, text, &at)
    case UInt8(ascii: "f"): try word("false", .no, text, &at)
    case UInt8(ascii: "n"): try word("null", .null, text, &at)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(text, &at)
    default: throw JSONError(problem: .expected("a value"), offset: at)
    }
  }

  private mutating func object(
    _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int, depth: Int
  ) throws(JSONError) {
    guard depth < Self.depthMax else { throw JSONError(problem: .tooDeep, offset: at) }
    let parent = open(.object, at)
    var seen = KeyFilter()
    at += 1
    skipSpace(text, &at)
    if at < text.count, text[at] == UInt8(ascii: "}") {
      at += 1
      close(parent, at)
      return
    }
    while true {
      skipSpace(text, &at)
      guard at < text.count, text[at] == UInt8(ascii: "\"") else {
        throw JSONError(problem: .expected("a key in quotes"), offset: at)
      }
      try string(text, &at, kind: .key)
      if seen.mayHold(nodes[nodes.count - 1], text) {
        try refuseDuplicate(ofKey: nodes.count - 1, in: parent, text)
      }
      skipSpace(text, &at)
      guard at < text.count, text[at] == UInt8(ascii: ":") else {
        throw JSONError(problem: .expected("':'"), offset: at)
      }
      at += 1
      try value(text, &at, depth: depth + 1)
      skipSpace(text, &at)
      guard at < text.count else { throw JSONError(problem: .expected("',' or '}'"), offset: at) }
      let byte = text[at]
      at += 1
      if byte == UInt8(ascii: "}") { break }
      guard byte == UInt8(ascii: ",") else {
        throw JSONError(problem: .expected("',' or '}'"), offset: at - 1)
      }
    }
    close(parent, at)
  }

  private mutating func array(
    _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int, depth: Int
  ) throws(JSONError) {
    guard depth < Self.depthMax else { throw JSONError(problem: .tooDeep, offset: at) }
    let parent = open(.array, at)
    at += 1
    skipSpace(text, &at)
    if at < text.count, text[at] == UInt8(ascii: "]") {
      at += 1
      close(parent, at)
      return
    }
    while true {
      try value(text, &at, depth: depth + 1)
      skipSpace(text, &at)
      guard at < text.count else { throw JSONError(problem: .expected("',' or ']'"), offset: at) }
      let byte = text[at]
      at += 1
      if byte == UInt8(ascii: "]") { break }
      guard byte == UInt8(ascii: ",") else {
        throw JSONError(problem: .expected("',' or ']'"), offset: at - 1)
      }
    }
    close(parent, at)
  }

  private mutating func open(_ kind: Kind, _ at: Int) -> Int {
    nodes.append(Node(kind: kind, hasEscape: false, start: UInt32(at), end: 0, next: 0))
    return nodes.count - 1
  }

  private mutating func close(_ parent: Int, _ at: Int) {
    nodes[parent].end = UInt32(at)
    nodes[parent].next = UInt32(nodes.count)
  }

  private mutating func leaf(_ kind: Kind, _ start: Int, _ end: Int, hasEscape: Bool = false) {
    nodes.append(
      Node(
        kind: kind, hasEscape: hasEscape, start: UInt32(start), end: UInt32(end),
        next: UInt32(nodes.count + 1)))
  }

  /// Keys of an object so far, by 8 bits of each: most new ones are known to be new at a glance.
  private struct KeyFilter {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    private var hasEscape = false

    /// Notes a key; false where no key before it can be the same.
    mutating func mayHold(_ key: Node, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
      hasEscape = hasEscape || key.hasEscape
      let count = Int(key.end - key.start)
      guard !hasEscape, count > 0 else { return true }
      let start = Int(key.start)
      // The key's first eight bytes, the same wherever it stands.
      var word: UInt64 = 0
      if start + 8 <= text.count {
        word = UnsafeRawPointer(text.baseAddress! + start).loadUnaligned(as: UInt64.self)
        if count < 8 { word &= 1 << UInt64(count * 8) - 1 }
      } else {
        for index in 0..<count { word |= UInt64(text[start + index]) << UInt64(index * 8) }
      }
      word &+= UInt64(count)
      let mixed = word &* 0x9E37_79B9_7F4A_7C15
      let bit: UInt64 = 1 << (mixed >> 58)
      func note(_ word: inout UInt64) -> Bool {
        defer { word |= bit }
        return word & bit != 0
      }
      switch mixed >> 50 & 3 {
      case 0: return note(&words.0)
      case 1: return note(&words.1)
      case 2: return note(&words.2)
      default: return note(&words.3)
      }
    }
  }

  /// Two spellings of one key ("a" and "\u0061") are the same key.
  private func refuseDuplicate(
    ofKey key: Int, in parent: Int, _ text: UnsafeBufferPointer<UInt8>
  ) throws(JSONError) {
    let new = nodes[key]
    let count = Int(new.end - new.start)
    var other = parent + 1
    while other < key {
      let old = nodes[other]
      let isSame =
        if new.hasEscape || old.hasEscape {
          string(new, in: text) == string(old, in: text)
        } else {
          Int(old.end - old.start) == count
            && (count == 0 || text[Int(old.start)] == text[Int(new.start)])
            && memcmp(
              text.baseAddress! + Int(old.start), text.baseAddress! + Int(new.start), count) == 0
        }
      if isSame {
        throw JSONError(
          problem: .duplicateKey(string(new, in: text)), offset: Int(new.start) - 1)
      }
      other = Int(nodes[other + 1].next)
    }
  }

  private mutating func word(
    _ word: StaticString, _ kind: Kind, _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int
  ) throws(JSONError) {
    let count = word.utf8CodeUnitCount
    guard at + count <= text.count,
      memcmp(text.baseAddress! + at, word.utf8Start, count) == 0
    else { throw JSONError(problem: .expected("a value"), offset: at) }
    leaf(kind, at, at + count)
    at += count
  }

  private mutating func string(
    _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int, kind: Kind
  ) throws(JSONError) {
    let start = at + 1
    var index = start
    var hasEscape = false
    let count = text.count
    while true {
      index = UTF8Text.skipPlain(text, from: index)
      guard index < count else {
        throw JSONError(problem: .expected("a closing quote"), offset: count)
      }
      let byte = text[index]
      if byte == UInt8(ascii: "\"") { break }
      guard byte == UInt8(ascii: "\\") else {
        throw JSONError(problem: .controlCharacter, offset: index)
      }
      hasEscape = true
      guard let length = Self.escapeLength(text, at: index) else {
        throw JSONError(problem: .badEscape, offset: index)
      }
      index += length
    }
    leaf(kind, start, index, hasEscape: hasEscape)
    at = index + 1
  }

  private mutating func number(
    _ text: UnsafeBufferPointer<UInt8>, _ at: inout Int
  ) throws(JSONError) {
    let start = at
    func isDigit(_ index: Int) -> Bool {
      index < text.count
        && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index])
    }
    if text[at] == UInt8(ascii: "-") { at += 1 }
    guard isDigit(at) else { throw JSONError(problem: .badNumber, offset: start) }
    if text[at] == UInt8(ascii: "0") {
      at += 1
      guard !isDigit(at) else { throw JSONError(problem: .badNumber, offset: start) }
    } else {
      while isDigit(at) { at += 1 }
    }
    var isWhole = true
    if at < text.count, text[at] == UInt8(ascii: ".") {
      isWhole = false
      at += 1
      guard isDigit(at) else { throw JSONError(problem: .badNumber, offset: start) }
      while isDigit(at) { at += 1 }
    }
    if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
      isWhole = false
      at += 1
      if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
      guard isDigit(at) else { throw JSONError(problem: .badNumber, offset: start) }
      while isDigit(at) { at += 1 }
    }
    if at - start > 15 || !isWhole {
      let digits = String(
        decoding: UnsafeBufferPointer(rebasing: text[start..<at]), as: UTF8.self)
      guard let number = Double(digits), number.isFinite else {
        throw JSONError(problem: .numberTooLarge, offset: start)
      }
      if isWhole, Int(digits).map({ Int(exactly: number) != $0 }) ?? true {
        throw JSONError(problem: .numberTooLarge, offset: start)
      }
    }
    leaf(.number, start, at)
  }

  private func skipSpace(_ text: UnsafeBufferPointer<UInt8>, _ at: inout Int) {
    while at < text.count {
      switch text[at] {
      case 0x20, 0x09, 0x0A, 0x0D: at += 1
      default: return
      }
    }
  }

  // MARK: Escapes

  /// The bytes of the escape that begins at a backslash; nil where it is none.
  private static func escapeLength(_ text: UnsafeBufferPointer<UInt8>, at: Int) -> Int? {
    guard at + 1 < text.count else { return nil }
    switch text[at + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      return 2
    case UInt8(ascii: "u"):
      guard let unit = codeUnit(text, at: at) else { return nil }
      if (0xDC00...0xDFFF).contains(unit) { return nil }
      guard (0xD800...0xDBFF).contains(unit) else { return 6 }
      guard let low = codeUnit(text, at: at + 6), (0xDC00...0xDFFF).contains(low) else {
        return nil
      }
      return 12
    default: return nil
    }
  }

  /// The code unit of a `\uXXXX` at this offset.
  private static func codeUnit(_ text: UnsafeBufferPointer<UInt8>, at: Int) -> UInt32? {
    guard at + 6 <= text.count, text[at] == UInt8(ascii: "\\"), text[at + 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt32 = 0
    for index in at + 2..<at + 6 {
      let byte = text[index]
      let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
      guard let digit = Hex.value(isUpper ? byte | 0x20 : byte) else { return nil }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }

  private static func unescaped(_ raw: UnsafeBufferPointer<UInt8>) -> String {
    var result = String.UnicodeScalarView()
    var plain = 0
    var at = 0
    func flush(_ end: Int) {
      let piece = UnsafeBufferPointer(rebasing: raw[plain..<end])
      result.append(contentsOf: String(decoding: piece, as: UTF8.self).unicodeScalars)
    }
    while at < raw.count {
      guard raw[at] == UInt8(ascii: "\\") else {
        at += 1
        continue
      }
      flush(at)
      switch raw[at + 1] {
      case UInt8(ascii: "b"): result.append("\u{8}")
      case UInt8(ascii: "f"): result.append("\u{C}")
      case UInt8(ascii: "n"): result.append("\n")
      case UInt8(ascii: "r"): result.append("\r")
      case UInt8(ascii: "t"): result.append("\t")
      case UInt8(ascii: "u"):
        var scalar = codeUnit(raw, at: at)!
        if (0xD800...0xDBFF).contains(scalar) {
          scalar = 0x10000 + (scalar - 0xD800) << 10 + (codeUnit(raw, at: at + 6)! - 0xDC00)
          at += 6
        }
        result.append(Unicode.Scalar(scalar)!)
        at += 4
      case let byte: result.append(Unicode.Scalar(byte))
      }
      at += 2
      plain = at
    }
    flush(raw.count)
    return String(result)
  }
}

extension JSONValue {
  /// Reads one JSON text.
  public init(parsing text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    var document = JSONDocument()
    try document.parse(text)
    self = document.value(0, in: text)
  }

  public init(parsing text: String) throws(JSONError) {
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBufferPointer { bytes in
      Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
    }
    self = try result.get()
  }
}

/// Validity of UTF-8, and the fast ways through plain text.
enum UTF8Text {
  /// The offset of the first byte from `from` that is a quote, a backslash or a control character
  /// (or the end).
  static func skipPlain(_ text: UnsafeBufferPointer<UInt8>, from: Int) -> Int {
    guard let start = text.baseAddress else { return 0 }
    return clinux_skip_plain(start, from, text.count)
  }

  /// Throws where the bytes are not well-formed UTF-8 (Unicode 15, table 3-7).
  static func check(_ text: UnsafeBufferPointer<UInt8>) throws(JSONError) {
    if let offset = firstInvalid(text) { throw JSONError(problem: .invalidUTF8, offset: offset) }
  }

  static func firstInvalid(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
    var at = 0
    let count = text.count
    func isContinuation(_ index: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
      index < count && range.contains(text[index])
    }
    while at < count {
      at = clinux_skip_ascii(text.baseAddress!, at, count)
      guard at < count else { break }
      switch text[at] {
      case 0..<0x80: at += 1
      case 0xC2...0xDF:
        guard isContinuation(at + 1) else { return at }
        at += 2
      case let lead where lead & 0xF0 == 0xE0:
        let second: ClosedRange<UInt8> =
          lead == 0xE0 ? 0xA0...0xBF : lead == 0xED ? 0x80...0x9F : 0x80...0xBF
        guard isContinuation(at + 1, second), isContinuation(at + 2) else { return at }
        at += 3
      case let lead where (0xF0...0xF4).contains(lead):
        let second: ClosedRange<UInt8> =
          lead == 0xF0 ? 0x90...0xBF : lead == 0xF4 ? 0x80...0x8F : 0x80...0xBF
        guard isContinuation(at + 1, second), isContinuation(at + 2), isContinuation(at + 3)
        else { return at }
        at += 4
      default: return at
      }
    }
    return nil
  }
}

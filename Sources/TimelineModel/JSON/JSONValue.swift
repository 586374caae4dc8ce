// A JSON value as a tree, for the edges where speed does not matter: requests, replies, states.
// Members keep their order, so that the same value is the same bytes on every machine.
// The hot path does not come here: JSONDocument reads lines in place.

/// A JSON value; numbers are whole numbers or doubles, objects keep the order of their members.
public indirect enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  /// A number shown to three decimals, half away from zero, whatever its value's other digits.
  case thousandths(Double)
  case string(String)
  case array([JSONValue])
  case object([Member])

  public struct Member: Sendable, Hashable {
    public var key: String
    public var value: JSONValue
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// An object of the members whose value is not nil, in the order given.
  public static func object(_ members: KeyValuePairs<String, JSONValue?>) -> JSONValue {
    var given: [Member] = []
    given.reserveCapacity(members.count)
    for (key, value) in members {
      if let value { given.append(Member(key, value)) }
    }
    return .object(given)
  }

  public static func strings(_ strings: some Sequence<some CustomStringConvertible>) -> JSONValue {
    .array(strings.map { .string($0.description) })
  }

  /// The value of the first member of that name; nil for anything but an object.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  public var string: String? {
    if case .string(let text) = self { return text }
    return nil
  }

  public var int: Int? {
    switch self {
    case .int(let number): number
    case .double(let number): Int(exactly: number)
    default: nil
    }
  }

  public var number: Double? {
    switch self {
    case .int(let number): Double(number)
    case .double(let number), .thousandths(let number): number
    default: nil
    }
  }

  public var bool: Bool? {
    if case .bool(let value) = self { return value }
    return nil
  }

  public var array: [JSONValue]? {
    if case .array(let values) = self { return values }
    return nil
  }

  public var members: [Member]? {
    if case .object(let members) = self { return members }
    return nil
  }

  /// Compact JSON text.
  public var text: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends compact JSON text as UTF-8.
  public func append(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes.append(contentsOf: "null".utf8)
    case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
    case .int(let number): bytes.append(contentsOf: String(number).utf8)
    case .double(let number): bytes.append(contentsOf: number.description.utf8)
    case .thousandths(let number): bytes.append(contentsOf: Self.threeDecimals(number).utf8)
    case .string(let text): JSONText.append(text, to: &bytes)
    case .array(let values):
      bytes.append(UInt8(ascii: "["))
      for (index, value) in values.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        value.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        JSONText.append(member.key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        member.value.append(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  /// Three decimals, rounded half away from zero; a rounded zero has no sign.
  public static func threeDecimals(_ number: Double) -> String {
    let thousandths = Int((abs(number) * 1000).rounded(.toNearestOrAwayFromZero))
    let sign = number < 0 && thousandths != 0 ? "-" : ""
    let fraction = String(thousandths % 1000)
    return sign + String(thousandths / 1000) + "."
      + String(repeating: "0", count: 3 - fraction.count) + fraction
  }
}

/// How text is written as a JSON string.
public enum JSONText {
  /// The string as it stands between its quotes.
  public static func inner(_ text: String) -> String {
    var bytes: [UInt8] = []
    append(text, to: &bytes)
    return String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
  }

  /// Appends the string with its quotes; only what must be escaped is.
  public static func append(_ text: String, to bytes: inout [UInt8]) {
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { utf8 in
      // What stands as it is goes at once.
      var start = 0
      for index in utf8.indices where isEscaped(utf8[index]) {
        bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start..<index]))
        escape(utf8[index], to: &bytes)
        start = index + 1
      }
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: utf8[start...]))
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private static func escape(_ byte: UInt8, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    case 0..<0x20:
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(Hex.digit(byte >> 4))
      bytes.append(Hex.digit(byte & 15))
    default: bytes.append(byte)
    }
  }
}

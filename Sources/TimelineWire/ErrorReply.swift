// Why a request is not answered with OK, as data: what it speaks of stands next to the sentence, so that
// nobody has to take the sentence apart. A person with `nc` reads the sentence alone.
//
//     ERR bad-event line 2: date: "2017-02-30": February 2017 has 28 days⇥{"line":2,"field":"date",…}
//
// A text holds no control characters, so the TAB is where the JSON begins. A new member: a property here,
// `structure`, `init(structure:)`, and docs/reference/protocol.md.

import TimelineModel

/// The closed list of ERR words.
public enum ErrorCode: String, Sendable, CaseIterable {
  case badRequest = "bad-request"
  case badEvent = "bad-event"
  case tooLarge = "too-large"
  case notFound = "not-found"
  case exists
  case wrongPosition = "wrong-position"
  case full
  case readOnly = "read-only"
  case denied
  case busy
  case damaged
  case unsupported
  case `internal`
}

public struct ErrorReply: Error, Sendable, Hashable {
  public var code: ErrorCode
  /// What is wrong, without the line and the field that it is said of.
  public var message: String
  /// Which of the lines behind an `APPENDMANY`, `CHECKMANY` or `WHATIF` is to blame, from 1.
  public var line: Int?
  /// The member of the event or request, as in `sources[2].url`.
  public var field: String?
  /// What stood there, as text; on the wire at most `valueMax` scalars.
  public var value: String?
  public var hint: ErrorHint?

  public static let valueMax = 100

  public init(
    _ code: ErrorCode, _ message: String, line: Int? = nil, field: String? = nil,
    value: String? = nil, hint: ErrorHint? = nil
  ) {
    self.code = code
    self.message = message
    self.line = line
    self.field = field
    self.value = value
    self.hint = hint
  }

  /// A body that is refused.
  public init(_ error: EventError) {
    self.init(
      .badEvent, error.message, field: error.field, value: error.value, hint: error.hint)
  }

  /// What a peer ended a sync with, as this side says it.
  public static func said(_ error: ErrorReply) -> ErrorReply {
    ErrorReply(.denied, "the peer says: \(error.code.rawValue) \(error.text)")
  }

  /// The whole sentence: `line 2: date: "2017-02-30": February 2017 has 28 days`.
  public var text: String { location + message }

  private var location: String {
    (line.map { "line \($0): " } ?? "") + (field.map { "\($0): " } ?? "")
  }
}

// The one writer and the one parser.
extension ErrorReply {
  /// What stands next to the sentence, in a fixed order; empty where there is nothing.
  public var structure: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if let line { members.append(JSONValue.Member("line", .int(line))) }
    if let field { members.append(JSONValue.Member("field", .string(Self.plain(field)))) }
    if let value {
      let shown = Self.plain(value).unicodeScalars.prefix(Self.valueMax)
      members.append(JSONValue.Member("value", .string(String(shown))))
    }
    if let hint { members.append(JSONValue.Member("hint", .string(hint.rawValue))) }
    return members
  }

  /// The same of a `ROW` of `CHECKMANY`: `{"line":2,"error":"bad-event","text":…,"field":…}`.
  public var row: JSONValue {
    var sentence = self
    sentence.line = nil
    return .object(
      [
        JSONValue.Member("line", .int(line ?? 0)),
        JSONValue.Member("error", .string(code.rawValue)),
        JSONValue.Member("text", .string(sentence.text)),
      ] + sentence.structure)
  }

  /// Nil where it is no such row, or its word is unknown here.
  public init?(row: JSONValue) {
    guard let code = row["error"]?.string.flatMap(ErrorCode.init(rawValue:)),
      let text = row["text"]?.string, let line = row["line"]?.int
    else { return nil }
    self.init(code, text, structure: row, isLineSaid: false)
    self.line = line
  }

  /// Reads a reply; nil where it is no error, or its word is unknown here.
  /// - Parameter line: without its LF.
  public static func parse(_ line: some Collection<UInt8>) -> ErrorReply? {
    guard line.starts(with: "ERR ".utf8) else { return nil }
    let rest = line.dropFirst(4)
    let end = rest.firstIndex(of: UInt8(ascii: " ")) ?? rest.endIndex
    guard let code = ErrorCode(rawValue: String(decoding: rest[..<end], as: UTF8.self)) else {
      return nil
    }
    let said = rest[end...].dropFirst()
    let tab = said.firstIndex(of: 0x09) ?? said.endIndex
    let json = Array(said[tab...].dropFirst()).withUnsafeBufferPointer {
      try? JSONValue(parsing: $0)
    }
    return ErrorReply(
      code, String(decoding: said[..<tab], as: UTF8.self), structure: json ?? .null)
  }

  private init(
    _ code: ErrorCode, _ text: String, structure: JSONValue, isLineSaid: Bool = true
  ) {
    self.init(
      code, text, line: isLineSaid ? structure["line"]?.int : nil,
      field: structure["field"]?.string, value: structure["value"]?.string,
      hint: structure["hint"]?.string.flatMap(ErrorHint.init(rawValue:)))
    // The writer put it there, of these very members.
    let location = location.utf8
    if text.utf8.starts(with: location) {
      message = String(decoding: text.utf8.dropFirst(location.count), as: UTF8.self)
    }
  }

  /// One line, whatever a peer's text held, and nothing that a terminal behind `nc` would obey.
  fileprivate static func plain(_ text: String) -> String {
    var plain = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: plain.append(" ")
      default: plain.append(scalar)
      }
    }
    return String(plain)
  }
}

extension Reply {
  public static func error(_ error: ErrorReply, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "ERR \(error.code.rawValue) \(ErrorReply.plain(error.text))".utf8)
    let structure = error.structure
    if !structure.isEmpty {
      bytes.append(0x09)
      JSONValue.object(structure).append(to: &bytes)
    }
    bytes.append(0x0A)
  }
}

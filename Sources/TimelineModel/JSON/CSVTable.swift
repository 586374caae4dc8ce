// CSV with a header (RFC 4180): commas, fields in double quotes where they hold a comma, a quote or
// a line end. Every field stays text: a code such as 010 is never made a number. Some spreadsheets
// write semicolons or tabs instead of commas: the caller says which.
//
// A spreadsheet evaluates what begins with = + - @, or a tab or line end before one, and so runs what
// a stranger wrote into a title. Such a text stands behind an apostrophe, by which a spreadsheet
// shows it as it is, and is read back without it; numbers stay numbers.

/// A table read from CSV text; fields are found by the name of their column.
public struct CSVTable: Sendable {
  public struct Row: Sendable {
    /// Line of the file on which the row begins, from 1.
    public var line: Int
    public var fields: [String: String]

    public init(line: Int, fields: [String: String]) {
      self.line = line
      self.fields = fields
    }

    /// The field of a column; empty where the table has no such column.
    public subscript(column: String) -> String { fields[column] ?? "" }
  }

  public struct Problem: Error, Sendable, Hashable {
    public var line: Int
    public var message: String
  }

  public var header: [String] = []
  public var rows: [Row] = []
  /// Rows that do not fit the header, bytes that are no UTF-8, and quotes that are not closed.
  public var problems: [Problem] = []

  public init(utf8 bytes: some Collection<UInt8>, separator: UInt8 = UInt8(ascii: ",")) {
    var records = Self.records(bytes, separator)
    if let open = records.openQuote {
      problems.append(Problem(line: open, message: "a quoted field is never closed"))
    }
    guard !records.all.isEmpty else { return }
    let first = records.all.removeFirst()
    header = first.fields
    if let fault = first.fault { problems.append(fault) }
    for record in records.all {
      if let fault = record.fault {
        problems.append(fault)
        continue
      }
      guard record.fields.count == header.count else {
        problems.append(
          Problem(
            line: record.line,
            message: "\(record.fields.count) fields, but the header names \(header.count)"))
        continue
      }
      rows.append(
        Row(
          line: record.line,
          fields: Dictionary(zip(header, record.fields)) { first, _ in first }))
    }
  }

  /// A field as it stands in a file: in quotes, and behind an apostrophe, where it has to be.
  public static func field(_ text: String) -> String {
    let plain = isFormula(text.utf8) && !isNumber(text) ? "'" + text : text
    guard plain.utf8.contains(where: { [0x2C, 0x22, 0x0D, 0x0A].contains($0) }) else {
      return plain
    }
    // By scalars: a quote with a combining mark behind it is one character, and is to be doubled too.
    var quoted = "\"".unicodeScalars
    for scalar in plain.unicodeScalars {
      if scalar == "\"" { quoted.append(scalar) }
      quoted.append(scalar)
    }
    quoted.append("\"")
    return String(quoted)
  }

  /// What a spreadsheet would evaluate, behind any number of apostrophes.
  private static func isFormula(_ text: some Collection<UInt8>) -> Bool {
    text.first { $0 != UInt8(ascii: "'") }.map { "=+-@\t\r\n".utf8.contains($0) } ?? false
  }

  private static func isNumber(_ text: String) -> Bool {
    text.utf8.allSatisfy { "0123456789+-.eE".utf8.contains($0) } && Double(text) != nil
  }

  private struct Record {
    var line: Int
    var fields: [String]
    var fault: Problem?
  }

  private static func records(
    _ bytes: some Collection<UInt8>, _ separator: UInt8
  ) -> (all: [Record], openQuote: Int?) {
    var records: [Record] = []
    var fields: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    var wasQuoted = false
    var line = 1
    var recordLine = 1
    var quoteLine = 1
    var previousWasQuote = false
    var fault: Problem?
    func endField() {
      if field.first == UInt8(ascii: "'"), isFormula(field) { field.removeFirst() }
      if let text = String(validating: field, as: UTF8.self) {
        fields.append(text)
      } else {
        fault = fault ?? notUTF8(field, line: recordLine, column: fields.count + 1)
        fields.append("")
      }
      field.removeAll(keepingCapacity: true)
      wasQuoted = false
      previousWasQuote = false
    }
    func endRecord() {
      endField()
      if fields != [""] || fault != nil {
        records.append(Record(line: recordLine, fields: fields, fault: fault))
      }
      fields = []
      fault = nil
      recordLine = line
    }
    // A byte order mark is what a spreadsheet puts first.
    let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes.dropFirst(0)
    for byte in text {
      if isQuoted {
        if byte == UInt8(ascii: "\"") {
          isQuoted = false
          previousWasQuote = true
        } else {
          if byte == 0x0A { line += 1 }
          field.append(byte)
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\"") where previousWasQuote:
        field.append(byte)
        isQuoted = true
        previousWasQuote = false
      case UInt8(ascii: "\"") where field.isEmpty && !wasQuoted:
        isQuoted = true
        wasQuoted = true
        quoteLine = line
      case separator: endField()
      case 0x0D: break
      case 0x0A:
        line += 1
        endRecord()
      default:
        previousWasQuote = false
        field.append(byte)
      }
    }
    if isQuoted { return (records, quoteLine) }
    if !field.isEmpty || !fields.isEmpty { endRecord() }
    return (records, nil)
  }

  private static func notUTF8(_ field: [UInt8], line: Int, column: Int) -> Problem {
    let at = field.withUnsafeBufferPointer { UTF8Text.firstInvalid($0) } ?? 0
    let digits = [Hex.digit(field[at] >> 4), Hex.digit(field[at] & 15)]
    return Problem(
      line: line + field[..<at].count { $0 == 0x0A },
      message:
        "not UTF-8: byte \(String(decoding: digits, as: UTF8.self)) at place \(at + 1) of field"
        + " \(column); save the file as UTF-8")
  }
}

// The table that `log --csv` writes and `import` reads: one event a row, for spreadsheets. What has
// no plain form (an offer, commitments, links, further sources) stands in its column as JSON; what
// has no column at all stands in `more`, so that an event that was exported is the same event when
// it comes back.
//
//     id,date,type,…,actors,…,offer,…,more
//     0b5c…,2017-11-29,test,…,PRK,…,,…,
//
// The columns stand in EventSchema.

import TimelineModel

enum EventTable {
  private static let columns = EventColumn.all
  static let names = columns.map(\.name)

  // MARK: Out

  static func text(_ events: [JSONValue]) -> String {
    ([names] + events.map(row)).map { $0.map(CSVTable.field).joined(separator: ",") + "\r\n" }
      .joined()
  }

  private static func row(_ event: JSONValue) -> [String] {
    let members = (event.members ?? []).filter { !BodyMember.answered.contains($0.key) }
    var cells = columns.map {
      $0.kind == .mark ? mark(event, $0.name) : cell(of: .object(members), $0)
    }
    // What the cells would not bring back goes to the last one whole.
    let back = (try? Self.event { name in cells[names.firstIndex(of: name)!] })?.members ?? []
    let rest = members.filter { member in
      !back.contains { $0.key == member.key && isSame($0.value, member.value) }
    }
    if !rest.isEmpty { cells[cells.count - 1] = JSONValue.object(rest).text }
    return cells
  }

  /// `yes` where an answer says so of the event, in whatever words.
  private static func mark(_ event: JSONValue, _ name: String) -> String {
    event[name] == nil ? "" : "yes"
  }

  private static func cell(of event: JSONValue, _ column: EventColumn) -> String {
    let name = column.name
    return switch column.kind {
    case .text: event[name]?.string ?? ""
    case .words: (event[name]?.array ?? []).compactMap(\.string).joined(separator: ";")
    case .yes: event[name]?.bool == true ? "true" : ""
    case .json: event[name]?.text ?? ""
    case .source(let member): event["sources"]?.array?.first?[member]?.string ?? ""
    case .furtherSources:
      (event["sources"]?.array?.dropFirst()).flatMap {
        $0.isEmpty ? nil : JSONValue.array(Array($0)).text
      } ?? ""
    case .mark, .more: ""
    }
  }

  /// The order of an object's members says nothing.
  static func isSame(_ one: JSONValue, _ other: JSONValue) -> Bool {
    switch (one, other) {
    case (.object(let one), .object(let others)):
      one.count == others.count
        && one.allSatisfy { member in
          others.first { $0.key == member.key }.map { isSame(member.value, $0.value) } ?? false
        }
    case (.array(let one), .array(let other)):
      one.count == other.count && zip(one, other).allSatisfy { isSame($0, $1) }
    default: one == other || (one.number.map { $0 == other.number } ?? false)
    }
  }

  // MARK: In

  /// What is wrong with a cell.
  struct CellError: Error {
    var message: String
  }

  /// The event of a row, whose cells are found by the names of their columns.
  static func event(_ cell: (String) -> String) throws(CellError) -> JSONValue {
    var members: [JSONValue.Member] = []
    var source: [JSONValue.Member] = []
    var sources: [JSONValue] = []
    var more: [JSONValue.Member] = []
    for column in columns {
      let name = column.name
      let text = cell(name)
      guard !text.isEmpty else { continue }
      func add(_ value: JSONValue) { members.append(JSONValue.Member(name, value)) }
      switch column.kind {
      case .text: add(.string(text))
      case .words: add(.strings(try words(text, name)))
      case .yes: if try yes(text, name) { add(.bool(true)) }
      case .json: add(try json(text, name))
      case .source(let member): source.append(JSONValue.Member(member, .string(text)))
      case .furtherSources: sources = try json(text, name).array ?? []
      case .mark: break
      case .more: more = try json(text, name).members ?? []
      }
    }
    if !source.isEmpty { sources.insert(.object(source), at: 0) }
    if !sources.isEmpty { members.append(JSONValue.Member("sources", .array(sources))) }
    return .object(
      members.filter { member in !more.contains { $0.key == member.key } } + more)
  }

  private static func words(_ text: String, _ name: String) throws(CellError) -> [String] {
    let words = text.split(separator: ";").map(\.trimmed).filter { !$0.isEmpty }
    // No code and no tag holds a comma.
    if words.contains(where: { $0.contains(",") }) {
      let meant = text.split { ",;".contains($0) }.map(\.trimmed).filter { !$0.isEmpty }
      throw CellError(
        message: "\(name): \"\(text)\"; several are written with a semicolon: "
          + meant.joined(separator: ";"))
    }
    return words
  }

  private static func yes(_ text: String, _ name: String) throws(CellError) -> Bool {
    switch text.trimmed.lowercased() {
    case "true", "yes", "y", "1", "x": true
    case "false", "no", "n", "0", "": false
    default: throw CellError(message: "\(name): \"\(text)\"; write true, or leave it empty")
    }
  }

  private static func json(_ text: String, _ name: String) throws(CellError) -> JSONValue {
    var copy = text
    let value = copy.withUTF8 { bytes in
      Result { () throws(JSONError) in try JSONValue(parsing: bytes) }
    }
    do throws(JSONError) { return try value.get() } catch {
      throw CellError(message: "\(name): this column holds JSON: \(error.message)")
    }
  }
}

/// How a file's header names the columns, in whatever case and with whatever spaces.
struct EventTableHeader {
  /// The file's own name of each column.
  private(set) var given: [String: String] = [:]
  /// Why none of the file can be read.
  private(set) var faults: [String] = []

  init(_ header: [String]) {
    var unknown: [String] = []
    for name in header {
      let column = Self.plain(name)
      if column.isEmpty {
        faults.append("a column of the header has no name")
      } else if !EventTable.names.contains(column) {
        let near = EditDistance.nearest(to: column, in: EventTable.names)
        if near.isEmpty {
          unknown.append("\"\(name)\"")
        } else {
          faults.append(
            "unknown column \"\(name)\"; did you mean \(near.joined(separator: ", "))?")
        }
      } else if given.updateValue(name, forKey: column) != nil {
        faults.append("the column \(column) stands twice")
      }
    }
    if !unknown.isEmpty {
      faults.append(
        "unknown column\(unknown.count == 1 ? "" : "s") \(unknown.joined(separator: ", "));"
          + " columns are \(EventTable.names.joined(separator: ", "))")
    }
    // A row of `more` alone may be a whole event.
    if faults.isEmpty, given["more"] == nil {
      let missing = EventColumn.all.filter { $0.isRequired && given[$0.name] == nil }.map(\.name)
      if !missing.isEmpty {
        faults.append("the header lacks the column \(missing.joined(separator: ", "))")
      }
    }
  }

  private static func plain(_ name: String) -> String {
    name.trimmed.lowercased().split { " -_".contains($0) }.joined(separator: "_")
  }

  func event(_ row: CSVTable.Row) throws(EventTable.CellError) -> JSONValue {
    try EventTable.event { name in given[name].map { row[$0] } ?? "" }
  }

  /// Comma, semicolon or tab: the one that makes the most known columns of the first line.
  static func separator(of data: some Collection<UInt8>) -> UInt8 {
    let line = data.prefix { $0 != 0x0A }
    let candidates = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")]
    let counts = candidates.map { separator in
      let header = CSVTable(utf8: Array(line), separator: separator).header
      return header.count { EventTable.names.contains(plain($0)) }
    }
    return candidates[counts.firstIndex(of: counts.max()!)!]
  }
}

// A table of rules in a file: CSV with the columns of data/TABLE.csv. What is wrong is said with its line.

import Foundation
import TimelineModel
import TimelineWire

struct RuleFile {
  private let path: String
  private let kind: RuleTable.Kind
  private let rows: [(line: Int, json: JSONValue)]

  init(_ path: String, _ kind: RuleTable.Kind) throws(Failure) {
    self.path = path
    self.kind = kind
    let data = try InputFile.read(path)
    let table = CSVTable(utf8: data, separator: Self.separator(of: data, kind))
    func fail(_ line: Int, _ message: String) -> Failure {
      Failure(.failed, code: "bad-event", "\(path):\(line): \(message)")
    }
    if let problem = table.problems.first { throw fail(problem.line, problem.message) }
    let names = table.header.map(Self.plain)
    let given = Dictionary(zip(names, table.header)) { first, _ in first }
    for name in names where name != "version" && !kind.columns.contains(name) {
      let advice = EditDistance.advice(
        on: name, in: kind.columns, else: "these are \(kind.columns.joined(separator: ", "))")
      throw fail(1, "no column \"\(name)\" in a table of \(kind.rawValue); \(advice)")
    }
    let missing = kind.required.filter { given[$0] == nil }
    guard missing.isEmpty else {
      throw fail(1, "the header lacks the column \(missing.joined(separator: ", "))")
    }
    guard given.count == names.count else { throw fail(1, "the header names a column twice") }
    rows = table.rows.filter { row in row.fields.contains { !$0.value.trimmed.isEmpty } }.map {
      row in
      (row.line, kind.json { column in given[column].map { row[$0].trimmed } ?? "" })
    }
  }

  func table(_ version: String, _ registry: ActorRegistry) throws(Failure) -> RuleTable {
    do throws(RuleTable.Fault) {
      return try RuleTable(kind, version: version, rows: rows.map(\.json), registry: registry)
    } catch {
      guard let row = error.row else {
        throw error.field == "name"
          ? Failure(.usage, "--version: \(error.message)")
          : Failure(.failed, code: "bad-event", "\(path): \(error.message)")
      }
      let reply = ErrorReply(
        .badEvent, error.message, field: error.field.isEmpty ? nil : error.field, hint: error.hint)
      throw Failure(
        .failed, code: "bad-event", "\(path):\(rows[row].line): \(MessageTranslation.text(reply))")
    }
  }

  /// What the daemon says of `rows[7].subtype`, by the line of the file.
  func placed(_ failure: Failure) -> Failure {
    guard var reply = failure.reply, let field = reply.field else { return failure }
    var location: String
    if let (row, column) = Self.cell(field), rows.indices.contains(row) {
      location = "\(path):\(rows[row].line)"
      reply.field = column
    } else if field == "name" {
      location = "--version"
      reply.field = nil
    } else {
      return failure
    }
    var placed = failure
    placed.text = "\(location): \(MessageTranslation.text(reply))"
    return placed
  }

  /// `rows[7].subtype`, or `rows[7]`.
  private static func cell(_ field: String) -> (row: Int, column: String?)? {
    let parts = field.split(separator: ".", maxSplits: 1)
    guard let list = parts.first, list.hasPrefix("rows["), list.hasSuffix("]"),
      let row = Int(list.dropFirst(5).dropLast())
    else { return nil }
    return (row, parts.count > 1 ? String(parts[1]) : nil)
  }

  private static func plain(_ name: String) -> String {
    name.trimmed.lowercased().split { " -_".contains($0) }.joined(separator: "_")
  }

  /// Comma, semicolon or tab: the one that makes the most known columns of the first line.
  private static func separator(of data: Data, _ kind: RuleTable.Kind) -> UInt8 {
    let line = Array(data.prefix { $0 != 0x0A })
    let counts = [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")].map { separator in
      (
        separator,
        CSVTable(utf8: line, separator: separator).header.count {
          kind.columns.contains(plain($0))
        }
      )
    }
    return counts.max { ($0.1, $1.0) < ($1.1, $0.0) }?.0 ?? UInt8(ascii: ",")
  }
}

// A table. Its separator is the first of `,`, `;` and tab in it.

import TimelineModel

enum CSVProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let separators: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09]
    let separator = input.first { separators.contains($0) } ?? UInt8(ascii: ",")
    let table = CSVTable(utf8: input, separator: separator)
    let lines = input.count { $0 == 0x0A } + 1
    var line = 0
    for row in table.rows {
      try hold(row.line > line && row.line <= lines, "a row at line \(row.line) of \(lines)")
      line = row.line
      try hold(
        row.fields.count <= table.header.count
          && table.header.allSatisfy { row.fields[$0] != nil }, "columns at line \(line)")
    }
    for problem in table.problems {
      try hold(
        (1...lines).contains(problem.line) && !problem.message.isEmpty,
        "a problem at line \(problem.line) of \(lines)")
    }
    try again(table, separator)
  }

  /// Written with all fields in quotes and read again, it is the same.
  private static func again(_ table: CSVTable, _ separator: UInt8) throws(Broken) {
    // One column without a name is what an empty line is.
    guard !table.header.isEmpty else { return }
    var bytes: [UInt8] = []
    func append(_ fields: [String]) {
      for (index, field) in fields.enumerated() {
        if index > 0 { bytes.append(separator) }
        let written = CSVTable.field(field)
        // By bytes: a quote with a mark behind it is one character, and no quote.
        let isQuoted = written.utf8.first == UInt8(ascii: "\"")
        bytes += (isQuoted ? written : "\"\(written)\"").utf8
      }
      bytes += [0x0D, 0x0A]
    }
    append(table.header)
    for row in table.rows { append(table.header.map { row[$0] }) }
    let second = CSVTable(utf8: bytes, separator: separator)
    guard table.header != [""] else { return }
    try hold(second.problems.isEmpty, "written anew: \(second.problems)")
    try hold(second.header == table.header, "another header: \(second.header)")
    try hold(second.rows.map(\.fields) == table.rows.map(\.fields), "other rows: \(second.rows)")
  }
}

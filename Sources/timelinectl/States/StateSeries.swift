// `state --every`: how things stood through the years, as rows, as CSV, and as a plot of characters.

import TimelineModel

struct StateSeries {
  private let answer: JSONValue
  private let rows: [JSONValue]
  private let parties: [String]

  init(_ answer: JSONValue) {
    self.answer = answer
    rows = answer["rows"]?.array ?? []
    parties = (answer["parties"]?.array ?? []).compactMap(\.string)
  }

  var count: Int { rows.count }

  /// The members of a row, in order; the parties' own names are the headings of their parts.
  private var keys: [String] {
    ["day", "phase", "climate"] + parties + [
      "joint", "trend", "neglect", "unanswered", "open_offers", "outstanding", "overdue",
      "exercises", "tests", "provisional",
    ]
  }

  private var isProvisional: Bool { rows.contains { $0["provisional"] != nil } }

  private static func cell(_ row: JSONValue, _ key: String) -> String {
    switch row[key] {
    case .string(let text): text
    case .int(let number): String(number)
    case .some(let value): value.number.map { JSONValue.threeDecimals($0) } ?? ""
    case nil: ""
    }
  }

  var csv: String {
    ([keys] + rows.map { row in keys.map { Self.cell(row, $0) } })
      .map { $0.joined(separator: ",") + "\r\n" }.joined()
  }

  func table(_ terminal: Terminal, last: Int) -> String {
    // A table has no room for what is empty.
    let keys = isProvisional ? keys : keys.dropLast()
    let cells = rows.suffix(last).map { row in keys.map { Self.cell(row, $0) } }
    let header = keys.map { $0.uppercased().replacing("_", with: " ") }
    // Numbers stand under each other.
    let widths = keys.indices.map { column in
      ([header] + cells).map { Terminal.width($0[column]) }.max() ?? 0
    }
    let aligned = ([header] + cells).map { row in
      row.enumerated().map { column, text in
        guard column > 1 else { return text }
        return String(repeating: " ", count: widths[column] - Terminal.width(text)) + text
      }
    }
    return terminal.table(Array(aligned.dropFirst()), header: aligned[0])
  }

  // MARK: The plot

  private static let height = 9
  private static let margin = 11
  private static let letters: [(phase: String, letter: String)] = [
    ("crisis", "C"), ("confrontation", "c"), ("negotiating", "n"), ("implementing", "i"),
    ("probing", "p"), ("stalled", "s"), ("estranged", "."),
  ]

  /// Climate, phases, tests and exercises, a column for some rows each.
  func plot(_ terminal: Terminal) -> String {
    guard let first = rows.first, let last = rows.last else { return "" }
    let width = min(rows.count, max(8, (terminal.width ?? 80) - Self.margin - 1))
    let columns = (0..<width).map { column in
      rows[(column * rows.count / width)..<((column + 1) * rows.count / width)]
    }
    var text =
      terminal.bold(
        "\(parties.joined(separator: " – ")), every \(answer["every"]?.string ?? ""),"
          + " \(Self.cell(first, "day")) to \(Self.cell(last, "day"))") + "\n\n"
    text += climate(columns)
    func line(_ name: String, _ cells: [String]) {
      text += Self.label(name) + cells.joined().trimmedEnd + "\n"
    }
    line("phase", columns.map(Self.letter))
    line("tests", columns.map { Self.digit($0, "tests") })
    line("exercises", columns.map { Self.digit($0, "exercises") })
    if isProvisional {
      line("provisional", columns.map { $0.contains { $0["provisional"] != nil } ? "*" : " " })
    }
    line("", Self.years(columns))
    text += "\n" + Self.letters.map { "\($0.letter) \($0.phase)" }.joined(separator: "  ") + "\n"
    return text
  }

  /// A column for each bin, from 0 up or down to the mean of its rows.
  private func climate(_ columns: [ArraySlice<JSONValue>]) -> String {
    let values = columns.map { rows in
      rows.reduce(0) { $0 + ($1["climate"]?.number ?? 0) } / Double(rows.count)
    }
    let top = max(0, values.max() ?? 0)
    let bottom = min(0, values.min() ?? 0)
    let step = max(0.001, top - bottom) / Double(Self.height)
    let zero = top == 0 ? 0 : Int((top / step).rounded())
    return (0..<Self.height).map { line in
      let upper = top - Double(line) * step
      let middle = upper - step / 2
      let cells = values.map { value in
        (middle > 0 ? value >= middle : value <= middle) ? "█" : " "
      }
      let label =
        line == 0
        ? JSONValue.threeDecimals(top)
        : line == Self.height - 1
          ? JSONValue.threeDecimals(bottom) : line == zero ? "0" : ""
      return Self.label(label, isNumber: true) + cells.joined().trimmedEnd + "\n"
    }.joined()
  }

  private static func label(_ text: String, isNumber: Bool = false) -> String {
    let gap = String(repeating: " ", count: max(0, margin - 1 - Terminal.width(text)))
    return (isNumber ? gap + text : text + gap) + " "
  }

  /// The phase of most rows of a column, the later where two are as many.
  private static func letter(_ rows: ArraySlice<JSONValue>) -> String {
    let phases = rows.compactMap { $0["phase"]?.string }
    let most = phases.enumerated().max { left, right in
      let counts = [left, right].map { side in phases.count { $0 == side.element } }
      return (counts[0], left.offset) < (counts[1], right.offset)
    }
    return letters.first { $0.phase == most?.element }?.letter ?? "?"
  }

  private static func digit(_ rows: ArraySlice<JSONValue>, _ key: String) -> String {
    let sum = rows.reduce(0) { $0 + ($1[key]?.int ?? 0) }
    return sum == 0 ? " " : sum > 9 ? "+" : String(sum)
  }

  /// Years where they begin, as far as there is room.
  private static func years(_ columns: [ArraySlice<JSONValue>]) -> [String] {
    var line = ""
    var shown = ""
    for (column, rows) in columns.enumerated() {
      let year = String((rows.first.map { cell($0, "day") } ?? "").prefix(4))
      defer { shown = year }
      guard year != shown, line.isEmpty || line.utf8.count < column,
        column + 4 <= columns.count || columns.count < 4
      else { continue }
      line += String(repeating: " ", count: column - line.utf8.count) + year
    }
    return [line]
  }
}

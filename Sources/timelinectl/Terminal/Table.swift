// Rows as aligned columns that fit a terminal. What a reader copies or compares is never cut: DATE,
// ID, SHARE. Where the width does not do, in this order:
//
//     1  a rare long cell pushes its own row to the right instead of widening its column
//     2  TYPE and PARTIES shrink, the wider first, until the last column has its share
//     3  under 60 columns the last column goes below its row, wrapped: nothing of it is lost
//     4  the last column is cut
//
// What was cut is counted. Off a terminal nothing of this happens, but that no column is made wider than
// 200: one endless word in a log would pad every row with as many spaces.

struct Table {
  /// Columns that may shrink, and how far.
  private static let shrinking = ["TYPE": 8, "PARTIES": 7, "NAME": 12]
  private static func isShrinking(_ name: String) -> Bool { shrinking[name] != nil }

  /// Below this many columns of a terminal the last column goes below.
  private static let stackedBelow = 60

  /// A cell beyond this pushes its own row to the right.
  private static let widest = 200

  let header: [String]
  let rows: [[String]]
  /// Columns of the terminal; nil where there is no limit.
  let columns: Int?

  /// Cells may hold any words; they are shown on one line.
  init(_ rows: [[String]], header: [String], columns: Int?) {
    self.header = header
    self.rows = rows.map { $0.map(SafeText.line) }
    self.columns = columns
  }

  /// The lines, the header first, and how many cells are cut.
  var laidOut: (lines: [String], cut: Int) {
    let all = [header] + rows
    let natural = header.indices.map { column in all.map { Terminal.width($0[column]) }.max() ?? 0 }
    let whole = natural.reduce(0, +) + 2 * (natural.count - 1)
    guard let columns, whole > columns else {
      let widths = natural.dropLast().map { min($0, Self.widest) }
      return (all.map { Self.cells($0, widths) + ($0.last ?? "") }, 0)
    }
    let isStacked = columns < Self.stackedBelow
    let last = natural.last ?? 0
    let usual = header.indices.dropLast().map { self.usual($0) }
    var widths = usual.indices.map { Self.isShrinking(header[$0]) ? natural[$0] : usual[$0] }
    /// Shrinks the widest column that may still, until there is room for the rest.
    func shrink(to room: Int, least: (Int) -> Int) {
      while widths.reduce(0, +) + 2 * (widths.count - 1) > room {
        let wide = widths.indices.filter { Self.isShrinking(header[$0]) && widths[$0] > least($0) }
        guard let widest = wide.max(by: { widths[$0] < widths[$1] }) else { return }
        widths[widest] -= 1
      }
    }
    // Rare long cells go first, for a whole last column; then all that may, for its share.
    shrink(to: columns - (isStacked ? 0 : last + 2)) { usual[$0] }
    shrink(to: columns - (isStacked ? 0 : min(last, columns * 3 / 8) + 2)) {
      Self.shrinking[header[$0]] ?? 0
    }
    var cut = 0
    let lines = all.flatMap { row -> [String] in
      let cells = row.dropLast().enumerated().map { index, cell in
        Self.isShrinking(header[index]) ? Self.cut(cell, to: widths[index], &cut) : cell
      }
      let text = row.last ?? ""
      let line = Self.cells(cells, widths)
      let left = columns - Terminal.width(line)
      if !isStacked, left >= min(Self.lastLeast, Terminal.width(text)) {
        return [line + Self.cut(text, to: left, &cut)]
      }
      return Self.flow(cells, widths, columns)
        + Wrapped(text, to: columns - 2).lines.map { "  " + $0 }
    }
    return (lines, cut)
  }

  /// A row whose last cell would get less than this has it below.
  private static let lastLeast = 12

  /// Cells at their columns, on as many lines as it takes.
  private static func flow(_ row: [String], _ widths: [Int], _ columns: Int) -> [String] {
    var lines: [String] = []
    var rest = row[...]
    while !rest.isEmpty {
      let margin = lines.isEmpty ? "" : "  "
      let isOne = { (count: Int) in
        Terminal.width(margin + cells(rest.prefix(count), widths[rest.startIndex...]).trimmedEnd)
          <= columns
      }
      let count = (1...rest.count).last(where: isOne) ?? 1
      lines.append(margin + cells(rest.prefix(count), widths[rest.startIndex...]).trimmedEnd)
      rest = rest.dropFirst(count)
    }
    return lines
  }

  /// The width that most cells of a column need: half of those that are never cut, since there a
  /// long one pushes its row, else three of four.
  private func usual(_ column: Int) -> Int {
    let widths = rows.map { Terminal.width($0[column]) }.sorted()
    let quarters = Self.isShrinking(header[column]) ? 3 : 2
    let usual = widths.isEmpty ? 0 : widths[(widths.count - 1) * quarters / 4]
    return max(usual, Terminal.width(header[column]))
  }

  /// Cells at their columns; a cell that is too wide takes from the gaps of those behind it.
  private static func cells(
    _ row: some Collection<String>, _ widths: some Collection<Int>
  ) -> String {
    var line = ""
    var used = 0
    var end = 0
    for (cell, width) in zip(row, widths) {
      end += width + 2
      line += cell
      used += Terminal.width(cell)
      let gap = max(2, end - used)
      line += String(repeating: " ", count: gap)
      used += gap
    }
    return line
  }

  private static func cut(_ text: String, to width: Int, _ count: inout Int) -> String {
    guard Terminal.width(text) > width else { return text }
    count += 1
    var shown = ""
    var used = 0
    for character in text {
      used += Terminal.width(String(character))
      guard used < width else { break }
      shown.append(character)
    }
    return shown + "…"
  }
}

extension String {
  var trimmedEnd: String { String(reversed().drop { $0 == " " }.reversed()) }
}

// What a person sees: columns, colour, progress. Off a terminal nothing is cut, coloured or animated.

import CLinux
import Foundation

struct Terminal {
  let isTerminal: Bool
  let columns: Int
  let rows: Int
  let hasColour: Bool
  /// What longer text is shown with; nil where it is just written.
  private let pager: String?

  init(environment: [String: String]) {
    isTerminal = isatty(STDOUT_FILENO) == 1
    let wanted = environment["COLUMNS"].flatMap { Int($0) }
    columns = wanted ?? (isTerminal ? max(40, Int(clinux_terminal_columns(STDOUT_FILENO))) : .max)
    rows =
      environment["LINES"].flatMap { Int($0) } ?? Int(clinux_terminal_rows(STDOUT_FILENO))
    let stated = environment["TIMELINE_PAGER"] ?? environment["PAGER"] ?? "less"
    pager = isTerminal && !stated.isEmpty && stated != "cat" ? stated : nil
    hasColour =
      isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  func bold(_ text: String) -> String { hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
  func dim(_ text: String) -> String { hasColour ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

  /// Rows as aligned columns, cut to the width of a terminal: the last one first, which keeps at least
  /// a quarter of it, then the widest of the others.
  func table(_ rows: [[String]], header: [String]) -> String {
    let all = [header] + rows
    let natural = header.indices.map { column in all.map { Self.width($0[column]) }.max() ?? 0 }
    var widths = Array(natural.dropLast())
    var left: Int { columns - widths.reduce(0) { $0 + $1 + 2 } }
    if isTerminal {
      while left < min(columns / 4, natural.last ?? 0), let widest = widths.max(), widest > 4 {
        widths[widths.firstIndex(of: widest)!] -= 1
      }
    }
    return all.enumerated().map { number, row in
      let cells = zip(row, widths).map { cell, width in
        let shown = cut(cell, to: width)
        return shown + String(repeating: " ", count: width - Self.width(shown) + 2)
      }
      let line = cells.joined() + cut(row.last ?? "", to: columns == .max ? .max : left)
      return (number == 0 ? bold(line) : line) + "\n"
    }.joined()
  }

  private func cut(_ text: String, to width: Int) -> String {
    guard isTerminal, Self.width(text) > width else { return text }
    var shown = ""
    for character in text {
      guard Self.width(shown + String(character)) < width else { break }
      shown.append(character)
    }
    return shown + "…"
  }

  /// Columns that a text takes; what a terminal shows in two counts twice.
  static func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { width, scalar in
      let value = scalar.value
      if scalar.properties.generalCategory == .nonspacingMark { return width }
      let isWide =
        (0x1100...0x115F).contains(value) || (0x2E80...0xA4CF).contains(value)
        || (0xAC00...0xD7A3).contains(value) || (0xF900...0xFAFF).contains(value)
        || (0xFE30...0xFE6F).contains(value) || (0xFF00...0xFF60).contains(value)
        || (0x1F300...0x1FAFF).contains(value)
      return width + (isWide ? 2 : 1)
    }
  }

  /// Text from events may hold what a terminal would obey; it is shown, not sent.
  static func plain(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : scalar
        }))
  }

  /// Writes text for people: through the pager where it is longer than the terminal.
  func show(_ text: String) {
    guard let pager, rows > 0, text.utf8.count(where: { $0 == 0x0A }) >= rows else {
      return Self.write(text)
    }
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", pager]
    // As git does: stay for one screen only where there is more, keep colours, leave the text there.
    process.environment = ProcessInfo.processInfo.environment.merging(["LESS": "FRX"]) { old, _ in
      old
    }
    let pipe = Pipe()
    process.standardInput = pipe
    // A reader who leaves early is no failure.
    signal(SIGPIPE, SIG_IGN)
    guard (try? process.run()) != nil else { return Self.write(text) }
    try? pipe.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    try? pipe.fileHandleForWriting.close()
    process.waitUntilExit()
    // No such pager: the text is shown without.
    if process.terminationStatus == 127 { Self.write(text) }
  }

  static func write(_ text: String) { write(Array(text.utf8)) }

  /// Writes to standard output; where that is full or gone, there is nothing left to do but say so.
  static func write(_ bytes: [UInt8]) {
    let error = clinux_write_all(STDOUT_FILENO, bytes, bytes.count)
    guard error != 0 else { return }
    say("timelinectl: cannot write the output: \(String(cString: strerror(error)))")
    exit(ExitCode.failed.rawValue)
  }

  static func say(_ text: String) { note(text + "\n") }

  /// Without a line end, for progress.
  static func note(_ text: String) {
    _ = clinux_write_all(STDERR_FILENO, text, text.utf8.count)
  }
}

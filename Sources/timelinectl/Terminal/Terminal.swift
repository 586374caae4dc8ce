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
  private let environment: [String: String]
  /// `--wide`: cells of tables stay whole.
  private let isWide: Bool

  init(
    environment: [String: String], isWide: Bool = false,
    isTerminal: Bool = isatty(STDOUT_FILENO) == 1
  ) {
    self.environment = environment
    self.isWide = isWide
    self.isTerminal = isTerminal
    columns = Self.size(environment["COLUMNS"], 20, clinux_terminal_columns(STDOUT_FILENO)) ?? 80
    rows = Self.size(environment["LINES"], 2, clinux_terminal_rows(STDOUT_FILENO)) ?? 0
    let stated = environment["TIMELINE_PAGER"] ?? environment["PAGER"] ?? "less"
    pager = isTerminal && !stated.isEmpty && stated != "cat" ? stated : nil
    hasColour =
      isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  /// What the environment says, where it makes sense, else what the terminal says.
  private static func size(_ stated: String?, _ least: Int, _ measured: Int32) -> Int? {
    let stated = stated.flatMap { Int($0) }.flatMap { (least...10_000).contains($0) ? $0 : nil }
    return stated ?? (measured > 0 ? Int(measured) : nil)
  }

  /// Columns that text is laid out in; nil off a terminal, where nothing is cut or wrapped.
  var width: Int? { isTerminal ? max(20, columns) : nil }

  func bold(_ text: String) -> String { hasColour ? SafeText.bold + text + SafeText.end : text }
  func dim(_ text: String) -> String { hasColour ? SafeText.dim + text + SafeText.end : text }

  /// Rows as aligned columns (`Table`); what had to be cut is said below them.
  func table(_ rows: [[String]], header: [String]) -> String {
    let (lines, cut) = Table(rows, header: header, columns: isWide ? nil : width).laidOut
    var text = lines.enumerated().map { ($0 == 0 ? bold($1) : $1) + "\n" }.joined()
    if cut > 0 {
      let note = "\(cut == 1 ? "1 cell is" : "\(cut) cells are") cut; --wide shows them whole"
      text += Wrapped(note, to: width).lines.map { dim($0) + "\n" }.joined()
    }
    return text
  }

  /// A label and what it stands for, wrapped below itself. Off a terminal its lines are as they are.
  func field(_ label: String, _ value: String, at column: Int = 12) -> String {
    let lines = Wrapped(SafeText.paragraphs(value), to: width.map { $0 - column }).lines
    let gap = String(repeating: " ", count: max(1, column - Self.width(label)))
    let margin = isTerminal ? String(repeating: " ", count: column) : ""
    return dim(label + gap) + lines[0] + "\n"
      + lines.dropFirst().map { ($0.isEmpty ? "" : margin + $0) + "\n" }.joined()
  }

  /// A text that is wrapped below itself, at a column; spaces that it begins with stay.
  func hanging(_ text: String, indent: Int) -> String {
    let text = SafeText.line(text)
    let margin = text.prefix { $0 == " " }
    let lines = Wrapped(String(text.dropFirst(margin.count)), to: width.map { $0 - indent }).lines
    return margin + lines.joined(separator: "\n" + String(repeating: " ", count: indent)) + "\n"
  }

  /// Columns that a text takes; what a terminal shows in two counts twice.
  static func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { width, scalar in
      let value = scalar.value
      if value < 0x300 { return width + 1 }
      let category = scalar.properties.generalCategory
      if [.nonspacingMark, .enclosingMark, .format].contains(category) { return width }
      let isWide =
        (0x1100...0x115F).contains(value) || (0x2E80...0xA4CF).contains(value)
        || (0xAC00...0xD7A3).contains(value) || (0xF900...0xFAFF).contains(value)
        || (0xFE30...0xFE6F).contains(value) || (0xFF00...0xFF60).contains(value)
        || (0x1F300...0x1FAFF).contains(value)
      return width + (isWide ? 2 : 1)
    }
  }

  /// Words of a log, on one line and without anything that a terminal would obey.
  static func plain(_ text: String) -> String { SafeText.line(text) }

  /// Writes text for people: through the pager where it is longer than the terminal.
  func show(_ text: String) {
    guard let pager, rows > 0, screenRows(text) >= rows else { return Self.write(text) }
    // As git does: stay for one screen only where there is more, keep colours, leave the text there.
    let child = Subprocess(
      command: pager, environment: environment.merging(["LESS": "FRX"]) { stated, _ in stated })
    let status = child.run(input: SafeText.forTerminal(Array(text.utf8)))
    // No such pager: the text is shown without.
    if status == nil || status == Subprocess.notFound { Self.write(text) }
  }

  /// Rows of the screen that a text takes: a long line takes several.
  private func screenRows(_ text: String) -> Int {
    let plain = SafeText.styles.reduce(text) { $0.replacing($1, with: "") }
    return plain.split(separator: "\n", omittingEmptySubsequences: false).dropLast().reduce(0) {
      $0 + max(1, (Self.width(String($1)) + columns - 1) / columns)
    }
  }

  static func write(_ text: String) { write(Array(text.utf8)) }

  /// Writes to standard output; where that is full or gone, there is nothing left to do but say so.
  static func write(_ bytes: [UInt8]) {
    let bytes = isatty(STDOUT_FILENO) == 1 ? SafeText.forTerminal(bytes) : bytes
    let error = clinux_write_all(STDOUT_FILENO, bytes, bytes.count)
    guard error != 0 else { return }
    say("timelinectl: cannot write the output: \(String(cString: strerror(error)))")
    exit(ExitCode.failed.rawValue)
  }

  /// Something for the person, on standard error.
  static func say(_ text: String) { note(SafeText.paragraphs(text) + "\n") }

  /// Without a line end, for progress.
  static func note(_ text: String) {
    _ = clinux_write_all(STDERR_FILENO, text, text.utf8.count)
  }

  /// Whether a person says yes to a question; the end of the input is a no.
  static func confirms(_ question: String) -> Bool {
    note("\(question) [y/N] ")
    return ["y", "yes"].contains((readLine() ?? "").trimmed.lowercased())
  }
}

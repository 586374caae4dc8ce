// A person's editor on a text, as often as it takes: what was written is never lost. Where it is
// refused, the editor opens again with the reason on top; who leaves it unchanged then, and who has no
// terminal, gets the name of the file that keeps the text, and how to take it up again.

import CLinux
import Glibc
import TimelineModel

struct EventEditor {
  private let command: String
  private let context: Context
  /// How a kept text is taken up again.
  private let again: String

  /// - Parameter again: the command that takes the text up again, such as `add`.
  init(_ context: Context, again: String) throws(Failure) {
    guard !context.words.has("--no-input") else {
      throw Failure(
        .usage, "give the event by options (--help lists them); --no-input opens no editor")
    }
    let stated = ["VISUAL", "EDITOR"].compactMap { context.environment[$0] }
      .first { !$0.trimmed.isEmpty }
    guard isatty(STDIN_FILENO) == 1 || stated != nil else {
      throw Failure(.usage, "give the event by options (--help lists them), or set EDITOR")
    }
    command = stated ?? "vi"
    self.context = context
    self.again = again
  }

  /// Opens the text until `accept` takes it.
  func edit<Result>(
    _ text: String, accept: (String) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let path = try newFile(text)
    var refused: String?
    while true {
      try open(path, unchanged: text)
      let written = try Self.read(path)
      do throws(Failure) {
        let result = try accept(written)
        unlink(path)
        return result
      } catch {
        guard isatty(STDIN_FILENO) == 1, error.isFixable,
          refused != Self.withoutComments(written)
        else { throw kept(path, error) }
        refused = Self.withoutComments(written)
        try Self.write(Self.remark(error) + Self.withoutRemark(written), to: path)
      }
    }
  }

  private func open(_ path: String, unchanged text: String) throws(Failure) {
    let child = Subprocess(
      command: command, arguments: [path], environment: context.environment,
      isQuiet: !context.terminal.isTerminal)
    let status = child.run()
    guard status != 0 else { return }
    let problem = Failure(
      .failed, code: "editor",
      status == Subprocess.notFound
        ? "there is no editor \(command); set EDITOR to one"
        : "the editor ended with an error; nothing is recorded")
    if let written = try? Self.read(path), written != text { throw kept(path, problem) }
    unlink(path)
    throw problem
  }

  private func kept(_ path: String, _ failure: Failure) -> Failure {
    var failure = failure
    failure.behind =
      "\nwhat you wrote is kept in \(path); fix it there, then: \(Again.timelinectl) \(again) --from \(path)"
    return failure
  }

  // MARK: The reason on top

  private static let mark = "#! "

  /// The code of what is no fault, and only to be read once.
  static let proposal = "proposal"

  private static func remark(_ failure: Failure) -> String {
    let advice = "Mend it, save and leave. Leave without a change to give up."
    let lines = [failure.text] + (failure.code == proposal ? [] : [advice])
    return lines.flatMap { Wrapped($0, to: 90).lines }.map { "\(mark)\($0)\n" }.joined()
  }

  private static func withoutRemark(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix(mark.dropLast()) }.joined(separator: "\n")
  }

  private static func withoutComments(_ text: String) -> String {
    text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n")
  }

  // MARK: Files

  /// A file that nobody else can read or have put there.
  private func newFile(_ text: String) throws(Failure) -> String {
    let directory = context.environment["TMPDIR"] ?? "/tmp"
    var template = Array("\(directory)/timeline-event-XXXXXX.txt".utf8CString)
    let descriptor = mkstemps(&template, 4)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard descriptor >= 0 else {
      throw Failure(
        .failed, code: "file", "cannot write in \(directory): \(String(cString: strerror(errno)))")
    }
    close(descriptor)
    try Self.write(text, to: path)
    return path
  }

  private static func write(_ text: String, to path: String) throws(Failure) {
    let descriptor = Glibc.open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
    let error =
      descriptor < 0 ? errno : clinux_write_all(descriptor, text, text.utf8.count)
    if descriptor >= 0 { close(descriptor) }
    guard error == 0 else {
      throw Failure(
        .failed, code: "file", "cannot write \(path): \(String(cString: strerror(error)))")
    }
  }

  /// A file's text; `-` is standard input.
  static func read(_ path: String) throws(Failure) -> String {
    let descriptor = path == "-" ? STDIN_FILENO : Glibc.open(path, O_RDONLY | O_CLOEXEC)
    defer { if path != "-", descriptor >= 0 { close(descriptor) } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = descriptor < 0 ? -1 : Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else {
        throw Failure(
          .failed, code: "file", "cannot read \(path): \(String(cString: strerror(errno)))")
      }
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(.failed, code: "file", "\(path) is no UTF-8 text")
    }
    return text
  }
}

extension Failure {
  /// Whether other words may do.
  fileprivate var isFixable: Bool {
    ["usage", "bad-event", "bad-request", "not-found", "exists", "too-large", EventEditor.proposal]
      .contains(code)
  }
}

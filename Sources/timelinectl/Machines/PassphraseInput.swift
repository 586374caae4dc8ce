// Where a passphrase comes from: a file, the environment, or somebody at the terminal, who does not see
// it. Never a word of the command line, which every user of the machine can read.

import Foundation
import TransparencyLog

enum PassphraseInput {
  static let variable = "TIMELINE_PASSPHRASE"
  static let flag = Flag(
    name: "--passphrase-file", value: "FILE",
    help: "its first line is the passphrase (else \(variable), else you are asked)")

  /// - Parameter isNew: whether it is made up now: it is asked for twice.
  static func read(_ context: Context, isNew: Bool) throws(Failure) -> Passphrase {
    if let path = context.words[flag.name] {
      let bytes = try InputFile.read(path)
      let line = bytes.prefix { $0 != 0x0A }
      return try checked(
        String(decoding: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self))
    }
    if let text = context.environment[variable] { return try checked(text) }
    let terminal = context.words.has("--no-input") ? -1 : open("/dev/tty", O_RDWR | O_CLOEXEC)
    guard terminal >= 0 else {
      throw Failure(
        .usage,
        "--with-key needs a passphrase: give --passphrase-file FILE, or set \(variable)")
    }
    defer { close(terminal) }
    let passphrase = try checked(
      ask(isNew ? "Passphrase for the key: " : "Passphrase of the key: ", terminal))
    guard isNew else { return passphrase }
    guard try ask("The same again: ", terminal) == passphrase.text else {
      throw Failure(.usage, "the two are not the same; nothing was written")
    }
    return passphrase
  }

  private static func checked(_ text: String) throws(Failure) -> Passphrase {
    guard let passphrase = Passphrase(text) else { throw Failure(.usage, Passphrase.rule) }
    return passphrase
  }

  /// A line that is typed, without showing it.
  private static func ask(_ prompt: String, _ terminal: Int32) throws(Failure) -> String {
    var shown = termios()
    guard tcgetattr(terminal, &shown) == 0 else { throw OutputFile.failure("ask on", "/dev/tty") }
    var hidden = shown
    hidden.c_lflag &= ~tcflag_t(ECHO)
    // What was typed before the question is no answer to it.
    guard tcsetattr(terminal, TCSAFLUSH, &hidden) == 0 else {
      throw OutputFile.failure("ask on", "/dev/tty")
    }
    defer {
      tcsetattr(terminal, TCSAFLUSH, &shown)
      _ = Foundation.write(terminal, "\n", 1)
    }
    _ = Foundation.write(terminal, prompt, prompt.utf8.count)
    var line: [UInt8] = []
    var byte: UInt8 = 0
    while true {
      try Interruption.wait(toRead: terminal)
      let count = Foundation.read(terminal, &byte, 1)
      guard count >= 0 || errno == EINTR else { throw OutputFile.failure("read", "/dev/tty") }
      guard count != 0, byte != 0x0A else { return String(decoding: line, as: UTF8.self) }
      if count > 0 { line.append(byte) }
    }
  }
}

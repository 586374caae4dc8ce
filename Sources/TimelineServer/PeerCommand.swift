// A command whose standard input and output lead to another daemon, as the owner wrote it.
//
//     ssh -p 2222 lab 'timelinectl relay --socket "/run/user/1000/my timeline.sock"'
//
// It is cut into words as a POSIX shell cuts them, and run without one. Quotes and backslashes are all that is
// known: `$HOME`, `*`, `;`, `|`, `>` and `#` are letters as any other, so nothing in it can start a second
// command or name another file.

public struct PeerCommand: Sendable, Hashable {
  /// As the owner wrote it.
  public let text: String
  /// The program, and what it is given; at least one.
  public let arguments: [String]

  private static let bytesMax = 4096

  public init(_ text: some StringProtocol) throws(PeerAddress.Invalid) {
    let text = String(text)
    guard text.utf8.count <= Self.bytesMax else {
      throw PeerAddress.Invalid(text: "a command has at most \(Self.bytesMax) bytes")
    }
    guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
      throw PeerAddress.Invalid(text: "a command is one line of text, without control characters")
    }
    let arguments = try Self.words(text)
    guard let program = arguments.first, !program.isEmpty else {
      throw PeerAddress.Invalid(
        text: "a command begins with a program, as in: ssh lab timelinectl relay")
    }
    self.text = text
    self.arguments = arguments
  }

  /// By its last name, as `ssh`.
  public var program: String {
    arguments[0].split(separator: "/").last.map { String($0) } ?? arguments[0]
  }

  /// POSIX.1-2024, 2.2: in '…' everything stands for itself; in "…" all but a backslash before $ ` " \;
  /// elsewhere a backslash makes the next character stand for itself.
  private static func words(_ text: String) throws(PeerAddress.Invalid) -> [String] {
    var words: [String] = []
    var word: String?
    var rest = text.unicodeScalars[...]
    func unfinished(_ what: String) -> PeerAddress.Invalid {
      PeerAddress.Invalid(text: "\(text): \(what) at the end of the command")
    }
    while let scalar = rest.popFirst() {
      switch scalar {
      case " ", "\t":
        if let ended = word { words.append(ended) }
        word = nil
      case "'":
        guard let end = rest.firstIndex(of: "'") else { throw unfinished("a ' is not closed") }
        word = (word ?? "") + String(rest[..<end])
        rest = rest[end...].dropFirst()
      case "\"":
        var quoted = word ?? ""
        while true {
          guard let next = rest.popFirst() else { throw unfinished("a \" is not closed") }
          if next == "\"" { break }
          if next == "\\", let escaped = rest.first, "$`\"\\".unicodeScalars.contains(escaped) {
            quoted.unicodeScalars.append(rest.removeFirst())
          } else {
            quoted.unicodeScalars.append(next)
          }
        }
        word = quoted
      case "\\":
        guard let next = rest.popFirst() else { throw unfinished("a \\ stands") }
        word = (word ?? "") + String(next)
      default: word = (word ?? "") + String(scalar)
      }
    }
    if let ended = word { words.append(ended) }
    return words
  }
}

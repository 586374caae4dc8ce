// How a command can end: one closed list, which `help exit-codes` shows.

import TimelineModel
import TimelineWire

enum ExitCode: Int32, CaseIterable {
  case done = 0
  case failed = 1
  case usage = 2
  case nothingMatched = 3
  case notAllowed = 4
  case noDaemon = 5
  case partlyDone = 6
  case verificationFailed = 7
  case timedOut = 8
  case interrupted = 130

  var meaning: String {
    switch self {
    case .done: "done"
    case .failed: "failed"
    case .usage: "wrong usage"
    case .nothingMatched: "nothing matched (only with --exit-code)"
    case .notAllowed: "not allowed"
    case .noDaemon: "no daemon answers"
    case .partlyDone: "partly done"
    case .verificationFailed: "verification failed"
    case .timedOut: "timed out"
    case .interrupted: "interrupted"
    }
  }

  /// For help; scripts take a code that they do not know for a failure.
  static var table: String {
    "Exit codes:\n" + allCases.map { "  \($0.rawValue)  \($0.meaning)\n" }.joined()
  }

  static var json: JSONValue {
    .array(
      allCases.map {
        .object(["code": .int(Int($0.rawValue)), "meaning": .string($0.meaning)])
      })
  }
}

/// Why a command ends early, and what to do.
struct Failure: Error {
  var exit: ExitCode
  /// A word for scripts: an ERR word of the protocol, or one of `usage no-daemon file failed`.
  var code: String
  var text: String
  /// What is told behind the text.
  var behind = ""
  /// What the daemon said, where it is about that.
  var reply: ErrorReply?
  /// What else a script may want to know.
  var more: [JSONValue.Member] = []

  init(_ exit: ExitCode, code: String? = nil, _ text: String) {
    self.exit = exit
    self.code = code ?? (exit == .usage ? "usage" : exit == .noDaemon ? "no-daemon" : "failed")
    self.text = text
  }

  var whole: String { text + behind }

  var json: JSONValue {
    .object([
      "error": .object(
        [JSONValue.Member("code", .string(code)), JSONValue.Member("text", .string(whole))]
          + (reply?.structure ?? []) + more)
    ])
  }
}

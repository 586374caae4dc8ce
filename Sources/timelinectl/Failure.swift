// How a command can end: one closed list, in --help and in docs/timelinectl.md.

import TimelineModel

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
}

/// Why a command ends early, and what to do.
struct Failure: Error {
  var exit: ExitCode
  /// A word for scripts: an ERR word of the protocol, or one of `usage no-daemon file failed`.
  var code: String
  var text: String

  init(_ exit: ExitCode, code: String? = nil, _ text: String) {
    self.exit = exit
    self.code = code ?? (exit == .usage ? "usage" : exit == .noDaemon ? "no-daemon" : "failed")
    self.text = text
  }

  var json: JSONValue {
    .object(["error": .object(["code": .string(code), "text": .string(text)])])
  }
}

// How a watch reports what it sees: a line each, and with --exec a command each, one after the other.
// While a command runs nothing is lost: what comes meanwhile waits at the daemon.

import Glibc
import TimelineModel

struct Notifier {
  static let flags = [
    Flag(
      name: "--exec", value: "CMD",
      help: "run this by the shell each time, with the JSON on its standard input"),
    Flag(name: "--until", value: "N", help: "end after N of them"),
    Flag(name: "--timeout", value: "TIME", help: "end after 30s, 5m, 1h; exit 8 before N came"),
  ]

  private let context: Context
  private let until: Int?
  /// When nothing more is waited for.
  let end: ContinuousClock.Instant?
  private(set) var count = 0
  private var failed = 0

  init(_ context: Context) throws(Failure) {
    self.context = context
    until = try context.words["--until"].map { (text) throws(Failure) in
      guard let number = Int(text), number > 0 else {
        throw Failure(.usage, "--until takes a number of events, from 1 on; not \(text)")
      }
      return number
    }
    if let command = context.words["--exec"], command.trimmed.isEmpty {
      throw Failure(.usage, "--exec takes a command, such as --exec 'mail -s news ann'")
    }
    end = try context.words["--timeout"].map { (text) throws(Failure) in
      ContinuousClock.now + (try Wait.duration(text, "--timeout"))
    }
  }

  var isDone: Bool { until.map { count >= $0 } ?? false }

  /// - Parameter variables: what the command finds in its environment.
  mutating func notify(
    _ json: [UInt8], _ text: () throws(Failure) -> String, _ variables: [String: String]
  ) throws(Failure) {
    count += 1
    Terminal.write(context.isJSON ? json + [0x0A] : Array((try text() + "\n").utf8))
    guard let command = context.words["--exec"] else { return }
    // A byte 0 would end a variable early.
    let environment = context.environment.merging(
      variables.mapValues { $0.replacing("\0", with: "") }
    ) { $1 }
    let status = Subprocess(command: command, environment: environment).run(input: json + [0x0A])
    guard status != 0 else { return }
    // The Ctrl-C that ended it was meant for all of us.
    if status == 128 + SIGINT || status == 128 + SIGQUIT {
      throw Failure(.interrupted, code: "interrupted", "interrupted")
    }
    failed += 1
    Terminal.say(
      "timelinectl: --exec \(command): "
        + (status.map { "ended with exit code \($0)" } ?? "could not be started"))
  }

  /// How the command ends once nothing more is reported.
  func finish() throws(Failure) -> ExitCode {
    if let until, count < until {
      let noun = context.words.has("--state") ? "change" : "event"
      let time = context.words["--timeout"].map { " within \($0)" } ?? ""
      throw Failure(
        .timedOut, code: "timeout",
        "\(count) of \(until) \(noun)\(until == 1 ? "" : "s") came\(time)")
    }
    return failed > 0 ? .partlyDone : .done
  }
}

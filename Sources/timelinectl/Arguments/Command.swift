// The one table of commands: parsing, help and errors are made from it.

import Foundation
import TimelineModel

/// What a command works with.
struct Context {
  var socket: String
  /// The timeline that was chosen; nil for the daemon's own choice.
  var timeline: String?
  var isJSON: Bool
  var words: Words
  var terminal: Terminal
  var environment: [String: String]

  /// The result of a command: one JSON value for scripts, else the text.
  func finish(_ json: JSONValue, _ text: String) {
    if isJSON { Terminal.write(json.text + "\n") } else { terminal.show(text) }
  }

  /// Whether a person is there to be asked.
  var canAsk: Bool { isatty(STDIN_FILENO) == 1 && !words.has("--no-input") }
}

struct Command: Sendable {
  var name: String
  var arguments: String
  var summary: String
  var examples: [String]
  var flags: [Flag]
  /// What else there is to know, below the options.
  var notes: String? = nil
  /// How many words it takes that are no options.
  var plain = 0...Int.max
  var run: @Sendable (Context) throws(Failure) -> ExitCode

  static let common = [
    Flag(name: "--socket", value: "PATH", help: "the daemon's socket"),
    Flag(
      name: "--timeline", value: "NAME",
      help: "the timeline (TIMELINE in the environment, else main)"),
    Flag(name: "--json", value: nil, help: "one JSON value on standard output, errors included"),
    Flag(name: "--no-input", value: nil, help: "never ask: no editor, no pager"),
    Flag(name: "--wide", value: nil, help: "cells of tables whole, however wide"),
    Flag(name: "--help", value: nil, help: "this text"),
  ]

  static let all: [Command] = [
    .add, .importFile, .export, .log, .show,
    .correct, .retract, .erase, .conflicts, .resolve, .duplicates, .same, .apart, .lint, .state,
    .why, .whatIf, .rules, .watch, .status, .actor,
    .snapshot, .timeline, .peer, .member, .relay, .sync, .verify, .repair, .keys, .prove,
    .verifyProof,
    .backup,
    .restore,
    .dates,
  ]

  var help: String {
    let all = flags + Self.common
    let longest = all.map { $0.name.count + ($0.value?.count ?? -1) + 1 }.max() ?? 0
    let width = min(longest, 24) + 4
    let options = all.map { flag in
      let left = "  " + flag.name + (flag.value.map { " " + $0 } ?? "")
      let gap = String(repeating: " ", count: max(2, width - left.count))
      return Self.wrapped(left + gap, flag.help, indent: width)
    }
    // Indented lines are a list; what goes on of one of them is indented further.
    let notes = notes.map { $0.split(separator: "\n", omittingEmptySubsequences: false) } ?? []
    let remarks = notes.map { line in
      let margin = line.prefix { $0 == " " }
      return Self.wrapped(
        String(margin), String(line.dropFirst(margin.count)), indent: margin.isEmpty ? 0 : 4)
    }
    return """
      \(Self.wrapped("", "timelinectl \(name) - \(summary)", indent: 2))
      Examples:
      \(examples.map { "  timelinectl " + $0 }.joined(separator: "\n"))

      \(usage)

      \((options + (remarks.isEmpty ? [] : ["\n"] + remarks)).joined())
      """
  }

  var usage: String { "Usage: timelinectl \(name)" + (arguments.isEmpty ? "" : " " + arguments) }

  /// What help says, for programs.
  var json: JSONValue {
    .object([
      "command": .string(name), "summary": .string(summary), "arguments": .string(arguments),
      "examples": .strings(examples.map { "timelinectl " + $0 }),
      "options": .array(
        (flags + Self.common).map { flag in
          .object([
            "name": .string(flag.name), "value": flag.value.map { .string($0) },
            "help": .string(flag.help),
          ])
        }),
      "notes": notes.map { .string($0) },
    ])
  }

  func check(_ words: Words) throws(Failure) {
    guard !plain.contains(words.plain.count) else { return }
    let extra = words.plain.dropFirst(plain.upperBound)
    throw Failure(
      .usage,
      (extra.isEmpty
        ? "\(name) needs more words" : "\(name) does not take \"\(extra.joined(separator: " "))\"")
        + "; " + usage)
  }

  /// Text behind what leads to it, with a column of its own for what goes on below; help fits the
  /// terminal, and a page elsewhere.
  private static func wrapped(_ lead: String, _ text: String, indent: Int) -> String {
    let terminal = Terminal(environment: ProcessInfo.processInfo.environment)
    let width = min(100, terminal.width ?? 80)
    let room = width - max(indent, Terminal.width(lead))
    let lines = Wrapped(text, to: room).lines
    return lead + lines.joined(separator: "\n" + String(repeating: " ", count: indent)) + "\n"
  }

  static var overview: String {
    let width = all.map(\.name.count).max() ?? 0
    return """
      timelinectl records events between adversaries and says how things stand.

      Examples:
        timelinectl import data/us-dprk.jsonl
        timelinectl log actor=PRK type=test 'date>=2016'

      Commands:
      \(all.map { "  " + $0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.summary }.joined(separator: "\n"))

      `timelinectl COMMAND --help` has the options. \(ExitCode.table)
      """
  }

  static var overviewJSON: JSONValue {
    .object(["commands": .array(all.map(\.json)), "exit_codes": ExitCode.json])
  }

  static func named(_ name: String) throws(Failure) -> Command {
    if let command = all.first(where: { $0.name == name }) { return command }
    let advice = EditDistance.advice(
      on: name, in: all.map(\.name), else: "timelinectl help lists all")
    throw Failure(.usage, "unknown command \"\(name)\"; \(advice)")
  }
}

@main
enum Main {
  static func main() {
    holdStandardFiles()
    let environment = ProcessInfo.processInfo.environment
    signal(SIGPIPE, SIG_DFL)
    var words = Array(CommandLine.arguments.dropFirst())
    let isJSON = words.contains("--json")
    do throws(Failure) {
      exit(try run(&words, environment, isJSON: isJSON).rawValue)
    } catch {
      if isJSON { Terminal.write(error.json.text + "\n") }
      Terminal.say("timelinectl: \(error.whole)")
      exit(error.exit.rawValue)
    }
  }

  /// Where one of the three was closed, the next file would get its number: a socket would be read as
  /// input, or written to as output. What is opened here instead refuses to be used.
  private static func holdStandardFiles() {
    for file in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(file, F_GETFD) == -1 {
      _ = open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY)
    }
  }

  /// Takes the command out of the words: options, of whatever command, may stand before it.
  private static func takeName(_ words: inout [String]) -> String? {
    let flags = Command.all.flatMap(\.flags) + Command.common
    let valued = Set(flags.filter { $0.value != nil }.map(\.name) + ["-n"])
    var index = 0
    while index < words.count {
      if !words[index].hasPrefix("-") { return words.remove(at: index) }
      index += valued.contains(words[index]) ? 2 : 1
    }
    return nil
  }

  private static func run(
    _ words: inout [String], _ environment: [String: String], isJSON: Bool
  ) throws(Failure) -> ExitCode {
    func answer(_ json: JSONValue, _ text: String) {
      Terminal.write(isJSON ? json.text + "\n" : text)
    }
    guard let name = takeName(&words) else {
      if words.contains("--version") {
        answer(.object(["version": .string("0.1.0")]), "timelinectl 0.1.0\n")
        return .done
      }
      let known = ["--json", "--help", "-h", "--no-input"]
      guard words.allSatisfy(known.contains) else {
        throw Failure(.usage, "no command is named; timelinectl help lists all")
      }
      answer(Command.overviewJSON, Command.overview)
      return .done
    }
    if name == "help" {
      switch try Words(words, flags: Command.common).plain.first {
      case nil: answer(Command.overviewJSON, Command.overview)
      case "exit-codes": answer(ExitCode.json, ExitCode.table)
      case let topic?:
        let command = try Command.named(topic)
        answer(command.json, command.help)
      }
      return .done
    }
    let command = try Command.named(name)
    let parsed = try Words(words, flags: command.flags + Command.common)
    if parsed.has("--help") {
      answer(command.json, command.help)
      return .done
    }
    try command.check(parsed)
    let runtime = environment["XDG_RUNTIME_DIR"] ?? "/tmp/timeline-\(getuid())"
    let context = Context(
      socket: parsed["--socket"] ?? environment["TIMELINE_SOCKET"] ?? runtime + "/timeline.sock",
      timeline: try Context.timeline(parsed, environment), isJSON: parsed.has("--json"),
      words: parsed,
      terminal: Terminal(
        environment: parsed.has("--no-input")
          ? environment.merging(["TIMELINE_PAGER": ""]) { $1 } : environment,
        isWide: parsed.has("--wide")),
      environment: environment)
    do throws(Failure) { return try command.run(context) } catch {
      // In an editor's text the daemon's own words do.
      guard ["add", "correct"].contains(name), let reply = error.reply else { throw error }
      var failure = error
      failure.text = MessageTranslation.text(reply, .flags)
      throw failure
    }
  }
}

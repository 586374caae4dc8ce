// The one table of commands: parsing, help and errors are made from it.

import Foundation
import TimelineModel

/// What a command works with.
struct Context {
  var socket: String
  var timeline: String
  var isJSON: Bool
  var words: Words
  var terminal: Terminal
  var environment: [String: String]

  func connect() throws(Failure) -> Client {
    let client = try Client(socket: socket)
    if timeline != "main" { _ = try client.ask("OPEN \(timeline)") }
    return client
  }

  /// The result of a command: one JSON value for scripts, else the text.
  func finish(_ json: JSONValue, _ text: String) {
    if isJSON { Terminal.write(json.text + "\n") } else { terminal.show(text) }
  }
}

struct Command: Sendable {
  var name: String
  var arguments: String
  var summary: String
  var examples: [String]
  var flags: [Flag]
  /// What else there is to know, below the options.
  var notes: String? = nil
  var run: @Sendable (Context) throws(Failure) -> ExitCode

  static let common = [
    Flag(name: "--socket", value: "PATH", help: "the daemon's socket"),
    Flag(name: "--timeline", value: "NAME", help: "the timeline (main)"),
    Flag(name: "--json", value: nil, help: "one JSON value on standard output, errors included"),
    Flag(name: "--wide", value: nil, help: "cells of tables whole, however wide"),
    Flag(name: "--help", value: nil, help: "this text"),
  ]

  static let all: [Command] = [
    .add, .importFile, .log, .show, .correct, .retract, .state, .why, .watch, .status, .actor,
    .peer, .sync, .dates,
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

      Usage: timelinectl \(name) \(arguments)

      \((options + (remarks.isEmpty ? [] : ["\n"] + remarks)).joined())
      """
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
        timelinectl log actor=PRK type=test date>=2016

      Commands:
      \(all.map { "  " + $0.name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + $0.summary }.joined(separator: "\n"))

      `timelinectl COMMAND --help` has the options. Exit codes:
      \(ExitCode.allCases.map { "  \($0.rawValue)  \($0.meaning)" }.joined(separator: "\n"))

      """
  }
}

@main
enum Main {
  static func main() {
    let environment = ProcessInfo.processInfo.environment
    signal(SIGPIPE, SIG_DFL)
    var words = Array(CommandLine.arguments.dropFirst())
    let isJSON = words.contains("--json")
    do throws(Failure) {
      exit(try run(&words, environment).rawValue)
    } catch {
      if isJSON { Terminal.write(error.json.text + "\n") }
      Terminal.say("timelinectl: \(error.text)")
      exit(error.exit.rawValue)
    }
  }

  private static func run(
    _ words: inout [String], _ environment: [String: String]
  ) throws(Failure) -> ExitCode {
    // Common options may stand before the command.
    var name: String?
    var index = 0
    while index < words.count {
      let word = words[index]
      if !word.hasPrefix("-") {
        name = word
        words.remove(at: index)
        break
      }
      index += ["--socket", "--timeline"].contains(word) ? 2 : 1
    }
    guard let name else {
      if words.contains("--version") {
        Terminal.write("timelinectl 0.1.0\n")
        return .done
      }
      Terminal.write(Command.overview)
      return words.isEmpty || words.contains("--help") || words.contains("-h") ? .done : .usage
    }
    if name == "help" {
      let topic = words.first { !$0.hasPrefix("-") }
      Terminal.write(Command.all.first { $0.name == topic }?.help ?? Command.overview)
      return .done
    }
    guard let command = Command.all.first(where: { $0.name == name }) else {
      let near = EditDistance.nearest(to: name, in: Command.all.map(\.name))
      throw Failure(
        .usage,
        "unknown command \"\(name)\"; "
          + (near.isEmpty ? "timelinectl help lists all" : "did you mean \(near[0])?"))
    }
    let parsed = try Words(words, flags: command.flags + Command.common)
    if parsed.has("--help") {
      Terminal.write(command.help)
      return .done
    }
    let runtime = environment["XDG_RUNTIME_DIR"] ?? "/tmp/timeline-\(getuid())"
    return try command.run(
      Context(
        socket: parsed["--socket"] ?? environment["TIMELINE_SOCKET"] ?? runtime + "/timeline.sock",
        timeline: parsed["--timeline"] ?? "main", isJSON: parsed.has("--json"), words: parsed,
        terminal: Terminal(environment: environment, isWide: parsed.has("--wide")),
        environment: environment))
  }
}

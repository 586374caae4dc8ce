// Which timeline a command works with: `--timeline NAME`, else TIMELINE in the environment, else the one that
// the daemon gives to clients that name none. Every connection of a command is made here, so that none forgets it.

import TimelineClient
import TimelineModel

extension Context {
  /// What was chosen; nil where nothing was.
  static func timeline(
    _ words: Words, _ environment: [String: String]
  ) throws(Failure) -> String? {
    let variable = environment["TIMELINE"].flatMap { $0.isEmpty ? nil : $0 }
    guard let name = words["--timeline"] ?? variable else { return nil }
    try check(name, words.has("--timeline") ? "--timeline" : "TIMELINE in the environment")
    return name
  }

  /// Names go into requests as they are.
  static func check(_ name: String, _ origin: String) throws(Failure) {
    guard TimelineFounding.isName(name) else {
      throw Failure(
        .usage,
        "\(origin): \(JSONValue.string(String(name.prefix(80))).text) is no name of a timeline: "
          + TimelineFounding.nameRule)
    }
  }

  /// A connection on the chosen timeline.
  func connect() throws(Failure) -> Client {
    let client = try connectToDaemon()
    if timeline != nil { _ = try open(client) }
    return client
  }

  /// A connection for what has to do with no timeline, or with all.
  func connectToDaemon() throws(Failure) -> Client { try Client(socket: socket) }

  /// Where the chosen timeline stands.
  func open(_ client: Client) throws(Failure) -> OpenedTimeline {
    let name = timeline ?? "main"
    do throws(Failure) { return try client.ask(.open(name)) } catch {
      guard error.code == "not-found" else { throw error }
      throw Self.unknown(name, client)
    }
  }

  private static func unknown(_ name: String, _ client: Client) -> Failure {
    var names: [String] = []
    // What is there is an advice alone: a daemon that does not tell is no other failure.
    _ = try? client.stream(.timelines) { _, row in
      let row = Client.json(row)
      if row["archived"]?.bool != true { names += [row["name"]?.string].compactMap { $0 } }
    }
    let there = names.isEmpty ? "" : "; there are: \(names.sorted().joined(separator: ", "))"
    return Failure(
      .failed, code: "not-found",
      "there is no timeline \(name)\(there); timelinectl timeline create \(name) makes one")
  }
}

/// This program as it is to be called next: with the timeline that was chosen on this command line. One that
/// the environment chose it will choose again.
enum Again {
  static let timelinectl: String = {
    let words = CommandLine.arguments
    var name: String?
    for (index, word) in words.enumerated() {
      if word == "--" { break }
      if word == "--timeline", index + 1 < words.count { name = words[index + 1] }
      if word.hasPrefix("--timeline=") { name = String(word.dropFirst("--timeline=".count)) }
    }
    return "timelinectl" + (name.map { " --timeline \($0)" } ?? "")
  }()
}

// `timeline`: the timelines of this machine. What has to do with one of them alone is any other command with
// `--timeline`.

import TimelineModel

extension Command {
  static let timeline = Command(
    name: "timeline",
    arguments:
      "list | create NAME | rename OLD NEW | archive NAME | restore NAME | recovery [NAME] | follow ADDRESS",
    summary: "the timelines of this machine",
    examples: [
      "timeline create taiwan", "--timeline taiwan import events.jsonl",
      "timeline rename taiwan strait", "timeline archive strait",
    ],
    flags: [
      Flag(name: "--as", value: "NAME", help: "follow: what it is called here (as there)"),
      Flag(name: "--forget", value: nil, help: "recovery: do not keep the code on this machine"),
      Flag(name: "--from", value: "NAME", help: "follow: what it is called there (main)"),
    ],
    notes: """
      Each timeline is a chronology of its own: nothing of one shows in another, and machines share \
      those that they joined (`timelinectl peer --help`). A command works with main, with the one that \
      TIMELINE in the environment names, or with that of --timeline.

      An archived timeline is kept whole, and neither served nor synced until it is restored. Names \
      are this machine's: renaming changes nothing elsewhere. `timeline follow` is for tests on one \
      machine, over plain tcp://127.0.0.1:PORT.
      """,
    plain: 0...3
  ) { (context) throws(Failure) in
    let words = context.words.plain
    let verb = words.first ?? "list"
    guard verb == "follow" || !(context.words.has("--as") || context.words.has("--from")) else {
      throw Failure(.usage, "--as and --from go with timeline follow")
    }
    switch (verb, words.count) {
    case ("list", 0...1): try listTimelines(context)
    case ("create", 2):
      try change(context, "create") { name in
        "made \(name)\ntimelinectl --timeline \(name) COMMAND works with it, and so does any command"
          + " after export TIMELINE=\(name)\n"
      }
    case ("rename", 3): try change(context, "rename") { "\(words[1]) is \($0) now\n" }
    case ("archive", 2):
      try change(context, "archive") {
        "archived \($0); timelinectl timeline restore \($0) brings it back\n"
      }
    case ("restore", 2): try change(context, "restore") { "restored \($0)\n" }
    case ("recovery", 1...2): try recovery(words.count == 2 ? words[1] : "main", context)
    case ("follow", 2): try follow(words[1], context)
    default:
      throw Failure(
        .usage,
        "timeline list, timeline create NAME, timeline rename OLD NEW, timeline archive NAME, "
          + "timeline restore NAME or timeline follow ADDRESS")
    }
    return .done
  }

  /// The recovery code, to be written down; or it is forgotten here.
  private static func recovery(_ name: String, _ context: Context) throws(Failure) {
    try Context.check(name, "timeline recovery")
    let isForgotten = context.words.has("--forget")
    let reply = try context.connectToDaemon().ask(
      .changeTimelines([isForgotten ? "forget-recovery" : "recovery", name]))
    let code = reply["code"]?.string ?? ""
    context.finish(
      reply,
      isForgotten
        ? "the recovery code of \(name) is not kept on this machine any more\n"
        : """
        The recovery code of \(name). Write it down, or keep it in a password manager:

          \(code)

        With it a lost machine of an admin is replaced: timelinectl member recover, on a new one. Whoever has it \
        can take the timeline over. Then: timelinectl timeline recovery \(name) --forget

        """)
  }

  private static func listTimelines(_ context: Context) throws(Failure) {
    var all: [JSONValue] = []
    _ = try context.connectToDaemon().stream(.timelines) { _, row in
      all.append(Client.json(row))
    }
    let rows = all.map { row in
      [
        row["name"]?.string ?? "", row["events"]?.int.map(String.init) ?? "",
        row["timeline"]?.string ?? "", row["archived"]?.bool == true ? "archived" : "",
      ]
    }
    context.finish(
      .array(all), context.terminal.table(rows, header: ["NAME", "EVENTS", "ID", ""]))
  }

  /// Asks for a change of the timelines that the words name; `said` tells what it is called now.
  private static func change(
    _ context: Context, _ verb: String, _ said: (_ name: String) -> String
  ) throws(Failure) {
    let names = context.words.plain.dropFirst()
    for name in names { try Context.check(name, "timeline \(verb)") }
    let reply = try context.connectToDaemon().ask(
      .changeTimelines([verb] + names))
    context.finish(reply, said(reply["name"]?.string ?? names.last!))
  }

  private static func follow(_ address: String, _ context: Context) throws(Failure) {
    let (name, there) = (context.words["--as"], context.words["--from"])
    if let name { try Context.check(name, "--as") }
    if let there { try Context.check(there, "--from") }
    let more = JSONValue.object([
      "from": there.map { .string($0) }, "as": name.map { .string($0) },
    ])
    let address = try Peer.address(address)
    let reply: JSONValue
    do throws(Failure) {
      reply = try context.connectToDaemon().ask(
        .changeTimelines(["follow", address], more.members!.isEmpty ? nil : more))
    } catch {
      guard error.code == "exists", name == nil else { throw error }
      var failure = error
      failure.behind = "; --as NAME follows it under another name"
      throw failure
    }
    let followed = reply["name"]?.string ?? ""
    context.finish(
      reply,
      "following \(followed) of \(address)\n"
        + "timelinectl --timeline \(followed) sync waits until both agree\n")
  }
}

/// Another machine, as a person names it.
enum Peer {
  /// The same machine has one address, so that it cannot be a peer twice.
  static func address(_ text: String) throws(Failure) -> String {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
      throw Failure(.usage, "an address is one word, such as tcp://127.0.0.1:7411")
    }
    return text.replacing("tcp://localhost:", with: "tcp://127.0.0.1:")
  }
}

// `erase`: the words of an event go, from every machine. The one thing that cannot be taken back.

import TimelineModel

extension Command {
  static let erase = Command(
    name: "erase", arguments: "ID --reason TEXT",
    summary: "remove an event's words for ever, on every machine",
    examples: ["erase 1f2e3d4c --reason 'court order of 3 May'"],
    flags: [
      Flag(name: "--reason", value: "TEXT", help: "why; it stays, so it holds none of the words"),
      Flag(name: "--yes", value: nil, help: "do not ask (for scripts)"), EventRecording.author,
    ],
    notes: """
      For when a source is in danger, or a court decides; for a mistake, take retract or correct. The \
      words go from this machine's files at once, and from every other machine as it syncs: with the \
      event its copies, corrections and retractions. What stays is that there was a line, when, by whom, \
      and a hash of what it said; every proof of any other event still holds. Backups, exports and \
      copies of the data directory that were made before keep the words: delete these yourself.
      """,
    plain: 1...1
  ) { (context) throws(Failure) in
    let words = context.words
    let client = try context.connect()
    let event = try EventVersions(words.plain[0], client)
    if let erased = event.erasure {
      throw Failure(
        .failed, code: "exists",
        "\(words.plain[0]) was erased already, by \(erased["author"]?.string ?? "?") on "
          + "\((erased["recorded"]?.string ?? "").prefix(10)): \(erased["reason"]?.string ?? "")")
    }
    try event.needEvent(named: words.plain[0])
    let reason = (words["--reason"] ?? "").trimmed
    guard !reason.isEmpty else {
      throw Failure(
        .usage, "say why: --reason TEXT (it stays, so leave the event's words out of it)")
    }
    try confirm(event, context)
    var members = [
      JSONValue.Member("id", .string(event.id)), JSONValue.Member("reason", .string(reason)),
    ]
    if let author = words["--author"] {
      members.append(JSONValue.Member("author", .string(author)))
    }
    let reply = try client.ask(.erase(JSONValue.object(members)))
    let unfinished = reply["unfinished"]?.string
    context.finish(
      reply,
      unfinished.map { "the erasure of \(event.id.prefix(8)) is recorded, but \($0)\n" }
        ?? "erased \(event.id.prefix(8)); other machines follow as they sync, backups of before do not\n"
    )
    return unfinished == nil ? .done : .partlyDone
  }

  /// Asks twice.
  private static func confirm(_ event: EventVersions, _ context: Context) throws(Failure) {
    guard !context.words.has("--yes") else { return }
    let id = String(event.id.prefix(8))
    guard context.canAsk else {
      throw Failure(.usage, "nobody is here to be asked: --yes erases without asking")
    }
    Terminal.say(EventText.whole(event.body.json, context.terminal))
    guard Terminal.confirms("Erase these words, on every machine?") else {
      throw Failure(.failed, code: "denied", "nothing was erased")
    }
    Terminal.note("It cannot be taken back. To go on, write \(id): ")
    guard (readLine() ?? "").trimmed.lowercased() == id else {
      throw Failure(.failed, code: "denied", "nothing was erased")
    }
  }
}

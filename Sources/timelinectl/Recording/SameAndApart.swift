// `same` and `apart`: two records are of one happening, or they are not. Of joined ones one shows, and is
// counted; the others stay, and can be parted again.

import TimelineModel

extension Command {
  static let same = Command(
    name: "same", arguments: "ID ID [--shows ID]",
    summary: "join two records of one happening; one of them shows",
    examples: ["same 1f2e3d4c 5e6f7a8b", "same 1f2e3d4c 5e6f7a8b --shows 5e6f7a8b"],
    flags: [
      Flag(name: "--shows", value: "ID", help: "which of the two shows (the first one)")
    ] + sayingFlags,
    notes: """
      The other one is in no list, count or figure then, and links to it lead to the one that \
      shows. Its own links and commitments do not count, so let the fuller record show. timelinectl \
      apart takes it back.
      """, plain: 2...2
  ) { (context) throws(Failure) in
    let (one, other, recording) = try pair(context)
    var shows = one
    if let word = context.words["--shows"] {
      shows = try EventVersions(word, recording.client)
      guard [one.id, other.id].contains(shows.id) else {
        throw Failure(.usage, "--shows: \(word) is none of the two events")
      }
    }
    let hidden = shows.id == one.id ? other : one
    return try say(
      "log.same", one, other, recording, [JSONValue.Member("shows", .string(shows.id))], context
    ) { _ in
      "joined: \(name(shows)) shows, for \(name(hidden))\n"
        + "to take it back: \(Again.timelinectl) apart \(one.id.prefix(8)) \(other.id.prefix(8))\n"
    }
  }

  static let apart = Command(
    name: "apart", arguments: "ID ID",
    summary: "say that two records are of two happenings",
    examples: ["apart 1f2e3d4c 5e6f7a8b"], flags: sayingFlags,
    notes: """
      It parts what timelinectl same joined; and timelinectl duplicates proposes the two no more.
      """, plain: 2...2
  ) { (context) throws(Failure) in
    let (one, other, recording) = try pair(context)
    return try say("log.apart", one, other, recording, [], context) { one in
      let isLinked = one.records.contains(other.id)
      return "apart: \(name(one)), and \(name(other))\n"
        + (isLinked
          ? "both are joined with others still, through which they are one:"
            + " \(Again.timelinectl) show \(one.id.prefix(8)) names them\n" : "")
    }
  }

  private static let sayingFlags = [
    EventRecording.reason, EventRecording.author, EventRecording.dryRun,
  ]

  private static func pair(
    _ context: Context
  ) throws(Failure) -> (EventVersions, EventVersions, EventRecording) {
    let words = context.words.plain
    let recording = EventRecording(context, try context.connect())
    let one = try EventVersions(words[0], recording.client)
    let other = try EventVersions(words[1], recording.client)
    try one.needEvent(named: words[0])
    try other.needEvent(named: words[1])
    guard one.id != other.id else { throw Failure(.usage, "both are event \(one.id)") }
    return (one, other, recording)
  }

  private static func say(
    _ type: String, _ one: EventVersions, _ other: EventVersions, _ recording: EventRecording,
    _ more: [JSONValue.Member], _ context: Context, _ text: (EventVersions) -> String
  ) throws(Failure) -> ExitCode {
    let said =
      [
        JSONValue.Member("type", .string(type)),
        JSONValue.Member("events", .strings([one.id, other.id])),
      ] + more + recording.statedReason
    guard let reply = try recording.send(said) else {
      context.finish(
        .object(["dry_run": .bool(true), "event": .object(said)]),
        "it would be recorded; nothing was (--dry-run)\n")
      return .done
    }
    context.finish(reply, text(try EventVersions(one.id, recording.client)))
    return .done
  }

  private static func name(_ event: EventVersions) -> String {
    "\(event.id.prefix(8)) (\(Terminal.plain(event.title)))"
  }
}

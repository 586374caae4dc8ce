// `retract`: an event is taken back. Its words stay in the log; a correction lets it show again.

import TimelineModel

extension Command {
  static let retract = Command(
    name: "retract", arguments: "ID --reason TEXT",
    summary: "take an event back; it stays in the log, and out of every answer",
    examples: ["retract 1f2e3d4c --reason 'the report was withdrawn'"],
    flags: [EventRecording.reason, EventRecording.author, EventRecording.dryRun], plain: 1...1
  ) { (context) throws(Failure) in
    let words = context.words
    let recording = EventRecording(context, try context.connect())
    let old = try EventVersions(words.plain[0], recording.client)
    try old.needEvent(named: words.plain[0])
    let id = old.id.prefix(8)
    guard let event = old.shown else {
      throw Failure(
        .failed, code: "not-found",
        "\(id) was retracted already; \(Again.timelinectl) correct \(id) --restore --reason … lets it show again"
      )
    }
    try recording.needReason()
    let said = [
      JSONValue.Member("type", .string("log.retract")),
      JSONValue.Member("retracts", .string(old.id)),
    ]
    let reply = try recording.send(said + recording.statedReason + old.superseding)
    guard let reply else {
      context.finish(
        .object(["dry_run": .bool(true), "event": event]),
        EventText.whole(event, context.terminal)
          + "it would be retracted; nothing was (--dry-run)\n")
      return .done
    }
    context.finish(
      reply,
      "retracted \(id): \(Terminal.plain(old.title))\n"
        + "its words stay in the log; to bring it back: \(Again.timelinectl) correct \(id) --restore --reason …\n"
    )
    return .done
  }
}

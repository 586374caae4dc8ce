// `correct`: what an event should be. The whole new wording is recorded as a version that replaces
// those that stand; a retracted event shows again by it.

import TimelineModel

extension Command {
  static let correct = Command(
    name: "correct", arguments: "ID --reason TEXT [OPTIONS]",
    summary: "say what an event should be; the old version stays in the log",
    examples: [
      "correct 1f2e3d4c",
      "correct 1f2e3d4c --date 2017-11-28 --reason 'UTC day'",
      "correct 1f2e3d4c --place '' --add-source publisher=KCNA --reason twofold",
      "correct 1f2e3d4c --restore --reason 'it did happen'",
    ],
    flags: [
      EventRecording.reason,
      Flag(
        name: "--restore", value: nil, help: "let a retracted event show again, as it last stood"),
    ] + EventPatch.flags + EventPatch.removals + [
      from, EventRecording.author, EventRecording.dryRun, CodingHelp.suggest,
    ],
    notes: """
      An option changes the field that it names and leaves all others; an empty value, as in \
      --place '', takes the field away. --actors, --targets and --tags give the whole list. \
      --source-… change parts of the first source; --add-source, --link and --commitment add one. \
      An event that gets a source is no longer unsourced, and --unsourced takes its sources away.


      """ + subtypes, plain: 1...1
  ) { (context) throws(Failure) in
    let words = context.words
    let recording = EventRecording(context, try context.connect())
    let old = try EventVersions(words.plain[0], recording.client)
    try old.needEvent(named: words.plain[0])
    let isRestored = old.shown == nil
    if words.has("--restore"), !isRestored {
      throw Failure(.usage, "--restore: \(old.id.prefix(8)) was not retracted")
    }
    let patch = EventPatch(words)
    let help = CodingHelp(context, recording.client)
    let found = try help.look(old.body, own: old.id)
    let template = try Template(
      old.body, reason: words["--reason"] ?? "", proposals: found.templateLines)
    /// The correction that was recorded, or would be; nil where nothing is different.
    func record(_ text: String?) throws(Failure) -> (body: EventBody, reply: JSONValue?)? {
      var body = old.body
      var reason = words["--reason"]
      if let text {
        let edited = try template.read(text, find: recording.find)
        body = edited.body
        reason = edited.reason ?? reason
        // A retracted event that was only looked at stays retracted.
        if !edited.isChanged, patch.isEmpty, !words.has("--restore") { return nil }
      }
      try patch.apply(to: &body, find: recording.find)
      guard isRestored || body != old.body else { return nil }
      guard recording.isDryRun || !(reason ?? "").trimmed.isEmpty else {
        throw Failure(
          .usage, text == nil ? "say why: --reason TEXT" : "reason: say why it is corrected")
      }
      return (
        body,
        try recording.send(
          (JSONValue.object([
            "type": .string("log.correct"), "corrects": .string(old.id),
            "reason": reason.map { .string($0) }, "body": body.json,
          ]).members ?? []) + old.superseding)
      )
    }
    let done: (body: EventBody, reply: JSONValue?)?
    if let path = words["--from"] {
      done = try record(try EventEditor.read(path))
    } else if !patch.isEmpty || words.has("--restore") {
      done = try record(nil)
    } else {
      let again = "correct \(old.id.prefix(8))"
      done = try EventEditor(context, again: again).edit(template.text, accept: record)
    }
    guard let (body, reply) = done else {
      Terminal.say("nothing changed, nothing is recorded")
      context.finish(.object(["changed": .bool(false), "id": .string(old.id)]), "")
      return .done
    }
    let difference = EventDifference(old.body, body)
    if let hint = body.subtypeHint, body["subtype"] != old.body["subtype"] {
      Terminal.say("timelinectl: \(hint)")
    }
    for hint in try InterestHint.hints(body, before: old.body, recording.client) {
      Terminal.say("timelinectl: \(hint)")
    }
    let text = difference.text(context.terminal)
    guard let reply else {
      context.finish(
        .object([
          "dry_run": .bool(true), "id": .string(old.id), "changes": difference.json,
          "event": body.json,
        ]), text + "it would be corrected so; nothing was (--dry-run)\n")
      return .done
    }
    context.finish(
      help.with(found, reply),
      text + (isRestored ? "restored" : "corrected")
        + " \(old.id.prefix(8)): \(Terminal.plain(body["title"]?.string ?? ""))\n")
    if body.items("links").isEmpty { help.tell(found, recorded: old.id.prefix(8)) }
    return .done
  }
}

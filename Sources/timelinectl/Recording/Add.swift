// `add`: a person records an event, by options, in an editor, or from a text that an editor left.

import TimelineModel

extension Command {
  static let from = Flag(
    name: "--from", value: "FILE",
    help: "take the text of an earlier edit, or - for standard input; options count over it")

  static let subtypes =
    "Types, and their known subtypes; another one is kept, and weighs as its type:\n"
    + EventType.ofEvents.map { "  \($0.word): \($0.knownSubtypes.joined(separator: ", "))" }
    .joined(separator: "\n")

  static let add = Command(
    name: "add", arguments: "[OPTIONS]",
    summary: "record an event; without options in your editor",
    examples: [
      "add",
      "add --type test --subtype srbm --date 2026-11-20 --actors PRK \\\n    --title 'Two SRBMs' --source-url https://…",
      "add --type agreement --date 2007-02-13 --actors PRK --title Plan \\\n    --commitment 'key=shutdown; by=PRK; what=Shut Yongbyon down; due=2007-04' \\\n    --add-source 'publisher=State Department; date=2007-02-13'",
    ],
    flags: EventPatch.flags + [
      from, EventRecording.author, EventRecording.dryRun, CodingHelp.suggest,
    ],
    notes: subtypes
  ) { (context) throws(Failure) in
    guard context.words.plain.isEmpty else {
      throw Failure(
        .usage, "add takes options alone; \"\(context.words.plain[0])\" belongs to none of them")
    }
    let recording = EventRecording(context, try context.connect())
    let patch = EventPatch(context.words)
    let template = try Template(EventBody())
    let help = CodingHelp(context, recording.client)
    var found = CodingHelp.Found()
    var isTold = false
    /// The event that was recorded, or would be; nil where nothing was written.
    func record(
      _ text: String?, inEditor: Bool = false
    ) throws(Failure) -> (body: EventBody, reply: JSONValue?)? {
      var body = EventBody()
      if let text { body = try template.read(text, find: recording.find).body }
      try patch.apply(to: &body, find: recording.find)
      guard !body.isEmpty else { return nil }
      found = try help.look(body)
      if inEditor, !isTold, let remark = help.remark(found) {
        // What is wrong with it comes first.
        try recording.check(body.members)
        isTold = true
        throw remark
      }
      guard isTold || help.goesOn(found) else { return nil }
      return (body, try recording.send(body.members))
    }
    let done: (body: EventBody, reply: JSONValue?)?
    if let path = context.words["--from"] {
      done = try record(try EventEditor.read(path))
    } else if !patch.isEmpty {
      done = try record(nil)
    } else {
      done = try EventEditor(context, again: "add").edit(template.text) {
        (text) throws(Failure) in try record(text, inEditor: true)
      }
    }
    guard let (body, reply) = done else {
      Terminal.say(
        found.likes.isEmpty
          ? "nothing was written, nothing is recorded" : "nothing is recorded")
      context.finish(.object(["changed": .bool(false)]), "")
      return .done
    }
    if let hint = body.subtypeHint { Terminal.say("timelinectl: \(hint)") }
    for hint in try InterestHint.hints(body, recording.client) {
      Terminal.say("timelinectl: \(hint)")
    }
    guard let reply else {
      help.tellBefore(found)
      context.finish(
        help.with(found, .object(["dry_run": .bool(true), "event": body.json])),
        EventText.whole(body.json, context.terminal)
          + "it would be recorded; nothing was (--dry-run)\n")
      return .done
    }
    let id = (reply["id"]?.string ?? "").prefix(8)
    context.finish(
      help.with(found, reply),
      "recorded \(id): \(Terminal.plain(body["title"]?.string ?? ""))\n"
        + "to change it: \(Again.timelinectl) correct \(id); to take it back: \(Again.timelinectl) retract \(id) --reason …\n"
    )
    if !isTold { help.tell(found, recorded: id) }
    return .done
  }
}

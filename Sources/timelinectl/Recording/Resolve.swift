// `resolve`: settles what people say differently of an event, by one version that supersedes all that stand. Of a
// conflict of any size that is one short line (F-8: `up_to`); where the versions stand in more logs than a line can
// name it is a few.

import TimelineModel

extension Command {
  static let resolve = Command(
    name: "resolve", arguments: "ID --take VERSION | FIELD=VALUE… --reason TEXT",
    summary: "settle what people say differently of an event",
    examples: [
      "resolve 1f2e3d4c --take 5e6f7a8b --reason 'the communiqué says so'",
      "resolve 1f2e3d4c date=2017-11-28 --reason 'UTC day'",
    ],
    flags: [
      Flag(name: "--take", value: "VERSION", help: "what this version says; show lists them"),
      EventRecording.reason, EventRecording.author, EventRecording.dryRun,
    ],
    notes: """
      FIELD=VALUE changes what --take says, else what shows; fields are those of correct, such as \
      title=…, actors=USA,KOR or source-url=…. Where VERSION is a retraction, the event is \
      retracted. What comes later, or is recorded at the same time elsewhere, is a conflict again.
      """, plain: 1...Int.max
  ) { (context) throws(Failure) in
    let words = context.words
    let patch = try Self.patch(words)
    let recording = EventRecording(context, try context.connect())
    var event = try EventVersions(words.plain[0], recording.client)
    try event.needEvent(named: words.plain[0])
    let id = event.id.prefix(8)
    guard event.isContested else {
      context.finish(
        .object(["changed": .bool(false), "id": .string(event.id)]),
        "\(id) is not contested: nothing to settle\n")
      return .done
    }
    guard words.has("--take") || !patch.isEmpty else {
      throw Failure(
        .usage,
        "say what is right: --take VERSION, or FIELD=VALUE; \(Again.timelinectl) show \(id) has the"
          + " versions")
    }
    try recording.needReason()
    let taken = try words["--take"].map { (word) throws(Failure) in
      try event.version(named: word, recording.client)
    }
    let isRetraction = taken?.kind == .retracted
    guard !isRetraction || patch.isEmpty else {
      throw Failure(.usage, "--take: this version is a retraction, which has no fields to change")
    }
    var body = taken?.body ?? event.body
    try patch.apply(to: &body, find: recording.find)
    let said =
      [
        JSONValue.Member("type", .string(isRetraction ? "log.retract" : "log.correct")),
        JSONValue.Member(isRetraction ? "retracts" : "corrects", .string(event.id)),
      ] + recording.statedReason + (isRetraction ? [] : [JSONValue.Member("body", body.json)])
    let settled = event.standing
    var replies: [JSONValue] = []
    // Each line settles what stands in a thousand logs.
    while event.isContested {
      let before = event.standing
      guard let reply = try recording.send(said + event.superseding) else {
        context.finish(
          .object([
            "dry_run": .bool(true), "id": .string(event.id), "settles": .int(settled),
            "event": body.json,
          ]),
          "\(settled) versions would be settled so; nothing was (--dry-run)\n")
        return .done
      }
      replies.append(reply)
      event = try EventVersions(event.id, recording.client)
      guard event.standing < before else { break }
    }
    let rest = event.isContested ? "; it is contested again, by what came meanwhile" : ""
    context.finish(
      .object([
        "id": .string(event.id), "settled": .int(settled), "lines": .array(replies),
        "contested": event.isContested ? .bool(true) : nil,
      ]),
      "settled \(id), of which \(settled) versions stood: \(Terminal.plain(event.title))\(rest)\n")
    return event.isContested ? .partlyDone : .done
  }

  /// The fields of a command line, as options of `correct` say them.
  private static func patch(_ words: Words) throws(Failure) -> EventPatch {
    var options = words
    for term in words.plain.dropFirst() {
      let name = term.prefix { $0 != "=" }
      let flags = EventPatch.flags.filter { $0.value != nil }.map { String($0.name.dropFirst(2)) }
      guard term.contains("="), flags.contains(String(name)) else {
        let advice = EditDistance.advice(
          on: String(name), in: flags, else: "fields are \(flags.joined(separator: ", "))")
        throw Failure(.usage, "resolve takes FIELD=VALUE, and \"\(term)\" is none; \(advice)")
      }
      options.add("--\(name)", String(term.dropFirst(name.count + 1)))
    }
    return EventPatch(options)
  }
}

// What the options of `add` and `correct` say an event is. The rules, for both:
//
//     one value           the last one given counts; an empty one takes the field away
//     --actors --targets --tags                   the whole list, new
//     --source-…          parts of the first source, or of a new one; the rest of it stays
//     --add-source --link --commitment            one more, each time it is given
//     --no-source --no-link --no-commitment       one less
//
// What no option names stays as it is. An event with a source is not `unsourced`.

import TimelineModel

struct EventPatch {
  private let words: Words

  init(_ words: Words) { self.words = words }

  // MARK: Options

  private static let texts = options { isText($0.kind) }
  private static let lists = options { $0.kind == .codes || $0.kind == .words }
  private static let sourceParts = PartForm.source.flags
  private static let offerParts = PartForm.offer.flags

  static let flags =
    texts + lists + sourceParts + [
      Flag(
        name: "--add-source", value: "PARTS",
        help:
          "one source more: '\(PartForm.source.names.map { "\($0)=…" }.joined(separator: "; "))'")
    ] + options { $0.kind == .yes || $0.kind == .links } + offerParts
    + options { $0.kind == .commitments || $0.kind == .weight }

  private static func options(where isWanted: (EventField) -> Bool) -> [Flag] {
    EventField.all.filter(isWanted).compactMap { field in
      field.option.map { Flag(name: name(field), value: $0.value, help: $0.help) }
    }
  }

  /// `--weight-reason` is of the member `weight_reason`.
  private static func name(_ field: EventField) -> String {
    "--" + field.formName.replacing("_", with: "-")
  }

  /// What is said by one text.
  private static func isText(_ kind: EventField.Kind) -> Bool {
    switch kind {
    case .type, .subtype, .date, .line, .text, .paragraphs, .choice, .weightReason: true
    case .codes, .words, .yes, .sources, .offer, .commitments, .links, .weight, .other: false
    }
  }

  /// What only an event that is there already can lose.
  static let removals = [
    Flag(
      name: "--no-source", value: "N", help: "take the source away that `show` numbers so"),
    Flag(
      name: "--no-link", value: "ID",
      help: "take the links to this event away; REL:ID or ID#KEY for one of them"),
    Flag(name: "--no-commitment", value: "KEY", help: "take this commitment away"),
    Flag(name: "--no-offer", value: nil, help: "take the offer away"),
  ]

  /// Whether any option speaks of the event.
  var isEmpty: Bool { !(Self.flags + Self.removals).contains { words.has($0.name) } }

  // MARK: Applying

  /// - Parameter find: an event from what a person wrote.
  func apply(
    to body: inout EventBody, find: (String) throws(Failure) -> EventLink.Target
  ) throws(Failure) {
    for flag in Self.texts {
      guard let value = words[flag.name] else { continue }
      body[Self.field(flag)] = value.trimmed.isEmpty ? nil : .string(value)
    }
    for flag in Self.lists {
      guard let value = words[flag.name] else { continue }
      body.setItems(Self.field(flag), PartForm.words(value).map { .string($0) })
    }
    try applySources(to: &body)
    try applyLinks(to: &body, find)
    try applyOffer(to: &body)
    try applyCommitments(to: &body)
    if let weight = words["--weight"] {
      body["weight"] = try Self.weight(weight)
      if weight.isEmpty { body["weight_reason"] = nil }
    }
  }

  /// `--source-title` is of the member `source_title`.
  private static func field(_ flag: Flag) -> String {
    String(flag.name.dropFirst(2)).replacing("-", with: "_")
  }

  /// A member that no option speaks of is not even written anew.
  private func speaks(_ names: String...) -> Bool { names.contains { words.has($0) } }

  private func parts(_ flags: [Flag], of prefix: String) -> [Part] {
    flags.flatMap { flag in
      words.all(flag.name).map { Part(name: String(flag.name.dropFirst(prefix.count)), value: $0) }
    }
  }

  private func applySources(to body: inout EventBody) throws(Failure) {
    let given = parts(Self.sourceParts, of: "--source-")
    guard !given.isEmpty || speaks("--add-source", "--no-source", "--unsourced") else { return }
    var sources = body.items("sources")
    let more = words.all("--add-source")
    for text in Set(words.all("--no-source")).sorted(by: >) {
      guard let number = Int(text), sources.indices.contains(number - 1) else {
        throw Failure(
          .usage, "--no-source \(text): the event has \(sources.count) sources, from 1 on")
      }
      sources.remove(at: number - 1)
    }
    if words.has("--unsourced") {
      guard given.isEmpty, more.isEmpty else {
        throw Failure(
          .usage, "--unsourced says that there is no source: leave it or the source out")
      }
      body["unsourced"] = .bool(true)
      return body.setItems("sources", [])
    }
    if !given.isEmpty {
      let first = PartForm.source.object(given, changing: sources.first)
      sources = (first.members?.isEmpty ?? true ? [] : [first]) + sources.dropFirst()
    }
    for text in more {
      sources.append(PartForm.source.object(try PartForm.source.parts(ofLine: text)))
    }
    body.setItems("sources", sources)
    if !sources.isEmpty && !(given.isEmpty && more.isEmpty) { body["unsourced"] = nil }
  }

  private func applyLinks(
    to body: inout EventBody, _ find: (String) throws(Failure) -> EventLink.Target
  ) throws(Failure) {
    guard speaks("--link", "--no-link") else { return }
    var links = body.items("links")
    for text in words.all("--no-link") {
      let wanted = try EventLink(removing: text)
      var kept = links.filter { !wanted.matches($0, id: wanted.id.lowercased()) }
      if kept.count == links.count, let id = (try? find(wanted.id))?.id {
        // It was written by its name.
        kept = links.filter { !wanted.matches($0, id: id) }
      }
      guard kept.count < links.count else {
        throw Failure(.usage, "--no-link \(text): the event has no such link")
      }
      links = kept
    }
    for text in words.all("--link") { links.append(try EventLink(text).json(find)) }
    body.setItems("links", links)
  }

  private func applyOffer(to body: inout EventBody) throws(Failure) {
    if words.has("--no-offer") { body["offer"] = nil }
    let given = parts(Self.offerParts, of: "--offer-")
    guard !given.isEmpty else { return }
    let offer = PartForm.offer.object(given, changing: body["offer"])
    body["offer"] = offer.members?.isEmpty ?? true ? nil : offer
  }

  private func applyCommitments(to body: inout EventBody) throws(Failure) {
    guard speaks("--commitment", "--no-commitment") else { return }
    var commitments = body.items("commitments")
    for key in words.all("--no-commitment") {
      let kept = commitments.filter { $0["key"]?.string != key }
      guard kept.count < commitments.count else {
        let keys = commitments.compactMap { $0["key"]?.string }
        throw Failure(
          .usage,
          "--no-commitment \(key): the event's commitments are "
            + (keys.isEmpty ? "none" : keys.joined(separator: ", ")))
      }
      commitments = kept
    }
    for text in words.all("--commitment") {
      let parts = try PartForm.commitment.parts(ofLine: text)
      let key = parts.first { $0.name == "key" }?.value
      if let key, let index = commitments.firstIndex(where: { $0["key"]?.string == key }) {
        commitments[index] = PartForm.commitment.object(parts, changing: commitments[index])
      } else {
        commitments.append(PartForm.commitment.object(parts))
      }
    }
    body.setItems("commitments", commitments)
  }

  /// Nil for none.
  static func weight(_ text: String) throws(Failure) -> JSONValue? {
    let text = text.trimmed
    if text.isEmpty { return nil }
    if let whole = Int(text) { return .int(whole) }
    guard let number = Double(text), number.isFinite else {
      throw Failure(.usage, "weight: \"\(text)\" is no number; -10 to 10, such as -4.5")
    }
    return .double(number)
  }
}

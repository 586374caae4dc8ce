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

  private static let texts = [
    Flag(name: "--type", value: "TYPE", help: "message, talks, test, …: see below"),
    Flag(name: "--subtype", value: "WORD", help: "letter, summit, icbm, …: see below"),
    Flag(
      name: "--date", value: "DATE",
      help: "2017-11-29, 2017-11, 2002-11-01~ (about), 2016-03-07/2016-04-30"),
    Flag(name: "--title", value: "LINE", help: "what happened, in a line"),
    Flag(name: "--summary", value: "TEXT", help: "and in a paragraph or more"),
    Flag(name: "--place", value: "NAME", help: "where"),
    Flag(name: "--confidence", value: "WORD", help: "high, medium or low"),
    Flag(
      name: "--weight-reason", value: "TEXT", help: "why the event has a weight of its own"),
  ]

  private static let lists = [
    Flag(name: "--actors", value: "CODES", help: "who did it: USA,KOR"),
    Flag(name: "--targets", value: "CODES", help: "to whom"),
    Flag(name: "--tags", value: "WORDS", help: "free words: launch,night"),
  ]

  private static let sourceParts = [
    Flag(name: "--source-title", value: "TITLE", help: "the source"),
    Flag(name: "--source-publisher", value: "NAME", help: "who published it"),
    Flag(name: "--source-date", value: "DATE", help: "when"),
    Flag(name: "--source-url", value: "URL", help: "where it is"),
    Flag(name: "--source-doi", value: "DOI", help: "its DOI"),
    Flag(name: "--source-quote", value: "TEXT", help: "the words that say so"),
  ]

  private static let offerParts = [
    Flag(
      name: "--offer-if", value: "TEXT",
      help: "what an offer asks of the other side; may be given more than once"),
    Flag(
      name: "--offer-then", value: "TEXT",
      help: "what it would give for that; may be given more than once"),
    Flag(
      name: "--offer-condition", value: "WORD",
      help: "prior (they first), simultaneous or none"),
    Flag(name: "--offer-expires", value: "DATE", help: "until when it stands"),
    Flag(name: "--offer-interests", value: "WORDS", help: "keys of data/interests.csv"),
  ]

  static let flags =
    texts + lists + sourceParts + [
      Flag(
        name: "--add-source", value: "PARTS",
        help: "one source more: 'title=…; publisher=…; date=…; url=…; doi=…; quote=…'"),
      Flag(name: "--unsourced", value: nil, help: "there is no source, said out loud"),
      Flag(
        name: "--link", value: "REL:ID",
        help:
          "answers:1f2e3d4c, or fulfils:1f2e3d4c#KEY for one commitment; may be given more than once"
      ),
    ] + offerParts + [
      Flag(
        name: "--commitment", value: "PARTS",
        help:
          "of an agreement: 'key=freeze; by=PRK; to=USA; what=…; due=2007-07; verifier=IAE'; one each time; a key that is there already is changed"
      ),
      Flag(name: "--weight", value: "NUMBER", help: "the event's own weight, -10 to 10"),
    ]

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
      if let key, let place = commitments.firstIndex(where: { $0["key"]?.string == key }) {
        commitments[place] = PartForm.commitment.object(parts, changing: commitments[place])
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

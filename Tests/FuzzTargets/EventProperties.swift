// The body of an event, as a recorder or a peer sends it.

import TimelineModel
import TransparencyLog

enum EventProperties {
  /// Few actors: a look through all for those that may have been meant would take most of the time.
  private static let registry = ActorRegistry(
    ["USA", "PRK", "KOR", "CHN"].map {
      Actor(code: ActorCode($0)!, name: "Country \($0)", kind: .state)
    })

  /// Used for one input after another, as the daemon does; begun anew now and then, since what it keeps
  /// only grows.
  private struct Used {
    var vocabulary = Vocabulary()
    lazy var reader = BodyReader(vocabulary)
    var count = 0
  }

  nonisolated(unsafe) private static var used = Used()

  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    used.count += 1
    if used.count == 20_000 { used = Used() }
    let reader = used.reader
    do { try reader.parse(input) } catch { return }
    let verdict = Verdict(reader, input, registry, isStored: false)
    try hold(verdict.words != "", "refused without a word")
    // What a recorder may say, a log may hold, and a machine that knows no actors takes it.
    let stored = Verdict(reader, input, registry, isStored: true)
    try hold(!stored.isBroken, "its lines, its key or its rows write back to others")
    if verdict.isAccepted, !verdict.isReserved {
      try hold(stored.isAccepted && stored.facts == verdict.facts, "stored: \(stored.shown)")
    }
    if stored.isAccepted {
      let far = Verdict(reader, input, nil, isStored: true)
      try hold(far.facts == stored.facts, "without a registry: \(far.shown)")
      try hold(
        stored.table == nil || far.table == stored.table, "another table without a registry")
    }
    if let facts = verdict.facts { try decoded(facts, reader.document, input) }
    let value = reader.document.value(0, in: input)
    let isKept = verdict.isAccepted
    try anew(value, reader, verdict)
    // A reader that has seen nothing says the same; making one costs, so where the verdict is good.
    if isKept, CRC32C.of(input) % 8 == 0 { try fresh(input, verdict) }
  }

  /// What was said of a body.
  private struct Verdict {
    var facts: EventFacts?
    var isAccepted = true
    /// A type that this says nothing of: the daemon's own, or one to come.
    var isReserved = false
    /// A part of it does not write back to what it was read from.
    var isBroken = false
    /// The error, else nil.
    var words: String?
    var table: RuleTable?

    var shown: String { words ?? "accepted" }

    init(
      _ reader: BodyReader, _ text: UnsafeBufferPointer<UInt8>, _ registry: ActorRegistry?,
      isStored: Bool
    ) {
      do {
        switch try reader.validate(text, registry: registry, isStored: isStored) {
        case .event(let facts): self.facts = facts
        case .controlRecord(_, .correct(_, _, _, let facts)): self.facts = facts
        case .controlRecord(_, .other): isReserved = true
        case .controlRecord(_, .erase(_, let lines)):
          isBroken = lines.contains { LineAddress(json: $0.json) != $0 }
        case .controlRecord(_, .member(_, let key)):
          isBroken = (try? NoteVerifier(vkey: key.vkey)) == nil
        case .controlRecord(_, .timeline(let founding)):
          isBroken = TimelineFounding(parsing: founding.bodyText) != founding
        case .controlRecord(_, .rules(let table)):
          self.table = table
          let again = try? RuleTable(
            table.kind, version: table.version, rows: table.json.array ?? [], registry: nil)
          isBroken = again != table
        case .controlRecord: break
        }
      } catch {
        isAccepted = false
        words = error.field.isEmpty || error.message.isEmpty ? "" : error.text
      }
    }
  }

  /// The index and the event itself say the same.
  private static func decoded(
    _ facts: EventFacts, _ document: JSONDocument, _ text: UnsafeBufferPointer<UInt8>
  ) throws(Broken) {
    let node =
      document.member("body", of: 0, in: text).flatMap {
        document.value(0, in: text)["type"]?.string == "log.correct" ? $0 : nil
      } ?? 0
    let id = EventID(UUIDBytes(high: 0, low: 0))
    guard let event = Event(id: id, document: document, node: node, in: text) else {
      throw Broken("accepted, but no event")
    }
    let values = used.vocabulary.values
    try hold(facts.first <= facts.last, "ends before it begins")
    try hold(
      event.type == facts.type && event.date.first == facts.first && event.date.last == facts.last,
      "type or date: \(event), \(facts)")
    let parties = values.parties[Int(facts.parties)]
    try hold(
      parties.actors == event.actors && parties.targets == event.targets, "parties: \(parties)")
    try hold(values.tags[Int(facts.tags)] == event.tags, "tags")
    try hold(values.subtypes[Int(facts.subtype)] == event.subtype ?? "", "subtype")
    try hold(!event.actors.isEmpty && !event.title.isEmpty, "no actor, or no title")
  }

  /// Another spelling of the same JSON has the same verdict.
  private static func anew(
    _ value: JSONValue, _ reader: BodyReader, _ verdict: Verdict
  ) throws(Broken) {
    var written: [UInt8] = []
    value.append(to: &written)
    try written.lend { (text) throws(Broken) in
      guard (try? reader.parse(text)) != nil else { throw Broken("written anew, it is no JSON") }
      let second = Verdict(reader, text, registry, isStored: false)
      try hold(
        second.facts == verdict.facts && second.isAccepted == verdict.isAccepted,
        "written anew: \(second.shown), at first: \(verdict.shown)")
    }
  }

  private static func fresh(
    _ input: UnsafeBufferPointer<UInt8>, _ verdict: Verdict
  ) throws(Broken) {
    let reader = BodyReader(Vocabulary())
    guard (try? reader.parse(input)) != nil else { throw Broken("not parsed a second time") }
    let second = Verdict(reader, input, registry, isStored: false)
    try hold(
      second.isAccepted && second.facts?.first == verdict.facts?.first
        && second.facts?.last == verdict.facts?.last && second.facts?.type == verdict.facts?.type,
      "by a new reader: \(second.shown)")
  }
}

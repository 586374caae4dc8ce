// What a body must be: every rule for events that are recorded here stands in this type, each with
// a message that names the field, the value and what would be right. The same walk gives the facts
// that the index keeps. It reads the parsed line in place and makes no strings on success.
//
// Here is a body as a whole; next to it the checks of single values (+Values), of sources, offers,
// commitments and links, and of lines about the log (+Records).

public struct EventValidator {
  let reader: BodyReader
  let document: JSONDocument
  let text: UnsafeBufferPointer<UInt8>
  /// Nil where any well-formed code will do: a line of another machine may come before the event
  /// that adds its actor.
  let registry: ActorRegistry?
  /// Lines of a log carry `salt`; a request does not.
  let isStored: Bool
  /// The event that a correction is of.
  let subject: EventID?

  /// What is to be recorded must hold together; what others recorded is kept as long as it can be read.
  var isNew: Bool { registry != nil }

  /// - Parameters:
  ///   - reader: has parsed the text; `text`: its bytes.
  ///   - isStored: the body stands in a log already, so envelope fields next to it are no error.
  init(
    _ reader: BodyReader, in text: UnsafeBufferPointer<UInt8>, registry: ActorRegistry?,
    isStored: Bool, subject: EventID? = nil
  ) {
    self.reader = reader
    document = reader.document
    self.text = text
    self.registry = registry
    self.isStored = isStored
    self.subject = subject
  }

  func validate(node: Int = 0) throws(EventError) -> ValidBody {
    guard document.kind(node) == .object else {
      throw EventError("event", "an event is a JSON object {…}")
    }
    let members = BodyMembers(of: node, document, in: text)
    if !isStored, let name = members.reserved {
      throw EventError(name, "this field is written by the daemon: leave it out")
    }
    if let node = members[.author] {
      let bytes = try nonEmpty(node, Field(.author))
      let count =
        document.nodes[node].hasEscape ? document.string(node, in: text).utf8.count : bytes.count
      guard count <= LineLimits.authorBytesMax else {
        throw EventError(.author, "\(count) bytes; at most \(LineLimits.authorBytesMax)")
      }
    }
    guard let typeNode = members[.type] else {
      throw EventError(
        .type, "missing; one of \(Self.list(EventType.ofEvents.map(\.word)))", hint: .missing)
    }
    let word = try string(typeNode, Field(.type))
    guard let type = EventType(word: word) else {
      let advice = EditDistance.advice(
        on: word, in: EventType.allCases.map(\.word),
        else: "one of \(Self.list(EventType.ofEvents.map(\.word)))")
      throw EventError(.type, "\"\(word)\" is no type; \(advice)", value: word)
    }
    return type.isEvent
      ? .event(try facts(members, type)) : .controlRecord(type, try controlRecord(node, type))
  }

  // MARK: Events

  func facts(
    _ members: BodyMembers, _ type: EventType
  ) throws(EventError) -> EventFacts {
    guard let dateNode = members[.date] else {
      throw EventError(
        .date, "missing; write a day, month or year such as 2017-11-29", hint: .missing)
    }
    let (first, last) = try date(dateNode, Field(.date))
    guard let actors = members[.actors] else {
      throw EventError(.actors, "missing; a list of codes such as [\"PRK\"]", hint: .missing)
    }
    var facts = EventFacts(first: first, last: last, type: type)
    facts.parties = try parties(actors, members[.targets])
    if let node = members[.subtype] { facts.subtype = try subtype(node) }
    guard let title = members[.title] else {
      throw EventError(.title, "missing; one line that says what happened", hint: .missing)
    }
    try checkLine(title, Field(.title), restIn: .summary)
    for member in BodyMember.plainTexts {
      if let node = members[member] { try someString(node, Field(member)) }
    }
    var hasSource = false
    if let node = members[.sources] { hasSource = try sources(node) }
    if let node = members[.unsourced] {
      guard document.kind(node) == .yes else {
        throw EventError(.unsourced, "only true can be said; or leave it out and give a source")
      }
      hasSource = true
    }
    guard hasSource else {
      throw EventError(
        .sources, "missing; give at least one {\"title\":…}, or say \"unsourced\": true",
        hint: .missing)
    }
    if let node = members[.confidence] {
      try oneOf(node, Field(.confidence), Confidence.allCases.map(\.rawValue))
    }
    if let node = members[.offer] { try offer(node, type, first) }
    if let node = members[.commitments] { try commitments(node, type, first) }
    if let node = members[.links] {
      try links(node, of: subject ?? members[.id].flatMap(eventID))
      facts.hasLinks = document.next(node) > node + 1
    }
    if let node = members[.tags] { facts.tags = try tags(node) }
    if let node = members[.weightReason] { try someString(node, Field(.weightReason)) }
    if let node = members[.weight] {
      try checkWeight(node)
      guard let reason = members[.weightReason], !document.bytes(reason, in: text).isEmpty else {
        throw EventError(
          .weightReason, "missing; an event with its own weight says why", hint: .missing)
      }
    }
    // Unknown fields are kept, byte for byte.
    return facts
  }
}

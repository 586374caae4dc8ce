// Single values: dates, codes, words, texts, numbers.

extension EventValidator {
  /// One line of text, not long; what is more has a place of its own, if any.
  func checkLine(
    _ node: Int, _ field: Field, restIn other: BodyMember? = nil
  ) throws(EventError) {
    let bytes = try nonEmpty(node, field)
    guard bytes.count <= EventLimits.titleBytesMax else {
      throw EventError(
        field,
        "\(bytes.count) bytes; at most \(EventLimits.titleBytesMax)"
          + (other.map { ", the rest goes to \($0.text)" } ?? ""))
    }
    let isPlain = !document.nodes[node].hasEscape && bytes.allSatisfy { $0 < 0x7F }
    guard
      isPlain
        || !document.string(node, in: text).unicodeScalars.contains(where: Self.breaksALine)
    else {
      let value = JSONValue.string(String(document.string(node, in: text).prefix(60))).text
      throw EventError(
        field,
        "\(value): one line of text, without tabs and the like"
          + (other.map { "; more goes to \($0.text)" } ?? ""))
    }
  }

  private static func breaksALine(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }

  /// Lines of others are read whatever they hold.
  func checkCount(_ node: Int, _ field: Field, _ advice: String) throws(EventError) {
    guard isNew else { return }
    var count = 0
    for _ in document.children(node) { count += 1 }
    guard count <= EventLimits.itemsMax else {
      throw EventError(field, "\(count) of them; at most \(EventLimits.itemsMax): \(advice)")
    }
  }

  func eventID(_ node: Int) -> EventID? {
    guard document.kind(node) == .string else { return nil }
    return document.withText(node, in: text) { EventID(utf8: $0) }
  }

  func id(
    _ object: Int, _ name: StaticString, of list: Field? = nil
  ) throws(EventError) -> EventID {
    let field = list.map { $0[name] } ?? Field(name)
    guard let node = document.member(name, of: object, in: text) else {
      throw EventError(field, "missing; the id of an event", hint: .missing)
    }
    guard let id = eventID(node) else {
      let value = String(decoding: text[document.rawRange(node)].prefix(50), as: UTF8.self)
      throw EventError(
        field, "\(value) is no event id: 36 characters, lower-case hex and hyphens", value: value)
    }
    return id
  }

  func date(_ node: Int, _ field: Field) throws(EventError) -> (first: Day, last: Day) {
    guard document.kind(node) == .string else {
      throw EventError(field, "a date is a string such as \"2017-11-29\"")
    }
    do {
      return try document.withText(node, in: text) { (bytes) throws(DateError) in
        try EventDate.bounds(utf8: bytes)
      }
    } catch {
      throw EventError(field, error.message, value: error.text)
    }
  }

  /// The number of those that take part.
  func parties(_ actors: Int, _ targets: Int?) throws(EventError) -> UInt32 {
    func read() throws(EventError) -> UInt32 {
      let actors = try codes(actors, Field(.actors), atLeast: 1)
      let targets = try targets.map { (node) throws(EventError) in
        try codes(node, Field(.targets), atLeast: 0)
      }
      return reader.vocabulary.number(of: Parties(actors: actors, targets: targets ?? []))
    }
    let first = min(actors, targets ?? actors)
    let last = max(actors, targets ?? actors)
    // Where the two stand side by side, as they mostly do, the text of both is one key.
    guard first == last || document.next(first) == last - 1 else { return try read() }
    let key = UnsafeBufferPointer(
      rebasing: text[document.rawRange(first).lowerBound..<document.rawRange(last).upperBound])
    return registry == nil
      ? try reader.scratch.caches.formedParties.number(of: key, read)
      : try reader.scratch.caches.knownParties.number(of: key, read)
  }

  func codes(
    _ node: Int, _ field: Field, atLeast minimum: Int
  ) throws(EventError) -> [ActorCode] {
    try array(node, field, "a list of codes such as [\"PRK\"]")
    var result: [ActorCode] = []
    for item in document.children(node) {
      guard document.kind(item) == .string else { throw EventError(field, "must hold strings") }
      guard let code = document.withText(item, in: text, { ActorCode(utf8: $0) }),
        registry?.contains(code) ?? true
      else {
        let name = document.string(item, in: text)
        let near = (registry ?? .shipped).nearest(to: name).map { "\($0.code) (\($0.name))" }
        throw EventError(
          field,
          "unknown actor \"\(name)\"" + (near.isEmpty ? "" : "; did you mean \(Self.list(near))?"),
          value: name, hint: near.isEmpty ? .unknownActor : .similarActor)
      }
      guard !result.contains(code) else { throw EventError(field, "\(code) stands twice") }
      result.append(code)
    }
    guard result.count >= minimum else {
      throw EventError(field, "the list is empty; name at least one")
    }
    return result
  }

  func string(_ node: Int, _ field: Field) throws(EventError) -> String {
    guard document.kind(node) == .string else { throw EventError(field, "must be a string") }
    return document.string(node, in: text)
  }

  func someString(_ node: Int, _ field: Field) throws(EventError) {
    guard document.kind(node) == .string else { throw EventError(field, "must be a string") }
  }

  func nonEmpty(
    _ node: Int, _ field: Field
  ) throws(EventError) -> UnsafeBufferPointer<UInt8> {
    guard document.kind(node) == .string else { throw EventError(field, "must be a string") }
    let bytes = document.bytes(node, in: text)
    guard bytes.contains(where: { $0 > 0x20 }) else { throw EventError(field, "is empty") }
    return bytes
  }

  /// Lower-case letters, digits, and `.`, `-`, `_`, `:`.
  func word(_ node: Int, _ field: Field) throws(EventError) -> String {
    let word = try string(node, field)
    guard !word.isEmpty, word.utf8.allSatisfy(Self.isOfAWord) else {
      throw EventError(
        field, "\"\(word)\" is no word: lower-case letters, digits, and . - _ : only", value: word)
    }
    return word
  }

  static func isOfAWord(_ byte: UInt8) -> Bool {
    (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
      || byte == 0x2E || byte == 0x2D || byte == 0x5F || byte == 0x3A
  }

  func words(_ node: Int, _ field: Field) throws(EventError) -> [String] {
    try array(node, field, "a list of words")
    var result: [String] = []
    for item in document.children(node) { result.append(try word(item, field)) }
    return result
  }

  func tags(_ node: Int) throws(EventError) -> UInt32 {
    let key = UnsafeBufferPointer(rebasing: text[document.rawRange(node)])
    return try reader.scratch.caches.tags.number(of: key) { () throws(EventError) in
      reader.vocabulary.number(ofTags: try words(node, Field(.tags)))
    }
  }

  func subtype(_ node: Int) throws(EventError) -> UInt32 {
    let key = UnsafeBufferPointer(rebasing: text[document.rawRange(node)])
    return try reader.scratch.caches.subtypes.number(of: key) { () throws(EventError) in
      reader.vocabulary.number(ofSubtype: try word(node, Field(.subtype)))
    }
  }

  func strings(_ node: Int, _ field: Field) throws(EventError) {
    try array(node, field, "a list of sentences")
    for item in document.children(node) { _ = try nonEmpty(item, field) }
  }

  func oneOf(_ node: Int, _ field: Field, _ words: [String]) throws(EventError) {
    let word = try string(node, field)
    guard words.contains(word) else {
      throw EventError(field, "\"\(word)\" is not one of \(Self.list(words))", value: word)
    }
  }

  /// A weight in thousandths; nil where it is none. A number with three decimals is the double nearest to
  /// so many thousandths; 1000 times that need not be whole (4.039).
  static func thousandths(_ weight: Double) -> Int? {
    guard abs(weight) <= Double(EventLimits.weightMax), case let number = (weight * 1000).rounded(),
      number / 1000 == weight
    else { return nil }
    return Int(number)
  }

  func checkWeight(_ node: Int) throws(EventError) {
    guard document.kind(node) == .number,
      document.value(node, in: text).number.flatMap(Self.thousandths) != nil
    else {
      let value = String(decoding: text[document.rawRange(node)].prefix(40), as: UTF8.self)
      throw EventError(
        .weight, "\(value): a number from -10 to 10 with at most three decimals", value: value)
    }
  }

  func array(_ node: Int, _ field: Field, _ what: String) throws(EventError) {
    guard document.kind(node) == .array else { throw EventError(field, "must be \(what)") }
  }

  func object(_ node: Int, _ field: Field) throws(EventError) {
    guard document.kind(node) == .object else {
      throw EventError(field, "must be an object {…}")
    }
  }

  static func list(_ words: [String]) -> String { words.joined(separator: ", ") }
}

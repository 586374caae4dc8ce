// An event as a text for an editor, and back:
//
//     # one of message statement talks …
//     type: test
//     summary: A first paragraph.
//
//       A second one: what is indented goes on with its field.
//     source:
//       publisher: Yonhap
//       url: https://…
//
// Reading compares what came back with what was given out, field by field: only fields that a person
// changed are touched, so that nothing that the text cannot show is lost or spelt anew.
// The fields stand in EventSchema.

import TimelineModel

struct Template {
  fileprivate enum Shape {
    /// One line; broken lines are joined.
    case line
    /// Lines and paragraphs as they are.
    case paragraphs
    /// Codes or words, with commas.
    case words
    case yes
    case number
    /// One part, or a list of them: the name stands once for each.
    case part(PartForm)
    case parts(PartForm)
    case links
  }

  fileprivate struct Field {
    let name: String
    /// The member of the body.
    let key: String
    let shape: Shape
    let comment: String?
    /// Shown as a comment where the event has none.
    let isRare: Bool

    var isBlock: Bool {
      switch shape {
      case .part, .parts: true
      default: false
      }
    }
  }

  /// What is rare stands last.
  private static let fields =
    (EventField.all.filter { !$0.isRare } + EventField.all.filter(\.isRare)).map(Field.init)

  private static let reason = Field(
    name: "reason", key: "reason", shape: .paragraphs, comment: "why it is corrected",
    isRare: false)

  private let body: EventBody
  /// A correction has a reason too.
  private let fields: [Field]
  let text: String
  /// What `text` reads as.
  private let given: [String: [String]]

  /// - Parameters:
  ///   - reason: of a correction, as far as it is known.
  ///   - proposals: lines that the event could have, for the comment of its links.
  init(
    _ body: EventBody, reason: String? = nil, proposals: [String] = []
  ) throws(Failure) {
    self.body = body
    fields = (reason == nil ? [] : [Self.reason]) + Self.fields
    var text = """
      # Save and leave the editor to \(reason == nil ? "record" : "correct"); change nothing to do nothing.
      # Lines that begin with # are left out.

      """
    for field in fields {
      let values =
        field.key == "reason"
        ? [reason ?? ""].filter { !$0.isEmpty } : Self.values(field, body)
      if let comment = field.comment { text += "# \(comment)\n" }
      if case .links = field.shape, !proposals.isEmpty {
        text += "# it could have one of these:\n" + proposals.map { "# \($0)\n" }.joined()
      }
      if values.isEmpty {
        text += Self.empty(field)
      } else {
        for value in values { text += Self.written(field, value) }
      }
    }
    self.text = text
    given = try Self.entries(text, fields)
  }

  // MARK: Writing

  /// Each value of a field as it is written behind its name.
  private static func values(_ field: Field, _ body: EventBody) -> [String] {
    guard let value = body[field.key] else { return [] }
    switch field.shape {
    case .line, .paragraphs: return value.string.map { [$0] } ?? []
    case .words: return [body.items(field.key).compactMap(\.string).joined(separator: ", ")]
    case .yes: return value.bool == true ? ["true"] : []
    case .number: return [value.text]
    case .part(let form): return [block(form, value)].filter { !$0.isEmpty }
    case .parts, .links:
      return body.items(field.key).map { text(field, $0) }.filter { !$0.isEmpty }
    }
  }

  /// An item of a list.
  private static func text(_ field: Field, _ item: JSONValue) -> String {
    switch field.shape {
    case .parts(let form): block(form, item)
    default: EventLink.text(item)
    }
  }

  private static func block(_ form: PartForm, _ object: JSONValue) -> String {
    form.parts(of: object).map { part in
      "\(part.name): " + indented(part.value)
    }.joined(separator: "\n")
  }

  /// The lines behind the first one are indented.
  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .map { $0 == 0 || $1.isEmpty ? String($1) : "  \($1)" }.joined(separator: "\n")
  }

  private static func written(_ field: Field, _ value: String) -> String {
    field.isBlock
      ? "\(field.name):\n" + indented("\n" + value).dropFirst() + "\n"
      : "\(field.name): \(indented(value))\n"
  }

  private static func empty(_ field: Field) -> String {
    let text: String
    switch field.shape {
    case .part(let form), .parts(let form):
      text = "\(field.name):\n" + form.names.map { "  \($0):\n" }.joined()
    default: text = "\(field.name):\n"
    }
    guard field.isRare else { return text }
    return text.split(separator: "\n").map { "# \($0)\n" }.joined()
  }

  // MARK: Reading

  /// What a text that a person changed says.
  struct Edited {
    let body: EventBody
    let reason: String?
    let isChanged: Bool
  }

  /// - Parameter find: an event from what a person wrote.
  func read(
    _ text: String, find: (String) throws(Failure) -> EventLink.Target
  ) throws(Failure) -> Edited {
    let entries = try Self.entries(text, fields)
    var after = body
    for field in fields where field.key != "reason" && entries[field.name] != given[field.name] {
      try set(field, entries[field.name] ?? [], in: &after, find)
    }
    // Where a source came, there is one: unless somebody says both.
    if !after.items("sources").isEmpty, entries["source"] != given["source"],
      entries["unsourced"] == given["unsourced"]
    {
      after["unsourced"] = nil
    }
    return Edited(
      body: after, reason: entries["reason"]?.first.map(Self.joined),
      isChanged: entries != given)
  }

  private func set(
    _ field: Field, _ values: [String], in body: inout EventBody,
    _ find: (String) throws(Failure) -> EventLink.Target
  ) throws(Failure) {
    switch field.shape {
    case .line:
      body[field.key] = try Self.only(field, values).map { .string(Self.joined($0)) }
    case .paragraphs:
      body[field.key] = try Self.only(field, values).map { .string($0) }
    case .words:
      let words = PartForm.words(Self.joined(try Self.only(field, values) ?? ""))
      body.setItems(field.key, words.map { .string($0) })
    case .yes:
      switch try Self.only(field, values)?.lowercased() {
      case "true", "yes": body[field.key] = .bool(true)
      case nil, "false", "no": body[field.key] = nil
      case let other?: throw Failure(.usage, "\(field.name): \"\(other)\"; true, or nothing")
      }
    case .number: body[field.key] = try EventPatch.weight(try Self.only(field, values) ?? "")
    case .part(let form):
      let old = body[field.key]
      body[field.key] = try Self.only(field, values).map { (text) throws(Failure) in
        form.object(try form.parts(ofBlock: text), changing: old, isWhole: true)
      }
    case .parts(let form):
      try setList(field, values, in: &body) { (text, old) throws(Failure) in
        form.object(try form.parts(ofBlock: text), changing: old, isWhole: true)
      }
    case .links:
      try setList(field, values, in: &body) { (text, _) throws(Failure) in
        try EventLink(text).json(find)
      }
    }
  }

  /// Items that read as before are the old ones; the others are made, each from the next old one that
  /// is left.
  private func setList(
    _ field: Field, _ values: [String], in body: inout EventBody,
    _ make: (String, JSONValue?) throws(Failure) -> JSONValue
  ) throws(Failure) {
    // An item of which the text can show nothing goes behind the others.
    let old = body.items(field.key)
    let shown = old.filter { !Self.text(field, $0).isEmpty }
    var left = Array(zip(given[field.name] ?? [], shown))
    var kept: [JSONValue?] = []
    for value in values {
      let index = left.firstIndex { $0.0 == value }
      kept.append(index.map { left.remove(at: $0).1 })
    }
    var items: [JSONValue] = []
    for (value, known) in zip(values, kept) {
      if let known {
        items.append(known)
      } else {
        items.append(try make(value, left.isEmpty ? nil : left.removeFirst().1))
      }
    }
    body.setItems(field.key, items + old.filter { Self.text(field, $0).isEmpty })
  }

  private static func only(_ field: Field, _ values: [String]) throws(Failure) -> String? {
    guard values.count <= 1 else {
      throw Failure(.usage, "\(field.name): it stands \(values.count) times, and can stand once")
    }
    return values.first
  }

  private static func joined(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.trimmed }.joined(separator: " ")
  }

  /// The values of each field as they stand, empty ones left out.
  private static func entries(
    _ text: String, _ fields: [Field]
  ) throws(Failure) -> [String: [String]] {
    var entries: [(field: Field, value: String)] = []
    let lines = text.replacing("\r\n", with: "\n").split(
      separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() where !line.hasPrefix("#") {
      let isIndented = line.first == " " || line.first == "\t"
      if !isIndented, let colon = line.firstIndex(of: ":"),
        let field = fields.first(where: { $0.name == line[..<colon].trimmed })
      {
        entries.append((field, line[line.index(after: colon)...].trimmed))
      } else if line.trimmed.isEmpty {
        if !entries.isEmpty { entries[entries.count - 1].value += "\n" }
      } else {
        try takeOn(line, number + 1, isIndented, fields, &entries)
      }
    }
    var values: [String: [String]] = [:]
    for (field, value) in entries {
      let value = value.trimmed
      guard !value.isEmpty, try !isEmptyBlock(field, value) else { continue }
      values[field.name, default: []].append(value)
    }
    return values
  }

  /// A line that goes on with the field above it.
  private static func takeOn(
    _ line: Substring, _ number: Int, _ isIndented: Bool, _ fields: [Field],
    _ entries: inout [(field: Field, value: String)]
  ) throws(Failure) {
    let word = line.prefix { $0 != ":" }.trimmed
    let near = EditDistance.nearest(to: word, in: fields.map(\.name))
    if !isIndented, line.contains(":"), !word.contains(" "), let near = near.first,
      !(entries.last.map { part($0.field, has: word) } ?? false)
    {
      throw Failure(
        .usage,
        "line \(number): there is no field \"\(word)\"; did you mean \(near)? (Indent the line where it is text.)"
      )
    }
    guard let field = entries.last?.field else {
      throw Failure(
        .usage,
        "line \(number): \"\(line.trimmed)\" stands before the first field; write FIELD: \(line.trimmed)"
      )
    }
    switch field.shape {
    case .paragraphs, .part, .parts: break
    case .line, .words, .yes, .number, .links:
      guard isIndented else {
        throw Failure(
          .usage,
          "line \(number): \"\(line.trimmed)\" belongs to no field; indent it to go on with \(field.name)"
        )
      }
    }
    let indent = line.hasPrefix("\t") ? 1 : min(2, line.prefix { $0 == " " }.count)
    entries[entries.count - 1].value += "\n" + line.dropFirst(indent)
  }

  private static func part(_ field: Field, has name: String) -> Bool {
    switch field.shape {
    case .part(let form), .parts(let form): form.names.contains(name)
    default: false
    }
  }

  /// A block whose parts are all empty, as an unused one is.
  private static func isEmptyBlock(_ field: Field, _ value: String) throws(Failure) -> Bool {
    switch field.shape {
    case .part(let form), .parts(let form):
      try form.parts(ofBlock: value).allSatisfy { $0.value.isEmpty }
    default: false
    }
  }
}

extension Template.Field {
  fileprivate init(_ field: EventField) {
    self.init(
      name: field.formName, key: field.name, shape: Template.Shape(field.kind),
      comment: Self.comment(field), isRare: field.isRare)
  }

  /// What the schema says, and which command says more.
  private static func comment(_ field: EventField) -> String? {
    switch field.member {
    case .type:
      let words = EventType.ofEvents.map(\.word).joined(separator: " ")
      return "one of \(Wrapped(words, to: 66).lines.joined(separator: "\n#   "))"
    case .subtype: return "timelinectl add --help lists them"
    case .actors: return field.comment.map { "\($0) (timelinectl actor list)" }
    default: return field.comment
    }
  }
}

extension Template.Shape {
  fileprivate init(_ kind: EventField.Kind) {
    self =
      switch kind {
      case .type, .subtype, .date, .line, .text, .choice, .other: .line
      case .paragraphs, .weightReason: .paragraphs
      case .codes, .words: .words
      case .yes: .yes
      case .weight: .number
      case .offer: .part(.offer)
      case .sources: .parts(.source)
      case .commitments: .parts(.commitment)
      case .links: .links
      }
  }
}

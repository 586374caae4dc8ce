// How the parts of an event that have parts themselves are written by people: a source, an offer, a
// commitment. On the command line in one word, in the editor one a line:
//
//     --commitment 'key=freeze; by=PRK; to=USA; what=Freeze the reactors; due=1994-11'
//
//     commitment:
//       key: freeze
//       by: PRK
//       what: Freeze the reactors,
//         all of them
//
// The parts stand in EventSchema.

import TimelineModel

/// One `name: value` of a part, as it was written.
struct Part: Hashable {
  var name: String
  var value: String
}

struct PartForm: Sendable {
  /// What people call it.
  let name: String
  let parts: [EventPart]

  static let source = PartForm(name: "source", parts: EventPart.source)
  static let offer = PartForm(name: "offer", parts: EventPart.offer)
  static let commitment = PartForm(name: "commitment", parts: EventPart.commitment)

  private enum Shape {
    /// One text.
    case text
    /// Codes or words, with commas between them.
    case words
    /// Sentences: the name stands once for each.
    case sentences

    init(_ kind: EventPart.Kind) {
      self =
        switch kind {
        case .name, .text, .word, .date, .choice: .text
        case .codes, .words: .words
        case .sentences: .sentences
        }
    }
  }

  var names: [String] { parts.map(\.name) }

  private func shape(_ name: String) -> Shape {
    parts.first { $0.name == name }.map { Shape($0.kind) } ?? .text
  }

  /// An option for each part that has one: `--offer-if`.
  var flags: [Flag] {
    parts.compactMap { part in
      part.option.map { Flag(name: "--\(name)-\(part.name)", value: $0.value, help: $0.help) }
    }
  }

  // MARK: Reading

  /// Reads `name=value; name=value`. A semicolon ends a value only where a name follows it.
  func parts(ofLine text: String) throws(Failure) -> [Part] {
    var parts: [Part] = []
    for piece in text.split(separator: ";", omittingEmptySubsequences: false) {
      if let part = part(piece, separators: ["="]) {
        parts.append(part)
      } else if parts.isEmpty {
        guard !piece.trimmed.isEmpty else { continue }
        throw Failure(
          .usage,
          "\(name): \"\(piece.trimmed)\" begins with none of its parts; write \(example)")
      } else {
        try refuseMisspelt(piece, separators: ["="])
        parts[parts.count - 1].value += ";" + piece
      }
    }
    return try checked(parts.map { Part(name: $0.name, value: $0.value.trimmed) })
  }

  /// Reads lines of `name: value`. What is indented further goes on with the line before.
  func parts(ofBlock text: String) throws(Failure) -> [Part] {
    var parts: [Part] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let indent = line.prefix { $0 == " " || $0 == "\t" }.count
      if number == 0, !line.trimmed.isEmpty, part(line, separators: [":"]) == nil {
        // Beside the field's own name it may stand as on the command line.
        parts = try self.parts(ofLine: String(line))
      } else if indent < 2 || parts.isEmpty, let part = part(line, separators: [":"]) {
        parts.append(part)
      } else if parts.isEmpty {
        guard !line.trimmed.isEmpty else { continue }
        throw Failure(
          .usage,
          "\(name): \"\(line.trimmed)\" is none of its parts, which are \(names.joined(separator: ", "))"
        )
      } else {
        if indent < 2 {
          try refuseMisspelt(line, separators: [":"], " (Text is indented further.)")
        }
        parts[parts.count - 1].value += "\n" + line.dropFirst(min(indent, 2))
      }
    }
    return try checked(parts.map { Part(name: $0.name, value: $0.value.trimmed) })
  }

  private func part(_ text: some StringProtocol, separators: Set<Character>) -> Part? {
    guard let at = text.firstIndex(where: { separators.contains($0) }) else { return nil }
    let name = text[..<at].trimmed
    guard names.contains(name) else { return nil }
    return Part(name: name, value: String(text[text.index(after: at)...]))
  }

  /// `publsher: Yonhap` is no more of the title before it.
  private func refuseMisspelt(
    _ text: some StringProtocol, separators: Set<Character>, _ advice: String = ""
  ) throws(Failure) {
    guard let at = text.firstIndex(where: { separators.contains($0) }) else { return }
    let word = text[..<at].trimmed
    guard !word.contains(" "), let near = EditDistance.nearest(to: word, in: names).first else {
      return
    }
    throw Failure(.usage, "\(name): it has no \"\(word)\"; did you mean \(near)?\(advice)")
  }

  /// Parts with a value, each once where it can stand once.
  private func checked(_ parts: [Part]) throws(Failure) -> [Part] {
    for (index, part) in parts.enumerated() where shape(part.name) != .sentences {
      if parts[..<index].contains(where: { $0.name == part.name }) {
        throw Failure(.usage, "\(name): \(part.name) stands twice")
      }
    }
    return parts
  }

  private var example: String {
    names.prefix(3).map { "\($0)=…" }.joined(separator: "; ") + " (any of "
      + names.joined(separator: ", ") + ")"
  }

  // MARK: JSON

  /// An object with these parts; what else the old one says stays.
  /// - Parameter isWhole: known parts that are not named go, as they do when a whole text was edited.
  func object(_ given: [Part], changing old: JSONValue? = nil, isWhole: Bool = false) -> JSONValue {
    var body = EventBody(old?.members ?? [])
    for part in parts {
      let (name, shape) = (part.name, Shape(part.kind))
      let given = given.filter { $0.name == name }
      guard !given.isEmpty || isWhole else { continue }
      // Of what can stand once the last one counts, and an empty one takes it away.
      let counting = shape == .sentences ? given[...] : given.suffix(1)
      let filled = counting.map(\.value.trimmed).filter { !$0.isEmpty }
      // What reads the same is the same: its spelling is not touched.
      if filled == values(old?[name], shape) { continue }
      switch shape {
      case .text: body[name] = filled.first.map { .string($0) }
      case .words: body.setItems(name, filled.first.map(Self.words)?.map { .string($0) } ?? [])
      case .sentences: body.setItems(name, filled.map { .string($0) })
      }
    }
    return body.json
  }

  /// What of an object is shown and can be changed.
  func parts(of object: JSONValue) -> [Part] {
    parts.flatMap { part in
      values(object[part.name], Shape(part.kind)).map { Part(name: part.name, value: $0) }
    }
  }

  /// The value of a member, as it is written: once, or for sentences once for each.
  private func values(_ value: JSONValue?, _ shape: Shape) -> [String] {
    guard let value else { return [] }
    let texts = (value.array ?? [value]).compactMap(\.string).map(\.trimmed).filter { !$0.isEmpty }
    return shape == .words && !texts.isEmpty ? [texts.joined(separator: ", ")] : texts
  }

  /// `USA, KOR` as its words.
  static func words(_ text: String) -> [String] {
    text.split { $0 == "," || $0 == ";" }.map { $0.trimmed }.filter { !$0.isEmpty }
  }
}

// The filter language, one everywhere: in `log`, `watch`, on the wire.
//
//     type=test actor=PRK date>=2016 date<=2017-06 tag=icbm text~"solid fuel"
//
// The same key twice means or, different keys mean and. On the wire it is a JSON object of the same
// keys, or the text under "where".

/// Why a filter cannot be read.
public struct FilterError: Error, Sendable, Hashable {
  public var message: String
  public init(_ message: String) { self.message = message }
}

/// Which events are wanted.
public struct Filter: Sendable, Hashable {
  public static let keys = [
    "date", "type", "subtype", "actor", "target", "party", "tag", "author", "id", "text",
  ]

  public var from: Day?
  public var to: Day?
  public var types: Set<EventType> = []
  public var subtypes: Set<String> = []
  public var actors: Set<ActorCode> = []
  public var targets: Set<ActorCode> = []
  /// Among actors or targets.
  public var parties: Set<ActorCode> = []
  public var tags: Set<String> = []
  public var authors: Set<String> = []
  /// Beginnings of ids.
  public var ids: Set<String> = []
  /// Every one must stand in the title, summary, place or another word of the body; folded.
  public var texts: [String] = []

  public init() {}

  public var isEmpty: Bool { self == Filter() }

  /// Reads the language.
  public init(_ language: String) throws(FilterError) {
    for word in try Self.words(language) {
      guard let at = word.firstIndex(where: { "=<>~".contains($0) }) else {
        throw FilterError(
          "\"\(word)\" is no term; write key=value, with a key of \(Self.keys.joined(separator: ", "))"
        )
      }
      let operators = word[at...].prefix { "=<>~".contains($0) }
      try add(
        String(word[..<at]), String(operators), String(word[operators.endIndex...]))
    }
  }

  /// Adds one term. The operator is `=`, `>=`, `<=`, `>`, `<` (dates) or `~` (text).
  public mutating func add(
    _ key: String, _ comparison: String, _ value: String
  ) throws(FilterError) {
    guard !value.isEmpty else { throw FilterError("\(key)\(comparison) has no value") }
    if key == "date" { return try addDate(comparison, value) }
    if key == "text" {
      guard comparison == "~" || comparison == "=" else {
        throw FilterError("text takes ~, as in text~\"solid fuel\"")
      }
      texts.append(value)
      return
    }
    guard comparison == "=" else { throw FilterError("\(key) takes =, not \(comparison)") }
    switch key {
    case "type":
      guard let type = EventType(word: value) else {
        throw FilterError(Self.unknown("type", value, EventType.allCases.map(\.word)))
      }
      types.insert(type)
    case "subtype": subtypes.insert(value)
    case "actor": actors.insert(try Self.code(value))
    case "target": targets.insert(try Self.code(value))
    case "party": parties.insert(try Self.code(value))
    case "tag": tags.insert(value)
    case "author": authors.insert(value)
    case "id": ids.insert(value)
    default: throw FilterError(Self.unknown("key", key, Self.keys))
    }
  }

  private mutating func addDate(_ comparison: String, _ value: String) throws(FilterError) {
    let bounds: (first: Day, last: Day)
    do throws(DateError) {
      let date = try EventDate(value)
      bounds = (date.first, date.last)
    } catch {
      throw FilterError("date: \(error.message)")
    }
    switch comparison {
    case "=":
      from = bounds.first
      to = bounds.last
    case ">=": from = bounds.first
    case ">": from = bounds.last.advanced(by: 1)
    case "<=": to = bounds.last
    case "<": to = bounds.first.advanced(by: -1)
    default: throw FilterError("date takes =, >=, <=, > or <, not \(comparison)")
    }
  }

  private static func code(_ value: String) throws(FilterError) -> ActorCode {
    guard let code = ActorCode(value) else {
      throw FilterError("\"\(value)\" is no actor code; codes are capital letters such as PRK")
    }
    return code
  }

  private static func unknown(_ what: String, _ value: String, _ all: [String]) -> String {
    let near = EditDistance.nearest(to: value, in: all)
    let advice =
      near.isEmpty
      ? "one of \(all.joined(separator: ", "))" : "did you mean \(near.joined(separator: ", "))?"
    return "unknown \(what) \"\(value)\"; \(advice)"
  }

  /// Splits at spaces, not within double quotes.
  private static func words(_ language: String) throws(FilterError) -> [String] {
    var words: [String] = []
    var word = ""
    var isQuoted = false
    for character in language {
      switch character {
      case "\"": isQuoted.toggle()
      case " ", "\t":
        if isQuoted {
          word.append(character)
        } else if !word.isEmpty {
          words.append(word)
          word = ""
        }
      default: word.append(character)
      }
    }
    guard !isQuoted else { throw FilterError("a quote is never closed in: \(language)") }
    if !word.isEmpty { words.append(word) }
    return words
  }

  /// Reads the members of a JSON object that are keys of the language; a value is a string or a
  /// list of strings. `where` holds the language itself, `from` and `to` are days.
  public init(json: JSONValue) throws(FilterError) {
    try self.init(json["where"]?.string ?? "")
    for key in Self.keys {
      guard let value = json[key] else { continue }
      let values = value.array?.compactMap(\.string) ?? value.string.map { [$0] } ?? []
      guard !values.isEmpty else {
        throw FilterError("\(key): a string or a list of strings")
      }
      for value in values { try add(key, key == "text" ? "~" : "=", value) }
    }
    for (key, comparison) in [("from", ">="), ("to", "<=")] {
      guard let value = json[key] else { continue }
      guard let text = value.string else { throw FilterError("\(key): a date in quotes") }
      try add("date", comparison, text)
    }
  }
}

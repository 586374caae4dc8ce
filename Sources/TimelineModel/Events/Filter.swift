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
  public static let keys = FilterKey.allCases.map(\.rawValue)

  /// From `date=`: any one of these.
  private var spans: [ClosedRange<Day>] = []
  /// From `date>=` and the like.
  private var since: Day?
  private var until: Day?
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
  /// Any one must stand in the title, summary, place or another word of the body; folded.
  public var texts: [String] = []

  public init() {}

  private static let textsMax = 16
  private static let textBytesMax = 256

  /// The first day that an event can have; nil where any will do.
  public var from: Day? { Self.bound([since, spans.map(\.lowerBound).min()], Swift.max) }

  /// The last one.
  public var to: Day? { Self.bound([until, spans.map(\.upperBound).max()], Swift.min) }

  private static func bound(_ days: [Day?], _ narrower: (Day, Day) -> Day) -> Day? {
    days.compactMap { $0 }.reduce(nil) { narrowest, day in
      narrowest.map { narrower($0, day) } ?? day
    }
  }

  /// Whether an event whose date begins on this day can be wanted.
  public func fits(_ day: Day) -> Bool {
    (since.map { day >= $0 } ?? true) && (until.map { day <= $0 } ?? true)
      && (spans.isEmpty || spans.contains { $0.contains(day) })
  }

  public var isEmpty: Bool { self == Filter() }

  /// Reads the language.
  public init(_ language: String) throws(FilterError) {
    for word in try Self.words(language) {
      guard let at = word.firstIndex(where: Self.isSign) else {
        throw FilterError(
          "\"\(String(word))\" is no term; write key=value, with a key of \(Self.keys.joined(separator: ", "))"
        )
      }
      let operators = word[at...].prefix(while: Self.isSign)
      try add(
        String(word[..<at]), String(operators), String(word[operators.endIndex...]))
    }
  }

  /// Adds one term. The operator is `=`, `>=`, `<=`, `>`, `<` (dates) or `~` (text).
  public mutating func add(
    _ key: String, _ comparison: String, _ value: String
  ) throws(FilterError) {
    guard !value.isEmpty else { throw FilterError("\(key)\(comparison) has no value") }
    let known = FilterKey(rawValue: key)
    guard comparison == "=" || known == .date || known == .text else {
      throw FilterError("\(key) takes =, not \(comparison)")
    }
    switch known {
    case .date: try addDate(comparison, value)
    case .type:
      guard let type = EventType(word: value) else {
        throw FilterError(Self.unknown("type", value, EventType.allCases.map(\.word)))
      }
      types.insert(type)
    case .subtype: subtypes.insert(value)
    case .actor: actors.insert(try Self.code(value))
    case .target: targets.insert(try Self.code(value))
    case .party: parties.insert(try Self.code(value))
    case .tag: tags.insert(value)
    case .author: authors.insert(value)
    case .id: ids.insert(value)
    case .text:
      guard comparison == "~" || comparison == "=" else {
        throw FilterError("text takes ~, as in text~\"solid fuel\"")
      }
      guard value.utf8.count <= Self.textBytesMax, texts.count < Self.textsMax else {
        throw FilterError(
          "text: at most \(Self.textsMax) of them, of at most \(Self.textBytesMax) bytes each")
      }
      texts.append(value)
    case nil: throw FilterError(Self.unknown("key", key, Self.keys))
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
    case "=": spans.append(bounds.first...bounds.last)
    case ">=": try Self.narrow(&since, bounds.first, comparison)
    case ">": try Self.narrow(&since, bounds.last.advanced(by: 1), comparison)
    case "<=": try Self.narrow(&until, bounds.last, comparison)
    case "<": try Self.narrow(&until, bounds.first.advanced(by: -1), comparison)
    default: throw FilterError("date takes =, >=, <=, > or <, not \(comparison)")
    }
  }

  /// The same end of a span twice would mean either: nobody means that.
  private static func narrow(
    _ end: inout Day?, _ day: Day, _ comparison: String
  ) throws(FilterError) {
    guard end == nil else {
      throw FilterError("date\(comparison): this end of the span is given twice; give it once")
    }
    end = day
  }

  private static func code(_ value: String) throws(FilterError) -> ActorCode {
    guard let code = ActorCode(value) else {
      let capitals = ActorCode(value.uppercased()).map { "; did you mean \($0)?" }
      throw FilterError(
        "\"\(value)\" is no actor code" + (capitals ?? "; codes are capital letters such as PRK"))
    }
    return code
  }

  private static func unknown(_ what: String, _ value: String, _ all: [String]) -> String {
    let advice = EditDistance.advice(
      on: value, in: all, else: "one of \(all.joined(separator: ", "))")
    return "unknown \(what) \"\(value)\"; \(advice)"
  }

  private static func isSign(_ scalar: Unicode.Scalar) -> Bool {
    "=<>~".unicodeScalars.contains(scalar)
  }

  /// Splits at spaces, not within double quotes. By scalars: to a Character a mark before or behind a space, a quote or a sign is one with it.
  private static func words(_ language: String) throws(FilterError) -> [String.UnicodeScalarView] {
    var words: [String.UnicodeScalarView] = []
    var word = String.UnicodeScalarView()
    var isQuoted = false
    for character in language.unicodeScalars {
      switch character {
      case "\"": isQuoted.toggle()
      case " ", "\t":
        if isQuoted {
          word.append(character)
        } else if !word.isEmpty {
          words.append(word)
          word = String.UnicodeScalarView()
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
    guard json.members != nil else {
      throw FilterError("a filter is an object such as {\"type\":\"test\"}")
    }
    try self.init(try Self.strings(json, "where").first ?? "")
    for key in Self.keys {
      for value in try Self.strings(json, key) {
        try add(key, key == "text" ? "~" : "=", value)
      }
    }
    if let day = try Self.strings(json, "from").first { try add("date", ">=", day) }
    if let day = try Self.strings(json, "to").first { try add("date", "<=", day) }
  }

  /// The strings under a key, none where it is not there.
  private static func strings(
    _ json: JSONValue, _ key: String
  ) throws(FilterError) -> [String] {
    guard let value = json[key] else { return [] }
    if let text = value.string { return [text] }
    let isList = keys.contains(key)
    guard isList, let list = value.array, !list.isEmpty else {
      throw FilterError("\(key): \(isList ? "a string or a list of strings" : "a string")")
    }
    let strings = list.compactMap(\.string)
    guard strings.count == list.count else {
      throw FilterError("\(key): the list holds something that is no string")
    }
    return strings
  }
}

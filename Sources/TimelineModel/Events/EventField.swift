// What the rows of EventSchema are made of, and what follows from them: names by type and type by name,
// the order of forms, the columns of a table.

// MARK: Types

extension EventType {
  /// What the schema says of a type.
  struct Row: Sendable {
    /// The word of the format.
    let word: String
    /// What it is, in a line.
    let help: String
    /// Fields that only some types may carry.
    let carries: [BodyMember]
    let subtypes: [String]
    let isEvent: Bool

    init(
      _ word: String, _ help: String, carries: [BodyMember] = [], subtypes: [String]
    ) {
      self.word = word
      self.help = help
      self.carries = carries
      self.subtypes = subtypes
      isEvent = true
    }

    /// What the log says of itself.
    init(log word: String, _ help: String) {
      self.word = word
      self.help = help
      carries = []
      subtypes = []
      isEvent = false
    }
  }

  private static let byWord: [String: EventType] = Dictionary(
    uniqueKeysWithValues: allCases.map { ($0.row.word, $0) })

  /// By code.
  private static let words: [String] = {
    var words = Array(repeating: "", count: codesMax)
    for type in allCases { words[Int(type.rawValue)] = type.row.word }
    return words
  }()

  /// Codes are below: a type is one bit of a word.
  public static let codesMax = 64

  private static let eventBits = allCases.filter(\.row.isEvent)
    .reduce(UInt64(0)) { $0 | 1 << UInt64($1.rawValue) }

  public init?(word: String) {
    guard let type = Self.byWord[word] else { return nil }
    self = type
  }

  /// The word of the format.
  public var word: String { Self.words[Int(rawValue)] }

  /// Whether it is of an event between parties, not of a control record.
  public var isEvent: Bool { Self.eventBits >> UInt64(rawValue) & 1 == 1 }

  public static let ofEvents: [EventType] = allCases.filter(\.isEvent)

  /// Subtypes that the model names. The list is open: others are accepted and count with the
  /// weight of their type.
  public var knownSubtypes: [String] { row.subtypes }

  func mayCarry(_ member: BodyMember) -> Bool { row.carries.contains(member) }

  /// The types that may carry a field: `a message, statement or talks`.
  static func carriers(of member: BodyMember) -> String {
    let words = ofEvents.filter { $0.mayCarry(member) }.map(\.word)
    let article = "aeiou".contains(words[0].first!) ? "an" : "a"
    let list = (words.count > 1 ? [words.dropLast().joined(separator: ", ")] : []) + [words.last!]
    return "\(article) \(list.joined(separator: " or "))"
  }
}

// MARK: Fields

/// What the schema says of a member of a body.
public struct EventField: Sendable {
  public enum Kind: Sendable, Equatable {
    case type, subtype, date
    /// A list of actors.
    case codes
    /// A list of words.
    case words
    /// One line, not long.
    case line
    /// Any text: written as one line, or as paragraphs.
    case text, paragraphs
    case choice
    /// True, or not there.
    case yes
    case sources, offer, commitments, links
    case weight, weightReason
    /// Not what happened.
    case other(Role)
  }

  /// What a member is that does not say what happened.
  public enum Role: Sendable {
    /// Who says so.
    case recorder
    /// Of a line about the log.
    case record
    /// Written by the daemon.
    case envelope
    /// In the place of an erased body.
    case stub
    /// Added by an answer.
    case answer
  }

  public let member: BodyMember
  public let text: StaticString
  public let kind: Kind
  public let isRequired: Bool
  /// The key by which a filter asks for it.
  public let filter: FilterKey?
  /// What a person calls it: of a list of things, each of them.
  public let formName: String
  /// Forms show it as a comment where an event has none.
  public let isRare: Bool
  /// What a form says above it.
  public let comment: String?
  /// What an option's help says: what stands for its value (nil for a switch), and what it is.
  public let option: (value: String?, help: String)?

  public var name: String { "\(text)" }
}

extension BodyMember {
  func field(
    _ text: StaticString, _ kind: EventField.Kind, each formName: String? = nil,
    isRequired: Bool = false, isRare: Bool = false, filter: FilterKey? = nil,
    comment: String? = nil, option: (value: String?, help: String)? = nil
  ) -> EventField {
    EventField(
      member: self, text: text, kind: kind, isRequired: isRequired, filter: filter,
      formName: formName ?? "\(text)", isRare: isRare, comment: comment, option: option)
  }

  private static let rows = allCases.map(\.row)

  public var text: StaticString { Self.rows[Int(rawValue)].text }
  public var name: String { "\(text)" }

  /// What says what happened, in the order of a body.
  public static let ofEvents = rows.filter {
    if case .other = $0.kind { false } else { true }
  }.map(\.member)

  /// Texts about which there is no rule.
  static let plainTexts =
    rows.filter { $0.kind == .text || $0.kind == .paragraphs }.map(\.member)

  /// Names of what the daemon writes into every line.
  public static let envelope = Set(rows.filter { $0.kind == .other(.envelope) }.map(\.name))
  /// Names of what an answer has in addition to what was recorded.
  public static let answered = envelope.union(
    rows.filter { $0.kind == .other(.answer) }.map(\.name))
  /// Names of what is the recorder's, not the event's.
  public static let recorder = Set(rows.filter { $0.kind == .other(.recorder) }.map(\.name))
}

extension EventField {
  /// In the order of forms and tables: as in a body, but tags are one line, and come before what has
  /// parts.
  public static let all: [EventField] = {
    var members = BodyMember.ofEvents.filter { $0 != .tags }
    members.insert(.tags, at: members.firstIndex(of: .offer)!)
    return members.map(\.row)
  }()
}

// MARK: Parts

/// What the schema says of a part of a source, an offer or a commitment.
public struct EventPart: Sendable {
  public enum Kind: Sendable {
    /// A text that is not empty; of a source, one that says which it is.
    case name
    case text, word, date
    case choice
    case codes, words, sentences
  }

  public let text: StaticString
  public let kind: Kind
  public let isRequired: Bool
  /// As of a field.
  public let option: (value: String, help: String)?

  init(
    _ text: StaticString, _ kind: Kind, isRequired: Bool = false,
    option: (value: String, help: String)? = nil
  ) {
    self.text = text
    self.kind = kind
    self.isRequired = isRequired
    self.option = option
  }

  public var name: String { "\(text)" }

  static func names(_ parts: [EventPart]) -> String {
    parts.map(\.name).joined(separator: " ")
  }
}

// MARK: Tables

/// A column of the table that `log --csv` writes and `import` reads.
public struct EventColumn: Sendable {
  public enum Kind: Sendable, Equatable {
    case text
    /// Words with a semicolon between them.
    case words
    /// true or nothing.
    case yes
    /// A number, or what JSON is.
    case json
    /// Of the first source: its member of that name.
    case source(String)
    /// All sources but the first, as JSON.
    case furtherSources
    /// What an answer says of the event; it is not read again.
    case mark
    /// An object of what has no column.
    case more
  }

  public let name: String
  public let kind: Kind
  public let isRequired: Bool

  init(_ name: String, _ kind: Kind, isRequired: Bool = false) {
    self.name = name
    self.kind = kind
    self.isRequired = isRequired
  }

  /// A table begins with the date, by which people sort it.
  public static let all: [EventColumn] =
    [EventColumn("id", .text)] + BodyMember.date.row.columns
    + EventField.all.filter { $0.member != .date }.flatMap(\.columns)
    + [
      EventColumn("author", .text), EventColumn("ref", .text), EventColumn("contested", .mark),
      EventColumn("more", .more),
    ]
}

extension EventField {
  fileprivate var columns: [EventColumn] {
    switch kind {
    case .type, .subtype, .date, .line, .text, .paragraphs, .choice, .weightReason: [column(.text)]
    case .codes, .words: [column(.words)]
    case .yes: [column(.yes)]
    case .offer, .commitments, .links, .weight: [column(.json)]
    case .sources:
      EventPart.source.map { EventColumn("source_\($0.name)", .source($0.name)) }
        + [EventColumn("further_sources", .furtherSources)]
    case .other: []
    }
  }

  private func column(_ kind: EventColumn.Kind) -> EventColumn {
    EventColumn(name, kind, isRequired: isRequired)
  }
}

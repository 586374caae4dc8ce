// Which events: a filter, how the log stood, which order, how many.

import TimelineModel

public struct Query: Sendable {
  public enum Order: String, Sendable, CaseIterable {
    case oldestFirst = "asc"
    case newestFirst = "desc"
  }

  public var filter: Filter
  /// Only what had been recorded by then; nil for all that is there.
  public var knownAt: Position?
  /// What is cited: known at its position, and no answer is better than one that lacks a damaged line.
  public var cited: RecordedSnapshot? {
    didSet { if let cited { knownAt = cited.position } }
  }
  public var order: Order
  public var limit: Int?

  public init(
    _ filter: Filter = Filter(), knownAt: Position? = nil, order: Order = .oldestFirst,
    limit: Int? = nil
  ) {
    self.filter = filter
    self.knownAt = knownAt
    self.order = order
    self.limit = limit
  }
}

/// An event in the version that shows.
public struct ShownEvent: Sendable {
  public let id: EventID
  /// The correction that shows; nil for the event as first recorded.
  public let version: EventID?
  /// The current versions, where there is more than one; at most `contestedMax` of them.
  public let contested: [EventID]
  /// How many they are in all.
  public let contestedCount: Int
  public let first: Day
  /// The line that holds the body.
  let ref: LineRef
  /// The event's row in the index.
  let slot: UInt32

  /// Of a conflict of thousands no answer lists all.
  public static let contestedMax = 100

  public var isContested: Bool { contestedCount > 0 }
}

/// The events of an answer, by four bytes each; what an event is, is found when it is asked for.
public struct EventList: Sendable {
  public let view: ReadView
  public let query: Query
  private var slots: ContiguousArray<UInt32> = []
  /// A line that would have had to be read, and is damaged.
  public let damaged: DamagedLine?
  /// How many of them are contested.
  public let contested: Int

  public init(_ query: Query, in view: ReadView) {
    self.view = view
    self.query = query
    var slots: ContiguousArray<UInt32> = []
    var contested = 0
    damaged = view.visit(query) { event in
      slots.append(event.slot)
      if event.isContested { contested += 1 }
      return true
    }
    self.slots = slots
    self.contested = contested
  }

  public var count: Int { slots.count }

  /// The line of an event that could not be read.
  public func line(of index: Int) -> DamagedLine {
    view.damaged(self[index]?.ref ?? view.index[slots[index]].ref)
  }

  public subscript(index: Int) -> ShownEvent? {
    if case .shown(let event) = view.find(slots[index], knownAt: query.knownAt) {
      event
    } else {
      nil
    }
  }
}

/// A filter made ready for the rows of one index: each shared value is judged once, where the filter
/// asks for it at all.
struct Matcher {
  private let filter: Filter
  /// By the codes of types, and the numbers of other values.
  private let typesFit: [Bool]?
  private let authorsFit: [Bool]?
  private let partiesFit: [Bool]?
  private let tagsFit: [Bool]?
  private let subtypesFit: [Bool]?
  let needles: [TextNeedle]
  private let authors: Set<[UInt8]>
  /// Whether authors came that have no number of their own.
  private let hasFurtherAuthors: Bool

  init(_ filter: Filter, _ values: Vocabulary.Values) {
    self.filter = filter
    typesFit =
      filter.types.isEmpty
      ? nil
      : (0..<EventType.codesMax).map { code in
        EventType(rawValue: UInt8(code)).map(filter.types.contains) ?? false
      }
    let anyParty = filter.actors.isEmpty && filter.targets.isEmpty && filter.parties.isEmpty
    // Lists: a filter names few, and hashing each code of all parties would cost more than the answer.
    let wanted = (Array(filter.actors), Array(filter.targets), Array(filter.parties))
    partiesFit = anyParty ? nil : values.parties.map { Self.fits($0, wanted) }
    tagsFit =
      filter.tags.isEmpty ? nil : values.tags.map { $0.contains(where: filter.tags.contains) }
    subtypesFit = filter.subtypes.isEmpty ? nil : values.subtypes.map(filter.subtypes.contains)
    needles = filter.texts.map(TextNeedle.init)
    let authors = Set(filter.authors.map { Array(JSONText.inner($0).utf8) })
    self.authors = authors
    authorsFit =
      authors.isEmpty ? nil : values.authors.map { authors.contains(Array($0.utf8)) }
    hasFurtherAuthors = values.authors.count >= Vocabulary.furtherAuthors
  }

  /// What a block of rows must have marks of, one of each list; none where the filter asks for none
  /// of these.
  var marks: [[ValueMarks.Mark]] {
    func marks<Number: FixedWidthInteger>(
      _ fit: [Bool]?, _ mark: (Number) -> ValueMarks.Mark
    ) -> [ValueMarks.Mark]? {
      fit.map { fit in fit.indices.filter { fit[$0] }.map { mark(Number($0)) } }
    }
    var authors = marks(authorsFit) { ValueMarks.Mark.author($0) }
    if hasFurtherAuthors { authors?.append(.author(Vocabulary.furtherAuthors)) }
    return [
      marks(typesFit) { .type($0) }, marks(subtypesFit) { .subtype($0) },
      marks(tagsFit) { .tags($0) }, authors,
    ].compactMap { $0 }
  }

  private static func fits(
    _ found: Parties, _ wanted: (actors: [ActorCode], targets: [ActorCode], parties: [ActorCode])
  ) -> Bool {
    func holds(_ codes: [ActorCode], _ wanted: [ActorCode]) -> Bool {
      codes.contains { wanted.contains($0) }
    }
    return (wanted.actors.isEmpty || holds(found.actors, wanted.actors))
      && (wanted.targets.isEmpty || holds(found.targets, wanted.targets))
      && (wanted.parties.isEmpty || holds(found.actors, wanted.parties)
        || holds(found.targets, wanted.parties))
  }

  /// True too where only the line can tell: of copies each may have its own author.
  func mayFit(_ row: EventRow) -> Bool {
    fitsButAuthor(row) && (row.flags.contains(.copies) || fits(author: row.author))
  }

  /// The same, by any author.
  func fitsButAuthor(_ row: EventRow) -> Bool {
    fits(first: row.first, row.typeCode, row.parties, row.tags, row.subtype)
      && fits(EventID(row.id))
  }

  func fits(_ facts: EventFacts, _ id: EventID) -> Bool {
    fits(first: facts.first, facts.type.rawValue, facts.parties, facts.tags, facts.subtype)
      && fits(author: facts.author) && fits(id)
  }

  /// True too where only the line can tell.
  func fits(author: UInt16) -> Bool {
    guard let authorsFit else { return true }
    return author == Vocabulary.furtherAuthors
      || Int(author) < authorsFit.count && authorsFit[Int(author)]
  }

  /// An event lies where its first day does.
  private func fits(
    first: Day, _ typeCode: UInt8, _ parties: UInt32, _ tags: UInt32, _ subtype: UInt32
  ) -> Bool {
    filter.fits(first)
      && (typesFit?[Int(typeCode)] ?? true)
      && (partiesFit?[Int(parties)] ?? true) && (tagsFit?[Int(tags)] ?? true)
      && (subtypesFit?[Int(subtype)] ?? true)
  }

  private func fits(_ id: EventID) -> Bool {
    guard !filter.ids.isEmpty else { return true }
    let text = id.description
    return filter.ids.contains { text.hasPrefix($0) }
  }

  /// Whether the line must be looked at too.
  var readsLines: Bool { !needles.isEmpty || !authors.isEmpty && hasFurtherAuthors }

  /// Whether it is asked who recorded a line.
  var asksForAuthors: Bool { !authors.isEmpty }

  func fitsAuthor(of line: Line, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    authors.isEmpty || authors.contains(Array(text[line.author]))
  }

  /// Whether one of the words may stand in a text; a quick look.
  func mayHold(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    needles.contains { $0.look(at: text) != .holdsNot }
  }

  /// The document is scratch space.
  func fits(
    _ line: Line, _ text: UnsafeBufferPointer<UInt8>, _ document: inout JSONDocument
  ) -> Bool {
    guard fitsAuthor(of: line, text) else { return false }
    guard !needles.isEmpty else { return true }
    let body = UnsafeBufferPointer(rebasing: text[line.body])
    guard mayHold(body) else { return false }
    guard (try? document.parse(text)) != nil else { return false }
    // A correction is searched in what it says the event is.
    let node =
      document.member("corrects", of: 0, in: text) == nil
      ? 0 : document.member("body", of: 0, in: text) ?? 0
    return needles.contains { needle in
      document.children(node).contains { key in
        let isEnvelope =
          node == 0
          && IndexEntry.envelope.contains(document.string(key, in: text))
        return !isEnvelope && needle.stands(in: document, from: key + 1, text: text)
      }
    }
  }
}

// The gaps and faults of a set of events on a day. Events are taken one after the other, in the order of
// (first day, id); of most of them nothing is kept, so a million need no more memory than their links,
// offers and promises. Nothing here reads a clock or a log.
//
//     take(event) …  ─▶  each by itself, and compared with those of its day
//     finish(find)   ─▶  links, offers, promises: what needs the others
//
// Every kind is counted whole; at most `limit` of each are listed.

import TimelineModel

public struct Lint: Sendable {
  /// The offers that nobody answered in so many days are reported.
  static let answerDays = 90
  /// Exercises and talks are over after so many days; what else goes on, after a year somebody may look.
  static let shortDays = 90
  static let longDays = 365

  let day: Day
  private let registry: ActorRegistry
  private let limit: Int
  private let isWanted: @Sendable (EventID) -> Bool

  /// Events that were looked at.
  public private(set) var events = 0
  /// How many of each kind there are, as far as they are wanted.
  public private(set) var counts: [LintKind: Int] = [:]
  /// How many more there would be, were they not tagged as known.
  public private(set) var accepted = 0
  private var found: [LintKind: [Finding]] = [:]
  private let apart: Set<EventPair>
  /// Of one day, the first of each group of likely duplicates; and the groups whole.
  private var neighbours = Neighbours()
  private var groups: [[EventID]] = []
  /// Events with links, an offer or promises, in order.
  private(set) var speaking: [LintedEvent] = []

  /// - Parameters:
  ///   - limit: so many findings of each kind are listed.
  ///   - apart: what people said are two happenings.
  ///   - isWanted: whether findings of an event are; all are looked at all the same.
  public init(
    on day: Day, registry: ActorRegistry = .shipped, limit: Int = .max,
    apart: Set<EventPair> = [],
    isWanted: @escaping @Sendable (EventID) -> Bool = { _ in true }
  ) {
    self.day = day
    self.registry = registry
    self.limit = limit
    self.apart = apart
    self.isWanted = isWanted
  }

  /// What there is of an id that a link names.
  public enum Target: Sendable {
    case event(LinkedEvent)
    case retracted
    /// A control record.
    case line
    case unknown
  }

  // MARK: One event

  /// In the order of (first day, id).
  public mutating func take(_ event: LintedEvent) {
    events += 1
    compare(event)
    if event.details != nil { speaking.append(event) }
    sources(event)
    if event.isContested {
      note(event, .contested) { "more than one version stands" }
    }
    let (day, registry) = (day, registry)
    for code in event.parties.everyone where !registry.contains(code) {
      note(event, .unknownActor) {
        let near = registry.nearest(to: code.description).map(\.code.description)
        return "\(code)" + (near.isEmpty ? "" : "; meant may be \(near.joined(separator: ", "))")
      }
    }
    if let subtype = event.subtype, !event.type.knownSubtypes.contains(subtype) {
      note(event, .unknownSubtype) {
        let near = EditDistance.nearest(to: subtype, in: event.type.knownSubtypes)
        return "\(event.type.word)/\(subtype)"
          + (near.isEmpty ? "" : "; meant may be \(near.joined(separator: ", "))")
      }
    }
    if event.first > day {
      let days = event.first - day
      note(event, .future, days: days) { "begins on \(event.first), in \(days) days" }
    }
    end(event)
    backwards(event)
  }

  /// A line that is kept, and is no event to this version.
  public mutating func take(unreadable id: EventID, _ why: String) {
    guard isWanted(id) else { return }
    add(.unreadable, { Finding(.unreadable, [id], why) })
  }

  private mutating func sources(_ event: LintedEvent) {
    switch event.source {
    case .none: note(event, .noSource) { "it is said to be unsourced" }
    case .withoutAddress: note(event, .noAddress) { "no source has a url or doi" }
    case .addressed: break
    }
  }

  private mutating func end(_ event: LintedEvent) {
    guard let missing = event.missingEnd, event.first != .distantPast, event.first <= day else {
      return
    }
    let days = day - event.first
    let isShort = event.type == .exercise || event.type == .talks
    guard missing == .unknown || days > (isShort ? Self.shortDays : Self.longDays) else { return }
    note(event, .noEnd, days: days) {
      missing == .unknown
        ? "\(event.date): its end is not known"
        : "\(event.date): under way for \(days) days"
    }
  }

  private mutating func backwards(_ event: LintedEvent) {
    guard let says = event.details else { return }
    if let expires = says.expires, expires.last < event.first {
      note(event, .backwards) {
        "the offer expires on \(expires.text), it begins on \(event.first)"
      }
    }
    for (key, due) in says.promises {
      guard let due, due.last < event.first else { continue }
      note(event, .backwards, key: key) {
        "\(key) is due on \(due.text), promised on \(event.first)"
      }
    }
  }

  private mutating func compare(_ event: LintedEvent) {
    if neighbours.day != event.first { noteDuplicates() }
    guard !event.accepted.contains(.duplicate) else { return }
    let one = neighbours.like(event).first { index, likeness in
      likeness.isProbable
        && EventPair(neighbours.events[index].id, event.id).map { !apart.contains($0) } ?? false
    }
    if let one { return groups[one.index].append(event.id) }
    neighbours.add(event)
    groups.append([event.id])
  }

  private mutating func noteDuplicates() {
    defer { (neighbours, groups) = (Neighbours(), []) }
    for ids in groups where ids.count > 1 && ids.contains(where: isWanted) {
      add(.duplicate) {
        let others = ids.dropFirst().prefix(5).map(\.short).joined(separator: ", ")
        return Finding(
          .duplicate, ids,
          "the same day, type and parties, and a title like that of \(others)"
            + (ids.count > 6 ? " and \(ids.count - 6) more" : ""))
      }
    }
  }

  // MARK: Findings

  mutating func note(
    _ event: LintedEvent, _ kind: LintKind, others: [EventID] = [],
    reason: Finding.Reason? = nil, key: String? = nil, days: Int? = nil, _ text: () -> String
  ) {
    guard isWanted(event.id) else { return }
    guard !event.accepted.contains(kind) else {
      accepted += 1
      return
    }
    add(kind) {
      Finding(kind, [event.id] + others, text(), reason: reason, key: key, days: days)
    }
  }

  /// Of several events together; where one of them says that it is known, it is.
  mutating func note(
    _ kind: LintKind, _ events: [LintedEvent], reason: Finding.Reason, _ text: () -> String
  ) {
    guard events.contains(where: { isWanted($0.id) }) else { return }
    guard !events.contains(where: { $0.accepted.contains(kind) }) else {
      accepted += 1
      return
    }
    add(kind) { Finding(kind, events.map(\.id), text(), reason: reason) }
  }

  private mutating func add(_ kind: LintKind, _ finding: () -> Finding) {
    counts[kind, default: 0] += 1
    guard found[kind]?.count ?? 0 < limit else { return }
    found[kind, default: []].append(finding())
  }

  /// All that was found, kind by kind, each in the order of its events.
  ///
  /// - Parameter find: an event that a link names, and that has no links, offer or promises of its own.
  public mutating func finish(_ find: @escaping (EventID) -> Target) -> [Finding] {
    noteDuplicates()
    var links = LintLinks(speaking, find)
    links.look(&self)
    return LintKind.allCases.flatMap { found[$0] ?? [] }
  }
}

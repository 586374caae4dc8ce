// An event as its links see it, and what makes a link wrong. Whether a link is recorded here is decided
// by these rules, in the daemon (Timeline) and over a file (ImportLinks); of what other machines
// sent, `Lint` says what does not hold. docs/engagement.md, E-1.6, says what the figures leave out:
// what is recorded by these rules they leave in, but for a part that came before the whole.

/// What of an event matters to links from it and to it.
public struct LinkedEvent: Sendable, Hashable {
  /// Nil where it has none yet.
  public var id: EventID?
  public var first: Day
  /// As it was written.
  public var date: String
  public var title: String
  /// Of its commitments.
  public var keys: [String]
  public var links: [Link]

  public init(
    id: EventID?, first: Day, date: String, title: String, keys: [String] = [], links: [Link] = []
  ) {
    self.id = id
    self.first = first
    self.date = date
    self.title = title
    self.keys = keys
    self.links = links
  }

  /// Reads it from the body of an event; nil where that is none.
  public init?(
    id: EventID?, _ document: JSONDocument, node: Int = 0, in text: UnsafeBufferPointer<UInt8>
  ) {
    guard document.kind(node) == .object else { return nil }
    let members = BodyMembers(of: node, document, in: text)
    guard let dateNode = members[.date], document.kind(dateNode) == .string,
      case let date = document.string(dateNode, in: text), let day = try? EventDate(date).first
    else { return nil }
    var keys: [String] = []
    if let list = members[.commitments], document.kind(list) == .array {
      for item in document.children(list) where document.kind(item) == .object {
        if let key = document.member("key", of: item, in: text), document.kind(key) == .string {
          keys.append(document.string(key, in: text))
        }
      }
    }
    self.init(
      id: id, first: day, date: date,
      title: members[.title].map { document.string($0, in: text) } ?? "", keys: keys,
      links: members[.links].map { Self.links($0, document, in: text) } ?? [])
  }

  /// The links of a list, those left out that cannot be read.
  private static func links(
    _ list: Int, _ document: JSONDocument, in text: UnsafeBufferPointer<UInt8>
  ) -> [Link] {
    guard document.kind(list) == .array else { return [] }
    var links: [Link] = []
    for item in document.children(list) where document.kind(item) == .object {
      func string(_ name: StaticString) -> String? {
        guard let node = document.member(name, of: item, in: text),
          document.kind(node) == .string
        else { return nil }
        return document.string(node, in: text)
      }
      if let relation = string("rel").flatMap(Link.Relation.init(rawValue:)),
        let id = string("id").flatMap({ EventID($0) })
      {
        links.append(Link(relation: relation, id: id, key: string("key")))
      }
    }
    return links
  }

  /// Its short id, title and date, for whoever is told of it.
  public var said: String {
    let short = title.prefix(60) + (title.count > 60 ? "…" : "")
    return "\(id?.short ?? "it") \"\(short)\" (\(date))"
  }
}

extension EventID {
  /// Its first eight characters, by which people name it.
  public var short: String { String(description.prefix(8)) }
}

extension Link.Relation {
  /// Whether it may lead to an event that begins later: a part may come before the whole, and which
  /// records are of one event has nothing to do with when it was.
  public var mayLeadForward: Bool {
    switch self {
    case .partOf, .same, .corrects: true
    default: false
    }
  }
}

/// Why a link says nothing.
public enum LinkFault: Sendable, Hashable {
  case itself
  /// It leads to what begins later.
  case later
  case noSuchKey
  /// By these events links lead back to where it comes from.
  case circle([EventID])

  /// What is wrong with a link, by the two events alone.
  public static func of(
    _ link: Link, from event: LinkedEvent, to target: LinkedEvent
  ) -> LinkFault? {
    if let id = event.id, id == link.id { return .itself }
    if target.first > event.first, !link.relation.mayLeadForward { return .later }
    if let key = link.key, !target.keys.contains(key) { return .noSuchKey }
    return nil
  }

  /// The same as an error of the event whose link of that place it is.
  public func error(
    _ place: Int, _ link: Link, from event: LinkedEvent, to target: LinkedEvent
  ) -> EventError {
    let says = "\(link.relation.rawValue) \(target.said)"
    switch self {
    case .itself: return .linkToItself(place, link)
    case .later:
      return EventError(
        "links[\(place)].id",
        "\(says), which begins after this event does (\(event.date)"
          + (event.date == event.first.description ? "" : ", which counts from \(event.first)")
          + "); an event links to what came before it: mend the date, or let the "
          + "later event link to this one")
    case .noSuchKey:
      let key = link.key ?? ""
      let advice =
        target.keys.isEmpty
        ? "that event has no commitments; leave the key out, or correct that event first"
        : EditDistance.advice(
          on: key, in: target.keys,
          else: "it has \(target.keys.prefix(20).joined(separator: ", "))")
      return EventError(
        "links[\(place)].key",
        "\"\(key)\" is no commitment of \(target.said), which this event "
          + "\(link.relation.rawValue); \(advice)")
    case .circle(let way):
      let shown = way.prefix(5).map(\.short).joined(separator: " → ")
      return EventError(
        "links[\(place)].id",
        "\(says), from which links lead back to this event ("
          + (way.isEmpty ? "at once" : "by \(shown)\(way.count > 5 ? " → …" : "")")
          + "); one of these links must go")
    }
  }
}

extension EventError {
  static func linkToItself(_ place: Int, _ link: Link) -> EventError {
    EventError(
      "links[\(place)].id",
      "\(link.relation.rawValue) \(link.id.short): that is this event itself; name another one, "
        + "or leave the link out")
  }
}

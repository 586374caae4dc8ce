// An event as its links see it, and what makes a link wrong. Whether a link is recorded here is decided
// by these rules, in the daemon (Timeline) and over a file (ImportLinks); of what other machines
// sent, `Lint` says what does not hold. docs/reference/engagement.md, E-1.6, says what the figures leave out:
// what is recorded by these rules they leave in, but for a part that came before the whole.

/// What of an event matters to links from it and to it.
public struct LinkedEvent: SpokenOf, Sendable, Hashable {
  /// Nil where it has none yet.
  public var id: EventID?
  public var first: Day
  /// As it was written.
  public var date: String
  public var title: String
  public var actors: [ActorCode]
  public var targets: [ActorCode]
  public var isAgreement: Bool
  public var isMessage: Bool
  public var commitments: [Promise]
  public var links: [Link]

  /// Of a commitment, whose it is.
  public struct Promise: PromiseParties, Sendable, Hashable {
    public var key: String
    public var by: [ActorCode]
    public var to: [ActorCode]

    public init(key: String, by: [ActorCode] = [], to: [ActorCode] = []) {
      self.key = key
      self.by = by
      self.to = to
    }
  }

  public init(
    id: EventID?, first: Day, date: String, title: String, actors: [ActorCode] = [],
    targets: [ActorCode] = [], isAgreement: Bool = false, isMessage: Bool = false,
    commitments: [Promise] = [],
    links: [Link] = []
  ) {
    self.id = id
    self.first = first
    self.date = date
    self.title = title
    self.actors = actors
    self.targets = targets
    self.isAgreement = isAgreement
    self.isMessage = isMessage
    self.commitments = commitments
    self.links = links
  }

  public var keys: [String] { commitments.map(\.key) }

  /// Reads it from the body of an event; nil where that is none.
  public init?(
    id: EventID?, _ document: JSONDocument, node: Int = 0, in text: UnsafeBufferPointer<UInt8>
  ) {
    guard document.kind(node) == .object else { return nil }
    let members = BodyMembers(of: node, document, in: text)
    guard let dateNode = members[.date], document.kind(dateNode) == .string,
      case let date = document.string(dateNode, in: text), let day = try? EventDate(date).first
    else { return nil }
    let codes = { (node: Int?) in node.map { Self.codes($0, document, in: text) } ?? [] }
    var commitments: [Promise] = []
    if let list = members[.commitments], document.kind(list) == .array {
      for item in document.children(list) where document.kind(item) == .object {
        if let key = document.member("key", of: item, in: text), document.kind(key) == .string {
          commitments.append(
            Promise(
              key: document.string(key, in: text),
              by: codes(document.member("by", of: item, in: text)),
              to: codes(document.member("to", of: item, in: text))))
        }
      }
    }
    let type = members[.type].map { document.string($0, in: text) }
    self.init(
      id: id, first: day, date: date,
      title: members[.title].map { document.string($0, in: text) } ?? "",
      actors: codes(members[.actors]), targets: codes(members[.targets]),
      isAgreement: type == EventType.agreement.word,
      isMessage: type == EventType.message.word || members[.offer] != nil, commitments: commitments,
      links: members[.links].map { Self.links($0, document, in: text) } ?? [])
  }

  private static func codes(
    _ list: Int, _ document: JSONDocument, in text: UnsafeBufferPointer<UInt8>
  ) -> [ActorCode] {
    guard document.kind(list) == .array else { return [] }
    return document.children(list).compactMap { item in
      document.kind(item) == .string
        ? document.withText(item, in: text) { ActorCode(utf8: $0) } : nil
    }
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

  /// Its short id, title and date, for messages.
  public var said: String { said(\.short) }

  /// The same with the name that the id has for them.
  func said(_ name: (EventID) -> String) -> String {
    let short = title.prefix(60) + (title.count > 60 ? "…" : "")
    return "\(id.map(name) ?? "it") \"\(short)\" (\(date))"
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
  /// It answers what those who act said themselves.
  case ownWords
  /// Those who say it have no part in what it speaks of.
  case notTheirs
  /// By these events links lead back to where it comes from.
  case circle([EventID])

  /// What is wrong with a link, by the two events alone.
  public static func of(
    _ link: Link, from event: LinkedEvent, to target: LinkedEvent
  ) -> LinkFault? {
    if let id = event.id, id == link.id { return .itself }
    if target.first > event.first, !link.relation.mayLeadForward { return .later }
    if let key = link.key, !target.keys.contains(key) { return .noSuchKey }
    return link.speakerFault(by: event.actors, of: target)
  }

  /// The same as an error of the event whose link of that index it is.
  /// - Parameter name: what an event is called by.
  public func error(
    _ index: Int, _ link: Link, from event: LinkedEvent, to target: LinkedEvent,
    name: (EventID) -> String = { $0.short }
  ) -> EventError {
    let said = target.said(name)
    let says = "\(link.relation.rawValue) \(said)"
    switch self {
    case .itself: return .linkToItself(index, link, name)
    case .later:
      return EventError(
        "links[\(index)].id",
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
        "links[\(index)].key",
        "\"\(key)\" is no commitment of \(said), which this event "
          + "\(link.relation.rawValue); \(advice)")
    case .ownWords:
      return EventError(
        "links[\(index)]",
        "\(says), and that is \(Link.words(target.actors))'s own: nobody answers himself. Name whoever "
          + "answered among the actors; what one says after his own words follows them, or "
          + "withdraws them")
    case .notTheirs where link.relation.isAnswer:
      return EventError(
        "links[\(index)]",
        "\(says), which was said to \(link.speakers(of: target)), and none of those acts in this event; "
          + "name whoever answered among the actors, or mend the targets of the other event; "
          + "what others say of it follows it")
    case .notTheirs:
      return EventError(
        "links[\(index)]",
        "\(says), and none of those who act in this event may say so: that is for "
          + link.speakers(of: target)
          + "; name whoever it was among the actors"
          + (link.key == nil ? "" : ", or say verifies where it was only seen"))
    case .circle(let way):
      let shown = way.prefix(5).map(name).joined(separator: " → ")
      return EventError(
        "links[\(index)].id",
        "\(says), from which links lead back to this event ("
          + (way.isEmpty ? "at once" : "by \(shown)\(way.count > 5 ? " → …" : "")")
          + "); one of these links must go")
    }
  }
}

extension EventError {
  static func linkToItself(
    _ index: Int, _ link: Link, _ name: (EventID) -> String = { $0.short }
  ) -> EventError {
    EventError(
      "links[\(index)].id",
      "\(link.relation.rawValue) \(name(link.id)): that is this event itself; name another one, "
        + "or leave the link out")
  }
}

// What `Lint` looks at of an event: read from its line in place, a million of them in a few seconds.

import TimelineModel

public struct LintedEvent: Sendable {
  public enum Source: Sendable {
    case none
    /// None of its sources says where it is to be read.
    case withoutAddress
    case addressed
  }

  /// An interval without an end that is known.
  public enum MissingEnd: Sendable {
    /// `2019-06/..`
    case open
    /// `2019-06/`
    case unknown
  }

  /// What it promises, offers or links to; few events have any.
  struct Details: Sendable {
    var linked: LinkedEvent
    var hasOffer = false
    var expires: EventDate?
    var promises: [(key: String, due: EventDate?)] = []
  }

  public let id: EventID
  let first: Day
  let date: String
  let type: EventType
  let subtype: String?
  let parties: Parties
  let title: TitleWords
  /// Hashes of the urls and dois of its sources.
  let addresses: Set<UInt64>
  let source: Source
  let missingEnd: MissingEnd?
  let isContested: Bool
  /// Kinds that its tags `lint:KIND` say are known and so.
  let accepted: Set<LintKind>
  private(set) var details: Details?

  var traits: LikenessTraits {
    LikenessTraits(
      first: first, type: type, subtype: subtype, parties: parties, title: title,
      addresses: addresses)
  }

  /// Reads the body of an event that was validated; nil where it is none.
  public init?(
    id: EventID, isContested: Bool, _ document: JSONDocument, node: Int,
    in text: UnsafeBufferPointer<UInt8>
  ) {
    var reading = Reading(document, text)
    for key in document.children(node) { reading.take(key) }
    guard let type = reading.type, let date = reading.date else { return nil }
    self.id = id
    first = date.first
    self.date = date.text
    self.type = type
    subtype = reading.subtype
    parties = Parties(actors: reading.actors, targets: reading.targets)
    title = reading.title ?? TitleWords("")
    addresses = reading.addresses
    source = reading.source
    missingEnd =
      date.isOpenEnd ? .open : date.isInterval && date.text.hasSuffix("/") ? .unknown : nil
    self.isContested = isContested
    accepted = reading.accepted
    let saysMore =
      reading.hasLinks || reading.hasOffer || !reading.promises.isEmpty
    details =
      saysMore
      ? LinkedEvent(id: id, document, node: node, in: text).map {
        Details(
          linked: $0, hasOffer: reading.hasOffer, expires: reading.expires,
          promises: reading.promises)
      } : nil
  }

  /// The same with its links to the events that show in the place of others.
  public func leading(to shown: [EventID: EventID]) -> LintedEvent {
    guard let links = details?.linked.links, !shown.isEmpty else { return self }
    var event = self
    event.details!.linked.links = links.leading(to: shown, from: id)
    return event
  }

  /// The members of one body, as they come.
  private struct Reading {
    let document: JSONDocument
    let text: UnsafeBufferPointer<UInt8>
    var type: EventType?
    var subtype: String?
    var date: EventDate?
    var actors: [ActorCode] = []
    var targets: [ActorCode] = []
    var title: TitleWords?
    var source = Source.none
    var addresses: Set<UInt64> = []
    var accepted: Set<LintKind> = []
    var hasLinks = false
    var hasOffer = false
    var expires: EventDate?
    var promises: [(key: String, due: EventDate?)] = []

    init(_ document: JSONDocument, _ text: UnsafeBufferPointer<UInt8>) {
      self.document = document
      self.text = text
    }

    mutating func take(_ key: Int) {
      let node = key + 1
      switch document.bodyMember(key, in: text) {
      case .type: type = EventType(word: document.string(node, in: text))
      case .subtype: subtype = document.string(node, in: text)
      case .date: date = date(node)
      case .actors: actors = codes(node)
      case .targets: targets = codes(node)
      case .title:
        title =
          document.nodes[node].hasEscape
          ? TitleWords(document.string(node, in: text))
          : TitleWords(utf8: document.bytes(node, in: text))
      case .sources:
        addresses = addresses(node)
        source = items(node).isEmpty ? .none : addresses.isEmpty ? .withoutAddress : .addressed
      case .tags: accepted = accepted(node)
      case .links: hasLinks = document.next(node) > node + 1
      case .offer: offer(node)
      case .commitments: commitments(node)
      default: break
      }
    }

    private func items(_ node: Int) -> [Int] {
      document.kind(node) == .array ? Array(document.children(node)) : []
    }

    private func date(_ node: Int?) -> EventDate? {
      guard let node, document.kind(node) == .string else { return nil }
      return document.withText(node, in: text) { try? EventDate(utf8: $0) }
    }

    private func codes(_ node: Int) -> [ActorCode] {
      items(node).compactMap { item in document.withText(item, in: text) { ActorCode(utf8: $0) } }
    }

    private func addresses(_ node: Int) -> Set<UInt64> {
      var addresses: Set<UInt64> = []
      for source in items(node) where document.kind(source) == .object {
        for key in document.children(source)
        where document.is(key, "url", in: text) || document.is(key, "doi", in: text) {
          addresses.insert(TitleWords.hash(document.bytes(key + 1, in: text)))
        }
      }
      return addresses
    }

    private func accepted(_ node: Int) -> Set<LintKind> {
      var accepted: Set<LintKind> = []
      let mark = Array("lint:".utf8)
      for item in items(node) where document.bytes(item, in: text).starts(with: mark) {
        let word = document.string(item, in: text).dropFirst(mark.count)
        if let kind = LintKind(rawValue: String(word)) { accepted.insert(kind) }
      }
      return accepted
    }

    private mutating func offer(_ node: Int) {
      hasOffer = document.kind(node) == .object
      if hasOffer { expires = date(document.member("expires", of: node, in: text)) }
    }

    private mutating func commitments(_ node: Int) {
      for item in items(node) where document.kind(item) == .object {
        guard let key = document.member("key", of: item, in: text) else { continue }
        promises.append(
          (
            document.string(key, in: text), date(document.member("due", of: item, in: text))
          ))
      }
    }
  }
}

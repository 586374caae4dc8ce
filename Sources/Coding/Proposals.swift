// Which links an event could have: read off the states of its pairs of parties on its day (docs/reference/engagement.md
// has their keys). Nothing is linked by this; a person takes a proposal or leaves it.
//
//     a message to the actor that is open             answers
//     a promise of the actor that is outstanding      fulfils; by what the step is: verifies, suspends, …
//     an open offer of the actor, of another offer    follows
//     talks that are under way                        part-of

import TimelineModel

/// What is known of an event that is about to be recorded.
public struct Draft: Sendable {
  public var type: EventType
  public var subtype: String?
  public var date: EventDate
  public var actors: [ActorCode]
  public var targets: [ActorCode]
  public var title: String
  public var hasOffer: Bool
  /// Hashes of the urls and dois of its sources.
  var addresses: Set<UInt64>

  public init?(_ body: JSONValue) {
    func codes(_ key: String) -> [ActorCode] {
      (body[key]?.array ?? []).compactMap { $0.string.flatMap { ActorCode($0) } }
    }
    guard let type = body["type"]?.string.flatMap(EventType.init(word:)), type.isEvent,
      let text = body["date"]?.string, let date = try? EventDate(text), !date.isOpenStart
    else { return nil }
    self.type = type
    self.date = date
    subtype = body["subtype"]?.string
    actors = codes("actors")
    targets = codes("targets")
    title = body["title"]?.string ?? ""
    hasOffer = body["offer"] != nil
    let sources = body["sources"]?.array ?? []
    addresses = Set(
      sources.flatMap { [$0["url"], $0["doi"]] }.compactMap { $0?.string }
        .map { TitleWords.hash($0.utf8) })
  }

  /// The pairs whose states are asked; at most six.
  public var pairs: [(ActorCode, ActorCode)] {
    var pairs: [(ActorCode, ActorCode)] = []
    let others = targets.isEmpty ? actors : targets
    for actor in actors {
      for other in others where other != actor {
        let isThere = pairs.contains {
          $0 == (actor, other) || $0 == (other, actor)
        }
        if !isThere { pairs.append((actor, other)) }
      }
    }
    return Array(pairs.prefix(6))
  }

  public var parties: Parties { Parties(actors: actors, targets: targets) }
}

/// One link that an event could have.
public struct Proposal: Sendable, Hashable {
  public var relation: Link.Relation
  public var id: EventID
  public var key: String?
  /// Why, and to what.
  public var why: String

  public init(_ relation: Link.Relation, _ id: EventID, key: String? = nil, why: String) {
    self.relation = relation
    self.id = id
    self.key = key
    self.why = why
  }

  /// As `--link` takes it.
  public var word: String { "\(relation.rawValue):\(id.short)" + (key.map { "#\($0)" } ?? "") }

  /// As it would stand among the event's links.
  public var json: JSONValue {
    .object([
      "rel": .string(relation.rawValue), "id": .string(id.description),
      "key": key.map { .string($0) },
    ])
  }
}

public enum Proposals {
  /// Of each kind so many are reported: the nearest ones.
  private static let max = 3

  /// - Parameter states: of the draft's pairs, on the first day of its date.
  public static func all(for draft: Draft, _ states: [JSONValue]) -> [Proposal] {
    var proposals: [Proposal] = []
    for state in states {
      let promises = promises(draft, state)
      let others = answers(draft, state) + follows(draft, state) + parts(draft, state)
      // A step is first of all one that keeps or breaks a promise.
      let found = promises + others
      for proposal in found where !proposals.contains(where: { $0.word == proposal.word }) {
        proposals.append(proposal)
      }
    }
    return proposals
  }

  // MARK: Messages and offers

  private static func isBy(_ draft: Draft, _ code: String?) -> Bool {
    draft.actors.contains { $0.description == code }
  }

  private static func answers(_ draft: Draft, _ state: JSONValue) -> [Proposal] {
    guard draft.mayAnswer else { return [] }
    let offers = Set(list(state, "offers").compactMap { $0["id"]?.string })
    // The oldest comes first; who answers mostly answers the newest.
    let open = list(state, "unanswered").filter { isBy(draft, $0["to"]?.string) }
    return open.reversed().prefix(max).compactMap { message in
      guard let id = id(message["id"]) else { return nil }
      let isOffer = offers.contains(id.description)
      let age = message["age"]?.int
      return Proposal(
        .answers, id,
        why: (isOffer ? "an offer of " : "a message of ") + (message["from"]?.string ?? "?")
          + (age.map { ", open for \(days($0))" } ?? ", open")
          + (isOffer ? " (or accepts, declines, counters)" : "") + ": " + title(message))
    }
  }

  private static func follows(_ draft: Draft, _ state: JSONValue) -> [Proposal] {
    guard draft.hasOffer else { return [] }
    let own = list(state, "offers").filter {
      $0["state"]?.string == "open" && isBy(draft, $0["from"]?.string)
    }
    return own.reversed().prefix(max).compactMap { offer in
      id(offer["id"]).map {
        let age = offer["age"]?.int.map { ", open for \(days($0))" } ?? ""
        return Proposal(.follows, $0, why: "an offer before this one\(age): \(title(offer))")
      }
    }
  }

  // MARK: Promises

  private static func promises(_ draft: Draft, _ state: JSONValue) -> [Proposal] {
    guard let relation = draft.sayOfPromise else { return [] }
    let titles = Dictionary(
      list(state, "agreements").compactMap { agreement in
        agreement["id"]?.string.map { ($0, title(agreement)) }
      }
    ) { first, _ in first }
    let standings = relation == .verifies ? ["fulfilled"] + outstanding : outstanding
    let words = TitleWords(draft.title)
    let found = list(state, "commitments").enumerated().filter { _, promise in
      let parties = (promise["by"]?.array ?? []) + (relation == .verifies ? others(promise) : [])
      return standings.contains(promise["state"]?.string ?? "")
        && parties.contains { isBy(draft, $0.string) }
    }
    func nearness(_ promise: JSONValue) -> Int {
      words.inCommon(TitleWords(promise["what"]?.string ?? ""))
    }
    func rank(_ promise: JSONValue) -> Int {
      standings.firstIndex(of: promise["state"]?.string ?? "") ?? 0
    }
    // Words in common first, then what is most pressing, then the newest agreement.
    let sorted = found.sorted {
      (-nearness($0.element), rank($0.element), -$0.offset)
        < (-nearness($1.element), rank($1.element), -$1.offset)
    }
    return sorted.prefix(max).compactMap { _, promise in
      guard let id = id(promise["agreement"]), let key = promise["key"]?.string else { return nil }
      return Proposal(
        relation, id, key: key,
        why:
          "a promise that is \(promise["state"]?.string ?? "open"), \(cut(promise["what"]?.string ?? "")):"
          + " \(titles[id.description] ?? "")")
    }
  }

  /// Who verifies is mostly none of the two whose promise it is (E-1.4): then no state of its pairs knows of
  /// it, and the promises are looked for in the agreements themselves, the newest first.
  public static func verifications(for draft: Draft, _ agreements: [JSONValue]) -> [Proposal] {
    guard draft.verifies else { return [] }
    let words = TitleWords(draft.title)
    var found: [(nearness: Int, proposal: Proposal)] = []
    for agreement in agreements {
      for promise in list(agreement, "commitments") {
        let codes = { (key: String) in (promise[key]?.array ?? []).compactMap(\.string) }
        guard codes("verifier").contains(where: { isBy(draft, $0) }),
          codes("by").contains(where: { code in
            draft.parties.everyone.contains { $0.description == code }
          }),
          let id = id(agreement["id"]), let key = promise["key"]?.string
        else { continue }
        let what = promise["what"]?.string ?? ""
        found.append(
          (
            words.inCommon(TitleWords(what)),
            Proposal(
              .verifies, id, key: key,
              why: "a promise that it is to verify, \(cut(what)): \(title(agreement))")
          ))
      }
    }
    let sorted = found.enumerated().sorted {
      (-$0.element.nearness, $0.offset) < (-$1.element.nearness, $1.offset)
    }
    return sorted.prefix(max).map(\.element.proposal)
  }

  private static let outstanding = ["overdue", "due", "open"]

  private static func others(_ promise: JSONValue) -> [JSONValue] {
    (promise["to"]?.array ?? []) + (promise["verifier"]?.array ?? [])
  }

  // MARK: Talks

  private static func parts(_ draft: Draft, _ state: JSONValue) -> [Proposal] {
    guard draft.mayBePart else { return [] }
    let talks = list(state, "under_way").filter { $0["type"]?.string == "talks" }
    return talks.reversed().prefix(max).compactMap { event in
      id(event["id"]).map {
        Proposal(
          .partOf, $0, why: "talks under way, \(event["date"]?.string ?? ""): \(title(event))")
      }
    }
  }

  // MARK: Words

  private static func list(_ state: JSONValue, _ key: String) -> [JSONValue] {
    state[key]?.array ?? []
  }

  private static func id(_ value: JSONValue?) -> EventID? { value?.string.flatMap { EventID($0) } }
  private static func title(_ value: JSONValue) -> String { cut(value["title"]?.string ?? "") }
  private static func cut(_ text: String) -> String {
    text.count > 80 ? text.prefix(79) + "…" : text
  }
  private static func days(_ count: Int) -> String { count == 1 ? "1 day" : "\(count) days" }
}

extension Draft {
  /// Whether it says that a promise was kept, as a third party may.
  public var verifies: Bool { type == .step && subtype == "verification" }

  /// Whether it eases, as an answer or a step may.
  private var isEasing: Bool {
    switch (type, subtype) {
    case (.sanction, "ease"), (.sanction, "waive"), (.sanction, "lift"), (.test, "moratorium"),
      (.exercise, "cancelled"), (.exercise, "postponed"), (.deployment, "withdrawal"):
      true
    default: false
    }
  }

  fileprivate var mayAnswer: Bool {
    switch type {
    case .message, .statement, .talks, .agreement, .step, .aid, .exchange, .release: true
    default: isEasing
    }
  }

  /// What it would say of a promise; nil where it is of no such kind.
  fileprivate var sayOfPromise: Link.Relation? {
    switch (type, subtype) {
    case _ where verifies: .verifies
    case (.step, "suspension"), (.aid, "suspended"): .suspends
    case (.step, "violation"): .violates
    case (.step, "withdrawal"): .withdraws
    case (.step, _), (.aid, _), (.release, _), (.exchange, _): .fulfils
    default: isEasing ? .fulfils : nil
    }
  }

  fileprivate var mayBePart: Bool {
    switch type {
    case .message, .statement, .agreement, .exchange: true
    case .talks: subtype == "breakdown"
    default: false
    }
  }
}

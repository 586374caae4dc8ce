// E-4, E-5: messages and offers, what became of them, and which interests were spoken to.

import TimelineModel

/// E-4.5: a message, or an event with an offer, of one side to the other, and what became of it.
public struct MessageState: Sendable, Hashable {
  public enum Outcome: String, Sendable {
    case open, answered, accepted, declined, countered, withdrawn, superseded, expired
  }

  /// What is offered, if anything is.
  public struct Terms: Sendable, Hashable {
    public var `if`: [String]
    public var then: [String]
    public var condition: Offer.Condition
    /// E-5.1: keys of the table of interests, its own and those of tags, each once.
    public var interests: [String]
  }

  public var id: EventID
  public var date: EventDate
  public var title: String
  /// Whether its type is `message`; an offer may be made in a statement or at talks.
  public var isMessage: Bool
  public var from: ActorCode
  public var to: ActorCode
  public var outcome: Outcome
  /// The event that settled it.
  public var by: EventID?
  /// Days from the message to its first answer.
  public var answeredAfter: Int?
  /// Days; nil where nobody knows when it began.
  public var age: Int?
  public var offer: Terms?

  /// Nobody has reacted, and it has not lapsed.
  public var isOpen: Bool { outcome == .open }
}

/// E-5.2: an interest of a party, and the offers made to it that name the interest, in order.
public struct InterestState: Sendable, Hashable {
  public struct Offer: Sendable, Hashable {
    public var id: EventID
    public var date: EventDate
    public var from: ActorCode
    public var outcome: MessageState.Outcome
  }

  public var party: ActorCode
  public var key: String
  public var name: String
  public var offers: [Offer]
}

/// A message as the rules see it on a day.
struct ResolvedMessage {
  let event: Event
  let from: ActorCode
  let to: ActorCode
  let outcome: MessageState.Outcome
  let by: EventID?
  let answeredAfter: Int?
  let age: Int?
  /// E-13.4: days to the first answer that is no scornful refusal, and whether there is one that is.
  let respectedAfter: Int?
  let isScorned: Bool

  var isOpen: Bool { outcome == .open }

  /// E-13.4: answered in time, and not with scorn alone.
  func isRespected(within days: Int) -> Bool { respectedAfter.map { $0 <= days } ?? false }

  /// E-5.1.
  var interests: [String] {
    var keys: [String] = []
    let tagged = event.tags.filter { $0.hasPrefix("interest:") }.map { String($0.dropFirst(9)) }
    for key in (event.offer?.interests ?? []) + tagged where !keys.contains(key) {
      keys.append(key)
    }
    return keys
  }

  var state: MessageState {
    MessageState(
      id: event.id, date: event.date, title: event.title, isMessage: event.type == .message,
      from: from, to: to, outcome: outcome, by: by, answeredAfter: answeredAfter, age: age,
      offer: event.offer.map { offer in
        MessageState.Terms(
          if: offer.if, then: offer.then, condition: offer.condition, interests: interests)
      })
  }
}

extension DyadHistory {
  /// Every message and offer of one side to the other up to the day, in order.
  func messages(on day: Day) -> [ResolvedMessage] { messages(upTo(day), on: day) }

  func messages(_ indices: Range<Int>, on day: Day) -> [ResolvedMessage] {
    kinds.messages[indices].compactMap { message(entries[$0], on: day) }
  }

  /// E-4.1: who writes to whom.
  func direction(_ entry: PlacedEvent) -> (from: ActorCode, to: ActorCode)? {
    guard entry.kinds.contains(.message), entry.isByFirst != entry.isBySecond else { return nil }
    let from = entry.isByFirst ? dyad.first : dyad.second
    let to = dyad.other(from)
    return entry.event.targets.contains(to) ? (from, to) : nil
  }

  /// E-4.2: what is said of a message up to a day.
  func said(
    of event: Event, from: ActorCode, to: ActorCode, upTo day: Day
  ) -> (
    answers: [(event: Event, link: Link)], withdrawal: Event?, successor: Event?
  ) {
    let all = links(
      to: event, [.answers, .accepts, .declines, .counters, .withdraws, .follows], upTo: day)
    let own = all.filter { $0.event.actors.contains(from) }
    return (
      all.filter {
        $0.event.actors.contains(to) && $0.link.relation != .withdraws
          && $0.link.relation != .follows
      },
      own.first { $0.link.relation == .withdraws }?.event,
      own.first { $0.link.relation == .follows && $0.event.offer != nil }?.event
    )
  }

  /// A refusal by a threat or an accusation.
  private static func isScorn(_ answer: (event: Event, link: Link)) -> Bool {
    answer.link.relation == .declines && answer.event.type == .statement
      && ["threat", "accusation"].contains(answer.event.subtype)
  }

  func message(_ entry: PlacedEvent, on day: Day) -> ResolvedMessage? {
    guard let (from, to) = direction(entry) else { return nil }
    let event = entry.event
    let said = said(of: event, from: from, to: to, upTo: day)
    let outcome: MessageState.Outcome
    var by: Event?
    if let last = said.answers.last {
      by = last.event
      outcome =
        switch last.link.relation {
        case .accepts: .accepted
        case .declines: .declined
        case .counters: .countered
        default: .answered
        }
    } else if let withdrawal = said.withdrawal {
      (outcome, by) = (.withdrawn, withdrawal)
    } else if let successor = said.successor {
      (outcome, by) = (.superseded, successor)
    } else if let end = event.offer?.expires?.last, end < day {
      outcome = .expired
    } else {
      outcome = .open
    }
    func days(to answer: (event: Event, link: Link)?) -> Int? {
      event.date.isOpenStart ? nil : answer.map { $0.event.date.first - event.date.first }
    }
    return ResolvedMessage(
      event: event, from: from, to: to, outcome: outcome, by: by?.id,
      answeredAfter: days(to: said.answers.first),
      age: event.date.isOpenStart ? nil : day - event.date.first,
      respectedAfter: days(to: said.answers.first { !Self.isScorn($0) }),
      isScorned: said.answers.contains(where: Self.isScorn))
  }

  /// The day from which on the message at an index is not open; the first of all where it is none.
  /// What is said of it once is never unsaid, so there is one such day.
  func closing(_ index: Int) -> Day {
    guard let (from, to) = direction(entries[index]) else { return .distantPast }
    let event = entries[index].event
    let said = said(of: event, from: from, to: to, upTo: .distantFuture)
    let endings = [said.answers.first?.event, said.withdrawal, said.successor].compactMap {
      $0?.date.first
    }
    let lapse = event.offer?.expires?.last.advanced(by: 1)
    return (endings + [lapse].compactMap { $0 }).min() ?? .distantFuture
  }

  /// E-5.2: every interest of each party, and the offers that spoke to it.
  func interests(in messages: [MessageState]) -> [InterestState] {
    let offers = messages.filter { $0.offer != nil }
    return dyad.parties.flatMap { party in
      rules.interests.filter { $0.party == party }.map { interest in
        InterestState(
          party: party, key: interest.key, name: interest.name,
          offers: offers.filter {
            $0.to == party && $0.offer?.interests.contains(interest.key) ?? false
          }.map { offer in
            InterestState.Offer(
              id: offer.id, date: offer.date, from: offer.from, outcome: offer.outcome)
          })
      }
    }
  }
}

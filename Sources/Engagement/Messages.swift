// E-4, E-5: messages and offers, and what became of them.

import TimelineModel

public struct MessageState: Sendable {
  public enum Outcome: String, Sendable {
    case open, answered, accepted, declined, countered, withdrawn, superseded, expired
  }

  public let event: Event
  public let from: ActorCode
  public let to: ActorCode
  public let outcome: Outcome
  /// The event that settled it.
  public let by: EventID?
  /// Days from the message to its first answer.
  public let answeredAfter: Int?
  public let age: Int

  /// Nobody has reacted, and it has not lapsed.
  public var isOpen: Bool { outcome == .open }

  var json: JSONValue {
    .object([
      "id": .string(event.id.description), "date": .string(event.date.text),
      "title": .string(event.title), "from": .string(from.description),
      "to": .string(to.description), "state": .string(outcome.rawValue),
      "by": by.map { .string($0.description) }, "answered_after": answeredAfter.map { .int($0) },
      "age": .int(age),
    ])
  }

  var offerJSON: JSONValue? {
    guard let offer = event.offer, case .object(let members) = json else { return nil }
    return .object(
      members + [
        JSONValue.Member("if", .strings(offer.if)), JSONValue.Member("then", .strings(offer.then)),
        JSONValue.Member("condition", .string(offer.condition.rawValue)),
        JSONValue.Member("interests", .strings(offer.interests)),
      ])
  }
}

extension DyadHistory {
  /// Every message and offer of one side to the other up to the day, oldest first.
  func messages(on day: Day) -> [MessageState] {
    kinds.messages[upTo(day)].compactMap { message(events[$0], on: day) }
  }

  func message(_ event: Event, on day: Day) -> MessageState? {
    guard event.type == .message || event.offer != nil,
      let from = [dyad.first, dyad.second].first(where: { acts($0, in: event) }),
      event.targets.contains(dyad.other(from)), !isJoint(event)
    else { return nil }
    let to = dyad.other(from)
    let answers = links(to: event, [.answers, .accepts, .declines, .counters], upTo: day)
      .filter { acts(to, in: $0.event) }
    let withdrawal = links(to: event, [.withdraws], upTo: day).first { acts(from, in: $0.event) }
    let later = links(to: event, [.follows], upTo: day)
      .first { acts(from, in: $0.event) && $0.event.offer != nil }
    let outcome: MessageState.Outcome
    var by: Event?
    if let last = answers.last {
      by = last.event
      outcome =
        switch last.link.relation {
        case .accepts: .accepted
        case .declines: .declined
        case .counters: .countered
        default: .answered
        }
    } else if let withdrawal {
      (outcome, by) = (.withdrawn, withdrawal.event)
    } else if let later {
      (outcome, by) = (.superseded, later.event)
    } else if let end = event.offer?.expires?.last, end < day {
      outcome = .expired
    } else {
      outcome = .open
    }
    return MessageState(
      event: event, from: from, to: to, outcome: outcome, by: by?.id,
      answeredAfter: answers.first.map { $0.event.date.first - event.date.first },
      age: day - event.date.first)
  }
}

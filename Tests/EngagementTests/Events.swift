// Events in few words, for the tests of the rules.

import Engagement
import TimelineModel

let us = ActorCode("USA")!
let dprk = ActorCode("PRK")!
let iaea = ActorCode("IAE")!

func event(
  _ name: String, _ type: EventType, _ subtype: String? = nil, _ date: String,
  _ actors: [ActorCode] = [us], _ targets: [ActorCode] = [dprk], offer: Offer? = nil,
  commitments: [Commitment] = [], links: [(Link.Relation, String, String?)] = [],
  tags: [String] = []
) -> Event {
  Event(
    id: EventID(importedName: name), type: type, subtype: subtype, date: try! EventDate(date),
    actors: actors, targets: targets, title: name, offer: offer, commitments: commitments,
    links: links.map { Link(relation: $0.0, id: EventID(importedName: $0.1), key: $0.2) },
    tags: tags)
}

/// The state of the two as an answer has it.
func state(_ events: [Event], _ day: String) -> JSONValue {
  DyadHistory.empty(with: events).state(on: Day(day)!).json
}

/// What `why` answers.
extension DyadHistory {
  func answer(_ figure: String, on day: Day) -> JSONValue? {
    Figure(rawValue: figure).map { why($0, on: day).json }
  }
}

func id(_ name: String) -> JSONValue { .string(EventID(importedName: name).description) }

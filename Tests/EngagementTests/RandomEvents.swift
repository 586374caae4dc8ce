// Sets of random events, the same ones for the same seed: few parties, few years, many links, so that
// rules meet.

import Support
import TimelineModel

struct RandomEvents {
  private var chance: SplitMix

  init(seed: UInt64) { chance = SplitMix(seed: seed) }

  mutating func next(_ below: Int) -> Int { Int(chance.next() % UInt64(below)) }

  private mutating func one<T>(_ all: [T]) -> T { all[next(all.count)] }

  mutating func day() -> Day { Day(number: Int32(10_000 + next(2500))) }

  mutating func dates(around day: Day) -> String {
    let other = day.advanced(by: next(400))
    return switch next(12) {
    case 0: "\(day)/\(other)"
    case 1: "\(day)/.."
    case 2: "../\(day)"
    case 3: String(day.description.prefix(7))
    case 4: String(day.description.prefix(4))
    default: day.description
    }
  }

  private static let codes = ["USA", "PRK", "KOR", "IAE"].map { ActorCode($0)! }

  mutating func events(_ count: Int) -> [Event] {
    var events: [Event] = []
    for index in 0..<count {
      let day = day()
      let type = one(EventType.ofEvents)
      let actors = Self.codes.filter { _ in next(3) == 0 }
      var subtypes: [String?] = [nil, "other"]
      subtypes += type.knownSubtypes.map { $0 }
      var event = Event(
        id: EventID(importedName: "\(index) of \(chance)"), type: type, subtype: one(subtypes),
        date: try! EventDate(dates(around: day)),
        actors: actors.isEmpty ? [one(Self.codes)] : actors,
        targets: Self.codes.filter { !actors.contains($0) && next(3) > 0 }, title: "\(index)",
        weight: next(12) == 0 ? Int32(next(20_001) - 10_000) : nil, isContested: next(20) == 0)
      if [.message, .statement, .talks].contains(type), next(2) == 0 {
        event.offer = Offer(
          if: ["a"], then: ["b"], condition: one(Offer.Condition.allCases),
          expires: next(3) == 0 ? try! EventDate(dates(around: day.advanced(by: next(300)))) : nil,
          interests: ["assurance", "legitimacy", "verification"].filter { _ in next(2) == 0 })
      }
      if type == .agreement {
        event.commitments = (0..<next(4)).map { key in
          Commitment(
            key: "k\(key)", by: [one(Self.codes)], to: next(2) == 0 ? [] : [one(Self.codes)],
            what: "w",
            due: next(2) == 0 ? try! EventDate(dates(around: day.advanced(by: next(300)))) : nil)
        }
      }
      if index > 0 {
        event.links = (0..<next(3)).map { _ in
          Link(
            relation: one(Link.Relation.allCases),
            id: next(15) == 0 ? event.id : events[next(index)].id,
            key: next(3) == 0 ? "k\(next(4))" : nil)
        }
      }
      events.append(event)
    }
    return events
  }
}

// The events behind each figure of a state.

import TimelineModel

extension DyadHistory {
  /// The figures that `why` explains.
  public static let figures = [
    "phase", "climate", "trend", "contact", "neglect", "messages", "unanswered", "offers",
    "interests", "commitments", "under_way", "tests", "reciprocity", "conducive", "joint_action",
    "rewards", "respect", "approach",
  ]

  /// The events behind a figure, with their share where it is a sum; nil for an unknown figure.
  public func why(_ figure: String, on day: Day) -> JSONValue? {
    guard let rows = rows(of: figure, on: day) else { return nil }
    let value: JSONValue? =
      switch figure {
      case "climate": .double(climate(on: day).total)
      case "trend": .double(trend(on: day))
      default: nil
      }
    return .object([
      "parties": .strings([dyad.first, dyad.second]), "day": .string(day.description),
      "rules": rulesJSON, "figure": .string(figure), "value": value, "events": .array(rows),
    ])
  }

  private func rows(of figure: String, on day: Day) -> [JSONValue]? {
    func rows(_ events: [Event]) -> [JSONValue] { events.map { brief($0, day) } }
    switch figure {
    case "climate":
      return climateShares(on: day).map { brief($0.event, day, ["share": .double($0.share)]) }
    case "trend":
      return trendShares(on: day).map { brief($0.event, day, ["share": .double($0.share)]) }
    case "phase":
      let phase = phase(on: day)
      let causes = Set(phase.causes + phase.moved)
      return rows(entries[upTo(day)].map(\.event).filter { causes.contains($0.id) })
    case "contact": return rows(lastContacts(day).map(\.1.event))
    case "neglect":
      let last = lastContacts(day).map(\.1.event).max {
        (min($0.date.last, day), $0.date.first, $0.id)
          < (min($1.date.last, day), $1.date.first, $1.id)
      }
      return rows([last].compactMap { $0 })
    case "messages":
      return rows(messages(on: day).map(\.event).filter { $0.type == .message })
    case "unanswered": return rows(messages(on: day).filter(\.isOpen).map(\.event))
    case "offers", "approach": return offerRows(day) { _ in true }
    case "interests": return offerRows(day) { !$0.interests.isEmpty }
    case "commitments":
      let agreements = agreements(on: day)
      let ids = Set(agreements.flatMap { [$0.agreement.id] + $0.moves.map(\.event.id) })
      return rows(entries[upTo(day)].map(\.event).filter { ids.contains($0.id) })
    case "under_way": return rows(underWay(day))
    case "tests": return rows(lastTests(day))
    case "reciprocity":
      return kinds.positive[over(windows.reciprocityDays, to: day)].map { place in
        let entry = entries[place]
        let givers = [dyad.first, dyad.second].filter { isBy($0, entry) }
        return brief(
          entry.event, day,
          ["share": .double(Double(entry.weight) / 1000), "by": .strings(givers)])
      }
    default: return criterionRows(figure, day)
    }
  }

  private func offerRows(_ day: Day, _ isWanted: (MessageState) -> Bool) -> [JSONValue] {
    messages(on: day).filter { $0.event.offer != nil && isWanted($0) }.map { message in
      brief(
        message.event, day,
        [
          "from": .string(message.from.description), "state": .string(message.outcome.rawValue),
          "condition": message.event.offer.map { .string($0.condition.rawValue) },
        ])
    }
  }

  private func criterionRows(_ name: String, _ day: Day) -> [JSONValue]? {
    guard let criterion = criteria(on: day).first(where: { $0.name == name }) else { return nil }
    let sides =
      criterion.supporting.map { ($0, "for") } + criterion.opposing.map { ($0, "against") }
    return sides.enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
      .map { brief(entries[$0.element.0].event, day, ["side": .string($0.element.1)]) }
  }
}

// The events behind each figure of a state, with the share of each where the figure is a sum, largest
// first. What the sums are compared with stands beside them.

import TimelineModel

extension DyadHistory {
  /// The figures that `why` explains.
  public static let figures = [
    "phase", "climate", "trend", "contact", "neglect", "messages", "unanswered", "offers",
    "interests", "commitments", "under_way", "tests", "reciprocity", "conducive", "joint_action",
    "rewards", "respect", "approach",
  ]

  /// What is said of a figure beside its events.
  private struct Explanation {
    var rows: [JSONValue]
    /// The figure itself.
    var value: JSONValue?
    /// What each side has in it; shares by side add up to these.
    var parts: JSONValue?
    /// Sums that are compared with something.
    var sums: JSONValue?
  }

  /// The events behind a figure; nil for an unknown figure.
  public func why(_ figure: String, on day: Day) -> JSONValue? {
    guard let explanation = explanation(of: figure, on: day) else { return nil }
    return .object([
      "parties": .strings([dyad.first, dyad.second]), "day": .string(day.description),
      "rules": rulesJSON, "figure": .string(figure), "value": explanation.value,
      "parts": explanation.parts, "sums": explanation.sums, "events": .array(explanation.rows),
    ])
  }

  private func explanation(of figure: String, on day: Day) -> Explanation? {
    func listed(_ events: [Event]) -> Explanation {
      Explanation(rows: events.map { brief($0, day) })
    }
    switch figure {
    case "climate":
      let climate = climate(on: day)
      return Explanation(
        rows: climateShares(on: day).map { shareRow($0.event, $0.share, day) },
        value: .double(climate.total), parts: parts(climate))
    case "trend":
      return Explanation(
        rows: trendShares(on: day).map { shareRow($0.event, $0.share, day) },
        value: .double(trend(on: day)), parts: parts(trends(on: day)))
    case "phase": return phaseExplanation(day)
    case "contact": return listed(lastContacts(day).map(\.1.event))
    case "neglect":
      let last = lastContacts(day).map(\.1.event).max {
        (min($0.date.last, day), $0.date.first, $0.id)
          < (min($1.date.last, day), $1.date.first, $1.id)
      }
      var explanation = listed([last].compactMap { $0 })
      explanation.value = neglect(on: day).map { .int($0) }
      return explanation
    case "messages": return listed(messages(on: day).map(\.event).filter { $0.type == .message })
    case "unanswered": return listed(messages(on: day).filter(\.isOpen).map(\.event))
    case "offers", "approach": return Explanation(rows: offerRows(day) { _ in true })
    case "interests":
      return Explanation(
        rows: offerRows(day) { offer in
          rules.interests.contains { $0.party == offer.to && offer.interests.contains($0.key) }
        })
    case "commitments":
      let agreements = agreements(on: day)
      let ids = Set(agreements.flatMap { [$0.agreement.id] + $0.moves.map(\.event.id) })
      return listed(entries[upTo(day)].map(\.event).filter { ids.contains($0.id) })
    case "under_way": return listed(underWay(day))
    case "tests": return listed(lastTests(day))
    case "reciprocity":
      let window = over(windows.reciprocityDays, to: day)
      let (_, first, second) = sums.over(window)
      return Explanation(
        rows: heaviestFirst(kinds.positive[window]).map { weightRow($0, day) },
        parts: gifts(first.given, second.given))
    default: return criterionExplanation(figure, day)
    }
  }

  // MARK: Sums

  private func parts(_ climate: Climate) -> JSONValue {
    .object([
      "\(dyad.first)": .double(climate.first), "\(dyad.second)": .double(climate.second),
      "joint": .double(climate.joint),
    ])
  }

  private func gifts(_ first: Int, _ second: Int) -> JSONValue {
    .object([
      "\(dyad.first)": .double(Double(first) / 1000),
      "\(dyad.second)": .double(Double(second) / 1000),
    ])
  }

  private func shareRow(
    _ event: Event, _ share: Double, _ day: Day, side: String? = nil
  ) -> JSONValue {
    let parties = [dyad.first, dyad.second].filter { event.actors.contains($0) }
    return brief(
      event, day,
      ["side": side.map { .string($0) }, "share": .double(share), "by": .strings(parties)])
  }

  private func weightRow(_ place: Int, _ day: Day, side: String? = nil) -> JSONValue {
    shareRow(entries[place].event, Double(entries[place].weight) / 1000, day, side: side)
  }

  /// Equal ones in the order of the events.
  private func heaviestFirst(_ places: some Sequence<Int>) -> [Int] {
    places.sorted { (-abs(entries[$0].weight), $0) < (-abs(entries[$1].weight), $1) }
  }

  // MARK: Phases

  /// What the phase rests on and what moved it, in order; where it rests on sums, these first, with the
  /// events that it holds against.
  private func phaseExplanation(_ day: Day) -> Explanation {
    let phase = phase(on: day)
    let (sums, against) = sums(of: phase.phase, on: day)
    let wanted = Set(phase.causes + phase.moved)
    let summed = sums.isEmpty ? [] : Set(phase.causes)
    let places = upTo(day).filter { wanted.contains(entries[$0].event.id) }
    let supporting = places.filter { summed.contains(entries[$0].event.id) }
    let opposing = Set(against)
    let rows =
      heaviestFirst(supporting + against).map { place in
        weightRow(place, day, side: opposing.contains(place) ? "against" : "for")
      }
      + places.filter { !summed.contains(entries[$0].event.id) && !opposing.contains($0) }
      .map { brief(entries[$0].event, day) }
    return Explanation(
      rows: rows,
      sums: sums.isEmpty
        ? nil
        : .array(
          sums.map { sum in
            .object([
              "of": .string(sum.party?.description ?? "all"),
              "value": .double(Double(sum.value) / 1000),
              "threshold": .double(Double(sum.threshold) / 1000),
            ])
          }))
  }

  // MARK: Lists

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

  private func criterionExplanation(_ name: String, _ day: Day) -> Explanation? {
    guard let criterion = criteria(on: day).first(where: { $0.name == name }) else { return nil }
    // Rewards are weighed, all else is counted.
    let given = criterion.given.map { Set($0.places) } ?? []
    let sides =
      criterion.supporting.map { ($0, "for") } + criterion.opposing.map { ($0, "against") }
    let rows = sides.enumerated()
      .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
      .map { _, side in
        given.contains(side.0) && side.1 == "for"
          ? weightRow(side.0, day, side: side.1)
          : brief(entries[side.0].event, day, ["side": .string(side.1)])
      }
    return Explanation(
      rows: rows, parts: criterion.given.map { gifts($0.first, $0.second) })
  }
}

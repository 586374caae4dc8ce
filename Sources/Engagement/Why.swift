// The events behind each figure of a state, with the share of each where the figure is a sum, largest
// first, and else with the reason why it is there. What the sums are compared with stands beside them.

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
    /// Of a criterion: whether it is met.
    var verdict: JSONValue?
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
      "rules": rulesJSON, "figure": .string(figure), "verdict": explanation.verdict,
      "value": explanation.value, "parts": explanation.parts, "sums": explanation.sums,
      "events": .array(explanation.rows),
    ])
  }

  private func explanation(of figure: String, on day: Day) -> Explanation? {
    func listed(_ events: [Event], _ reason: (Event) -> String) -> Explanation {
      Explanation(rows: events.map { brief($0, day, ["reason": .string(reason($0))]) })
    }
    func listed(_ messages: [MessageState]) -> Explanation {
      Explanation(
        rows: messages.map { brief($0.event, day, ["reason": .string(Self.reason($0))]) })
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
    case "contact":
      return Explanation(
        rows: lastContacts(day).map { party, entry in
          brief(entry.event, day, ["reason": .string("the last contact by \(party)")])
        })
    case "neglect":
      let last = lastContacts(day).map(\.1.event).max {
        (min($0.date.last, day), $0.date.first, $0.id)
          < (min($1.date.last, day), $1.date.first, $1.id)
      }
      var explanation = listed([last].compactMap { $0 }) { _ in "the last contact of all" }
      explanation.value = neglect(on: day).map { .int($0) }
      return explanation
    case "messages": return listed(messages(on: day).filter { $0.event.type == .message })
    case "unanswered": return listed(messages(on: day).filter(\.isOpen))
    case "offers": return Explanation(rows: offerRows(day, Self.reason))
    case "approach":
      return Explanation(
        rows: offerRows(day) { $0.event.offer.map { Self.reason($0.condition) } })
    case "interests":
      return Explanation(
        rows: offerRows(day) { offer in
          let spoken = rules.interests.filter {
            $0.party == offer.to && offer.interests.contains($0.key)
          }
          guard !spoken.isEmpty else { return nil }
          return "to \(offer.to): " + spoken.map(\.name).joined(separator: ", ")
        })
    case "commitments":
      // Found once: of very many agreements each has its moves.
      let reasons = Self.reasons(in: agreements(on: day))
      return listed(entries[upTo(day)].map(\.event).filter { reasons[$0.id] != nil }) {
        reasons[$0.id] ?? ""
      }
    case "under_way": return listed(underWay(day), Self.underWay)
    case "tests":
      return listed(lastTests(day)) { "the last test" + ($0.subtype.map { " of \($0)" } ?? "") }
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

  /// In thousandths.
  private func sum(of part: String, _ value: Int, threshold: Int) -> JSONValue {
    .object([
      "of": .string(part), "value": .double(Double(value) / 1000),
      "threshold": .double(Double(threshold) / 1000),
    ])
  }

  private func shareRow(
    _ event: Event, _ share: Double, _ day: Day, side: String? = nil, reason: String? = nil
  ) -> JSONValue {
    let parties = [dyad.first, dyad.second].filter { event.actors.contains($0) }
    return brief(
      event, day,
      [
        "side": side.map { .string($0) }, "share": .double(share), "by": .strings(parties),
        "reason": reason.map { .string($0) },
      ])
  }

  private func weightRow(
    _ place: Int, _ day: Day, side: String? = nil, reason: String? = nil
  ) -> JSONValue {
    shareRow(
      entries[place].event, Double(entries[place].weight) / 1000, day, side: side, reason: reason)
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
    let causes = Set(phase.causes)
    let moved = Set(phase.moved)
    func reason(_ place: Int) -> String {
      let id = entries[place].event.id
      let cause =
        opposing.contains(place)
        ? "its weight is above 0"
        : summed.contains(id)
          ? "its weight is below 0"
          : causes.contains(id) ? self.reason(phase.phase, place, on: day) : nil
      return [cause, moved.contains(id) ? "it moved the phase on \(phase.since)" : nil]
        .compactMap { $0 }.joined(separator: "; ")
    }
    let rows =
      heaviestFirst(supporting + against).map { place in
        weightRow(
          place, day, side: opposing.contains(place) ? "against" : "for", reason: reason(place))
      }
      + places.filter { !summed.contains(entries[$0].event.id) && !opposing.contains($0) }
      .map { brief(entries[$0].event, day, ["reason": .string(reason($0))]) }
    return Explanation(
      rows: rows,
      sums: sums.isEmpty
        ? nil
        : .array(
          sums.map {
            sum(of: $0.party?.description ?? "all", $0.value, threshold: $0.threshold)
          }))
  }

  // MARK: Lists

  /// Those for which there is a reason.
  private func offerRows(_ day: Day, _ reason: (MessageState) -> String?) -> [JSONValue] {
    messages(on: day).filter { $0.event.offer != nil }.compactMap { message in
      guard let reason = reason(message) else { return nil }
      return brief(
        message.event, day,
        [
          "reason": .string(reason),
          "from": .string(message.from.description), "state": .string(message.outcome.rawValue),
          "condition": message.event.offer.map { .string($0.condition.rawValue) },
        ])
    }
  }

  private func criterionExplanation(_ name: String, _ day: Day) -> Explanation? {
    guard let criterion = criteria(on: day).first(where: { $0.name == name }) else { return nil }
    // Rewards are weighed, all else is counted.
    let given = criterion.gifts.map { Set($0.places) } ?? []
    let sides =
      criterion.supporting.map { ($0, "for") } + criterion.opposing.map { ($0, "against") }
    let rows = sides.enumerated()
      .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
      .map { _, side in
        let reason = reason(name, side.0, isFor: side.1 == "for", on: day)
        return given.contains(side.0) && side.1 == "for"
          ? weightRow(side.0, day, side: side.1, reason: reason)
          : brief(
            entries[side.0].event, day, ["side": .string(side.1), "reason": .string(reason)])
      }
    return Explanation(
      rows: rows, verdict: .string(criterion.verdict.rawValue),
      parts: criterion.gifts.map { gifts($0.first, $0.second) },
      sums: criterion.gifts.flatMap { gifts in
        gifts.places.isEmpty
          ? nil : .array([sum(of: "all", -gifts.taken, threshold: -gifts.drowned)])
      })
  }
}

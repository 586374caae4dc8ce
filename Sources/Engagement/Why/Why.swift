// The events behind each figure of a state, with the share of each where the figure is a sum, largest
// first, and else with the reason why it is there. What the sums are compared with stands next to them.

import TimelineModel

extension DyadHistory {
  /// The events behind a figure.
  public func why(_ figure: Figure, on day: Day) -> FigureRows {
    var explanation = explanation(of: figure, on: day)
    let contested = Set(ids(kinds.contested[upTo(day)]))
    for index in explanation.rows.indices {
      explanation.rows[index].isContested = contested.contains(explanation.rows[index].event.id)
    }
    return FigureRows(
      dyad: dyad, day: day, rules: rules.versions, figure: figure, verdict: explanation.verdict,
      value: explanation.value, parts: explanation.parts, sums: explanation.sums,
      rows: explanation.rows)
  }

  /// What is said of a figure in addition to its events.
  private struct Explanation {
    var rows: [FigureRow]
    var verdict: CriterionState.Verdict?
    var value: FigureRows.Value?
    var parts: FigureParts?
    var sums: [FigureSum] = []
  }

  private func explanation(of figure: Figure, on day: Day) -> Explanation {
    func listed(_ events: [Event], _ reason: (Event) -> String) -> Explanation {
      Explanation(
        rows: events.map { FigureRow(EventBrief($0, on: day), reason: reason($0)) })
    }
    func listed(_ messages: [ResolvedMessage]) -> Explanation {
      Explanation(
        rows: messages.map { FigureRow(EventBrief($0.event, on: day), reason: Self.reason($0)) })
    }
    switch figure {
    case .climate:
      let climate = climate(on: day)
      return Explanation(
        rows: climateShares(on: day).map { shareRow($0.event, $0.share, day) },
        value: .sum(climate.total), parts: parts(climate))
    case .trend:
      return Explanation(
        rows: trendShares(on: day).map { shareRow($0.event, $0.share, day) },
        value: .sum(trend(on: day)), parts: parts(trends(on: day)))
    case .phase: return phaseExplanation(day)
    case .contact:
      return Explanation(
        rows: lastContacts(day).map { party, entry in
          FigureRow(EventBrief(entry.event, on: day), reason: "the last contact by \(party)")
        })
    case .neglect:
      let last = lastContacts(day).map(\.1.event).max {
        (min($0.date.last, day), $0.date.first, $0.id)
          < (min($1.date.last, day), $1.date.first, $1.id)
      }
      var explanation = listed([last].compactMap { $0 }) { _ in "the last contact of all" }
      explanation.value = neglect(on: day).map { .days($0) }
      return explanation
    case .messages: return listed(messages(on: day).filter { $0.event.type == .message })
    case .unanswered: return listed(messages(on: day).filter(\.isOpen))
    case .offers: return Explanation(rows: offerRows(day, Self.reason))
    case .approach:
      return Explanation(
        rows: offerRows(day) { $0.event.offer.map { Self.reason($0.condition) } })
    case .interests:
      return Explanation(
        rows: offerRows(day) { offer in
          let spoken = rules.interests.filter {
            $0.party == offer.to && offer.interests.contains($0.key)
          }
          guard !spoken.isEmpty else { return nil }
          return "to \(offer.to): " + spoken.map(\.name).joined(separator: ", ")
        })
    case .commitments:
      // Found once: of very many agreements each has its moves.
      let reasons = Self.reasons(in: agreements(on: day))
      return listed(entries[upTo(day)].map(\.event).filter { reasons[$0.id] != nil }) {
        reasons[$0.id] ?? ""
      }
    case .underWay: return listed(underWay(on: day), Self.underWay)
    case .tests:
      return listed(lastTests(on: day)) { "the last test" + ($0.subtype.map { " of \($0)" } ?? "") }
    case .reciprocity:
      let window = over(windows[.reciprocityDays], to: day)
      let (_, first, second) = sums.over(window)
      return Explanation(
        rows: heaviestFirst(kinds.positive[window]).map { weightRow($0, day) },
        parts: gifts(first.given, second.given))
    case .conducive: return criterionExplanation(.conducive, day)
    case .jointAction: return criterionExplanation(.jointAction, day)
    case .rewards: return criterionExplanation(.rewards, day)
    case .respect: return criterionExplanation(.respect, day)
    }
  }

  // MARK: Sums

  private func parts(_ climate: Climate) -> FigureParts {
    FigureParts(first: climate.first, second: climate.second, joint: climate.joint)
  }

  /// In thousandths.
  private func gifts(_ first: Int, _ second: Int) -> FigureParts {
    FigureParts(first: Double(first) / 1000, second: Double(second) / 1000)
  }

  private func shareRow(
    _ event: Event, _ share: Double, _ day: Day, side: FigureRow.Side? = nil,
    reason: String? = nil
  ) -> FigureRow {
    FigureRow(
      EventBrief(event, on: day), side: side, share: share,
      by: dyad.parties.filter { event.actors.contains($0) }, reason: reason)
  }

  private func weightRow(
    _ index: Int, _ day: Day, side: FigureRow.Side? = nil, reason: String? = nil
  ) -> FigureRow {
    shareRow(
      entries[index].event, Double(entries[index].weight) / 1000, day, side: side, reason: reason)
  }

  /// Equal ones in the order of the events.
  private func heaviestFirst(_ indices: some Sequence<Int>) -> [Int] {
    indices.sorted { (-abs(entries[$0].weight), $0) < (-abs(entries[$1].weight), $1) }
  }

  // MARK: Phases

  /// What the phase rests on and what moved it, in order; where it rests on sums, these first, with the
  /// events that count against it.
  private func phaseExplanation(_ day: Day) -> Explanation {
    let phase = phase(on: day)
    let rule = rules.phases[phase.phase]
    let sums = rule?.sums(in: self, on: day)
    let against = sums?.opposing ?? []
    let causes = Set(phase.events)
    let wanted = causes.union(phase.moved)
    let summed = sums == nil ? [] : causes
    let indices = upTo(day).filter { wanted.contains(entries[$0].event.id) }
    let supporting = indices.filter { summed.contains(entries[$0].event.id) }
    let opposing = Set(against)
    let moved = Set(phase.moved)
    func reason(_ index: Int) -> String {
      let id = entries[index].event.id
      let cause =
        opposing.contains(index)
        ? "its weight is above 0"
        : summed.contains(id)
          ? "its weight is below 0"
          : causes.contains(id) ? rule?.reason(index, in: self, on: day) : nil
      return [cause, moved.contains(id) ? "it moved the phase on \(phase.since)" : nil]
        .compactMap { $0 }.joined(separator: "; ")
    }
    let rows =
      heaviestFirst(supporting + against).map { index in
        weightRow(
          index, day, side: opposing.contains(index) ? .opposing : .supporting,
          reason: reason(index))
      }
      + indices.filter { !summed.contains(entries[$0].event.id) && !opposing.contains($0) }
      .map { FigureRow(EventBrief(entries[$0].event, on: day), reason: reason($0)) }
    return Explanation(rows: rows, sums: sums?.sums ?? [])
  }

  // MARK: Lists

  /// Those for which there is a reason.
  private func offerRows(_ day: Day, _ reason: (ResolvedMessage) -> String?) -> [FigureRow] {
    messages(on: day).compactMap { message in
      guard let offer = message.event.offer, let reason = reason(message) else { return nil }
      return FigureRow(
        EventBrief(message.event, on: day), reason: reason,
        offer: FigureRow.Offer(
          from: message.from, outcome: message.outcome, condition: offer.condition))
    }
  }

  private func criterionExplanation(_ name: CriterionName, _ day: Day) -> Explanation {
    guard let criterion = criteria(on: day).first(where: { $0.name == name }) else {
      return Explanation(rows: [])
    }
    // Rewards are weighed, all else is counted.
    let given = criterion.gifts.map { Set($0.indices) } ?? []
    let sides: [(Int, FigureRow.Side)] =
      criterion.supporting.map { ($0, .supporting) } + criterion.opposing.map { ($0, .opposing) }
    let rows = sides.enumerated()
      .sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
      .map { _, element in
        let (index, side) = element
        let reason = reason(name, index, side, on: day)
        return given.contains(index) && side == .supporting
          ? weightRow(index, day, side: side, reason: reason)
          : FigureRow(EventBrief(entries[index].event, on: day), side: side, reason: reason)
      }
    return Explanation(
      rows: rows, verdict: criterion.verdict,
      parts: criterion.gifts.map { gifts($0.first, $0.second) },
      sums: criterion.gifts.map { gifts in
        gifts.indices.isEmpty
          ? []
          : [
            FigureSum(
              value: Thousandths(count: -gifts.taken), threshold: Thousandths(count: -gifts.drowned)
            )
          ]
      } ?? [])
  }
}

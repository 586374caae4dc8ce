// E-16.4: what changed between two parties, day by day. Each phase, message and promise says on which
// days it can turn, and is looked at on those alone: a diary of decades costs what it tells.

import TimelineModel

/// What changed on a day, compared with the day before.
public struct DiaryEntry: Sendable, Hashable {
  public let day: Day
  public let change: StateChange

  public init(day: Day, change: StateChange) {
    self.day = day
    self.change = change
  }
}

extension DyadHistory {
  /// What a watch would have told on these days, in order; less where nobody waits for it any more.
  public func diary(
    from first: Day, through last: Day, isWanted: () -> Bool = { true }
  ) -> [DiaryEntry] {
    var found = phaseChanges(first...last) + silenceChanges(first...last)
    var messages: [DiaryEntry] = []
    for index in kinds.messages.all where isWanted() {
      let changes = messageChanges(entries[index], first...last)
      if entries[index].event.offer != nil { found += changes } else { messages += changes }
    }
    found += messages
    for index in kinds.ledgers.all where isWanted() {
      found += promiseChanges(entries[index], first...last)
    }
    // What comes first in a state comes first on its day.
    return found.enumerated().sorted {
      ($0.element.day, $0.offset) < ($1.element.day, $1.offset)
    }.map(\.element)
  }

  /// Compares what there is on some days with what there was on the days before them.
  private func changes(
    _ candidates: some Sequence<Day>, _ days: ClosedRange<Day>,
    _ compare: (_ before: Day, _ after: Day) -> [StateChange?]
  ) -> [DiaryEntry] {
    Set(candidates).filter(days.contains).sorted().flatMap { day in
      compare(day.advanced(by: -1), day).compactMap { change in
        change.map { DiaryEntry(day: day, change: $0) }
      }
    }
  }

  private func phaseChanges(_ days: ClosedRange<Day>) -> [DiaryEntry] {
    changes(phases.map(\.since), days) { before, after in
      [StateChanges.phase(phase(on: before), phase(on: after))]
    }
  }

  private func silenceChanges(_ days: ClosedRange<Day>) -> [DiaryEntry] {
    // It begins some time after a contact, and ends with one.
    let begins = silences.map { $0.covered.advanced(by: windows[.answerDays]) }
    let ends = kinds.contacts.all.map { entries[$0].first }
    return changes(begins + ends, days) { before, after in
      [StateChanges.silence(contact(on: before), contact(on: after))]
    }
  }

  private func messageChanges(_ entry: PlacedEvent, _ days: ClosedRange<Day>) -> [DiaryEntry] {
    guard let (from, to) = direction(entry) else { return [] }
    let event = entry.event
    let said = said(of: event, from: from, to: to, upTo: days.upperBound)
    var candidates = [entry.first] + said.answers.map(\.event.date.first)
    candidates += [said.withdrawal, said.successor].compactMap { $0?.date.first }
    candidates += [event.offer?.expires?.last.advanced(by: 1)].compactMap { $0 }
    func state(_ day: Day) -> MessageState? {
      entry.first <= day ? message(entry, on: day)?.state : nil
    }
    return changes(candidates, days) { before, after in
      [StateChanges.message(event.offer == nil ? .message : .offer, state(before), state(after))]
    }
  }

  private func promiseChanges(_ agreement: PlacedEvent, _ days: ClosedRange<Day>) -> [DiaryEntry] {
    let said = saidOfAny(agreement, upTo: days.upperBound)
    let dues = agreement.promises.compactMap(\.due).flatMap { [$0.first, $0.last.advanced(by: 1)] }
    let all = agreement.promises.count
    func states(_ day: Day) -> [CommitmentState?] {
      agreement.first <= day
        ? commitments(of: agreement, on: day) : Array(repeating: nil, count: all)
    }
    return changes([agreement.first] + said.map(\.event.date.first) + dues, days) { before, after in
      zip(states(before), states(after)).map { StateChanges.commitment($0, $1) }
    }
  }
}

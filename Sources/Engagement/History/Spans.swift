// From which day to which messages are open and promises are outstanding: what a series counts, and a phase asks.

import TimelineModel

/// How many of some spans hold on a day: each from its first day until the day on which it is over.
struct SpanCounts: Sendable {
  private var begins: [Day] = []
  private var ends: [Day] = []

  init() {}

  init(_ spans: some Sequence<(first: Day, end: Day)>) {
    for span in spans where span.first < span.end {
      begins.append(span.first)
      ends.append(span.end)
    }
    begins.sort()
    ends.sort()
  }

  subscript(day: Day) -> Int {
    lowerBound(begins.count) { begins[$0] <= day } - lowerBound(ends.count) { ends[$0] <= day }
  }
}

struct MessageSpans: Sendable {
  /// For each index of `kinds.messages`: from which day on it is not open.
  private(set) var closings: [Day] = []
  private(set) var open = SpanCounts()
  private(set) var openOffers = SpanCounts()

  init() {}

  /// By a history that has its events, kinds and links.
  init(_ history: DyadHistory) {
    closings = history.kinds.messages.all.map(history.closing)
    var all: [(first: Day, end: Day)] = []
    var offers: [(first: Day, end: Day)] = []
    for (index, end) in zip(history.kinds.messages.all, closings) {
      all.append((history.first(index), end))
      if history.entries[index].event.offer != nil { offers.append((history.first(index), end)) }
    }
    open = SpanCounts(all)
    openOffers = SpanCounts(offers)
  }
}

struct PromiseSpans: Sendable {
  private(set) var outstanding = SpanCounts()
  private(set) var overdue = SpanCounts()
  /// For each index of `kinds.steps`: until which day an agreement that it carries out has something
  /// outstanding.
  private(set) var stepEnds: [Day] = []

  init() {}

  /// By a history that has its events, kinds and links.
  init(_ history: DyadHistory) {
    var promises: [(first: Day, end: Day)] = []
    var late: [(first: Day, end: Day)] = []
    var ends: [Int: Day] = [:]
    for index in history.kinds.ledgers.all {
      let agreement = history.entries[index]
      let said = history.saidOfAny(agreement, upTo: .distantFuture)
      let firsts = history.speakers(of: agreement.promises, said, last: false)
      var last = Day.distantPast
      for (commitment, first) in zip(agreement.promises, firsts) {
        let end = first.map { said[$0].event.date.first } ?? .distantFuture
        promises.append((agreement.first, end))
        last = max(last, end)
        guard let due = commitment.due?.last, due != .distantFuture else { continue }
        late.append((max(agreement.first, due.advanced(by: 1)), end))
      }
      for step in history.steps(of: agreement) {
        ends[step] = max(ends[step] ?? .distantPast, last)
      }
    }
    stepEnds = history.kinds.steps.all.map { ends[$0] ?? .distantPast }
    outstanding = SpanCounts(promises)
    overdue = SpanCounts(late)
  }
}

extension DyadHistory {
  /// E-8.1: the indices of the steps that carry out an agreement: keep a promise of it, or are part of it.
  fileprivate func steps(of agreement: PlacedEvent) -> [Int] {
    let keys = Set(agreement.promises.map(\.key))
    return links[agreement.event.id].compactMap { said in
      guard entries[said.index].kinds.contains(.step) else { return nil }
      let carriesOut =
        switch said.link.relation {
        case .partOf: true
        case .fulfils, .verifies: said.link.key.map(keys.contains) ?? false
        default: false
        }
      return carriesOut ? said.index : nil
    }
  }
}

// E-9, E-10: what is under way, and the last test of each kind.

import TimelineModel

extension DyadHistory {
  /// E-9: in order.
  func underWay(on day: Day) -> [Event] {
    kinds.lasting[upTo(day)].map { entries[$0].event }.filter { event in
      guard event.type == .sanction else { return event.date.last >= day }
      return (!event.date.isInterval || event.date.last >= day)
        && links(to: event, [.withdraws, .suspends], upTo: day).isEmpty
    }
  }

  /// E-10: the last test of each kind, the latest first.
  func lastTests(on day: Day) -> [Event] {
    let past = upTo(day)
    return kinds.tests.values.compactMap { $0[past].last }.sorted(by: >).map { entries[$0].event }
  }
}

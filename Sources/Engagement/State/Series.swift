// E-15: the figures of a dyad on many days, a row each. A row costs some searches, whatever the years
// hold: what a state lists, a row counts.

import TimelineModel

/// How far apart the rows are.
public enum SeriesStep: String, Sendable, CaseIterable {
  case day, week, month, quarter, year

  /// So many steps after a day; where a month has no such day, its last.
  public func advance(_ day: Day, by count: Int) -> Day {
    switch self {
    case .day: day.advanced(by: count)
    case .week: day.advanced(by: 7 * count)
    case .month: Self.months(day, count)
    case .quarter: Self.months(day, 3 * count)
    case .year: Self.months(day, 12 * count)
    }
  }

  private static func months(_ day: Day, _ count: Int) -> Day {
    let (year, month, dayOfMonth) = day.civil
    let all = year * 12 + month - 1 + count
    let newYear = all >= 0 ? all / 12 : (all - 11) / 12
    let newMonth = all - newYear * 12 + 1
    let length = Day.daysIn(month: newMonth, year: newYear)
    return Day(year: newYear, month: newMonth, day: min(dayOfMonth, length))!
  }

  /// The days of a series; nil where there are more than so many.
  public func days(from first: Day, through last: Day, max limit: Int) -> [Day]? {
    var days: [Day] = []
    while case let day = advance(first, by: days.count), day <= last {
      guard days.count < limit else { return nil }
      days.append(day)
    }
    return days
  }
}

/// E-15.2: the figures of a day.
public struct SeriesRow: Sendable, Hashable {
  public var day: Day
  public var phase: Phase
  public var climate: ClimateState
  /// Days since any contact; nil where there was none.
  public var neglect: Int?
  public var unanswered: Int
  public var openOffers: Int
  public var outstanding: Int
  public var overdue: Int
  /// How many began after the row before, up to this day.
  public var exercises: Int
  public var tests: Int
  /// Contested events among those seen by then: the row rests on them.
  public var provisional: Int
}

extension DyadHistory {
  public func series(_ days: [Day], every step: SeriesStep) -> [SeriesRow] {
    guard let first = days.first else { return [] }
    var before = step.advance(first, by: -1)
    return days.map { day in
      defer { before = day }
      return row(day, after: before)
    }
  }

  private func row(_ day: Day, after before: Day) -> SeriesRow {
    let period = from(before.advanced(by: 1), to: day)
    return SeriesRow(
      day: day, phase: phaseName(on: day), climate: climateState(on: day),
      neglect: neglect(on: day), unanswered: messageSpans.open[day],
      openOffers: messageSpans.openOffers[day], outstanding: promiseSpans.outstanding[day],
      overdue: promiseSpans.overdue[day], exercises: kinds.exercises[period].count,
      tests: kinds.allTests[period].count, provisional: kinds.contested[upTo(day)].count)
  }
}

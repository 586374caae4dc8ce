// E-7: the climate: weights that fade by half in 90 days.

import TimelineModel

public struct Climate: Sendable {
  /// What each side did by itself, and what both did together.
  public var first = 0.0
  public var second = 0.0
  public var joint = 0.0

  public var total: Double { first + second + joint }
}

extension DyadHistory {
  /// 2^(-1/90), written out: every machine gets the same bits.
  static let fading = 0x1.fc126898365e4p-1
  private static let interval = 64

  /// C(d) = C(d-1)·h + W(d), day by day from the dyad's first event; W in whole thousandths, so the
  /// order of a day's events does not matter.
  func climate(on day: Day) -> Climate {
    guard let start = firstDay, start <= day else { return Climate() }
    let known = min((day - start) / Self.interval, climates.count - 1)
    return fold(
      climates[known], after: start.advanced(by: known * Self.interval), through: day)
  }

  /// The climate on the first day, and on every 64th after it, up to the last event.
  func allClimates() -> [Climate] {
    guard let start = firstDay, let last = events.last?.date.first else { return [] }
    var all = [fold(Climate(), after: start.advanced(by: -1), through: start)]
    var day = start
    while day < last {
      let next = day.advanced(by: Self.interval)
      all.append(fold(all[all.count - 1], after: day, through: next))
      day = next
    }
    return all
  }

  private func fold(_ climate: Climate, after day: Day, through last: Day) -> Climate {
    var result = climate
    var current = day
    var next = upTo(day).upperBound
    while current < last {
      current = current.advanced(by: 1)
      var sums = (first: 0, second: 0, joint: 0)
      while next < events.count, events[next].date.first == current {
        let weight = weight(events[next])
        if isJoint(events[next]) {
          sums.joint += weight
        } else if acts(dyad.first, in: events[next]) {
          sums.first += weight
        } else {
          sums.second += weight
        }
        next += 1
      }
      result.first = result.first * Self.fading + Double(sums.first) / 1000
      result.second = result.second * Self.fading + Double(sums.second) / 1000
      result.joint = result.joint * Self.fading + Double(sums.joint) / 1000
    }
    return result
  }

  /// The share of each event in the climate's total: w·2^(-Δ/90), largest first.
  public func climateShares(on day: Day) -> [(event: Event, share: Double)] {
    events[upTo(day)].compactMap { event in
      let weight = weight(event)
      guard weight != 0, event.date.first != .distantPast else { return nil }
      var share = Double(weight) / 1000
      for _ in 0..<(day - event.date.first) { share *= Self.fading }
      return (event, share)
    }.sorted { (abs($0.share), $1.event.id) > (abs($1.share), $0.event.id) }
  }
}

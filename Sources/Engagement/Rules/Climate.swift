// E-7: the climate: weights that fade by half in 90 days.

import TimelineModel

public struct Climate: Sendable {
  /// What each side did by itself, and what both did together.
  public var first = 0.0
  public var second = 0.0
  public var joint = 0.0

  public var total: Double { first + second + joint }
}

/// E-7.4: the climate as it is shown.
public struct ClimateState: Sendable, Hashable {
  public var total: Thousandths
  /// How the total moved in 90 days.
  public var trend: Thousandths
  public var first: Thousandths
  public var second: Thousandths
  public var joint: Thousandths
}

extension DyadHistory {
  /// 2^(-1/90), written out: every machine gets the same bits.
  static let fading = 0x1.fc126898365e4p-1
  private static let interval = 64
  private static let trendDays = 90
  /// After a century without an event nothing is left: 2^(-406) of what there was.
  static let memoryDays = 36_525
  /// h^n for every age that counts.
  private static let powers: [Double] = (0..<memoryDays).reduce(into: [1.0]) { powers, _ in
    powers.append(powers[powers.count - 1] * fading)
  }

  /// C(d) = C(d-1)·h + W(d), day by day from the dyad's first event; W in whole thousandths, so the
  /// order of a day's events does not matter.
  func climate(on day: Day) -> Climate {
    let known = lowerBound(climates.count) { climates[$0].day <= day } - 1
    guard known >= 0 else { return Climate() }
    return fold(climates[known].climate, after: climates[known].day, through: day)
  }

  func climateState(on day: Day) -> ClimateState {
    let climate = climate(on: day)
    return ClimateState(
      total: Thousandths(climate.total), trend: Thousandths(trend(on: day)),
      first: Thousandths(climate.first), second: Thousandths(climate.second),
      joint: Thousandths(climate.joint))
  }

  /// How the total moved in 90 days.
  func trend(on day: Day) -> Double {
    climate(on: day).total - climate(on: day.advanced(by: -Self.trendDays)).total
  }

  /// How each part did.
  func trends(on day: Day) -> Climate {
    let (now, before) = (climate(on: day), climate(on: day.advanced(by: -Self.trendDays)))
    return Climate(
      first: now.first - before.first, second: now.second - before.second,
      joint: now.joint - before.joint)
  }

  /// The climate on the first day, and on every 64th after it, up to the last event.
  func allClimates() -> [(day: Day, climate: Climate)] {
    guard let start = firstDay, let last = entries.last?.first else { return [] }
    var all = [
      (day: start, climate: fold(Climate(), after: start.advanced(by: -1), through: start))
    ]
    while let known = all.last, known.day < last {
      var next = known.day.advanced(by: Self.interval)
      // Where nothing happens for a century there is nothing to keep.
      let coming = upTo(known.day).upperBound
      if entries[coming].first - known.day > Self.memoryDays + Self.interval {
        next = entries[coming].first.advanced(by: -1)
      }
      all.append((next, fold(known.climate, after: known.day, through: next)))
    }
    return all
  }

  private func fold(_ climate: Climate, after day: Day, through last: Day) -> Climate {
    var result = climate
    var current = day
    var next = upTo(day).upperBound
    while current < last {
      current = current.advanced(by: 1)
      if next > 0, current - max(entries[next - 1].first, firstDay!) > Self.memoryDays {
        result = Climate()
        guard next < entries.count, entries[next].first <= last else { return result }
        current = entries[next].first
      }
      var sums = (first: 0, second: 0, joint: 0)
      while next < entries.count, entries[next].first == current {
        let entry = entries[next]
        if entry.isJoint {
          sums.joint += entry.weight
        } else if entry.isByFirst {
          sums.first += entry.weight
        } else {
          sums.second += entry.weight
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
    largestFirst(shares(on: day))
  }

  /// The share of each event in the trend: what it adds to C(d) less what it added to C(d-90).
  public func trendShares(on day: Day) -> [(event: Event, share: Double)] {
    let before = Dictionary(
      uniqueKeysWithValues: shares(on: day.advanced(by: -Self.trendDays)).map {
        ($0.index, $0.share)
      })
    return largestFirst(shares(on: day).map { ($0.index, $0.share - (before[$0.index] ?? 0)) })
  }

  private func shares(on day: Day) -> [(index: Int, share: Double)] {
    upTo(day).compactMap { index in
      let entry = entries[index]
      guard entry.weight != 0, entry.first != .distantPast,
        case let age = day - entry.first, age < Self.powers.count
      else { return nil }
      return (index, Double(entry.weight) / 1000 * Self.powers[age])
    }
  }

  /// Equal ones in the order of the events.
  private func largestFirst(
    _ shares: [(index: Int, share: Double)]
  ) -> [(event: Event, share: Double)] {
    shares.sorted { (-abs($0.share), $0.index) < (-abs($1.share), $1.index) }
      .map { (entries[$0.index].event, $0.share) }
  }
}

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

  /// C(d) = C(d-1)·h + W(d), day by day from the dyad's first event; W in whole thousandths, so the
  /// order of a day's events does not matter.
  func climate(on day: Day) -> Climate {
    let past = upTo(day)
    guard var current = past.first(where: { $0.date.first != .distantPast })?.date.first else {
      return Climate()
    }
    var result = Climate()
    var next = past.startIndex
    while next < past.endIndex, past[next].date.first < current { next += 1 }
    while current <= day {
      var sums = (first: 0, second: 0, joint: 0)
      while next < past.endIndex, past[next].date.first == current {
        let weight = weight(past[next])
        if isJoint(past[next]) {
          sums.joint += weight
        } else if acts(dyad.first, in: past[next]) {
          sums.first += weight
        } else {
          sums.second += weight
        }
        next += 1
      }
      result.first = result.first * Self.fading + Double(sums.first) / 1000
      result.second = result.second * Self.fading + Double(sums.second) / 1000
      result.joint = result.joint * Self.fading + Double(sums.joint) / 1000
      current = current.advanced(by: 1)
    }
    return result
  }

  /// The share of each event in the climate's total: w·2^(-Δ/90), largest first.
  public func climateShares(on day: Day) -> [(event: Event, share: Double)] {
    upTo(day).compactMap { event in
      let weight = weight(event)
      guard weight != 0, event.date.first != .distantPast else { return nil }
      var share = Double(weight) / 1000
      for _ in 0..<(day - event.date.first) { share *= Self.fading }
      return (event, share)
    }.sorted { (abs($0.share), $1.event.id) > (abs($1.share), $0.event.id) }
  }
}

// What the events of a history weigh, over any stretch of it.

/// Weights in thousandths, added up from the first event on: what a window holds is one difference.
struct WeightSums: Sendable {
  struct Weight: Sendable {
    /// Weights above 0, and those below.
    var given = 0
    var taken = 0

    mutating func add(_ weight: Int) {
      given += max(0, weight)
      taken += max(0, -weight)
    }

    static func - (left: Self, right: Self) -> Self {
      Weight(given: left.given - right.given, taken: left.taken - right.taken)
    }
  }

  private var all = [Weight()]
  private var first = [Weight()]
  private var second = [Weight()]

  init() {}

  init(_ entries: [PlacedEvent]) {
    var sums = (all: Weight(), first: Weight(), second: Weight())
    for entry in entries {
      sums.all.add(entry.weight)
      if entry.isByFirst { sums.first.add(entry.weight) }
      if entry.isBySecond { sums.second.add(entry.weight) }
      all.append(sums.all)
      first.append(sums.first)
      second.append(sums.second)
    }
  }

  /// Of all events; of those by the first party; of those by the second.
  func over(_ range: Range<Int>) -> (all: Weight, first: Weight, second: Weight) {
    (
      all[range.upperBound] - all[range.lowerBound],
      first[range.upperBound] - first[range.lowerBound],
      second[range.upperBound] - second[range.lowerBound]
    )
  }
}

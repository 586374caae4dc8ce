// Which events of a history are of which kind, and sums over them.

import TimelineModel

/// Some places of a history, rising.
struct EventPlaces: Sendable {
  private(set) var all: [Int] = []

  mutating func append(_ place: Int) { all.append(place) }

  /// Those within a range of places.
  subscript(range: Range<Int>) -> ArraySlice<Int> { all[offsets(range)] }

  /// Where those within a range of places stand in `all`.
  func offsets(_ range: Range<Int>) -> Range<Int> {
    let start = lowerBound(all.count) { all[$0] < range.lowerBound }
    return start..<max(start, lowerBound(all.count) { all[$0] < range.upperBound })
  }
}

/// Places of the events of each kind.
struct KindPlaces: Sendable {
  var contacts = EventPlaces()
  /// Those that went on beyond a day: one that began long ago may be the last.
  var longContacts = EventPlaces()
  var messages = EventPlaces()
  var ledgers = EventPlaces()
  var talks = EventPlaces()
  /// Those that went on for more than `talksDaysMax`.
  var longTalks = EventPlaces()
  static let talksDaysMax = 366
  var breaks = EventPlaces()
  var steps = EventPlaces()
  var shocks = EventPlaces()
  var negative = EventPlaces()
  var positive = EventPlaces()
  /// By what was tested.
  var tests: [String: EventPlaces] = [:]
  var allTests = EventPlaces()
  var exercises = EventPlaces()
  var lasting = EventPlaces()
  var contested = EventPlaces()
  var easing = EventPlaces()
  var straining = EventPlaces()
  var threats = EventPlaces()
  var meetings = EventPlaces()
  var sharing = EventPlaces()

  init() {}

  init(_ entries: [PlacedEvent]) {
    for (place, entry) in entries.enumerated() {
      let kinds = entry.kinds
      func add(_ kind: EventKinds, _ list: inout EventPlaces) {
        if kinds.contains(kind) { list.append(place) }
      }
      add(.contact, &contacts)
      add(.message, &messages)
      add(.ledger, &ledgers)
      add(.talks, &talks)
      add(.breaking, &breaks)
      add(.step, &steps)
      add(.shock, &shocks)
      add(.lasting, &lasting)
      add(.test, &allTests)
      add(.exercise, &exercises)
      add(.easing, &easing)
      add(.straining, &straining)
      add(.threat, &threats)
      add(.meeting, &meetings)
      add(.sharing, &sharing)
      add(.negative, &negative)
      add(.positive, &positive)
      if kinds.contains(.contact), entry.last > entry.first { longContacts.append(place) }
      if kinds.contains(.talks), entry.last - entry.first > Self.talksDaysMax {
        longTalks.append(place)
      }
      if kinds.contains(.test) {
        tests[entry.event.subtype ?? "", default: EventPlaces()].append(place)
      }
      if entry.event.isContested { contested.append(place) }
    }
  }
}

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

/// The number of leading places for which the test holds.
func lowerBound(_ count: Int, _ isBefore: (Int) -> Bool) -> Int {
  var low = 0
  var high = count
  while low < high {
    let middle = (low + high) / 2
    if isBefore(middle) { low = middle + 1 } else { high = middle }
  }
  return low
}

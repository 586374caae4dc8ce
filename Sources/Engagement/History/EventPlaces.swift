// Which events of a history are of which kind.

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

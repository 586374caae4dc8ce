// Which events of a history are of which kind.

import TimelineModel

/// Some indices of a history, rising.
struct EventIndices: Sendable {
  private(set) var all: [Int] = []

  mutating func append(_ index: Int) { all.append(index) }

  /// Those within a range of indices.
  subscript(range: Range<Int>) -> ArraySlice<Int> { all[offsets(range)] }

  /// Where those within a range of indices stand in `all`.
  func offsets(_ range: Range<Int>) -> Range<Int> {
    let start = lowerBound(all.count) { all[$0] < range.lowerBound }
    return start..<max(start, lowerBound(all.count) { all[$0] < range.upperBound })
  }
}

/// Indices of the events of each kind.
struct KindIndices: Sendable {
  var contacts = EventIndices()
  /// Those that went on beyond a day: one that began long ago may be the last.
  var longContacts = EventIndices()
  var messages = EventIndices()
  var ledgers = EventIndices()
  var talks = EventIndices()
  /// Those that went on for more than `talksDaysMax`.
  var longTalks = EventIndices()
  static let talksDaysMax = 366
  var breaks = EventIndices()
  var steps = EventIndices()
  var shocks = EventIndices()
  var negative = EventIndices()
  var positive = EventIndices()
  /// By what was tested.
  var tests: [String: EventIndices] = [:]
  var allTests = EventIndices()
  var exercises = EventIndices()
  var lasting = EventIndices()
  var contested = EventIndices()
  var easing = EventIndices()
  var straining = EventIndices()
  var threats = EventIndices()
  var meetings = EventIndices()
  var sharing = EventIndices()

  init() {}

  init(_ entries: [PlacedEvent]) {
    for (index, entry) in entries.enumerated() {
      let kinds = entry.kinds
      func add(_ kind: EventKinds, _ list: inout EventIndices) {
        if kinds.contains(kind) { list.append(index) }
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
      if kinds.contains(.contact), entry.last > entry.first { longContacts.append(index) }
      if kinds.contains(.talks), entry.last - entry.first > Self.talksDaysMax {
        longTalks.append(index)
      }
      if kinds.contains(.test) {
        tests[entry.event.subtype ?? "", default: EventIndices()].append(index)
      }
      if entry.event.isContested { contested.append(index) }
    }
  }
}

/// The number of leading indices for which the test holds.
func lowerBound(_ count: Int, _ isBefore: (Int) -> Bool) -> Int {
  var low = 0
  var high = count
  while low < high {
    let middle = (low + high) / 2
    if isBefore(middle) { low = middle + 1 } else { high = middle }
  }
  return low
}

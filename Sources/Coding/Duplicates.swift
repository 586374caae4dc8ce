// Pairs of events that may be one happening, the likeliest first. Events are taken in the order of (first day, id);
// of a pair only the ids and the score are kept, and of pairs the best, so the answer is bounded.

import TimelineModel

public struct Duplicates: Sendable {
  public struct Pair: Sendable {
    /// The event of the earlier day or smaller id first.
    public var ids: [EventID]
    public var likeness: Likeness

    /// The likelier first; of two as likely the one of the smaller ids.
    fileprivate func precedes(_ other: Pair) -> Bool {
      likeness.score != other.likeness.score
        ? likeness.score > other.likeness.score
        : (ids[0], ids[1]) < (other.ids[0], other.ids[1])
    }
  }

  private let limit: Int
  private let isWanted: @Sendable (EventID) -> Bool
  private let apart: Set<EventPair>
  private var neighbours = Neighbours()
  /// In their order, at most `limit`.
  public private(set) var pairs: [Pair] = []
  /// How many were found.
  public private(set) var count = 0
  public private(set) var events = 0

  /// - Parameters:
  ///   - isWanted: whether pairs that an event is in are.
  ///   - apart: what people said are two happenings.
  public init(
    limit: Int, apart: Set<EventPair> = [],
    isWanted: @escaping @Sendable (EventID) -> Bool = { _ in true }
  ) {
    self.limit = limit
    self.apart = apart
    self.isWanted = isWanted
  }

  public mutating func take(_ event: LintedEvent) {
    events += 1
    neighbours.begin(event.first)
    for (index, likeness) in neighbours.like(event) {
      let other = neighbours.events[index].id
      guard isWanted(event.id) || isWanted(other),
        let pair = EventPair(event.id, other), !apart.contains(pair)
      else { continue }
      count += 1
      keep(Pair(ids: [other, event.id], likeness: likeness))
    }
    neighbours.add(event)
  }

  private mutating func keep(_ pair: Pair) {
    var (low, high) = (0, pairs.count)
    while low < high {
      let middle = (low + high) / 2
      if pairs[middle].precedes(pair) { low = middle + 1 } else { high = middle }
    }
    guard low < limit else { return }
    pairs.insert(pair, at: low)
    if pairs.count > limit { pairs.removeLast() }
  }
}

// Whether links lead from an event back to it. One event after another is asked for, each with its links;
// what has been walked once is not walked again, so a long chain that is recorded event by event costs
// each of them one step.
//
//     explored   every event that its links lead to is explored too, or awaited
//     awaited    named by an explored event, and not here, or never looked at: it may close a circle
//
// Its owner begins with a new one when links may have changed meanwhile.

public struct LinkWalk: Sendable {
  private var explored: Set<EventID> = []
  private var awaited: Set<EventID> = []

  /// Events that one question looks at, and that all questions of events which were named or here before
  /// look at together: they walk the same way again. A circle beyond that is found by `Lint`.
  static let visitsMax = 10_000
  public static let revisitsMax = 100_000
  private static let keptMax = 200_000

  private var revisits = 0

  public init() {}

  /// What one request asks has a bound; the next has its own.
  public mutating func beginTurn() { revisits = 0 }

  /// The events by which the links lead back to the event, and the index of the link that they begin
  /// with; nil where none does.
  ///
  /// - Parameters:
  ///   - isNew: whether it was not here before.
  ///   - linksOf: the events that the links of an event name; nil where it is not here.
  public mutating func circle(
    of id: EventID, isNew: Bool, _ links: [Link], _ linksOf: (EventID) -> [EventID]?
  ) -> (index: Int, way: [EventID])? {
    if explored.count + awaited.count > Self.keptMax { (explored, awaited) = ([], []) }
    let skips = isNew && !awaited.contains(id)
    /// From where the walk came to an event; the event itself for a start.
    var from: [EventID: EventID] = [:]
    var waiting: [EventID] = []
    var missing: [EventID] = []
    func isDone(_ next: EventID) -> Bool { from[next] != nil || skips && explored.contains(next) }
    for link in links where link.id != id && !isDone(link.id) {
      from[link.id] = link.id
      waiting.append(link.id)
    }
    var visits = 0
    let most = skips ? Self.visitsMax : min(Self.visitsMax, Self.revisitsMax - revisits)
    defer { if !skips { revisits += visits } }
    while visits < most, let next = waiting.popLast() {
      visits += 1
      guard let targets = linksOf(next) else {
        missing.append(next)
        continue
      }
      for target in targets {
        if target == id {
          let way = Self.way(to: next, from)
          return (links.firstIndex { $0.id == way[0] } ?? 0, Array(way.dropFirst()))
        }
        guard !isDone(target) else { continue }
        from[target] = next
        waiting.append(target)
      }
    }
    let unknown = missing + waiting
    explored.formUnion(from.keys)
    explored.subtract(unknown)
    awaited.formUnion(unknown)
    explored.insert(id)
    return nil
  }

  private static func way(to last: EventID, _ from: [EventID: EventID]) -> [EventID] {
    var way = [last]
    while let before = from[way[way.count - 1]], before != way[way.count - 1] { way.append(before) }
    return way.reversed()
  }
}

// Which events are records of one happening (log.same, log.apart): of each such group one shows, and the others
// are in no list (F-13 of docs/reference/event-format.md).
//
//     same A B shows A, same B C shows C      {A, B, C}: C shows, where the second line is the later one
//     apart B C                               {A, B}: A shows; C by itself
//
// Of what lines say of a pair the one recorded last holds, so the order of their arrival says nothing. Groups
// that changed are found anew together, once the lists are brought in order: a chain of ten thousand
// events that grows by a thousand lines is walked once.

import TimelineModel

struct SameEvents: Sendable {
  /// A line that says of two events that they are one, or that they are not.
  struct Statement: Sendable {
    var record: SameRecord
    var id: EventID
    var recorded: RecordedTime
    var replica: ReplicaID
    var ref: LineRef

    static func < (left: Self, right: Self) -> Bool {
      (left.recorded, left.id, left.replica) < (right.recorded, right.id, right.replica)
    }
  }

  private(set) var all: [Statement] = []
  /// What holds of each pair that is spoken of.
  private var holding: [EventPair: Statement] = [:]
  /// The other event of each pair that is joined, by both.
  private var neighbours: [EventID: Set<EventID>] = [:]
  /// The event that shows in the place of another one.
  private(set) var shown: [EventID: EventID] = [:]
  /// Events whose groups are to be found anew.
  private var changed: Set<EventID> = []

  init() {}

  /// The groups as the lines that are known make them.
  init(of statements: some Sequence<Statement>, isThere: (EventID) -> Bool) {
    for statement in statements { add(statement) }
    _ = regroup(isThere: isThere)
  }

  mutating func add(_ statement: Statement) {
    all.append(statement)
    let pair = statement.record.pair
    if let old = holding[pair], statement < old { return }
    holding[pair] = statement
    for id in pair.ids {
      if statement.record.shows == nil {
        neighbours[id]?.remove(pair.other(than: id))
      } else {
        neighbours[id, default: []].insert(pair.other(than: id))
      }
    }
    changed.formUnion(pair.ids)
  }

  /// Notes that an event has come, was retracted or shows again.
  mutating func note(_ id: EventID) { if neighbours[id] != nil { changed.insert(id) } }

  /// What somebody said are two happenings, and nobody contradicted.
  var apart: Set<EventPair> { Set(holding.lazy.filter { $1.record.shows == nil }.map(\.key)) }

  /// All events that a line joined with another one, now or once.
  var members: some Sequence<EventID> { neighbours.keys }

  /// An event with all that are joined with it, in the order of their ids.
  func group(of id: EventID) -> [EventID] {
    var group: Set<EventID> = [id]
    var rest = [id]
    while let next = rest.popLast() {
      for other in neighbours[next] ?? [] where group.insert(other).inserted { rest.append(other) }
    }
    return group.sorted()
  }

  /// Finds the groups of all events that changed, and says of each of their events whether another one
  /// shows in its place.
  ///
  /// - Parameter isThere: whether an event is here and not retracted: no other can show.
  mutating func regroup(isThere: (EventID) -> Bool) -> [(id: EventID, isHidden: Bool)] {
    var found: [(id: EventID, isHidden: Bool)] = []
    while let id = changed.popFirst() {
      let group = group(of: id)
      changed.subtract(group)
      let one = shows(of: group, isThere)
      for id in group {
        shown[id] = id == one ? nil : one
        found.append((id, shown[id] != nil))
      }
    }
    return found
  }

  /// The event that the line recorded last says, of those that are there; else the one of the smallest id.
  private func shows(of group: [EventID], _ isThere: (EventID) -> Bool) -> EventID? {
    var latest: Statement?
    for id in group {
      for other in neighbours[id] ?? [] where id < other {
        guard let statement = EventPair(id, other).flatMap({ holding[$0] }),
          let shows = statement.record.shows, isThere(shows)
        else { continue }
        if latest.map({ $0 < statement }) ?? true { latest = statement }
      }
    }
    return latest?.record.shows ?? group.first(where: isThere)
  }
}

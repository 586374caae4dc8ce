// What the store knows of every event without reading its line: one row each, found by id, by day,
// by party. A cache: a start makes it again from the log, and nothing here is ever believed over it.
//
// It is a value with copy-on-write parts; a snapshot is a copy.

import TimelineModel

/// One event's row: 48 bytes.
struct EventRow: Sendable {
  struct Flags: OptionSet, Sendable {
    let rawValue: UInt8
    /// The version that shows is a retraction.
    static let hidden = Flags(rawValue: 1)
    /// `EventIndex.histories` has more.
    static let versions = Flags(rawValue: 2)
    /// `EventIndex.copies` has more.
    static let copies = Flags(rawValue: 4)
    static let contested = Flags(rawValue: 8)
    /// A line of the log about itself, or one that could not be read: in no list of events.
    static let unlisted = Flags(rawValue: 16)
  }

  var id: UUIDBytes
  /// The line of the original that shows.
  var ref: LineRef
  var first: Day
  var last: Day
  /// Places in `EventIndex.parties` and `EventIndex.tags`.
  var parties: UInt32
  var tags: UInt32
  var subtype: UInt16
  var type: EventType
  var flags: Flags
}

/// A list of equal values kept once, found by their own hash.
struct Interned<Value: Hashed>: Sendable {
  private(set) var values: [Value] = []
  /// Places + 1 by hash, with open addressing; 0 where there is none.
  private var cells: [UInt32] = [UInt32](repeating: 0, count: 16)

  mutating func place(_ value: Value) -> UInt32 {
    var at = Int(truncatingIfNeeded: value.hash) & (cells.count - 1)
    while cells[at] != 0 {
      if values[Int(cells[at] - 1)] == value { return cells[at] - 1 }
      at = (at + 1) & (cells.count - 1)
    }
    values.append(value)
    cells[at] = UInt32(values.count)
    if values.count * 2 > cells.count { grow() }
    return UInt32(values.count - 1)
  }

  private mutating func grow() {
    cells = [UInt32](repeating: 0, count: cells.count * 2)
    for (place, value) in values.enumerated() {
      var at = Int(truncatingIfNeeded: value.hash) & (cells.count - 1)
      while cells[at] != 0 { at = (at + 1) & (cells.count - 1) }
      cells[at] = UInt32(place + 1)
    }
  }

  subscript(place: UInt32) -> Value { values[Int(place)] }
}

extension String: Hashed {
  public var hash: UInt64 { UInt64(bitPattern: Int64(hashValue)) }
}

struct EventIndex: Sendable {
  private(set) var rows = ChunkedArray<EventRow>()
  private var table = IDTable()
  private(set) var parties = Interned<Parties>()
  private(set) var tags = Interned<Tags>()
  private(set) var subtypes = Interned<String>()
  /// All listed events that show, by (first day, id); and those of each party.
  private(set) var all = OrderedSlots()
  private(set) var byParty: [ActorCode: OrderedSlots] = [:]
  private(set) var histories: [UInt32: EventHistory] = [:]
  /// Further lines that hold the same event with the same body.
  private(set) var copies: [UInt32: [LineRef]] = [:]
  /// Corrections and retractions of events that are not here yet.
  private var waiting: [EventID: [EventHistory.Version]] = [:]
  /// Actors added by log.actor events; of two for one code the later recorded holds.
  private(set) var registry = ActorRegistry.shipped
  private var actorEvents: [ActorCode: (recorded: RecordedTime, id: EventID)] = [:]
  /// Lines that are kept and relayed, but left out of every answer.
  private(set) var unreadable = 0
  /// Slots that are in no list yet; a snapshot has none.
  private var unordered: [UInt32] = []
  private var isBulk = false
  private static let unorderedMax = 32_768

  init() {
    // Place 0 is the absence of a subtype.
    _ = subtypes.place("")
  }

  func slot(of id: EventID) -> UInt32? { table.slot(of: id.uuid) { rows[Int($0)].id } }

  subscript(slot: UInt32) -> EventRow { rows[Int(slot)] }

  // MARK: Taking lines in

  /// Takes in many lines, whose order in the lists is found at once.
  mutating func inBulk<Failure: Error>(
    _ body: (inout EventIndex) throws(Failure) -> Void
  ) throws(Failure) {
    isBulk = true
    try body(&self)
    isBulk = false
    order()
  }

  /// Puts new events in their place in the lists. A sorted run of them walks through memory once,
  /// where one by one each would search afresh.
  mutating func order() {
    guard !unordered.isEmpty else { return }
    // Half an id is nearly always enough; sixteen bytes a key sort twice as fast as forty.
    var keys = ContiguousArray(
      unordered.map { slot in
        (half: self[slot].id.high, entry: OrderedSlots.Entry(first: self[slot].first, slot: slot))
      })
    unordered = []
    keys.sort { left, right in
      if left.entry.first != right.entry.first { return left.entry.first < right.entry.first }
      if left.half != right.half { return left.half < right.half }
      return self[left.entry.slot].id < self[right.entry.slot].id
    }
    let entries = ContiguousArray(keys.map(\.entry))
    let rows = rows
    all.insert(entries) { rows[Int($0)].id }
    for (party, entries) in entriesByParty(entries) {
      byParty[party, default: OrderedSlots()].insert(entries) { rows[Int($0)].id }
    }
  }

  /// The same entries for each party, in the same order.
  private func entriesByParty(
    _ entries: ContiguousArray<OrderedSlots.Entry>
  ) -> [(ActorCode, ContiguousArray<OrderedSlots.Entry>)] {
    var lists: [(party: ActorCode, entries: ContiguousArray<OrderedSlots.Entry>)] = []
    var places: [ActorCode: Int] = [:]
    // Which lists the events of the same parties go to is found once.
    var listsOfParties: [[Int]?] = Array(repeating: nil, count: parties.values.count)
    for entry in entries {
      let parties = Int(self[entry.slot].parties)
      if listsOfParties[parties] == nil {
        listsOfParties[parties] = self.parties.values[parties].everyone.map { party in
          if let place = places[party] { return place }
          places[party] = lists.count
          lists.append((party, []))
          return lists.count - 1
        }
      }
      for list in listsOfParties[parties]! { lists[list].entries.append(entry) }
    }
    return lists
  }

  /// Takes in one line, which stands in the logs already.
  mutating func apply(_ entry: IndexEntry, logs: @autoclosure () -> [ReplicaLog]) {
    switch entry.body {
    case .none:
      unreadable += 1
      note(entry, type: .report)
    case .happening(let facts):
      happening(entry, facts, logs)
    case .statement(let type, let statement):
      note(entry, type: type)
      switch statement {
      case .correct(let target, let supersedes, _, let facts):
        add(Self.version(of: entry, supersedes, .correction(facts)), to: target, logs)
      case .retract(let target, let supersedes):
        add(Self.version(of: entry, supersedes, .retraction), to: target, logs)
      case .actor(let actor): add(actor, entry)
      case .other: break
      }
    }
  }

  /// A line that is found by its id alone.
  private mutating func note(_ entry: IndexEntry, type: EventType) {
    guard slot(of: entry.id) == nil else { return }
    let nobody = parties.place(Parties(actors: [], targets: []))
    append(
      EventRow(
        id: entry.id.uuid, ref: entry.ref, first: entry.recorded.day, last: entry.recorded.day,
        parties: nobody, tags: tags.place(Tags([])), subtype: 0, type: type, flags: .unlisted))
  }

  private mutating func append(_ row: EventRow) {
    let slot = UInt32(rows.count)
    rows.append(row)
    table.insert(slot, id: row.id)
  }

  private mutating func happening(
    _ entry: IndexEntry, _ facts: EventFacts, _ logs: () -> [ReplicaLog]
  ) {
    if let slot = slot(of: entry.id) {
      return copy(entry, facts, slot, logs)
    }
    let slot = UInt32(rows.count)
    append(
      EventRow(
        id: entry.id.uuid, ref: entry.ref, first: facts.first, last: facts.last, parties: 0,
        tags: 0, subtype: 0, type: facts.type, flags: []))
    show(facts, at: slot)
    list(slot)
    for version in waiting.removeValue(forKey: entry.id) ?? [] {
      add(version, to: entry.id, logs)
    }
  }

  /// The same event from another log.
  private mutating func copy(
    _ entry: IndexEntry, _ facts: EventFacts, _ slot: UInt32,
    _ logs: () -> [ReplicaLog]
  ) {
    let row = self[slot]
    guard !row.flags.contains(.unlisted), let here = IndexEntry(reading: row.ref, logs()) else {
      return
    }
    if histories[slot] == nil, here.fingerprint == entry.fingerprint {
      let isEarlier = (entry.recorded, entry.replica) < (here.recorded, here.replica)
      copies[slot, default: []].append(isEarlier ? row.ref : entry.ref)
      if isEarlier { rows[Int(slot)].ref = entry.ref }
      rows[Int(slot)].flags.insert(.copies)
      return
    }
    var history = takeHistory(slot, logs)
    history.add(Self.version(of: entry, [], .original(facts)))
    keep(history, slot)
  }

  private static func version(
    of entry: IndexEntry, _ supersedes: [EventID], _ content: EventHistory.Version.Content
  ) -> EventHistory.Version {
    EventHistory.Version(
      id: entry.id, ref: entry.ref, replica: entry.replica, recorded: entry.recorded,
      supersedes: supersedes, content: content, fingerprint: entry.fingerprint)
  }

  // MARK: Versions

  private mutating func add(
    _ version: EventHistory.Version, to target: EventID, _ logs: () -> [ReplicaLog]
  ) {
    guard let slot = slot(of: target) else {
      waiting[target, default: []].append(version)
      return
    }
    guard !self[slot].flags.contains(.unlisted) else { return }
    var history = takeHistory(slot, logs)
    history.add(version)
    keep(history, slot)
  }

  /// The history of an event, begun from its copies where it had none.
  private mutating func takeHistory(_ slot: UInt32, _ logs: () -> [ReplicaLog]) -> EventHistory {
    if let history = histories.removeValue(forKey: slot) { return history }
    var history = EventHistory()
    for ref in [self[slot].ref] + (copies[slot] ?? []) {
      guard let entry = IndexEntry(reading: ref, logs()), case .happening(let facts) = entry.body
      else { continue }
      history.add(Self.version(of: entry, [], .original(facts)))
    }
    return history
  }

  private mutating func keep(_ history: EventHistory, _ slot: UInt32) {
    histories[slot] = history
    unlist(slot)
    let shown = history.shown { _ in true }
    rows[Int(slot)].flags.insert(.versions)
    rows[Int(slot)].flags.remove([.hidden, .contested])
    if shown?.isContested ?? false { rows[Int(slot)].flags.insert(.contested) }
    switch shown?.version.content {
    case .original(let facts), .correction(let facts):
      show(facts, at: slot)
      list(slot)
    case .retraction, nil: rows[Int(slot)].flags.insert(.hidden)
    }
  }

  private mutating func add(_ actor: Actor, _ entry: IndexEntry) {
    if let old = actorEvents[actor.code], (old.recorded, old.id) > (entry.recorded, entry.id) {
      return
    }
    actorEvents[actor.code] = (entry.recorded, entry.id)
    registry.add(actor)
  }

  // MARK: Rows and lists

  private mutating func show(_ facts: EventFacts, at slot: UInt32) {
    var row = rows[Int(slot)]
    row.first = facts.first
    row.last = facts.last
    row.type = facts.type
    row.parties = parties.place(facts.parties)
    row.tags = tags.place(facts.tags)
    row.subtype = facts.subtype.map { UInt16(truncatingIfNeeded: subtypes.place($0)) } ?? 0
    rows[Int(slot)] = row
  }

  private mutating func list(_ slot: UInt32) {
    unordered.append(slot)
    // In proportion, so that what the lists hold is walked through a few times in all.
    if !isBulk, unordered.count >= max(Self.unorderedMax, all.count / 2) { order() }
  }

  private mutating func unlist(_ slot: UInt32) {
    guard !self[slot].flags.contains(.hidden) else { return }
    if unordered.contains(slot) { return unordered.removeAll { $0 == slot } }
    let rows = rows
    let row = rows[Int(slot)]
    let entry = OrderedSlots.Entry(first: row.first, slot: slot)
    all.remove(entry) { rows[Int($0)].id }
    for party in parties[row.parties].everyone {
      byParty[party]?.remove(entry) { rows[Int($0)].id }
    }
  }
}

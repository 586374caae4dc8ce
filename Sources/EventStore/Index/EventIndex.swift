// What the store knows of every event without reading its line: one row each, found by id, by day,
// by party. A cache: a start makes it again from the log, and nothing here is ever believed over it.
//
// It is a value with copy-on-write parts; a read view is a copy.

import TimelineModel
import TransparencyLog

/// One event's row: 48 bytes.
struct EventRow: Sendable, BitwiseCopyable {
  struct Flags: OptionSet, Sendable, BitwiseCopyable {
    let rawValue: UInt8
    /// The version that shows is a retraction.
    static let hidden = Flags(rawValue: 1)
    /// `EventIndex.histories` has more.
    static let versions = Flags(rawValue: 2)
    /// `EventIndex.copies` has more.
    static let copies = Flags(rawValue: 4)
    static let contested = Flags(rawValue: 8)
    /// A control record, or a line that could not be read: in no list of events.
    static let unlisted = Flags(rawValue: 16)
    /// On its way into the lists: in `EventIndex.unordered`. A read view has none.
    static let coming = Flags(rawValue: 32)
    /// Another record of the same happening shows in its place.
    static let joined = Flags(rawValue: 64)
    /// What is in no list of events.
    static let out: Flags = [.hidden, .unlisted, .joined]
  }

  var id: UUIDBytes
  /// The line of the original that shows.
  var ref: LineRef
  var first: Day
  var last: Day
  /// Numbers of `EventIndex.vocabulary`.
  var parties: UInt32
  var tags: UInt32
  var subtype: UInt32
  /// What stands in memory for a case of an enum is its index among the others; the file has the code.
  private(set) var typeCode: UInt8
  var flags: Flags
  var author: UInt16

  init(
    id: UUIDBytes, ref: LineRef, first: Day, last: Day, type: EventType, flags: Flags = []
  ) {
    self.id = id
    self.ref = ref
    self.first = first
    self.last = last
    (parties, tags, subtype, author) = (0, 0, 0, 0)
    typeCode = type.rawValue
    self.flags = flags
  }

  var type: EventType {
    get { EventType(rawValue: typeCode)! }
    set { typeCode = newValue.rawValue }
  }
}

struct EventIndex: Sendable {
  let vocabulary: Vocabulary
  private(set) var rows = Column<EventRow>()
  private(set) var table = IDTable()
  /// Which values are among which rows.
  private(set) var marks = ValueMarks()
  /// All listed events that show, by (first day, id); and those of each party.
  private(set) var all = OrderedSlots()
  private(set) var byParty: [ActorCode: OrderedSlots] = [:]
  private(set) var histories: [UInt32: EventHistory] = [:]
  /// Events of which more than one version stands: the rows that are marked so.
  private(set) var contested: Set<UInt32> = []
  /// Further lines that hold the same event with the same body.
  private(set) var copies: [UInt32: [LineRef]] = [:]
  /// Corrections and retractions of events that are not here yet.
  private(set) var waiting: [EventID: [EventHistory.Version]] = [:]
  /// Actors added by log.actor events; of two for one code the later recorded holds.
  private(set) var registry = ActorRegistry.shipped
  private var actorEvents: [ActorCode: [ActorEvent]] = [:]
  /// The tables of rules that a team recorded.
  private(set) var rules = RecordedRules()
  /// The snapshots to cite, as they came.
  private(set) var snapshots: [SnapshotEvent] = []
  /// The keys of the replicas' heads, each as its own log first names it: by index in the timeline.
  private(set) var keys: [Int: (ref: LineRef, key: NoteVerifier)] = [:]
  /// Who is a member, and whose the logs are, as lines say it: nothing of it is judged here.
  private(set) var membership: [MembershipEvent] = []
  /// What logs say that the timeline's id is made from, each the first time: by index in the timeline.
  private(set) var foundings: [Int: (ref: LineRef, founding: TimelineFounding)] = [:]
  /// Logs of which no line behind a number counts, by index in the timeline: those lines are kept, and in no answer.
  private(set) var limits: [Int: UInt64] = [:]
  /// Which events are records of one happening; a view of lines alone may miss the newest.
  private(set) var sames = SameEvents()
  /// What was erased, and what is gone of it.
  private(set) var erasures = Erasures()
  /// Lines that are kept and relayed, but left out of every answer.
  private(set) var unreadable = 0
  /// Slots that are in no list yet, and some that have gone again; a read view has none.
  private var unordered: [UInt32] = []
  private var isBulk = false
  private static let unorderedMax = 32_768

  /// A line that adds an actor.
  private struct ActorEvent: Sendable {
    var actor: Actor
    var recorded: RecordedTime
    var id: EventID
    var replica: ReplicaID
    var ref: LineRef

    static func < (left: Self, right: Self) -> Bool {
      (left.recorded, left.id, left.replica) < (right.recorded, right.id, right.replica)
    }
  }

  /// A line that names a snapshot to cite.
  struct SnapshotEvent: Sendable {
    var named: NamedSnapshot
    var recorded: RecordedTime
    var id: EventID
    var ref: LineRef
  }

  /// A line that has to do with who is a member.
  struct MembershipEvent: Sendable {
    var record: MembershipRecord
    var ref: LineRef
  }

  init(_ vocabulary: Vocabulary, limits: [Int: UInt64] = [:]) {
    self.vocabulary = vocabulary
    self.limits = limits
  }

  /// Whether a line counts.
  func counts(_ ref: LineRef) -> Bool {
    limits.isEmpty || (limits[ref.replica].map { ref.seq <= $0 } ?? true)
  }

  /// Limits that leave what has been taken in as it is.
  mutating func limit(_ limits: [Int: UInt64]) { self.limits = limits }

  /// What an index on disk had; `restore` gives the rest.
  init(
    _ vocabulary: Vocabulary, _ rows: Column<EventRow>, _ marks: ValueMarks, _ table: IDTable,
    _ all: OrderedSlots, _ byParty: [ActorCode: OrderedSlots]
  ) {
    self.vocabulary = vocabulary
    self.rows = rows
    self.marks = marks
    self.table = table
    self.all = all
    self.byParty = byParty
  }

  func slot(of id: EventID) -> UInt32? { table.slot(of: id.uuid) { rows[Int($0)].id } }

  subscript(slot: UInt32) -> EventRow { rows[Int(slot)] }

  /// The rows of a block of `marks`.
  func rows(ofBlock block: Int) -> UnsafeBufferPointer<EventRow> { rows.chunks[block].values }

  /// Whether an id is that of an event, or of a correction or retraction of it that is here.
  func hasVersion(_ version: EventID, of id: EventID) -> Bool {
    version == id || slot(of: id).flatMap { histories[$0]?.holds(version) } ?? false
  }

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
    joinSameEvents()
    guard !unordered.isEmpty else { return }
    var new = ContiguousArray<Listed>()
    new.reserveCapacity(unordered.count)
    for slot in unordered where self[slot].flags.contains(.coming) {
      rows[Int(slot)].flags.remove(.coming)
      let row = self[slot]
      new.append(
        Listed(half: row.id.high, first: row.first, slot: slot, parties: row.parties))
    }
    unordered = []
    let rows = rows
    @Sendable func idAt(_ slot: UInt32) -> UUIDBytes { rows[Int(slot)].id }
    let values = vocabulary.values
    let listed = Self.sorted(new) { left, right in
      if left.first != right.first { return left.first < right.first }
      // Half an id is nearly always enough.
      if left.half != right.half { return left.half < right.half }
      return idAt(left.slot) < idAt(right.slot)
    }
    var lists = (all: OrderedSlots(), byParty: [ActorCode: OrderedSlots]())
    swap(&lists.all, &all)
    swap(&lists.byParty, &byParty)
    Parallel.both(
      worthwhile: listed.count > Self.unorderedMax, &lists.all, &lists.byParty,
      { $0.insert(ContiguousArray(listed.map(\.entry)), idAt: idAt) },
      { byParty in
        for (party, entries) in Self.entriesByParty(listed, values) {
          byParty[party, default: OrderedSlots()].insert(entries, idAt: idAt)
        }
      })
    swap(&lists.all, &all)
    swap(&lists.byParty, &byParty)
  }

  /// An event on its way into the lists.
  private struct Listed: Sendable {
    var half: UInt64
    var first: Day
    var slot: UInt32
    var parties: UInt32
    var entry: OrderedSlots.Entry { OrderedSlots.Entry(first: first, slot: slot) }
  }

  /// Halves are sorted each on one processor where they are long, and merged.
  private static func sorted(
    _ all: ContiguousArray<Listed>, by isBefore: @Sendable (Listed, Listed) -> Bool
  ) -> ContiguousArray<Listed> {
    var (low, high) = (
      ContiguousArray(all[..<(all.count / 2)]), ContiguousArray(all[(all.count / 2)...])
    )
    Parallel.both(
      worthwhile: all.count > unorderedMax, &low, &high,
      { $0.sort(by: isBefore) }, { $0.sort(by: isBefore) })
    var merged = ContiguousArray<Listed>()
    merged.reserveCapacity(all.count)
    var at = 0
    for entry in high {
      while at < low.count, isBefore(low[at], entry) {
        merged.append(low[at])
        at += 1
      }
      merged.append(entry)
    }
    merged += low[at...]
    return merged
  }

  /// The entries of each party, in the same order.
  private static func entriesByParty(
    _ listed: ContiguousArray<Listed>, _ values: Vocabulary.Values
  ) -> [(ActorCode, ContiguousArray<OrderedSlots.Entry>)] {
    var lists: [(party: ActorCode, entries: ContiguousArray<OrderedSlots.Entry>)] = []
    var listNumbers: [ActorCode: Int] = [:]
    // Which lists the events of the same parties go to is found once.
    var listsOfParties: [[Int]?] = Array(repeating: nil, count: values.parties.count)
    for event in listed {
      let parties = Int(event.parties)
      if listsOfParties[parties] == nil {
        listsOfParties[parties] = values.parties[parties].everyone.map { party in
          if let number = listNumbers[party] { return number }
          listNumbers[party] = lists.count
          lists.append((party, []))
          return lists.count - 1
        }
      }
      for list in listsOfParties[parties]! { lists[list].entries.append(event.entry) }
    }
    return lists
  }

  /// Takes in one line, which stands in the logs already.
  mutating func apply(_ entry: IndexEntry, logs: @autoclosure () -> [ReplicaLog]) {
    guard counts(entry.ref) else {
      // Who is a member is judged by all lines.
      return add(entry.membership, entry)
    }
    switch entry.body {
    case .none:
      if entry.isStub { erasures.stubs.append(entry.ref) } else { unreadable += 1 }
      note(entry, type: .report, logs)
    case .event(let facts):
      addEvent(entry, facts, logs)
    case .controlRecord(let type, let record):
      note(entry, type: type, logs)
      add(entry.membership, entry)
      if let (target, version) = Self.version(entry) { add(version, to: target, logs) }
      switch record {
      case .actor(let actor): add(actor, entry)
      case .erase(let id, let lines): erasures.add(id, lines, by: entry.ref)
      case .timeline(let founding): add(founding, entry)
      case .snapshot(let named): add(named, entry)
      case .rules, .unusableRules: rules.add(record, entry)
      case .same(let record): add(record, entry)
      case .correct, .retract, .member, .other: break
      }
    }
  }

  /// A line that is found by its id alone.
  private mutating func note(
    _ entry: IndexEntry, type: EventType, _ logs: () -> [ReplicaLog]
  ) {
    if let slot = claim(entry.id) { return noteAgain(entry, type: type, slot, logs) }
    rows.append(
      EventRow(
        id: entry.id.uuid, ref: entry.ref, first: entry.recorded.day, last: entry.recorded.day,
        type: type, flags: .unlisted))
  }

  /// An id that stands for more than one line: an event, where one of them is; else the line that was
  /// recorded first.
  private mutating func noteAgain(
    _ entry: IndexEntry, type: EventType, _ slot: UInt32, _ logs: () -> [ReplicaLog]
  ) {
    let row = self[slot]
    guard row.flags.contains(.unlisted) else { return }
    let logs = logs()
    if let recorded = logs[row.ref.replica].recorded(row.ref.seq),
      (recorded, logs[row.ref.replica].id) < (entry.recorded, entry.replica)
    {
      return
    }
    rows[Int(slot)].ref = entry.ref
    rows[Int(slot)].type = type
    rows[Int(slot)].first = entry.recorded.day
    rows[Int(slot)].last = entry.recorded.day
  }

  /// The slot of an id that is there; else nil, and the next row is to be the id's.
  private mutating func claim(_ id: EventID) -> UInt32? {
    let rows = rows
    return table.claim(UInt32(rows.count), for: id.uuid) { rows[Int($0)].id }
  }

  private mutating func addEvent(
    _ entry: IndexEntry, _ facts: EventFacts, _ logs: () -> [ReplicaLog]
  ) {
    let slot: UInt32
    if let known = claim(entry.id) {
      guard self[known].flags.contains(.unlisted) else { return copy(entry, facts, known, logs) }
      slot = known
      rows[Int(slot)].ref = entry.ref
      rows[Int(slot)].flags = []
    } else {
      slot = UInt32(rows.count)
      rows.append(
        EventRow(
          id: entry.id.uuid, ref: entry.ref, first: facts.first, last: facts.last,
          type: facts.type))
    }
    show(facts, at: slot)
    list(slot)
    sames.note(entry.id)
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
    let logs = logs()
    guard !row.flags.contains(.unlisted), let here = logs[row.ref.replica].line(row.ref.seq),
      let here = try? Line(here)
    else { return }
    if histories[slot] == nil, saysTheSame(entry.ref, row.ref, logs) {
      let isEarlier = (entry.recorded, entry.replica) < (here.recorded, here.replica)
      copies[slot, default: []].append(isEarlier ? row.ref : entry.ref)
      rows[Int(slot)].flags.insert(.copies)
      // Bodies are the same; who recorded them need not be.
      var other = row
      other.author = facts.author
      marks.add(other, at: slot)
      if isEarlier {
        rows[Int(slot)].ref = entry.ref
        rows[Int(slot)].author = facts.author
      }
      return
    }
    guard let entry = IndexEntry(reading: entry.ref, logs, vocabulary) else { return }
    var history = takeHistory(slot) { logs }
    history.add(Self.version(of: entry, Superseded([]), .original(facts)))
    keep(history, slot)
  }

  private func saysTheSame(_ one: LineRef, _ other: LineRef, _ logs: [ReplicaLog]) -> Bool {
    if IndexEntry.haveSameBytes(one, other, logs) { return true }
    let (one, other) = (
      IndexEntry(reading: one, logs, vocabulary), IndexEntry(reading: other, logs, vocabulary)
    )
    return one?.fingerprint != nil && one?.fingerprint == other?.fingerprint
  }

  private static func version(
    of entry: IndexEntry, _ supersedes: Superseded, _ content: EventHistory.Version.Content
  ) -> EventHistory.Version {
    EventHistory.Version(
      id: entry.id, ref: entry.ref, replica: entry.replica, recorded: entry.recorded,
      supersedes: supersedes, content: content, fingerprint: entry.fingerprint)
  }

  // MARK: Versions

  private mutating func add(
    _ version: EventHistory.Version, to target: EventID, _ logs: () -> [ReplicaLog]
  ) {
    guard let slot = slot(of: target), !self[slot].flags.contains(.unlisted) else {
      waiting[target, default: []].append(version)
      return
    }
    var history = takeHistory(slot, logs)
    history.add(version)
    keep(history, slot)
  }

  /// The history of an event, begun from its copies where it had none.
  private mutating func takeHistory(_ slot: UInt32, _ logs: () -> [ReplicaLog]) -> EventHistory {
    if let history = histories.removeValue(forKey: slot) { return history }
    var history = EventHistory()
    for ref in [self[slot].ref] + (copies[slot] ?? []) {
      guard let entry = IndexEntry(reading: ref, logs(), vocabulary),
        case .event(let facts) = entry.body
      else { continue }
      history.add(Self.version(of: entry, Superseded([]), .original(facts)))
    }
    return history
  }

  private mutating func keep(_ history: EventHistory, _ slot: UInt32) {
    histories[slot] = history
    unlist(slot)
    sames.note(EventID(self[slot].id))
    let shown = history.shown
    rows[Int(slot)].flags.insert(.versions)
    rows[Int(slot)].flags.remove([.hidden, .contested])
    if shown?.isContested ?? false {
      rows[Int(slot)].flags.insert(.contested)
      contested.insert(slot)
    } else {
      contested.remove(slot)
    }
    guard let facts = shown?.version.facts else {
      rows[Int(slot)].flags.insert(.hidden)
      return
    }
    show(facts, at: slot)
    list(slot)
  }

  private mutating func add(_ actor: Actor, _ entry: IndexEntry) {
    let new = ActorEvent(
      actor: actor, recorded: entry.recorded, id: entry.id, replica: entry.replica, ref: entry.ref)
    if actorEvents[actor.code]?.allSatisfy({ $0 < new }) ?? true { registry.add(actor) }
    actorEvents[actor.code, default: []].append(new)
  }

  /// The actors that were known when only these lines were.
  func registry(where isKnown: (LineRef) -> Bool) -> ActorRegistry {
    var registry = ActorRegistry.shipped
    for events in actorEvents.values {
      if let last = events.filter({ isKnown($0.ref) }).max(by: <) { registry.add(last.actor) }
    }
    return registry
  }

  private mutating func add(_ record: SameRecord, _ entry: IndexEntry) {
    sames.add(
      SameEvents.Statement(
        record: record, id: entry.id, recorded: entry.recorded, replica: entry.replica,
        ref: entry.ref))
  }

  /// Takes out of the lists what another event shows in the place of, and puts back what shows again.
  private mutating func joinSameEvents() {
    let (rows, table) = (rows, table)
    let changes = sames.regroup { id in
      table.slot(of: id.uuid) { rows[Int($0)].id }.map {
        rows[Int($0)].flags.isDisjoint(with: [.hidden, .unlisted])
      } ?? false
    }
    for (id, isHidden) in changes {
      guard let slot = slot(of: id), !self[slot].flags.contains(.unlisted),
        isHidden != self[slot].flags.contains(.joined)
      else { continue }
      if isHidden {
        unlist(slot)
        self.rows[Int(slot)].flags.insert(.joined)
      } else {
        self.rows[Int(slot)].flags.remove(.joined)
        if !self[slot].flags.contains(.hidden) { list(slot) }
      }
    }
  }

  private mutating func add(_ named: NamedSnapshot, _ entry: IndexEntry) {
    snapshots.append(
      SnapshotEvent(named: named, recorded: entry.recorded, id: entry.id, ref: entry.ref))
  }

  /// A log speaks for itself alone, and once: no other can give it another key.
  private mutating func add(_ record: MembershipRecord?, _ entry: IndexEntry) {
    if let record { membership.append(MembershipEvent(record: record, ref: entry.ref)) }
    let log = entry.ref.replica
    guard let key = entry.key, keys[log].map({ entry.ref.seq < $0.ref.seq }) ?? true else { return }
    keys[log] = (entry.ref, key)
  }

  private mutating func add(_ founding: TimelineFounding, _ entry: IndexEntry) {
    let log = entry.ref.replica
    guard foundings[log].map({ entry.ref.seq < $0.ref.seq }) ?? true else { return }
    foundings[log] = (entry.ref, founding)
  }

  // MARK: Rows and lists

  private mutating func show(_ facts: EventFacts, at slot: UInt32) {
    var row = rows[Int(slot)]
    row.first = facts.first
    row.last = facts.last
    row.type = facts.type
    row.parties = facts.parties
    row.tags = facts.tags
    row.subtype = facts.subtype
    row.author = facts.author
    rows[Int(slot)] = row
    marks.add(row, at: slot)
  }

  private mutating func list(_ slot: UInt32) {
    guard !self[slot].flags.contains(.joined) else { return }
    rows[Int(slot)].flags.insert(.coming)
    unordered.append(slot)
    // In proportion, so that what the lists hold is walked through a few times in all.
    if !isBulk, unordered.count >= max(Self.unorderedMax, all.count / 2) { order() }
  }

  private mutating func unlist(_ slot: UInt32) {
    guard self[slot].flags.isDisjoint(with: .out) else { return }
    if self[slot].flags.contains(.coming) {
      rows[Int(slot)].flags.remove(.coming)
      return
    }
    let rows = rows
    let row = rows[Int(slot)]
    let entry = OrderedSlots.Entry(first: row.first, slot: slot)
    all.remove(entry) { rows[Int($0)].id }
    for party in vocabulary.values.parties[Int(row.parties)].everyone {
      byParty[party]?.remove(entry) { rows[Int($0)].id }
    }
  }

  // MARK: On disk

  /// Goes on in the memory of what was saved of `old`, a copy of this index, with what is written once:
  /// the rest changes with every event.
  mutating func adopt(_ saved: Self, madeOf old: Self) {
    rows.adopt(saved.rows, madeOf: old.rows)
    marks.adopt(saved.marks, madeOf: old.marks)
  }

  /// What rows do not tell, by the lines that tell it: few, and read again at a start.
  struct Irregular: Sendable {
    var histories: [[LineRef]]
    var copies: [[LineRef]]
    var waiting: [[LineRef]]
    var actors: [[LineRef]]
    var keys: [[LineRef]]
    var membership: [[LineRef]]
    var foundings: [[LineRef]]
    var snapshots: [[LineRef]]
    var rules: [[LineRef]]
    var sames: [[LineRef]]
    var erasures: [[LineRef]]
    var stubs: [[LineRef]]
    var unreadable: Int
    var limits: [Int: UInt64]
  }

  var irregular: Irregular {
    func refs(_ slots: some Sequence<UInt32>, _ list: (UInt32) -> [LineRef]) -> [[LineRef]] {
      slots.sorted().map { [self[$0].ref] + list($0) }
    }
    return Irregular(
      histories: refs(histories.keys) { histories[$0]!.versions.map(\.ref) },
      copies: refs(copies.keys) { copies[$0]! },
      waiting: waiting.values.map { $0.map(\.ref) },
      actors: [actorEvents.values.joined().map(\.ref)],
      keys: [keys.values.map(\.ref)],
      membership: [membership.map(\.ref)],
      foundings: [foundings.values.map(\.ref)],
      snapshots: [snapshots.map(\.ref)],
      rules: [rules.all.map(\.ref)],
      sames: [sames.all.map(\.ref)],
      erasures: [erasures.all.map(\.ref)],
      stubs: [erasures.stubs],
      unreadable: unreadable, limits: limits)
  }

  /// Reads the irregular lines; false where one of them is not what it was.
  mutating func restore(_ irregular: Irregular, _ logs: [ReplicaLog]) -> Bool {
    func read(_ ref: LineRef) -> IndexEntry? {
      logs.indices.contains(ref.replica) ? IndexEntry(reading: ref, logs, vocabulary) : nil
    }
    for refs in irregular.histories {
      guard let slot = refs.first.flatMap(read).flatMap({ slot(of: $0.id) }) else { return false }
      var history = EventHistory()
      for ref in refs.dropFirst() {
        guard let version = read(ref).flatMap(Self.version)?.version else { return false }
        history.add(version)
      }
      histories[slot] = history
      if history.shown?.isContested ?? false { contested.insert(slot) }
    }
    for refs in irregular.copies {
      guard let slot = refs.first.flatMap(read).flatMap({ slot(of: $0.id) }) else { return false }
      copies[slot] = Array(refs.dropFirst())
    }
    for ref in irregular.waiting.joined() {
      guard let (target, version) = read(ref).flatMap(Self.version) else { return false }
      waiting[target, default: []].append(version)
    }
    for ref in irregular.actors.joined() {
      guard let entry = read(ref), case .controlRecord(_, .actor(let actor)) = entry.body else {
        return false
      }
      add(actor, entry)
    }
    for ref in irregular.keys.joined() {
      guard let entry = read(ref), entry.key != nil else { return false }
      add(nil, entry)
    }
    for ref in irregular.membership.joined() {
      guard let entry = read(ref), let record = entry.membership else { return false }
      membership.append(MembershipEvent(record: record, ref: ref))
    }
    for ref in irregular.foundings.joined() {
      guard let entry = read(ref), case .controlRecord(_, .timeline(let founding)) = entry.body
      else {
        return false
      }
      add(founding, entry)
    }
    for ref in irregular.snapshots.joined() {
      guard let entry = read(ref), case .controlRecord(_, .snapshot(let named)) = entry.body else {
        return false
      }
      add(named, entry)
    }
    for ref in irregular.rules.joined() {
      guard let entry = read(ref), case .controlRecord(.logRules, let record) = entry.body else {
        return false
      }
      rules.add(record, entry)
    }
    for ref in irregular.sames.joined() {
      guard let entry = read(ref), case .controlRecord(_, .same(let record)) = entry.body else {
        return false
      }
      add(record, entry)
    }
    joinSameEvents()
    for ref in irregular.erasures.joined() {
      guard let entry = read(ref), case .controlRecord(_, .erase(let id, let lines)) = entry.body
      else {
        return false
      }
      erasures.add(id, lines, by: ref)
    }
    erasures.stubs = Array(irregular.stubs.joined())
    unreadable = irregular.unreadable
    limits = irregular.limits
    return true
  }

  /// The version that a line is, and of which event; nil for a line that is none.
  private static func version(
    _ entry: IndexEntry
  ) -> (target: EventID, version: EventHistory.Version)? {
    switch entry.body {
    case .event(let facts): (entry.id, version(of: entry, Superseded([]), .original(facts)))
    // An event's own id is that of what was recorded first, and of no correction.
    case .controlRecord(_, .correct(let target, let supersedes, _, let facts))
    where target != entry.id:
      (target, version(of: entry, supersedes, .correction(facts)))
    case .controlRecord(_, .retract(let target, let supersedes)) where target != entry.id:
      (target, version(of: entry, supersedes, .retraction))
    case .controlRecord, nil: nil
    }
  }
}

extension EventIndex.Irregular {
  var json: JSONValue {
    func lists(_ lists: [[LineRef]]) -> JSONValue {
      .array(
        lists.map { refs in
          .array(refs.map { .array([.int($0.replica), .int(Int($0.seq))]) })
        })
    }
    return .object([
      "histories": lists(histories), "copies": lists(copies), "waiting": lists(waiting),
      "actors": lists(actors), "keys": lists(keys), "membership": lists(membership),
      "foundings": lists(foundings),
      "snapshots": lists(snapshots), "rules": lists(rules), "sames": lists(sames),
      "erasures": lists(erasures),
      "stubs": lists(stubs),
      "unreadable": .int(unreadable),
      "limits": .array(
        limits.sorted { $0.key < $1.key }.map { .array([.int($0.key), .int(Int($0.value))]) }),
    ])
  }

  init?(json: JSONValue?) {
    guard let json, let unreadable = json["unreadable"]?.int else { return nil }
    func lists(_ json: JSONValue?) -> [[LineRef]] {
      (json?.array ?? []).map { refs in
        (refs.array ?? []).compactMap { ref in
          guard let pair = ref.array, pair.count == 2, let replica = pair[0].int,
            let seq = pair[1].int, (0..<LineRef.logsMax).contains(replica),
            (1...Int(LineLimits.seqMax)).contains(seq)
          else { return nil }
          return LineRef(replica: replica, seq: UInt64(seq))
        }
      }
    }
    self.init(
      histories: lists(json["histories"]), copies: lists(json["copies"]),
      waiting: lists(json["waiting"]), actors: lists(json["actors"]),
      keys: lists(json["keys"]), membership: lists(json["membership"]),
      foundings: lists(json["foundings"]),
      snapshots: lists(json["snapshots"]),
      rules: lists(json["rules"]), sames: lists(json["sames"]),
      erasures: lists(json["erasures"]), stubs: lists(json["stubs"]), unreadable: unreadable,
      limits: Dictionary(
        (json["limits"]?.array ?? []).compactMap { pair in
          guard let log = pair.array?.first?.int, let seq = pair.array?.last?.int, seq >= 0 else {
            return nil
          }
          return (log, UInt64(seq))
        }
      ) { $1 })
  }
}

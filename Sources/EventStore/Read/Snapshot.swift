// A timeline as it stood at one moment: a value that any thread may read while the owner appends.
// All questions are answered here.

import TimelineModel
import TransparencyLog

public struct Snapshot: Sendable {
  public let timeline: TimelineID
  let index: EventIndex
  let logs: [ReplicaLog]
  let heads: [ReplicaID: SignedHead]

  /// What a question about the past sees: the number of known lines of each log.
  private struct Horizon {
    let sizes: [UInt64]?
    func knows(_ ref: LineRef) -> Bool { sizes.map { ref.seq <= $0[ref.replica] } ?? true }
  }

  public var position: Position { Position(Dictionary(logs.map { ($0.id, $0.size) }) { $1 }) }

  public var registry: ActorRegistry { index.registry }

  /// The actors that were known at a position; all of them where it is nil.
  public func registry(knownAt position: Position?) -> ActorRegistry {
    guard position != nil else { return index.registry }
    return index.registry(where: horizon(position).knows)
  }

  /// The tables of rules that held at a position; those of now where it is nil.
  public func rules(knownAt position: Position?) -> RuleTables {
    index.rules.tables(where: horizon(position).knows)
  }

  /// Every table of rules that was recorded by a position, in the order of recording, with what each
  /// line says.
  public func recordedRules(knownAt position: Position?) -> [RecordedTable] {
    let horizon = horizon(position)
    return index.rules.all.filter { horizon.knows($0.ref) }.sorted().map { entry in
      let line = line(entry.ref).flatMap { text in
        (try? Line(text)) == nil
          ? nil : try? JSONValue(parsing: UnsafeBufferPointer(rebasing: text.dropLast()))
      }
      return RecordedTable(
        id: entry.id, replica: logs[entry.ref.replica].id, seq: entry.ref.seq,
        recorded: entry.recorded, table: entry.table, fault: entry.fault, line: line)
    }
  }

  /// Tables of other machines that cannot be reckoned with, in the order of recording, and why.
  public var unusableRules: [(id: EventID, place: LogPlace, fault: String)] {
    index.rules.all.filter { $0.fault != nil }.sorted().map {
      ($0.id, LogPlace(logs[$0.ref.replica].id, $0.ref.seq), $0.fault!)
    }
  }

  /// Lines that came without their words, of which no erasure is here.
  public var withheld: [LogPlace] { index.withheld(logs) }

  /// Lines that are damaged, or lack words that nobody erased: a peer may have them.
  public var lacking: [(replica: ReplicaID, lines: Range<UInt64>)] {
    logs.flatMap { log in log.damaged.map { (log.id, $0) } }
      + withheld.map { ($0.replica, $0.seq..<$0.seq + 1) }
  }

  /// Number of lines that have lost their words.
  public var erased: Int { index.erasures.stubs.count }

  /// The line by which an event was erased, without its LF; nil where it was not.
  public func erasure(of id: EventID) -> UnsafeBufferPointer<UInt8>? {
    index.erasures[id].flatMap { line($0) }.map { UnsafeBufferPointer(rebasing: $0.dropLast()) }
  }

  func log(_ replica: ReplicaID) -> ReplicaLog? { logs.first { $0.id == replica } }

  /// What the heads of a log are checked with; nil where the log does not say it.
  public func key(of replica: ReplicaID) -> NoteVerifier? {
    logs.firstIndex { $0.id == replica }.flatMap { index.members[$0]?.key }
  }

  /// The replicas whose logs name a key, where they say so, in the order of their ids.
  public var members: [(replica: ReplicaID, key: NoteVerifier)] {
    index.members.map { (logs[$0.key].id, $0.value.key) }.sorted { $0.replica < $1.replica }
  }

  /// What the timeline's id is made from, as far as a log here says it.
  public var founding: TimelineFounding? {
    index.foundings.values.first { $0.founding.id == timeline }?.founding
  }

  /// The log and number of the line that an id stands for: of an event its first recording, of a
  /// version that version.
  func place(of id: EventID) -> (log: ReplicaLog, seq: UInt64)? {
    index.slot(of: id).map { slot in
      let ref = index[slot].ref
      return (logs[ref.replica], ref.seq)
    }
  }

  /// Number of ids: what a question without an index would have to look at.
  public var rowCount: Int { index.rows.count }

  /// Number of lines of all logs.
  public var lineCount: Int { logs.reduce(0) { $0 + Int($1.size) } }

  /// Number of lines that are kept, but left out of every answer.
  public var unreadable: Int { index.unreadable }

  /// Events whose current versions are more than one.
  public var contested: [EventID] {
    index.histories.keys.filter { index[$0].flags.contains(.contested) }
      .map { EventID(index[$0].id) }.sorted()
  }

  /// The first and last day of the events that show; nil where there are none.
  public var span: (first: Day, last: Day)? {
    var first: Day?
    var last: Day?
    index.all.ascending(from: nil) { slot in
      first = index[slot].first
      return false
    }
    index.all.descending(to: nil) { slot in
      last = index[slot].first
      return false
    }
    return first.flatMap { first in last.map { (first, $0) } }
  }

  /// The position of all lines recorded up to a moment.
  public func position(at time: RecordedTime) -> Position {
    Position(Dictionary(logs.map { ($0.id, $0.size(recordedBy: time)) }) { $1 })
  }

  private func horizon(_ position: Position?) -> Horizon {
    Horizon(sizes: position.map { position in logs.map { position[$0.id] } })
  }

  // MARK: Events

  /// Where so many events could hold a text, reading all lines in a row is quicker than each in turn.
  private static let scannedFrom = 4096

  /// How many rows are read in a row in the time of one that a list of days leads to.
  private static let rowsInTimeOfOne = 16

  /// Rare is what at most one event in so many is: what was found of it is soon sorted.
  private static let rareFrom = 64

  /// The events of a query, in its order; stops where the body returns false. `holds` says of an
  /// event's type, actors and targets whether it is wanted, right before the body gets it; of one with
  /// versions it may be asked of another version than the one that shows, or not at all.
  ///
  /// Returns a line that would have had to be read and is damaged: its event was passed over, or another
  /// copy of it taken.
  @discardableResult
  public func visit(
    _ query: Query, where holds: ((EventType, [ActorCode], [ActorCode]) -> Bool)? = nil,
    _ body: (ShownEvent) -> Bool
  ) -> DamagedLine? {
    let values = index.vocabulary.values
    let matcher = Matcher(query.filter, values)
    let (from, to) = (query.filter.from, query.filter.to)
    let horizon = horizon(query.knownAt)
    var left = query.limit ?? .max
    guard left > 0 else { return nil }
    let list = candidates(query.filter)
    let scan =
      !matcher.needles.isEmpty && list.count > Self.scannedFrom
      ? TextScan(matcher, in: logs, checked: query.cited == nil ? nil : horizon.sizes) : nil
    var damaged = scan?.damaged
    func miss(_ ref: LineRef) { damaged = damaged ?? ref }
    /// The line, which is missed where it is damaged.
    func read(_ ref: LineRef) -> (text: UnsafeBufferPointer<UInt8>, line: Line)? {
      if let text = line(ref), let line = try? Line(text) { return (text, line) }
      miss(ref)
      return nil
    }
    var document = JSONDocument()
    func pass(_ event: ShownEvent) -> Bool {
      if let scan {
        guard scan.holds(event.ref) else { return true }
      } else if matcher.readsLines {
        guard let (text, line) = read(event.ref), matcher.fits(line, text, &document) else {
          return true
        }
      }
      left -= 1
      return body(event) && left > 0
    }
    let isAscending = query.order == .oldestFirst
    func precedes(_ left: (Day, EventID), _ right: (Day, EventID)) -> Bool {
      isAscending ? left < right : left > right
    }
    // Events with versions look different at another horizon; they are judged one by one.
    var special = query.knownAt == nil ? [] : versioned(matcher, horizon, miss)
    special.sort { !precedes(($0.first, $0.id), ($1.first, $1.id)) }

    var goesOn = true
    // What is rare is looked for where it may be, once the first days did not have enough of it.
    let marks = matcher.marks
    let blocks = marks.isEmpty || scan != nil ? nil : index.marks.blocks(marks)
    let patience = blocks.map {
      max(1, $0.count * ValueMarks.rowsOfBlock / Self.rowsInTimeOfOne)
    }
    var (looked, found) = (0, 0)
    var turned: UInt32?
    func candidate(_ slot: UInt32) -> Bool {
      let row = index[slot]
      while goesOn, let next = special.last,
        precedes((next.first, next.id), (row.first, EventID(row.id)))
      {
        goesOn = pass(special.removeLast())
      }
      guard goesOn else { return false }
      if isAscending, let to, row.first > to { return false }
      if !isAscending, let from, row.first < from { return false }
      looked += 1
      if looked == patience, found * Self.rareFrom < looked {
        turned = slot
        return false
      }
      guard matcher.mayFit(row), let event = shown(row, slot, horizon, miss) else { return true }
      if matcher.asksForAuthors, row.flags.contains(.copies) {
        let isHis =
          event.ref == row.ref
          ? matcher.fits(author: row.author)
          : read(event.ref).map { matcher.fitsAuthor(of: $0.line, $0.text) } ?? false
        guard isHis else { return true }
      }
      found += 1
      if let holds {
        let parties = values.parties[Int(row.parties)]
        guard holds(row.type, parties.actors, parties.targets) else { return true }
      }
      goesOn = pass(event)
      return goesOn
    }
    if let scan, scan.count < list.count / 16 {
      let slots = slots(of: scan.lines)
      _ = (isAscending ? slots : slots.reversed()).allSatisfy(candidate)
    } else if isAscending {
      list.ascending(from: from, candidate)
    } else {
      list.descending(to: to, candidate)
    }
    if let turned, let blocks {
      let rest = slots(in: blocks, matcher) {
        !precedes(($0.first, EventID($0.id)), (index[turned].first, EventID(index[turned].id)))
      }
      _ = (isAscending ? rest : rest.reversed()).allSatisfy(candidate)
    }
    while goesOn, let next = special.popLast() { goesOn = pass(next) }
    return damaged.map(self.damaged)
  }

  func damaged(_ ref: LineRef) -> DamagedLine {
    DamagedLine(replica: logs[ref.replica].id, seq: ref.seq)
  }

  /// The line of an event, as one that could not be read.
  public func damaged(_ event: ShownEvent) -> DamagedLine { damaged(event.ref) }

  /// The events of some blocks of rows that fit, in the order of the lists.
  private func slots(
    in blocks: [Int], _ matcher: Matcher, where isLeft: (EventRow) -> Bool
  ) -> [UInt32] {
    var slots: [UInt32] = []
    for block in blocks {
      for (place, row) in index.rows(ofBlock: block).enumerated()
      where row.flags.isDisjoint(with: [.hidden, .unlisted]) && matcher.mayFit(row) && isLeft(row) {
        slots.append(UInt32(block * ValueMarks.rowsOfBlock + place))
      }
    }
    return slots.sorted { (index[$0].first, index[$0].id) < (index[$1].first, index[$1].id) }
  }

  /// The listed events that lines are, or speak of, in their order.
  private func slots(of lines: [LineRef]) -> [UInt32] {
    let reader = BodyReader(index.vocabulary)
    let slots = lines.compactMap { ref -> UInt32? in
      guard let text = line(ref), let line = try? Line(text) else { return nil }
      return index.slot(of: subject(of: line, text, ref.replica, reader))
    }
    return Set(slots).filter { index[$0].flags.isDisjoint(with: [.hidden, .unlisted]) }.sorted {
      (index[$0].first, index[$0].id) < (index[$1].first, index[$1].id)
    }
  }

  public func count(_ query: Query) -> Int { tally(query).count }

  /// How many events fit, and a damaged line that would have had to be read for it.
  public func tally(_ query: Query) -> (count: Int, damaged: DamagedLine?) {
    if query.filter.isEmpty, query.knownAt == nil {
      return (min(index.all.count, query.limit ?? .max), nil)
    }
    var count = 0
    let damaged = visit(query) { _ in
      count += 1
      return true
    }
    return (count, damaged)
  }

  /// The shortest list that holds every event of the filter.
  private func candidates(_ filter: Filter) -> OrderedSlots {
    [filter.actors, filter.targets, filter.parties].filter { $0.count == 1 }
      .map { index.byParty[$0.first!] ?? OrderedSlots() }
      .min { $0.count < $1.count } ?? index.all
  }

  private func versioned(
    _ matcher: Matcher, _ horizon: Horizon, _ missed: (LineRef) -> Void
  ) -> [ShownEvent] {
    index.histories.compactMap { slot, history in
      // An original that had been damaged before its history began is not in it.
      for ref in [index[slot].ref] + (index.copies[slot] ?? [])
      where horizon.knows(ref) && !history.versions.contains(where: { $0.ref == ref }) {
        missed(ref)
      }
      guard let shown = history.shown(where: horizon.knows) else { return nil }
      let id = EventID(index[slot].id)
      switch shown.version.content {
      case .retraction: return nil
      case .original(let facts), .correction(let facts):
        return matcher.fits(facts, id) ? event(slot, shown, facts.first) : nil
      }
    }
  }

  /// The event of a row as the horizon shows it; nil where it is not to be seen there. `missed` is told
  /// of damaged lines, which might have been the one that shows.
  private func shown(
    _ row: EventRow, _ slot: UInt32, _ horizon: Horizon, _ missed: (LineRef) -> Void = { _ in }
  ) -> ShownEvent? {
    let id = EventID(row.id)
    guard row.flags.contains(.versions) else {
      // The row's is the first of all; else, of those that are known, the one recorded first.
      let ref =
        horizon.knows(row.ref)
        ? row.ref
        : row.flags.contains(.copies)
          ? firstRecorded(of: (index.copies[slot] ?? []).filter(horizon.knows), missed) : nil
      guard let ref else { return nil }
      return ShownEvent(
        id: id, version: nil, contested: [], first: row.first, ref: ref, slot: slot)
    }
    // With a horizon these come from `versioned`.
    guard horizon.sizes == nil,
      let shown = index.histories[slot]?.shown(where: horizon.knows)
    else { return nil }
    return event(slot, shown, row.first)
  }

  private func firstRecorded(of copies: [LineRef], _ missed: (LineRef) -> Void) -> LineRef? {
    guard copies.count > 1 else { return copies.first }
    return copies.compactMap { ref -> (RecordedTime, ReplicaID, LineRef)? in
      guard let text = line(ref), let line = try? Line(text) else {
        missed(ref)
        return nil
      }
      return (line.recorded, line.replica, ref)
    }.min { ($0.0, $0.1) < ($1.0, $1.1) }?.2
  }

  private func event(
    _ slot: UInt32,
    _ shown: (version: EventHistory.Version, isContested: Bool, current: [EventID]),
    _ first: Day
  ) -> ShownEvent {
    let id = EventID(index[slot].id)
    return ShownEvent(
      id: id, version: shown.version.id == id ? nil : shown.version.id,
      contested: shown.isContested ? shown.current : [], first: first, ref: shown.version.ref,
      slot: slot)
  }

  // MARK: One event

  public enum Found: Sendable {
    case shown(ShownEvent)
    /// Retracted by this version.
    case retracted(EventID, by: EventID)
    /// A line of the log about itself, or one that this version cannot read.
    case line(EventID)
    case unknown
  }

  public func find(_ id: EventID, knownAt: Position? = nil) -> Found {
    index.slot(of: id).map { find($0, knownAt: knownAt) } ?? .unknown
  }

  /// The same by the event's place in the index.
  func find(_ slot: UInt32, knownAt: Position?) -> Found {
    let row = index[slot]
    let horizon = horizon(knownAt)
    if row.flags.contains(.unlisted) {
      return horizon.knows(row.ref) ? .line(EventID(row.id)) : .unknown
    }
    guard row.flags.contains(.versions) else {
      return shown(row, slot, horizon).map { .shown($0) } ?? .unknown
    }
    guard let shown = index.histories[slot]?.shown(where: horizon.knows) else { return .unknown }
    switch shown.version.content {
    case .retraction: return .retracted(EventID(row.id), by: shown.version.id)
    case .original(let facts), .correction(let facts):
      return .shown(event(slot, shown, facts.first))
    }
  }

  /// The ids that begin with these characters, lines of the log included; at most `limit`.
  public func ids(beginningWith prefix: String, limit: Int) -> [EventID] {
    if let id = EventID(prefix) { return index.slot(of: id) == nil ? [] : [id] }
    guard let range = Self.range(ofPrefix: prefix) else { return [] }
    var found: [EventID] = []
    for slot in 0..<UInt32(index.rows.count) where found.count < limit {
      let id = index[slot].id
      if range.contains(id.high), EventID(id).description.hasPrefix(prefix) {
        found.append(EventID(id))
      }
    }
    return found.sorted()
  }

  /// The high halves of the ids that can begin so.
  private static func range(ofPrefix prefix: String) -> ClosedRange<UInt64>? {
    let digits = prefix.filter { $0 != "-" }.prefix(16)
    guard !digits.isEmpty, let value = UInt64(digits, radix: 16) else { return nil }
    let shift = UInt64(64 - digits.count * 4)
    let low = shift == 64 ? 0 : value << shift
    return low...(low | (shift == 0 ? 0 : UInt64.max >> (64 - shift)))
  }

  /// The versions that nothing supersedes: what a correction must say that it had before it.
  public func currentVersions(of id: EventID) -> [EventID] {
    guard let slot = index.slot(of: id) else { return [] }
    guard let history = index.histories[slot] else { return [id] }
    return Set(history.current { _ in true }.map(\.id)).sorted()
  }

  /// Every line that has a say in what this event is: copies, corrections, retractions; oldest first.
  public func history(of id: EventID) -> [UnsafeBufferPointer<UInt8>] {
    guard let slot = index.slot(of: id) else { return [] }
    let refs =
      index.histories[slot].map { history in
        history.versions.sorted { ($0.recorded, $0.id) < ($1.recorded, $1.id) }.map(\.ref)
      } ?? [index[slot].ref] + (index.copies[slot] ?? [])
    return refs.compactMap(line)
  }

  // MARK: Lines

  /// The line as it stands on disk, with its LF; nil where its bytes are not those that were written.
  func line(_ ref: LineRef) -> UnsafeBufferPointer<UInt8>? {
    logs[ref.replica].line(ref.seq).flatMap { Line.isWhole($0) ? $0 : nil }
  }

  /// The text of an event: its line as it stands, or, where a correction shows, the same envelope
  /// with the correction's body and `version`; `contested` where versions are in conflict. No LF.
  /// False where the line has been damaged since it was read.
  public func append(_ event: ShownEvent, to bytes: inout [UInt8]) -> Bool {
    guard let text = line(event.ref) else { return false }
    guard event.version != nil || !event.contested.isEmpty, let line = try? Line(text) else {
      bytes.append(contentsOf: text.dropLast())
      return true
    }
    // Up to the id, then the event's own id, author and what it is marked with.
    let replica = JSONValue.string(line.replica.description).text
    bytes.append(contentsOf: "{\"v\":1,\"replica\":\(replica),\"seq\":\(line.seq)".utf8)
    bytes.append(contentsOf: ",\"recorded\":\"\(line.recorded)\",\"id\":\"\(event.id)\"".utf8)
    bytes.append(contentsOf: ",\"author\":\"".utf8)
    bytes.append(contentsOf: text[line.author])
    bytes.append(UInt8(ascii: "\""))
    if let version = event.version { bytes.append(contentsOf: ",\"version\":\"\(version)\"".utf8) }
    if !event.contested.isEmpty {
      bytes.append(contentsOf: ",\"contested\":".utf8)
      JSONValue.strings(event.contested).append(to: &bytes)
    }
    bytes.append(UInt8(ascii: ","))
    bytes.append(contentsOf: text[bodyRange(of: event, line, text)])
    bytes.append(UInt8(ascii: "}"))
    return true
  }

  /// The members of the body that shows.
  private func bodyRange(
    of event: ShownEvent, _ line: Line, _ text: UnsafeBufferPointer<UInt8>
  ) -> Range<Int> {
    guard event.version != nil else { return line.body }
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil, let body = document.member("body", of: 0, in: text)
    else { return line.body }
    let range = document.rawRange(body)
    return range.lowerBound + 1..<range.upperBound - 1
  }

  /// The event as projections take it.
  public func event(_ shown: ShownEvent) -> Event? {
    guard let text = line(shown.ref) else { return nil }
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil else { return nil }
    let node = shown.version == nil ? 0 : document.member("body", of: 0, in: text) ?? 0
    return Event(
      id: shown.id, document: document, node: node, in: text,
      isContested: !shown.contested.isEmpty)
  }

  /// An event that shows, as its links and those to it see it; nil where there is none of that id.
  public func linked(_ id: EventID, knownAt: Position? = nil) -> LinkedEvent? {
    guard case .shown(let shown) = find(id, knownAt: knownAt), let text = line(shown.ref) else {
      return nil
    }
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil else { return nil }
    let node = shown.version == nil ? 0 : document.member("body", of: 0, in: text) ?? 0
    return LinkedEvent(id: id, document, node: node, in: text)
  }

  private static let links = TextNeedle("links")

  /// Whether an event's line may have links; false only where it surely has none.
  public func mayHaveLinks(_ shown: ShownEvent) -> Bool {
    line(shown.ref).map { Self.links.look(at: $0) != .holdsNot } ?? true
  }

  /// The text of a line that is no event, without its LF; nil where it is damaged.
  public func line(of id: EventID) -> UnsafeBufferPointer<UInt8>? {
    index.slot(of: id).flatMap { line(index[$0].ref) }.map {
      UnsafeBufferPointer(rebasing: $0.dropLast())
    }
  }

  /// Whole lines of a replica in a row, as they stand, for a peer.
  public func run(
    of replica: ReplicaID, from first: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
    logs.first { $0.id == replica }?.run(from: first, bytesMax: bytesMax)
      ?? (0, UnsafeBufferPointer(start: nil, count: 0))
  }

  /// The newest head of a log that was found in its lines.
  public func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? {
    heads[replica].map { ($0.size, $0.note.bytes) }
  }

  /// The events that the lines after a position are, or speak of; nil where those are more than
  /// `max` lines.
  public func subjects(after position: Position, max: Int) -> Set<EventID>? {
    let new = logs.reduce(0) { $0 + Int($1.size) - Int(position[$1.id]) }
    guard new <= max else { return nil }
    let reader = BodyReader(index.vocabulary)
    var subjects: Set<EventID> = []
    for (place, log) in logs.enumerated() where position[log.id] < log.size {
      for seq in position[log.id] + 1...log.size {
        guard let text = log.line(seq), let line = try? Line(text) else { continue }
        subjects.insert(subject(of: line, text, place, reader))
      }
    }
    return subjects
  }

  /// The event that a line is, or speaks of.
  private func subject(
    of line: Line, _ text: UnsafeBufferPointer<UInt8>, _ place: Int, _ reader: BodyReader
  ) -> EventID {
    let ref = LineRef(replica: place, seq: line.seq)
    let entry = IndexEntry(line, text, ref: ref, reader)
    return switch entry.body {
    case .statement(_, .correct(let id, _, _, _)), .statement(_, .retract(let id, _)): id
    default: line.id
    }
  }

  /// Whether a line is for machines alone.
  private func isForMachines(_ line: Line) -> Bool {
    index.slot(of: line.id).map { [.logMember, .logTimeline].contains(index[$0].type) } ?? false
  }

  /// Goes on from a position through at most so many lines, calling for those that a filter wants (a
  /// happening by what it says, a line about an event by what that event is now), until the body says
  /// that it is enough. True where lines are left.
  public func follow(
    _ filter: Filter, from position: inout Position, linesMax: Int,
    _ body: (UnsafeBufferPointer<UInt8>) -> Bool
  ) -> Bool {
    var left = linesMax
    // Made once they are needed: most of the time nothing has come.
    lazy var matcher = Matcher(filter, index.vocabulary.values)
    let reader = BodyReader(index.vocabulary)
    var document = JSONDocument()
    for (place, log) in logs.enumerated() {
      while position[log.id] < log.size {
        guard left > 0 else { return true }
        left -= 1
        position[log.id] += 1
        guard let text = log.line(position[log.id]), let line = try? Line(text),
          !isForMachines(line)
        else { continue }
        if !filter.isEmpty {
          let subject = subject(of: line, text, place, reader)
          // The author is that of the line.
          guard let slot = index.slot(of: subject), matcher.fitsButAuthor(index[slot]),
            !(matcher.readsLines || matcher.asksForAuthors) || matcher.fits(line, text, &document)
          else { continue }
        }
        guard body(text) else { return true }
      }
    }
    return false
  }
}

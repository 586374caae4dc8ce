// The events of a query, in its order: first how they are found (the shortest list, the blocks that may have
// what is rare, or a scan of all words), then one by one what shows of each.

import TimelineModel
import TransparencyLog

extension ReadView {
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
    // The lists know of those that show now.
    let hidden = query.knownAt == nil ? [:] : shownIDs(knownAt: query.knownAt)
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
      guard hidden.isEmpty || hidden[event.id] == nil else { return true }
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
    var special =
      query.knownAt == nil
      ? [] : versioned(matcher, horizon, miss) + joined(matcher, horizon, miss)
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
      for (offset, row) in index.rows(ofBlock: block).enumerated()
      where row.flags.isDisjoint(with: .out) && matcher.mayFit(row) && isLeft(row) {
        slots.append(UInt32(block * ValueMarks.rowsOfBlock + offset))
      }
    }
    return slots.sorted { (index[$0].first, index[$0].id) < (index[$1].first, index[$1].id) }
  }

  /// The listed events that lines are, or speak of, in their order.
  private func slots(of lines: [LineRef]) -> [UInt32] {
    let reader = BodyReader(index.vocabulary)
    let slots = lines.flatMap { ref -> [UInt32] in
      guard let text = line(ref), let line = try? Line(text) else { return [] }
      return subjects(of: line, text, ref.replica, reader).compactMap { index.slot(of: $0) }
    }
    return Set(slots).filter { index[$0].flags.isDisjoint(with: .out) }.sorted {
      (index[$0].first, index[$0].id) < (index[$1].first, index[$1].id)
    }
  }

  public func count(_ query: Query) -> Int { tally(query).count }

  /// How many events fit, how many of them are contested, and a damaged line that would have had to be read
  /// for it.
  public func tally(
    _ query: Query
  ) -> (count: Int, contested: Int, damaged: DamagedLine?) {
    if query.filter.isEmpty, query.knownAt == nil, query.limit == nil {
      return (index.all.count, contestedListed, nil)
    }
    var (count, contested) = (0, 0)
    let damaged = visit(query) { event in
      count += 1
      if event.isContested { contested += 1 }
      return true
    }
    return (count, contested, damaged)
  }

  private var contestedListed: Int {
    index.contested.count { index[$0].flags.isDisjoint(with: .out) }
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
      guard let shown = history.shown(in: horizon), let facts = shown.version.facts,
        matcher.fits(facts, EventID(index[slot].id))
      else { return nil }
      return event(slot, shown, facts.first, horizon)
    }
  }

  /// Events that are in no list, since another one shows in their place now, and have no versions.
  private func joined(
    _ matcher: Matcher, _ horizon: Horizon, _ missed: (LineRef) -> Void
  ) -> [ShownEvent] {
    index.sames.members.compactMap { id in
      guard let slot = index.slot(of: id), case let row = index[slot], row.flags.contains(.joined),
        row.flags.isDisjoint(with: [.hidden, .unlisted, .versions]), matcher.mayFit(row)
      else { return nil }
      return shown(row, slot, horizon, missed)
    }
  }

  /// The event of a row as the horizon shows it; nil where it is not to be seen there. `missed` is told
  /// of damaged lines, which might have been the one that shows.
  func shown(
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
        id: id, version: nil, contested: [], contestedCount: 0, first: row.first, ref: ref,
        slot: slot)
    }
    // With a horizon these come from `versioned`.
    guard horizon.sizes == nil, let shown = index.histories[slot]?.shown else { return nil }
    return event(slot, shown, row.first, horizon)
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

  func event(
    _ slot: UInt32, _ shown: EventHistory.Shown, _ first: Day, _ horizon: Horizon
  ) -> ShownEvent {
    let id = EventID(index[slot].id)
    var standing: [EventID] = []
    if shown.isContested, let history = index.histories[slot] {
      standing = Set(history.standing(in: horizon).map(\.id)).sorted()
    }
    return ShownEvent(
      id: id, version: shown.version.id == id ? nil : shown.version.id,
      contested: Array(standing.prefix(ShownEvent.contestedMax)), contestedCount: standing.count,
      first: first, ref: shown.version.ref, slot: slot)
  }
}

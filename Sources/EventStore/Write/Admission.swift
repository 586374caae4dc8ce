// What may be recorded here, in addition to what every event has to be: it speaks of what there is, links to it, and
// takes no name twice. Lines of other machines are taken whatever they say.

import TimelineModel

extension Timeline {
  /// A correction or retraction speaks of an event that is here, and of its versions; who joins or parts events, of
  /// two that are here.
  func unknownSubject(of body: ValidBody) -> EventID? {
    guard case .controlRecord(_, let record) = body else { return nil }
    switch record {
    case .correct(let id, let supersedes, _, _), .retract(let id, let supersedes):
      return firstUnknown([id] + supersedes.named)
    case .same(let record): return firstUnknown(record.pair.ids)
    case .actor, .erase, .member, .timeline, .snapshot, .rules, .unusableRules, .other: return nil
    }
  }

  private func firstUnknown(_ ids: [EventID]) -> EventID? {
    ids.first { store.index.slot(of: $0) == nil && coming($0) == nil }
  }

  private func isEvent(_ id: EventID) -> Bool {
    store.index.slot(of: id).map { !store.index[$0].flags.contains(.unlisted) }
      ?? (coming(id)?.named.subject == id)
  }

  func checkSubject(of body: ValidBody) throws(EventError) {
    guard case .controlRecord(_, let record) = body else { return }
    switch record {
    case .correct(let id, let supersedes, _, _), .retract(let id, let supersedes):
      let isRetraction = if case .retract = record { true } else { false }
      guard isEvent(id) else {
        throw EventError(
          isRetraction ? "retracts" : "corrects", "\(id) is a line of the log, not an event")
      }
      guard !supersedes.named.isEmpty else {
        throw EventError("supersedes", "name the versions that it replaces, at least one")
      }
      for version in supersedes.named
      where !store.index.hasVersion(version, of: id) && coming(version)?.named.subject != id {
        throw EventError("supersedes", "\(version) is no version of \(id)")
      }
      let missing = position.missing(supersedes.upTo)
      guard missing.isEmpty else {
        throw EventError(
          "up_to", "this machine lacks \(missing.map(\.description).joined(separator: ", "))")
      }
    case .same(let record):
      for id in record.pair.ids where !isEvent(id) {
        throw EventError("events", "\(id) is a line of the log, not an event")
      }
    case .actor(let actor):
      if let old = registry[actor.code] {
        throw EventError("code", "\(actor.code) is taken already: \(old.name)")
      }
    case .rules(let table): try check(table)
    case .erase, .member, .timeline, .snapshot, .unusableRules, .other: break
    }
  }

  /// A name stands for one table; a subtype is one that the model names, or that an event here has.
  private func check(_ table: RuleTable) throws(EventError) {
    let coming = comingEntries {
      if case .controlRecord(_, .rules) = $0.body { true } else { false }
    }.compactMap { entry -> (EventID, RuleTable)? in
      if case .controlRecord(_, .rules(let table)) = entry.body { (entry.id, table) } else { nil }
    }
    let recorded = store.index.rules.all.compactMap { entry in entry.table.map { (entry.id, $0) } }
    for (id, other) in recorded + coming
    where other.kind == table.kind && other.version == table.version && other.rows != table.rows {
      throw EventError(
        "name",
        "\"\(table.version)\" is another table of \(table.kind.rawValue) already, event"
          + " \(id); give this one a name of its own")
    }
    for (row, type, subtype) in table.unknownSubtypes {
      var filter = Filter()
      filter.types = [type]
      filter.subtypes = [subtype]
      var query = Query(filter)
      query.limit = 1
      guard view.count(query) == 0 else { continue }
      let advice = EditDistance.advice(
        on: subtype, in: type.knownSubtypes,
        else: "those that are known: \(type.knownSubtypes.joined(separator: ", "))")
      throw EventError(
        "rows[\(row)].subtype",
        "\"\(subtype)\" is no subtype of \(type.word), and no event here has it; \(advice)")
    }
  }

  /// Links lead to what came before and to commitments that are there, and never back. One to an event
  /// that is not here is taken: it may come by a sync, or later in the same file.
  func checkLinks(of event: LinkedEvent) throws(EventError) {
    let here = lines
    let old = event.id.flatMap { linked($0, here, isItself: true) }
    // Who corrects a word need not correct links that another machine let pass; LINT goes on naming them.
    if let old, old.links == event.links, old.first == event.first, old.actors == event.actors {
      return
    }
    for (index, link) in event.links.enumerated() {
      guard let target = linked(link.id, here),
        let fault = LinkFault.of(link, from: event, to: target)
      else { continue }
      throw fault.error(index, link, from: event, to: target)
    }
    // Nobody can name a new id before its append was answered.
    guard let id = event.id else { return }
    let isNew = store.index.slot(of: id) == nil && coming(id) == nil
    // Taken out while it asks: what it asks may read the store.
    var walk = LinkWalk()
    swap(&walk, &store.linkWalk)
    let found = walk.circle(of: id, isNew: isNew, event.links) { id in
      linked(id, here)?.links.map(\.id)
    }
    swap(&walk, &store.linkWalk)
    if let (index, way) = found, let target = linked(event.links[index].id, here) {
      throw LinkFault.circle(way).error(index, event.links[index], from: event, to: target)
    }
  }

  /// An event as it shows, or will once all that is staged is durable; nil where it is not here.
  ///
  /// - Parameter isItself: the event of that very id is wanted, also where another one shows in its place.
  private func linked(
    _ id: EventID, _ here: ReadView, isItself: Bool = false
  ) -> LinkedEvent? {
    let id = isItself ? id : here.shownID(of: id)
    let version = comingVersion(of: id)
    let event = coming(id)
    guard let (range, batch) = version ?? event.map({ ($0.named.bytes, $0.batch) }) else {
      return here.linked(id, isItself: isItself)
    }
    // An id that a correction was given is that of a version, and of no event.
    guard version != nil || event?.named.subject == id else { return nil }
    return batch.bytes.withUnsafeBufferPointer { bytes in
      let text = UnsafeBufferPointer(rebasing: bytes[range])
      var document = JSONDocument()
      guard (try? document.parse(text)) != nil else { return nil }
      let node = version == nil ? 0 : document.member("body", of: 0, in: text)
      return node.flatMap { LinkedEvent(id: id, document, node: $0, in: text) }
    }
  }
}

// Events of which several versions stand: who says what, and what would settle it. A conflict may be of any size:
// its newest versions are read, and all are counted.

import TimelineModel

/// The versions of an event that nothing supersedes.
public struct Standing: Sendable {
  /// At most `ShownEvent.contestedMax` of them.
  public var ids: [EventID]
  public var count: Int
  /// Lines of the event in all, superseded or not.
  public var lines: Int
  /// What a correction says that is to replace them all.
  public var settling: Superseded
}

/// An event of which several versions stand.
public struct Conflict: Sendable {
  public struct Version: Sendable {
    public var id: EventID
    public var address: LineAddress
    public var recorded: RecordedTime
    /// Its line; nil where that is damaged.
    public var line: JSONValue?
  }

  public var id: EventID
  public var standing: Standing
  /// The newest, oldest first; the last of them shows.
  public var newest: [Version]
  /// The line of the newest wording: of those that stand, else of all. Nil where it is damaged.
  public var wording: JSONValue?
}

extension ReadView {
  /// Logs that one line can name.
  private static let logsMax = 1_000

  /// Nil where there is no such event.
  public func standing(of id: EventID) -> Standing? {
    guard let slot = index.slot(of: id), !index[slot].flags.contains(.unlisted) else { return nil }
    guard let history = index.histories[slot] else {
      let copies = index.copies[slot]?.count ?? 0
      return Standing(ids: [id], count: 1, lines: 1 + copies, settling: Superseded([id]))
    }
    return standing(history.standing, of: history)
  }

  private func standing(
    _ versions: [EventHistory.Version], of history: EventHistory
  ) -> Standing {
    let ids = Set(versions.map(\.id)).sorted()
    return Standing(
      ids: Array(ids.prefix(ShownEvent.contestedMax)), count: ids.count,
      lines: history.versions.count,
      settling: ids.count <= ShownEvent.contestedMax
        ? Superseded(ids) : settling(versions, of: history))
  }

  /// Names one version of the highest round, so that all others are of none above it, and how far the logs
  /// were read in which they stand: the largest groups first, where one line cannot name all logs.
  private func settling(
    _ versions: [EventHistory.Version], of history: EventHistory
  ) -> Superseded {
    var last: [ReplicaID: UInt64] = [:]
    var counts: [ReplicaID: Int] = [:]
    var highest: (round: Int, id: EventID)?
    for version in versions {
      last[version.replica] = max(last[version.replica] ?? 0, version.ref.seq)
      counts[version.replica, default: 0] += 1
      let round = history.round(of: version.id) ?? 0
      if highest.map({ $0 < (round, version.id) }) ?? true { highest = (round, version.id) }
    }
    let logs = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.logsMax)
    let upTo = Position(Dictionary(uniqueKeysWithValues: logs.map { ($0.key, last[$0.key]!) }))
    return Superseded([highest!.id], upTo: upTo)
  }

  /// Contested events that fit a filter, by their newest wording, in the order of (first day, id); until the body says that it is enough.
  ///
  /// - Parameter versionsMax: so many versions of each are read.
  public func conflicts(
    _ query: Query, versionsMax: Int, _ body: (Conflict) -> Bool
  ) {
    let matcher = Matcher(query.filter, index.vocabulary.values)
    let horizon = horizon(query.knownAt)
    let hidden = shownIDs(knownAt: query.knownAt)
    var document = JSONDocument()
    var found: [(first: Day, id: EventID, slot: UInt32, wording: LineRef)] = []
    let slots = query.knownAt == nil ? Array(index.contested) : Array(index.histories.keys)
    for slot in slots {
      let id = EventID(index[slot].id)
      guard let history = index.histories[slot], history.shown(in: horizon)?.isContested == true,
        hidden[id] == nil,
        let (facts, ref) = lastWording(history.standing(in: horizon))
          ?? lastWording(history.versions.filter { horizon.knows($0.ref) }),
        matcher.fits(facts, id)
      else { continue }
      if matcher.readsLines || matcher.asksForAuthors {
        guard let text = line(ref), let line = try? Line(text),
          matcher.fits(line, text, &document)
        else { continue }
      }
      found.append((facts.first, id, slot, ref))
    }
    found.sort { ($0.first, $0.id) < ($1.first, $1.id) }
    for (_, id, slot, wording) in found {
      let history = index.histories[slot]!
      let versions = history.standing(in: horizon).sorted { $1.isLater(than: $0) }
      let conflict = Conflict(
        id: id, standing: standing(versions, of: history),
        newest: versions.suffix(versionsMax).map(read), wording: json(wording))
      guard body(conflict) else { return }
    }
  }

  private func lastWording(
    _ versions: [EventHistory.Version]
  ) -> (facts: EventFacts, ref: LineRef)? {
    versions.filter { $0.facts != nil }.max { $1.isLater(than: $0) }.map { ($0.facts!, $0.ref) }
  }

  private func read(_ version: EventHistory.Version) -> Conflict.Version {
    Conflict.Version(
      id: version.id, address: LineAddress(version.replica, version.ref.seq),
      recorded: version.recorded, line: json(version.ref))
  }

  private func json(_ ref: LineRef) -> JSONValue? {
    line(ref).flatMap { try? JSONValue(parsing: UnsafeBufferPointer(rebasing: $0.dropLast())) }
  }
}

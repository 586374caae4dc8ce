// A timeline as it stood at one moment: a value that any thread may read while the owner appends.
// Here is what it holds and counts; events are found in ReadView+Query, one of them in
// ReadView+Event, lines are read in ReadView+Lines.

import TimelineModel
import TransparencyLog

public struct ReadView: Sendable {
  public let timeline: TimelineID
  let index: EventIndex
  let logs: [ReplicaLog]
  let heads: [ReplicaID: SignedHead]

  /// What a question about the past sees: the number of known lines of each log.
  struct Horizon {
    let sizes: [UInt64]?
    func knows(_ ref: LineRef) -> Bool { sizes.map { ref.seq <= $0[ref.replica] } ?? true }
  }

  public var position: Position {
    Position(Dictionary(logs.indices.map { (logs[$0].id, counted($0)) }) { $1 })
  }

  /// Lines of a log, whether they count or not; 0 where it is not here.
  public func size(of replica: ReplicaID) -> UInt64 { logs.first { $0.id == replica }?.size ?? 0 }

  /// Lines of a log that count.
  func counted(_ number: Int) -> UInt64 { min(logs[number].size, index.limits[number] ?? .max) }

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

  /// Tables of other machines that are unusable, in the order of recording, and why.
  public var unusableRules: [(id: EventID, address: LineAddress, fault: String)] {
    index.rules.all.filter { $0.fault != nil }.sorted().map {
      ($0.id, LineAddress(logs[$0.ref.replica].id, $0.ref.seq), $0.fault!)
    }
  }

  /// Lines that came without their bodies, and no erasure explains why.
  public var missingBodies: [LineAddress] { index.missingBodies(logs) }

  /// Lines that are damaged, or miss a body that nobody erased: a peer may have them.
  public var missingLines: [(replica: ReplicaID, lines: Range<UInt64>)] {
    logs.flatMap { log in log.damaged.map { (log.id, $0) } }
      + missingBodies.map { ($0.replica, $0.seq..<$0.seq + 1) }
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
    logs.firstIndex { $0.id == replica }.flatMap { index.keys[$0]?.key }
  }

  /// The replicas whose logs name a key, where they say so, in the order of their ids.
  public var members: [(replica: ReplicaID, key: NoteVerifier)] {
    index.keys.map { (logs[$0.key].id, $0.value.key) }.sorted { $0.replica < $1.replica }
  }

  /// What the timeline's id is made from, as far as a log here says it.
  public var founding: TimelineFounding? {
    index.foundings.values.first { $0.founding.id == timeline }?.founding
  }

  /// The log and number of the line that an id stands for: of an event its first recording, of a
  /// version that version.
  func location(of id: EventID) -> (log: ReplicaLog, seq: UInt64)? {
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
    index.contested.filter { !index[$0].flags.contains(.joined) }
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
    Position(
      Dictionary(
        logs.indices.map { (logs[$0].id, min(logs[$0].size(recordedBy: time), counted($0))) }
      ) { $1 })
  }

  func horizon(_ position: Position?) -> Horizon {
    Horizon(sizes: position.map { position in logs.map { position[$0.id] } })
  }
}

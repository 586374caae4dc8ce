// The tables of rules that a team recorded (log.rules): which of them hold, now and at an earlier position.
// Of two for one table the later recorded holds; one that is unusable is kept and named.

import TimelineModel

struct RecordedRules: Sendable {
  struct Entry: Sendable, Comparable {
    /// Nil where it is unusable.
    var table: RuleTable?
    var fault: String?
    var id: EventID
    var recorded: RecordedTime
    var replica: ReplicaID
    var ref: LineRef

    static func < (left: Self, right: Self) -> Bool {
      (left.recorded, left.id, left.replica) < (right.recorded, right.id, right.replica)
    }

    static func == (left: Self, right: Self) -> Bool { left.ref == right.ref }
  }

  private(set) var all: [Entry] = []

  mutating func add(_ record: ControlRecord, _ entry: IndexEntry) {
    var new = Entry(
      id: entry.id, recorded: entry.recorded, replica: entry.replica, ref: entry.ref)
    switch record {
    case .rules(let table): new.table = table
    case .unusableRules(let fault): new.fault = fault
    default: return
    }
    new.table?.event = entry.id
    all.append(new)
  }

  /// The tables that hold by the lines that are known. Of an id that stands in several logs, the line
  /// that was recorded first speaks, as of any event.
  func tables(where isKnown: (LineRef) -> Bool) -> RuleTables {
    guard !all.isEmpty else { return .shipped }
    var firsts: [EventID: Entry] = [:]
    for entry in all where isKnown(entry.ref) {
      if let old = firsts[entry.id], old < entry { continue }
      firsts[entry.id] = entry
    }
    var tables = RuleTables.shipped
    for entry in firsts.values.sorted() {
      if let table = entry.table { tables.use(table) }
    }
    return tables
  }
}

/// A table of rules as its line has it.
public struct RecordedTable: Sendable {
  public let id: EventID
  public let replica: ReplicaID
  public let seq: UInt64
  public let recorded: RecordedTime
  /// Nil where it is unusable; `fault` says why.
  public let table: RuleTable?
  public let fault: String?
  /// Nil where it was damaged since.
  public let line: JSONValue?

  public var damaged: DamagedLine? {
    line == nil ? DamagedLine(replica: replica, seq: seq) : nil
  }
}

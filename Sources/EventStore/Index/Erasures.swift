// What was erased: whose words have to go, and which lines have lost theirs. An erasure covers the lines that
// it names, and nothing else, so that of each line without words its explanation is on record. Where
// further lines of an erased event turn up, the machine that has them records an erasure of those too.

import TimelineModel

struct Erasures: Sendable {
  struct Erasure: Sendable {
    var id: EventID
    var lines: [LineAddress]
    /// The line that says so.
    var ref: LineRef
  }

  private(set) var all: [Erasure] = []
  /// Lines without a body, for whatever reason.
  var stubs: [LineRef] = []
  private var byID: [EventID: LineRef] = [:]
  private var addresses: Set<LineAddress> = []

  mutating func add(_ id: EventID, _ lines: [LineAddress], by ref: LineRef) {
    all.append(Erasure(id: id, lines: lines, ref: ref))
    if byID[id] == nil { byID[id] = ref }
    addresses.formUnion(lines)
  }

  /// The line by which an event was erased; nil where it was not.
  subscript(id: EventID) -> LineRef? { byID[id] }

  /// Whether a line is to lose its words; nothing but an event and its versions is.
  func covers(_ entry: IndexEntry) -> Bool {
    guard !all.isEmpty else { return false }
    switch entry.body {
    case .event, .controlRecord(_, .correct), .controlRecord(_, .retract):
      return addresses.contains(LineAddress(entry.replica, entry.ref.seq))
    case .controlRecord, nil: return false
    }
  }

  /// Whether an erasure that is here explains that a line has no words.
  func explains(_ address: LineAddress, _ id: EventID) -> Bool {
    byID[id] != nil || addresses.contains(address)
  }

  /// Whether a line is named by an erasure.
  func names(_ address: LineAddress) -> Bool { addresses.contains(address) }

  /// Whether a line may be of an erased event and yet be named by none.
  func mayLack(_ entry: IndexEntry) -> Bool { byID[entry.subject] != nil }
}

extension EventIndex {
  /// Every line of an event that can be read: copies, corrections, retractions; also those that came
  /// before the event itself.
  func lines(of id: EventID) -> [LineRef] {
    let ahead = (waiting[id] ?? []).map(\.ref)
    guard let slot = slot(of: id), !self[slot].flags.contains(.unlisted) else { return ahead }
    let versions = histories[slot]?.versions.map(\.ref) ?? []
    return Array(Set([self[slot].ref] + (copies[slot] ?? []) + versions + ahead))
  }

  /// Lines that are to lose their words and have not, by log.
  func linesToErase(_ logs: [ReplicaLog]) -> [Int: Set<UInt64>] {
    var found: [Int: Set<UInt64>] = [:]
    for erasure in erasures.all {
      // Its writer may have named lines that no log has.
      let named = erasure.lines.compactMap { address in
        logs.firstIndex { $0.id == address.replica && address.seq <= $0.size }
          .map { LineRef(replica: $0, seq: address.seq) }
      }
      for ref in named {
        guard let entry = IndexEntry(reading: ref, logs, vocabulary), erasures.covers(entry) else {
          continue
        }
        found[ref.replica, default: []].insert(ref.seq)
      }
    }
    return found
  }

  /// Lines of erased events that have their words and that no erasure names, by event.
  func linesToName(_ logs: [ReplicaLog]) -> [EventID: [LineAddress]] {
    var found: [EventID: [LineAddress]] = [:]
    for erasure in erasures.all where found[erasure.id] == nil {
      let refs = lines(of: erasure.id).filter { ref in
        !erasures.names(LineAddress(logs[ref.replica].id, ref.seq))
          && IndexEntry(reading: ref, logs, vocabulary)?.subject == erasure.id
      }.map { LineAddress(logs[$0.replica].id, $0.seq) }
      if !refs.isEmpty {
        found[erasure.id] = refs.sorted { ($0.replica, $0.seq) < ($1.replica, $1.seq) }
      }
    }
    return found
  }

  /// A line that is to lose its words and cannot be read.
  func unreadableToErase(_ logs: [ReplicaLog]) -> LineAddress? {
    guard logs.contains(where: \.hasDamage) else { return nil }
    return erasures.all.lazy.flatMap(\.lines).first { address in
      logs.first { $0.id == address.replica && address.seq <= $0.size }
        .map { $0.line(address.seq) == nil } ?? false
    }
  }

  /// Lines without a body that no erasure explains, by log: somebody holds their words back.
  func missingBodies(_ logs: [ReplicaLog]) -> [LineAddress] {
    erasures.stubs.compactMap { ref in
      guard let text = logs[ref.replica].line(ref.seq), let line = try? Line(text) else {
        return nil
      }
      let address = LineAddress(line.replica, line.seq)
      return erasures.explains(address, line.id) ? nil : address
    }
  }
}

// One event: what shows of it, by its id or the beginning of one, and all that has a say in it.

import TimelineModel
import TransparencyLog

extension ReadView {
  public enum Found: Sendable {
    case shown(ShownEvent)
    /// Retracted by this version.
    case retracted(EventID, by: EventID)
    /// A control record, or a line that this version cannot read.
    case line(EventID)
    case unknown
  }

  public func find(_ id: EventID, knownAt: Position? = nil) -> Found {
    index.slot(of: id).map { find($0, knownAt: knownAt) } ?? .unknown
  }

  /// The same by the event's row in the index.
  func find(_ slot: UInt32, knownAt: Position?) -> Found {
    let row = index[slot]
    let horizon = horizon(knownAt)
    if row.flags.contains(.unlisted) {
      return horizon.knows(row.ref) ? .line(EventID(row.id)) : .unknown
    }
    guard row.flags.contains(.versions) else {
      return shown(row, slot, horizon).map { .shown($0) } ?? .unknown
    }
    guard let shown = index.histories[slot]?.shown(in: horizon) else { return .unknown }
    guard let facts = shown.version.facts else {
      return .retracted(EventID(row.id), by: shown.version.id)
    }
    return .shown(event(slot, shown, facts.first, horizon))
  }

  /// The ids that begin with these characters, control records included; at most `limit`.
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

  /// The lines that have a say in what this event is: copies, corrections, retractions; oldest first, and where
  /// they are more than `max` the first one and the newest.
  public func history(
    of id: EventID, max: Int
  ) -> (lines: [UnsafeBufferPointer<UInt8>], count: Int) {
    guard let slot = index.slot(of: id) else { return ([], 0) }
    let refs =
      index.histories[slot].map { history in
        history.versions.sorted { ($0.recorded, $0.id) < ($1.recorded, $1.id) }.map(\.ref)
      } ?? [index[slot].ref] + (index.copies[slot] ?? [])
    let told = refs.count > max ? refs.prefix(1) + refs.suffix(max - 1) : refs[...]
    return (told.compactMap(line), refs.count)
  }
}

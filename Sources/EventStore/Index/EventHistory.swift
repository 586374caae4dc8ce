// The versions of one event: what was recorded, corrected and retracted, as a graph (promises 6 and 7
// of docs/reference/event-format.md). Only events with more than one version or with differing copies have
// one; the answer is a function of the set of lines, whatever their order of arrival.

import TimelineModel
import TransparencyLog

/// Where a line stands: the replica's index in the timeline's list, and its number in that log.
struct LineRef: Sendable, Hashable {
  private let packed: UInt64

  /// Logs that a timeline can have: 16 bits. It is asked before a log is added.
  static let logsMax = 1 << 16

  init(replica: Int, seq: UInt64) {
    require(
      "a line is of a log that can be named", replica < Self.logsMax && seq < 1 << 48,
      ["log index": replica, "line": seq])
    packed = UInt64(replica) << 48 | seq
  }

  var replica: Int { Int(packed >> 48) }
  var seq: UInt64 { packed & (1 << 48 - 1) }
}

struct EventHistory: Sendable {
  /// A line that says what the event is, or that it is not.
  struct Version: Sendable {
    enum Content: Sendable {
      /// A copy of the event as first recorded.
      case original(EventFacts)
      case correction(EventFacts)
      case retraction
    }
    var id: EventID
    var ref: LineRef
    var replica: ReplicaID
    var recorded: RecordedTime
    var supersedes: [EventID]
    var content: Content
    /// Of the body, salt left out; equal for equal bodies, whatever their spelling.
    var fingerprint: SHA256Digest?
  }

  private(set) var versions: [Version] = []

  mutating func add(_ version: Version) { versions.append(version) }

  /// The versions that nothing supersedes, of those that are known.
  func current(where isKnown: (LineRef) -> Bool) -> [Version] {
    // From the originals up: a version waits for those that it supersedes, for ever where they wait
    // for it in turn. Each is looked at once for each that it waits for, however long the chain is.
    let known = versions.indices.filter { isKnown(versions[$0].ref) }
    var missing = known.map { Set(versions[$0].supersedes).count }
    var waiting: [EventID: [Int]] = [:]
    for (index, version) in known.enumerated() where missing[index] > 0 {
      for id in Set(versions[version].supersedes) { waiting[id, default: []].append(index) }
    }
    var ready = known.indices.filter { missing[$0] == 0 }
    var effective: [Int] = []
    var superseded: Set<EventID> = []
    while let index = ready.popLast() {
      let version = versions[known[index]]
      effective.append(known[index])
      superseded.formUnion(version.supersedes)
      // Copies have one id: the first of them is enough.
      for waiter in waiting.removeValue(forKey: version.id) ?? [] {
        missing[waiter] -= 1
        if missing[waiter] == 0 { ready.append(waiter) }
      }
    }
    return effective.sorted().filter { !superseded.contains(versions[$0].id) }
      .map { versions[$0] }
  }

  /// The version that shows: of the current ones the one recorded last (ties: the larger id, then the
  /// larger replica); of copies of the original the one recorded first (ties: the smaller replica).
  func shown(
    where isKnown: (LineRef) -> Bool
  ) -> (version: Version, isContested: Bool, current: [EventID])? {
    let current = current(where: isKnown)
    let originals = current.filter { if case .original = $0.content { true } else { false } }
    let original = originals.min { ($0.recorded, $0.replica) < ($1.recorded, $1.replica) }
    let others = current.filter { if case .original = $0.content { false } else { true } }
    let candidates = others + (original.map { [$0] } ?? [])
    let shown = candidates.max {
      ($0.recorded, $0.id, $0.replica) < ($1.recorded, $1.id, $1.replica)
    }
    guard let shown else { return nil }
    let copiesDiffer = Set(originals.map(\.fingerprint)).count > 1
    let ids = Set(current.map(\.id)).sorted()
    return (shown, ids.count > 1 || copiesDiffer, ids)
  }
}

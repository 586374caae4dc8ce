// The versions of one event: what was recorded, corrected and retracted (F-8 of
// docs/reference/event-format.md). Only events with more than one version or with differing copies have a
// history; what it answers is a function of the set of lines, whatever their order of arrival.
//
// Which versions stand is found by `VersionGraph`. That of a long history is kept and goes on with each
// line, so that a conflict of twenty thousand versions costs each of them the same; that of a short one,
// as nearly all are, is quickly made again.

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
    var supersedes: Superseded
    var content: Content
    /// Of the body, salt left out; equal for equal bodies, whatever their spelling.
    var fingerprint: SHA256Digest?

    /// What it says that the event is; nil for a retraction.
    var facts: EventFacts? {
      switch content {
      case .original(let facts), .correction(let facts): facts
      case .retraction: nil
      }
    }

    var isOriginal: Bool { if case .original = content { true } else { false } }

    /// Whether it was recorded behind another one (ties: the larger id, then the larger replica).
    func isLater(than other: Version) -> Bool {
      (other.recorded, other.id, other.replica) < (recorded, id, replica)
    }
  }

  /// The version that shows, and whether another one stands against it.
  struct Shown: Sendable {
    var version: Version
    var isContested: Bool
  }

  /// From so many lines on the graph is kept.
  private static let keptFrom = 32

  private(set) var versions: [Version] = []
  /// Of all versions; nil while they are few.
  private var graph: VersionGraph?
  private var newest: (index: Int, isContested: Bool)?

  /// What shows, of all lines.
  var shown: Shown? {
    newest.map { Shown(version: versions[$0.index], isContested: $0.isContested) }
  }

  mutating func add(_ version: Version) {
    versions.append(version)
    var graph = graph ?? VersionGraph(of: versions.dropLast())
    self.graph = nil
    graph.add(versions.count - 1, of: versions)
    newest = graph.newest(of: versions)
    if versions.count > Self.keptFrom { self.graph = graph }
  }

  /// What shows, of the lines that are known.
  func shown(where isKnown: (LineRef) -> Bool) -> Shown? {
    let known = versions.filter { isKnown($0.ref) }
    var graph = VersionGraph(of: known)
    return graph.newest(of: known).map {
      Shown(version: known[$0.index], isContested: $0.isContested)
    }
  }

  /// The versions that nothing supersedes, in the order in which their lines came; copies too.
  var standing: [Version] {
    (graph ?? VersionGraph(of: versions)).standing(of: versions).map { versions[$0] }
  }

  /// The same of the lines that are known.
  func standing(where isKnown: (LineRef) -> Bool) -> [Version] {
    let known = versions.filter { isKnown($0.ref) }
    return VersionGraph(of: known).standing(of: known).map { known[$0] }
  }

  /// The round of a version (F-8); nil where there is none of that id, or it waits.
  func round(of id: EventID) -> Int? {
    (graph ?? VersionGraph(of: versions)).round(of: id)
  }

  /// Whether a line of it has this id.
  func holds(_ id: EventID) -> Bool {
    graph?.holds(id) ?? versions.contains { $0.id == id }
  }

  /// How many versions and steps were looked at in all, where the graph is kept: what a test holds to the
  /// number of lines.
  var work: Int { graph?.work ?? 0 }
}

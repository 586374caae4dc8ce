// What is staged: lines that are stamped, or checked, and not yet durable. A commit takes all of it; what is
// staged meanwhile is the next one's. Batches are found by their log's id, so they need not be kept next to the
// logs one by one.

import TimelineModel
import TransparencyLog

struct Staging: Sendable {
  /// Of this machine's own log.
  var own = Batch()
  /// What of `own` other lines may name: copies, corrections and actors are found within a batch too.
  var events = StagedEvents()
  /// Of the logs of other machines; none is empty.
  private(set) var others: [ReplicaID: Batch] = [:]
  /// The tree of each log of which lines were checked under a head, up to the last of them.
  var trees: [ReplicaID: TreeFrontier] = [:]
  /// Whether a line came from a peer: its links were not walked.
  private(set) var hasIngested = false
  /// Whether some line is an erasure: the end of its commit rewrites files.
  var hasErasure = false

  var isEmpty: Bool { own.isEmpty && others.isEmpty }

  var bytes: Int { others.values.reduce(own.bytes.count) { $0 + $1.bytes.count } }

  /// Lines of this machine's own log or of another one; nil where there are none.
  func batch(of replica: ReplicaID, own id: ReplicaID) -> Batch? {
    replica == id ? own.isEmpty ? nil : own : others[replica]
  }

  /// Adds lines of a peer, which may be of this machine's own log, that it had lost.
  mutating func add(_ batch: Batch, of replica: ReplicaID, own id: ReplicaID) {
    guard !batch.isEmpty else { return }
    hasIngested = true
    hasErasure = hasErasure || batch.entries.contains(where: \.isErasure)
    if replica == id { own.add(batch) } else { others[replica, default: Batch()].add(batch) }
  }

  mutating func removeAll() {
    own.removeAll()
    events.removeAll()
    others = [:]
    trees = [:]
    hasIngested = false
    hasErasure = false
  }
}

// The answer to BACKUP, line by line: where the timeline stands, then log after log.
//
//     ROW {"timeline":"…","name":"main","replica":"…","made":"…","position":{…}}
//     ROW {"log":"…","lines":2,"head":"a signed note"}     EVENT {…}     EVENT {…}
//     END {"lines":2,"missing":0}

import EventStore
import TimelineModel
import TimelineWire

struct BackupStream: Sendable {
  private enum Next {
    case header(JSONValue)
    case lines
  }

  private var next: Next
  private var walk: LogWalk
  /// The signed heads as they were at that moment: those of a later one would be of more lines.
  private let heads: [ReplicaID: String]

  init(_ timeline: Timeline, made: RecordedTime) {
    walk = LogWalk(timeline.lines)
    var heads: [ReplicaID: String] = [:]
    for replica in walk.position.sizes.keys {
      if let head = timeline.head(of: replica) {
        heads[replica] = String(validating: head, as: UTF8.self)
      }
    }
    self.heads = heads
    next = .header(
      .object([
        "timeline": .string(timeline.id.description), "name": .string(timeline.name),
        "replica": .string(timeline.replica.description), "made": .string(made.description),
        "position": walk.position.json,
      ]))
  }

  /// Writes the next line; false once that was the last one.
  mutating func next(to out: inout [UInt8]) -> Bool {
    if case .header(let header) = next {
      Reply.row(header, to: &out)
      next = .lines
      return true
    }
    switch walk.next() {
    case .log(let replica, let lines):
      Reply.row(
        .object([
          "log": .string(replica.description), "lines": .int(Int(lines)),
          "head": heads[replica].map { .string($0) },
        ]), to: &out)
    case .line(let line):
      out.append(contentsOf: "EVENT ".utf8)
      out.append(contentsOf: line)
    case nil:
      Reply.end(
        .object(["lines": .int(walk.lines), "missing": .int(walk.missing)]), to: &out)
      return false
    }
    return true
  }
}

// The answer to BACKUP, line by line: where the timeline stands, then log after log, each with its newest
// signed head.
//
//     ROW {"timeline":"…","name":"main","replica":"…","made":"…","position":{…}}
//     ROW {"log":"…","lines":2,"head":"a signed note"}     EVENT {…}     EVENT {…}
//     ROW {"key":"an encrypted key"}                       where it was asked for
//     END {"lines":2,"missing":0}

import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

struct BackupStream: Sendable {
  /// What the engine knows when it is asked.
  struct Request: Sendable {
    var name: String
    /// The log of this machine.
    var replica: ReplicaID
    var made: RecordedTime
    var heads: HeadKeeper
    var key: WantedKey?
  }

  struct WantedKey: Sendable {
    var key: SigningKey
    var passphrase: Passphrase
  }

  private enum Next {
    case header
    case lines
    case end
  }

  private var next = Next.header
  private var walk: LogWalk
  private let header: JSONValue
  private let heads: [ReplicaID: String]
  private let key: String?
  /// The head of this machine's log that was signed for it.
  let newestHead: SignedHead?

  /// Signs what is not signed yet, and encrypts the key: it takes its time.
  init(_ request: Request, _ view: ReadView) {
    walk = LogWalk(view)
    header = .object([
      "timeline": .string(view.timeline.description), "name": .string(request.name),
      "replica": .string(request.replica.description), "made": .string(request.made.description),
      "position": walk.position.json,
    ])
    // Where none can be signed STATUS says why; the lines are worth a backup all the same.
    newestHead = try? request.heads.sign(view, isKept: true)
    var heads: [ReplicaID: String] = [:]
    for (replica, size) in walk.position.sizes {
      // One that was signed since the view was made is of more lines than it has.
      let newest = replica == request.replica && (newestHead?.size ?? .max) <= size
      let note = newest ? newestHead?.note.bytes : view.head(of: replica)?.note
      heads[replica] = note.map { String(decoding: $0, as: UTF8.self) }
    }
    self.heads = heads
    key = request.key.map {
      String(decoding: $0.key.pem(encryptedWith: $0.passphrase), as: UTF8.self)
    }
  }

  /// Writes the next line; false once that was the last one.
  mutating func next(to out: inout [UInt8]) -> Bool {
    switch next {
    case .header:
      next = .lines
      Reply.row(header, to: &out)
    case .lines:
      guard let step = walk.next() else {
        next = .end
        if let key { Reply.row(.object(["key": .string(key)]), to: &out) }
        return true
      }
      write(step, to: &out)
    case .end:
      let end = JSONValue.object(["lines": .int(walk.lines), "missing": .int(walk.missing)])
      Reply.end(end, to: &out)
      return false
    }
    return true
  }

  private func write(_ step: LogWalk.Step, to out: inout [UInt8]) {
    switch step {
    case .log(let replica, let lines):
      let row = JSONValue.object([
        "log": .string(replica.description), "lines": .int(Int(lines)),
        "head": heads[replica].map { .string($0) },
      ])
      Reply.row(row, to: &out)
    case .line(let line):
      out.append(contentsOf: "EVENT ".utf8)
      out.append(contentsOf: line)
    case .erased(let stub):
      out.append(contentsOf: "EVENT ".utf8)
      out.append(contentsOf: stub)
    }
  }
}

// Everything that a store holds, read and compared with what it says of itself: each line's check, its
// place and its time, and the root of each log's tree (RFC 6962), by which two machines can tell that
// they hold the same lines to the bit; and the signed head, that its root is found in the lines.
//
// Lines are read in blocks of 256, each on one processor: a block is a whole subtree, so what is left
// to join are its roots. At a time no more lines are looked at than keep every processor busy.

import TimelineModel
import TransparencyLog

/// What reading a store again showed.
public struct Verification: Sendable {
  /// Lines in a row that are not what was written.
  public struct Damage: Sendable, Hashable {
    public var first: UInt64
    public var last: UInt64
    public var reason: String
  }

  public struct Log: Sendable {
    public let replica: ReplicaID
    /// Lines, damaged and erased ones included.
    public fileprivate(set) var lines: UInt64 = 0
    /// Lines whose body was erased.
    public fileprivate(set) var stubs = 0
    public fileprivate(set) var bytes = 0
    public fileprivate(set) var damage: [Damage] = []
    /// The Merkle tree hash over all lines; nil where a damaged one keeps it from being known.
    public fileprivate(set) var root: SHA256Digest?
    /// Lines that the signed head on disk covers; nil where there is none, or none to rely on.
    public fileprivate(set) var signed: UInt64?
    /// What is wrong with the head on disk.
    public fileprivate(set) var problem: HeadProblem?
  }

  public private(set) var logs: [Log] = []

  public var isWhole: Bool { logs.allSatisfy { $0.damage.isEmpty && $0.problem == nil } }

  /// Reads all lines of a read view. `heads` are those on disk; `progress` is called now and then with
  /// the number of lines that were read, in all; where it returns false nobody waits for the rest.
  public init(
    _ view: ReadView, heads: [ReplicaID: HeadKeeper.Outcome], progress: (Int) -> Bool
  ) {
    var done = 0
    var isWanted = true
    for log in view.logs.sorted(by: { $0.id < $1.id }) where log.size > 0 && isWanted {
      logs.append(
        Log(reading: log, heads[log.id]) {
          isWanted = progress(done + $0)
          return isWanted
        })
      done += Int(log.size)
    }
  }
}

extension Verification.Log {
  private static let blockLines: UInt64 = 256
  private static let blocksAtATime = 256

  fileprivate init(
    reading log: ReplicaLog, _ head: HeadKeeper.Outcome?, progress: (Int) -> Bool
  ) {
    replica = log.id
    lines = log.size
    let signed = try? head?.get()
    var rootOfSigned: SHA256Digest?
    var whole = TreeFrontier()
    var rest = TreeFrontier()
    var last: RecordedTime?
    var hasher = SHA256()
    let firsts = Array(stride(from: 1, through: log.size, by: Int(Self.blockLines)))
    for start in stride(from: 0, to: firsts.count, by: Self.blocksAtATime) {
      let some = Array(firsts[start..<min(start + Self.blocksAtATime, firsts.count)])
      let blocks = Parallel.map(some, portion: 4) { firsts in
        firsts.map { first in
          Block(log, first..<min(first + Self.blockLines, log.size + 1), mark: signed?.size)
        }
      }
      for block in blocks {
        if let last, let first = block.firstRecorded, first.time <= last {
          add(.init(first: first.seq, last: first.seq, reason: Self.notRising))
        }
        for damage in block.damage { add(damage) }
        last = block.lastRecorded ?? last
        stubs += block.stubs
        bytes += block.bytes
        if let marked = block.treeAtMark {
          rootOfSigned = LogTree.root(blocks: whole, marked)
        }
        if block.tree.size == Self.blockLines {
          whole.append(block.tree.root, using: &hasher)
        } else {
          rest = block.tree
        }
      }
      log.setAside()
      guard progress(Int(min(some.last! + Self.blockLines - 1, log.size))) else { return }
    }
    if case .failure(let problem) = head { self.problem = problem }
    guard damage.isEmpty else { return }
    root = LogTree.root(blocks: whole, rest)
    guard let signed else { return }
    self.signed = signed.size
    guard let rootOfSigned else {
      problem = .shorter(replica, size: lines, signed: signed.size)
      return
    }
    if rootOfSigned != signed.root {
      problem = .otherRoot(
        replica, size: signed.size, signed: signed.root, found: rootOfSigned)
    }
  }

  fileprivate static let notRising = "it was not recorded later than the line before it"

  /// Puts together what stands side by side, for one reason.
  private mutating func add(_ new: Verification.Damage) {
    if let old = damage.last, old.last + 1 == new.first, old.reason == new.reason {
      damage[damage.count - 1].last = new.last
    } else {
      damage.append(new)
    }
  }

  /// Lines in a row, the first one's number less one a multiple of 256.
  private struct Block: Sendable {
    var tree = TreeFrontier()
    /// Up to a line that was asked for; of the last one in the block `tree` is the same.
    var treeAtMark: TreeFrontier?
    var stubs = 0
    var bytes = 0
    var damage: [Verification.Damage] = []
    var firstRecorded: (seq: UInt64, time: RecordedTime)?
    var lastRecorded: RecordedTime?

    init(_ log: ReplicaLog, _ seqs: Range<UInt64>, mark: UInt64?) {
      var hasher = SHA256()
      for seq in seqs {
        guard let text = log.line(seq) else {
          note(seq, "no line stands there")
          continue
        }
        bytes += text.count
        let line: Line
        do throws(LineError) { line = try Line(text) } catch {
          note(seq, error.message)
          continue
        }
        guard line.replica == log.id, line.seq == seq else {
          note(seq, "a line of another place: \(line.replica), line \(line.seq)")
          continue
        }
        if let lastRecorded, line.recorded <= lastRecorded {
          note(seq, Verification.Log.notRising)
        }
        if firstRecorded == nil { firstRecorded = (seq, line.recorded) }
        lastRecorded = line.recorded
        if line.isStub { stubs += 1 }
        tree.append(line.leaf(of: text, using: &hasher), using: &hasher)
        if seq == mark { treeAtMark = tree }
      }
    }

    private mutating func note(_ seq: UInt64, _ reason: String) {
      damage.append(.init(first: seq, last: seq, reason: reason))
    }
  }
}

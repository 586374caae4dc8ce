// The Merkle tree of one log (RFC 6962), as far as its lines have been hashed:
//
//     lines 1-256  257-512  513-768  769-…            a block is a whole subtree
//     blocks[0]    blocks[1] blocks[2]  rest          so its root is all that has to be kept of it
//
// 32 bytes for 256 lines are enough to go on, to know the root, and to prove any line: of the block
// that the line is in, the leaves are hashed again. Over the blocks the tree is kept whole, so that a proof
// costs as many hashes as it has, however many lines there are.

import TimelineModel
import TransparencyLog

struct LogTree: Sendable {
  static let blockLevel = 8
  static let blockLines = 1 << blockLevel

  /// The roots of whole subtrees: `levels[0]` those of the blocks, `levels[1]` of two blocks each, and so on.
  private var levels: [[SHA256Digest]] = [[]]
  /// The tree over the lines behind them, fewer than a block.
  private var rest = TreeFrontier()

  /// The root of each whole block.
  var blocks: [SHA256Digest] { levels[0] }

  /// The leaves of the blocks that were asked for last: proofs are made of lines in a row.
  private var leavesOfLast: [UInt64: [SHA256Digest]] = [:]

  /// A line that keeps a tree from being made.
  struct Damaged: Error { var seq: UInt64 }

  init() {}

  /// Goes on from the roots of the first whole blocks, wherever they were kept: only the root tells whether
  /// they are the right ones.
  init(blocks: [SHA256Digest]) {
    var hasher = SHA256()
    for block in blocks { add(block, &hasher) }
  }

  var size: UInt64 { UInt64(blocks.count * Self.blockLines) + rest.size }

  var root: SHA256Digest { frontier.root }

  /// What is needed to go on behind the lines that have been hashed.
  var frontier: TreeFrontier {
    // A level with an odd number of roots has one that no higher level covers.
    let peaks = levels.reversed().filter { $0.count % 2 == 1 }.map { $0.last! }
    return TreeFrontier(size: size, peaks: peaks + rest.peaks)!
  }

  /// The root over whole blocks and what comes behind them, at most one more.
  static func root(blocks: TreeFrontier, _ rest: TreeFrontier) -> SHA256Digest {
    var blocks = blocks
    var rest = rest
    if rest.size == UInt64(blockLines) {
      var hasher = SHA256()
      blocks.append(rest.root, using: &hasher)
      rest = TreeFrontier()
    }
    let size = blocks.size * UInt64(blockLines) + rest.size
    return TreeFrontier(size: size, peaks: blocks.peaks + rest.peaks)!.root
  }

  /// Hashes the lines up to a number, whole blocks on all processors or on this one alone.
  mutating func advance(
    to size: UInt64, of log: ReplicaLog, onAllProcessors: Bool = true
  ) throws(Damaged) {
    let before = self.size
    defer { if self.size > before + UInt64(Self.blockLines) { log.setAside() } }
    var hasher = SHA256()
    while self.size < size {
      let first = self.size + 1
      let count = (size - self.size) / UInt64(Self.blockLines)
      guard onAllProcessors, rest.size == 0, count > 1 else {
        try append(first, of: log, &hasher)
        continue
      }
      let firsts = (0..<min(count, 256)).map { first + $0 * UInt64(Self.blockLines) }
      let roots = Parallel.map(firsts, portion: 4) { firsts in
        firsts.map { first in
          var block = LogTree()
          var hasher = SHA256()
          return Result { () throws(Damaged) in
            for seq in first..<first + UInt64(Self.blockLines) {
              try block.append(seq, of: log, &hasher)
            }
            return block.blocks[0]
          }
        }
      }
      for root in roots { add(try root.get(), &hasher) }
      log.setAside()
    }
  }

  private mutating func append(
    _ seq: UInt64, of log: ReplicaLog, _ hasher: inout SHA256
  ) throws(Damaged) {
    rest.append(try Self.leaf(seq, of: log, &hasher), using: &hasher)
    guard rest.size == UInt64(Self.blockLines) else { return }
    let root = rest.root
    rest = TreeFrontier()
    add(root, &hasher)
  }

  private static func leaf(
    _ seq: UInt64, of log: ReplicaLog, _ hasher: inout SHA256
  ) throws(Damaged) -> SHA256Digest {
    guard let text = log.line(seq), let line = try? Line(text), line.replica == log.id,
      line.seq == seq
    else { throw Damaged(seq: seq) }
    return line.leaf(of: text, using: &hasher)
  }

  private mutating func add(_ block: SHA256Digest, _ hasher: inout SHA256) {
    levels[0].append(block)
    var level = 0
    while levels[level].count % 2 == 0 {
      let pair = levels[level].suffix(2)
      level += 1
      if level == levels.count { levels.append([]) }
      levels[level].append(hasher.node(pair.first!, pair.last!))
    }
  }

  /// The root over the first lines, which have been hashed.
  mutating func root(of size: UInt64, _ log: ReplicaLog) throws(Damaged) -> SHA256Digest {
    guard size != self.size else { return root }
    guard size > 0 else { return .emptyRoot }
    return try leaves(around: [size], in: size, log).root(of: 0..<size)
  }

  /// That a line is in the tree over the first `size` lines: its siblings' hashes, the nearest first.
  mutating func proof(
    of seq: UInt64, in size: UInt64, _ log: ReplicaLog
  ) throws(Damaged) -> [SHA256Digest] {
    // Of single lines a proof takes those of this one's block and of the last one.
    let leaves = try leaves(around: [seq, size], in: size, log)
    do throws(InclusionProofError) {
      return try InclusionProof(of: seq - 1, in: size, leaves: leaves).hashes
    } catch {
      fatalError("line \(seq) of \(size) is in its log, but: \(error.message)")
    }
  }

  /// That the first lines are the beginning of a tree over more of them: RFC 9162, 2.1.4.
  mutating func consistency(
    from old: UInt64, to size: UInt64, _ log: ReplicaLog
  ) throws(Damaged) -> [SHA256Digest] {
    let leaves = try leaves(around: [old, size], in: size, log)
    do throws(ConsistencyProofError) {
      return try ConsistencyProof(from: old, to: size, leaves: leaves).hashes
    } catch {
      fatalError("\(old) of \(size) lines are in their log, but: \(error.message)")
    }
  }

  private mutating func leaves(
    around seqs: [UInt64], in size: UInt64, _ log: ReplicaLog
  ) throws(Damaged) -> Leaves {
    var found: [UInt64: [SHA256Digest]] = [:]
    for block in Set(seqs.map { ($0 - 1) / UInt64(Self.blockLines) }) {
      let first = block * UInt64(Self.blockLines)
      let lines = first + 1..<min(first + UInt64(Self.blockLines), size) + 1
      if let known = leavesOfLast[block], known.count >= lines.count {
        found[block] = known
        continue
      }
      var hasher = SHA256()
      var leaves: [SHA256Digest] = []
      for seq in lines { leaves.append(try Self.leaf(seq, of: log, &hasher)) }
      found[block] = leaves
    }
    leavesOfLast = found
    return Leaves(levels: levels, leaves: found)
  }

  private struct Leaves: LeafHashes {
    let levels: [[SHA256Digest]]
    let leaves: [UInt64: [SHA256Digest]]

    func leafHash(at index: UInt64) -> SHA256Digest {
      leaves[index / UInt64(LogTree.blockLines)]![Int(index % UInt64(LogTree.blockLines))]
    }

    func subtreeRoot(level: Int, at index: UInt64) -> SHA256Digest? {
      let height = level - LogTree.blockLevel
      guard levels.indices.contains(height), index < levels[height].count else { return nil }
      return levels[height][Int(index)]
    }
  }
}

// That a tree only grew: the first leaves of the newer one are the older one (RFC 9162, 2.1.4).
//
//     3 of 7:   proof    = [ leaf 2, leaf 3, n(0-1), n(4-6) ]       names as in InclusionProof
//               old root = n( n(0-1), leaf 2 )
//               new root = n( n(n(0-1), n(leaf 2, leaf 3)), n(4-6) )
//
// Both roots come from the same hashes, so a log that changed an old entry has no such proof: two
// signed heads without one are the proof of a fork.

/// Why a proof of consistency cannot be made, or proves nothing.
public enum ConsistencyProofError: Error, Sendable, Hashable {
  case sizes(old: UInt64, new: UInt64)
  case empty
  case origins(old: ExactText, new: ExactText)
  case hashCount(found: Int, expected: Int)
  case fork(size: UInt64, one: SHA256Digest, other: SHA256Digest)
  case oldRoot(computed: SHA256Digest, expected: SHA256Digest)
  case newRoot(computed: SHA256Digest, expected: SHA256Digest)

  public var message: String {
    switch self {
    case .sizes(let old, let new):
      "a tree of \(new) leaves cannot have grown from one of \(old): swap the two heads"
    case .empty:
      "every tree begins as the empty one, so from size 0 there is nothing to prove: compare heads"
    case .origins(let old, let new):
      "the heads are of two logs, \"\(old)\" and \"\(new)\": take two heads of one log"
    case .hashCount(let found, let expected):
      "the proof has \(found) hashes, where its sizes need \(expected): it is for other sizes, or "
        + "damaged; ask for a new one"
    case .fork(let size, let one, let other):
      "two roots for size \(size), \(one.base64) and \(other.base64): the log has two histories; "
        + "keep both heads, they are the evidence"
    case .oldRoot(let computed, let expected):
      "the proof leads to old root \(computed.base64), the older head says \(expected.base64): the "
        + "log was changed, or the proof is not for these heads"
    case .newRoot(let computed, let expected):
      "the proof leads to new root \(computed.base64), the newer head says \(expected.base64): the "
        + "log was changed, or the proof is not for these heads"
    }
  }
}

/// The hashes from which both an older and a newer root follow.
public struct ConsistencyProof: Sendable, Hashable {
  public var oldSize: UInt64
  public var newSize: UInt64
  public var hashes: [SHA256Digest]

  public init(oldSize: UInt64, newSize: UInt64, hashes: [SHA256Digest]) {
    self.oldSize = oldSize
    self.newSize = newSize
    self.hashes = hashes
  }

  /// Makes the proof from the first `oldSize` to the first `newSize` leaves. Empty where they are
  /// equal, and from 0.
  public init(
    from oldSize: UInt64, to newSize: UInt64, leaves: some LeafHashes
  ) throws(ConsistencyProofError) {
    guard oldSize <= newSize else { throw .sizes(old: oldSize, new: newSize) }
    self.init(oldSize: oldSize, newSize: newSize, hashes: [])
    guard oldSize > 0 else { return }
    var hasher = SHA256()
    // Down to the subtree that ends where the old tree ends.
    var tree = 0..<newSize
    while tree.upperBound != oldSize {
      let middle = tree.lowerBound + TreeShape.split(tree.upperBound - tree.lowerBound)
      let (left, right) = (tree.lowerBound..<middle, middle..<tree.upperBound)
      tree = oldSize <= middle ? left : right
      hashes.append(leaves.root(of: oldSize <= middle ? right : left, &hasher))
    }
    // A subtree that is the whole old tree needs no hash: its root is the old root.
    if tree.lowerBound > 0 { hashes.append(leaves.root(of: tree, &hasher)) }
    hashes.reverse()
  }

  /// Succeeds only where the older tree is the beginning of the newer one (RFC 9162, 2.1.4.2).
  /// From size 0 nothing is proven, and it fails: see `verify(_:from:to:)`.
  public func verify(
    oldRoot: SHA256Digest, newRoot: SHA256Digest
  ) throws(ConsistencyProofError) {
    guard oldSize <= newSize else { throw .sizes(old: oldSize, new: newSize) }
    guard oldSize > 0 else { throw .empty }
    let expected = Self.hashCount(oldSize: oldSize, newSize: newSize)
    guard hashes.count == expected else {
      throw .hashCount(found: hashes.count, expected: expected)
    }
    guard oldSize < newSize else {
      guard oldRoot == newRoot else { throw .fork(size: oldSize, one: oldRoot, other: newRoot) }
      return
    }
    // Up from the largest full subtree that ends where the old tree ends.
    let level = UInt64(oldSize.trailingZeroBitCount)
    var node = (oldSize - 1) >> level
    var last = (newSize - 1) >> level
    var rest = hashes[...]
    var old = oldSize.nonzeroBitCount == 1 ? oldRoot : rest.removeFirst()
    var new = old
    var hasher = SHA256()
    for hash in rest {
      if node & 1 == 1 || node == last {
        old = hasher.node(hash, old)
        new = hasher.node(hash, new)
      } else {
        new = hasher.node(new, hash)
      }
      node >>= 1
      last >>= 1
    }
    guard old == oldRoot else { throw .oldRoot(computed: old, expected: oldRoot) }
    guard new == newRoot else { throw .newRoot(computed: new, expected: newRoot) }
  }

  /// Succeeds only where the log of `newer` begins with that of `older`. From size 0, which every
  /// log once had, with no hashes (c2sp.org/tlog-witness). Whether the heads are signed is another
  /// question.
  public static func verify(
    _ hashes: [SHA256Digest], from older: Checkpoint, to newer: Checkpoint
  ) throws(ConsistencyProofError) {
    guard older.origin == newer.origin else {
      throw .origins(old: older.origin, new: newer.origin)
    }
    let proof = ConsistencyProof(oldSize: older.size, newSize: newer.size, hashes: hashes)
    guard older.size == 0 else { return try proof.verify(oldRoot: older.root, newRoot: newer.root) }
    guard hashes.isEmpty else { throw .hashCount(found: hashes.count, expected: 0) }
  }

  /// How many hashes there are for two sizes, 0 < old <= new: those of the inclusion of the full
  /// subtree that ends the old tree, and its own root where that is not the old root.
  static func hashCount(oldSize: UInt64, newSize: UInt64) -> Int {
    guard oldSize < newSize else { return 0 }
    let level = UInt64(oldSize.trailingZeroBitCount)
    let way = InclusionProof.hashCount(
      index: (oldSize - 1) >> level, size: ((newSize - 1) >> level) + 1)
    return way + (oldSize.nonzeroBitCount == 1 ? 0 : 1)
  }
}

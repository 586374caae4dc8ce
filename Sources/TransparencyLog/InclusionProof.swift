// That an entry is in a tree, shown by the hashes next to its path to the root (RFC 9162, 2.1.3):
//
//     leaf 2 of 7:         root            proof = [ leaf 3, n(0-1), n(4-6) ]
//                        /      \                     the leaf's sibling first; at most 63 hashes
//                   n(0-3)     n(4-6)
//                   /    \                 root  = n( n(n(0-1), n(leaf 2, leaf 3)), n(4-6) )
//              n(0-1)    n(2-3)
//                        /    \            n is the hash of a node; n(0-3) that of the subtree
//                   leaf 2    leaf 3       over leaves 0 to 3

/// Why a proof of inclusion cannot be made, or proves nothing.
public enum InclusionProofError: Error, Sendable, Hashable {
  /// There is no such leaf.
  case index(UInt64, size: UInt64)
  case hashCount(found: Int, expected: Int)
  case root(computed: SHA256Digest, expected: SHA256Digest)

  public var message: String {
    switch self {
    case .index(let index, let size):
      "index \(index) is not in a tree of \(size) leaves, whose first is 0: take a newer checkpoint"
    case .hashCount(let found, let expected):
      "the proof has \(found) hashes, where its index and size need \(expected): it is for another "
        + "size, or damaged; ask for a new one"
    case .root(let computed, let expected):
      "the proof leads to root \(computed.base64), the checkpoint says \(expected.base64): "
        + "the entry, its index or the proof is not what the log holds"
    }
  }
}

/// The hashes that lead from a leaf to the root.
public struct InclusionProof: Sendable, Hashable {
  /// The leaf's index, from 0.
  public var index: UInt64
  /// Number of leaves of the tree.
  public var size: UInt64
  /// The leaf's sibling first.
  public var hashes: [SHA256Digest]

  public init(index: UInt64, size: UInt64, hashes: [SHA256Digest]) {
    self.index = index
    self.size = size
    self.hashes = hashes
  }

  /// Makes the proof for leaf `index` of the tree over the first `size` leaves.
  public init(
    of index: UInt64, in size: UInt64, leaves: some LeafHashes
  ) throws(InclusionProofError) {
    guard index < size else { throw .index(index, size: size) }
    var hasher = SHA256()
    var hashes: [SHA256Digest] = []
    // Down from the root, with what is left of the tree; the hashes come in the other order.
    var tree = 0..<size
    while tree.upperBound - tree.lowerBound > 1 {
      let middle = tree.lowerBound + TreeShape.split(tree.upperBound - tree.lowerBound)
      let (left, right) = (tree.lowerBound..<middle, middle..<tree.upperBound)
      tree = index < middle ? left : right
      hashes.append(leaves.root(of: index < middle ? right : left, &hasher))
    }
    self.init(index: index, size: size, hashes: hashes.reversed())
  }

  /// Succeeds only where the leaf at `index` of the tree with that root has that leaf hash
  /// (RFC 9162, 2.1.3.2).
  public func verify(leaf: SHA256Digest, root: SHA256Digest) throws(InclusionProofError) {
    guard index < size else { throw .index(index, size: size) }
    let expected = Self.hashCount(index: index, size: size)
    guard hashes.count == expected else {
      throw .hashCount(found: hashes.count, expected: expected)
    }
    // The count is right, so levels where the right edge has no sibling need not be skipped, as the
    // RFC does: on the edge every hash is to the left, however many levels lie between.
    var hasher = SHA256()
    var node = index
    var last = size - 1
    var computed = leaf
    for hash in hashes {
      if node & 1 == 1 || node == last {
        computed = hasher.node(hash, computed)
      } else {
        computed = hasher.node(computed, hash)
      }
      node >>= 1
      last >>= 1
    }
    guard computed == root else { throw .root(computed: computed, expected: root) }
  }

  /// How many hashes lead from the leaf to the root: one for each level until the way meets the
  /// tree's right edge, and from there one for each full subtree to the left of it.
  static func hashCount(index: UInt64, size: UInt64) -> Int {
    let inner = 64 - (index ^ (size - 1)).leadingZeroBitCount
    return inner + (inner == 64 ? 0 : (index >> UInt64(inner)).nonzeroBitCount)
  }
}

// The right edge of a Merkle tree: all that is needed to go on appending, and to know the root.
//
//     7 leaves:   /\          size 7 = 4 + 2 + 1: three full subtrees, the largest first
//                /  \
//               /\  /\  /\ .  peaks = [root of leaves 0-3, root of leaves 4-5, leaf 6]
//               01  23  45 6  root  = node(peaks[0], node(peaks[1], peaks[2]))
//
// An append adds a peak and joins equal ones, as a binary counter carries: one hash an append on
// the average, at most 63 peaks whatever the size. Proofs, which need the leaves, are made by
// `InclusionProof` and `ConsistencyProof`.

/// A log's tree as far as appending needs it. It is a value: a copy stays as it is.
public struct TreeFrontier: Sendable, Hashable {
  /// Number of leaves.
  public private(set) var size: UInt64 = 0
  /// Roots of the full subtrees, largest first: one for each bit that is set in `size`.
  public private(set) var peaks: [SHA256Digest] = []

  /// The empty tree.
  public init() {}

  /// Goes on from what was kept of a frontier. Nil where there are not as many peaks as a tree of
  /// that size has; only the root shows whether they are the right ones.
  public init?(size: UInt64, peaks: [SHA256Digest]) {
    guard peaks.count == size.nonzeroBitCount, size <= CanonicalDecimal.largest else { return nil }
    self.size = size
    self.peaks = peaks
  }

  /// Adds the next leaf, by its leaf hash.
  public mutating func append(_ leaf: SHA256Digest, using hasher: inout SHA256) {
    var root = leaf
    var bit: UInt64 = 1
    while size & bit != 0 {
      root = hasher.node(peaks.removeLast(), root)
      bit <<= 1
    }
    peaks.append(root)
    size += 1
  }

  /// Adds many leaves, in their order.
  public mutating func append(
    contentsOf leaves: some Sequence<SHA256Digest>, using hasher: inout SHA256
  ) {
    for leaf in leaves { append(leaf, using: &hasher) }
  }

  /// The Merkle tree hash of all leaves (RFC 6962, 2.1): at most 62 hashes.
  public var root: SHA256Digest {
    guard var root = peaks.last else { return .emptyRoot }
    var hasher = SHA256()
    for peak in peaks.dropLast().reversed() { root = hasher.node(peak, root) }
    return root
  }
}

// The leaf hashes of a log, wherever they lie: an array, or a mapped `.leaves` file of 32 bytes a
// line. Proofs are made from them.
//
//     root of 0-6 = node(root of 0-3, root of 4-6)     split at the largest power of two below 7
//
// A proof over n leaves reads each once, and makes about n hashes. A caller that proves often keeps the
// roots of some full subtrees and answers `subtreeRoot`; then a proof costs what is not kept.

/// Random access to leaf hashes.
public protocol LeafHashes {
  /// The hash of leaf `index`, from 0. Called only within the tree that was asked about.
  func leafHash(at index: UInt64) -> SHA256Digest

  /// The root over leaves `index * 2^level ..< (index + 1) * 2^level`, where it is kept; else nil.
  func subtreeRoot(level: Int, at index: UInt64) -> SHA256Digest?
}

extension LeafHashes {
  public func subtreeRoot(level: Int, at index: UInt64) -> SHA256Digest? { nil }

  /// The Merkle tree hash of some leaves in a row, as if they were a tree (RFC 6962, 2.1).
  public func root(of leaves: Range<UInt64>) -> SHA256Digest {
    var hasher = SHA256()
    return root(of: leaves, &hasher)
  }

  func root(of leaves: Range<UInt64>, _ hasher: inout SHA256) -> SHA256Digest {
    let (start, count) = (leaves.lowerBound, leaves.upperBound - leaves.lowerBound)
    guard count > 1 else { return count == 0 ? .emptyRoot : leafHash(at: start) }
    if count.nonzeroBitCount == 1, start % count == 0,
      let kept = subtreeRoot(level: count.trailingZeroBitCount, at: start / count)
    {
      return kept
    }
    let middle = start + TreeShape.split(count)
    let left = root(of: start..<middle, &hasher)
    return hasher.node(left, root(of: middle..<leaves.upperBound, &hasher))
  }
}

enum TreeShape {
  /// The largest power of two below `count`, which is 2 or more: how many leaves go to the left.
  static func split(_ count: UInt64) -> UInt64 {
    1 << UInt64(63 - (count - 1).leadingZeroBitCount)
  }
}

extension Array: LeafHashes where Element == SHA256Digest {
  public func leafHash(at index: UInt64) -> SHA256Digest { self[Int(index)] }
}

extension UnsafeBufferPointer: LeafHashes where Element == SHA256Digest {
  public func leafHash(at index: UInt64) -> SHA256Digest { self[Int(index)] }
}

// Proofs of random trees verify; nothing that differs from them in a bit, a place or a count does.
// PROOF_SEED=n repeats a run.

import Foundation
import Support
import Testing

@testable import TransparencyLog

private func randomDigest(_ chance: inout SplitMix) -> SHA256Digest {
  SHA256Digest((0..<32).map { _ in UInt8.random(in: .min ... .max, using: &chance) })!
}

private func flipped(_ digest: SHA256Digest, bit: Int) -> SHA256Digest {
  var bytes = digest.bytes
  bytes[bit / 8] ^= 1 << UInt8(bit % 8)
  return SHA256Digest(bytes)!
}

/// What comes of `hashes` by one flipped bit, a swap, a missing, doubled or strange hash.
private func mutants(
  _ hashes: [SHA256Digest], _ chance: inout SplitMix
) -> [[SHA256Digest]] {
  var all: [[SHA256Digest]] = []
  for at in hashes.indices {
    for bit in 0..<256 {
      var other = hashes
      other[at] = flipped(hashes[at], bit: bit)
      all.append(other)
    }
    var missing = hashes
    missing.remove(at: at)
    all.append(missing)
    var doubled = hashes
    doubled.insert(hashes[at], at: at)
    all.append(doubled)
    for second in hashes.indices where second > at && hashes[second] != hashes[at] {
      var swapped = hashes
      swapped.swapAt(at, second)
      all.append(swapped)
    }
  }
  for at in 0...hashes.count {
    var extra = hashes
    extra.insert(randomDigest(&chance), at: at)
    all.append(extra)
  }
  return all
}

@Test("proofs of random trees verify; flipped, swapped, missing and extra hashes are refused")
func randomTrees() throws {
  let seed =
    ProcessInfo.processInfo.environment["PROOF_SEED"].flatMap { UInt64($0) }
    ?? UInt64.random(in: 0..<1_000_000_000)
  print("proofs of random trees: seed \(seed)")
  var chance = SplitMix(seed: seed)
  var hasher = SHA256()
  var refused = 0
  for _ in 0..<25 {
    let size = UInt64.random(in: 1...400, using: &chance)
    let leaves = (0..<size).map { _ in randomDigest(&chance) }
    var frontier = TreeFrontier()
    var roots = [frontier.root]
    for leaf in leaves {
      frontier.append(leaf, using: &hasher)
      roots.append(frontier.root)
    }
    let root = frontier.root
    #expect(root == leaves.root(of: 0..<size), "seed \(seed), size \(size)")
    var batch = TreeFrontier()
    batch.append(contentsOf: leaves, using: &hasher)
    #expect(batch == frontier)

    let index = UInt64.random(in: 0..<size, using: &chance)
    let leaf = leaves[Int(index)]
    let inclusion = try InclusionProof(of: index, in: size, leaves: leaves)
    try inclusion.verify(leaf: leaf, root: root)
    var lies = mutants(inclusion.hashes, &chance).map {
      InclusionProof(index: index, size: size, hashes: $0)
    }
    if size > 1 {
      let other = (index + UInt64.random(in: 1..<size, using: &chance)) % size
      lies.append(InclusionProof(index: other, size: size, hashes: inclusion.hashes))
    }
    lies.append(InclusionProof(index: size, size: size, hashes: inclusion.hashes))
    for lie in lies {
      let error = refusal { () throws(InclusionProofError) in
        try lie.verify(leaf: leaf, root: root)
      }
      #expect(error != nil, "seed \(seed): \(lie)")
      refused += error == nil ? 0 : 1
    }
    for bit in 0..<256 {
      #expect(throws: InclusionProofError.self, "seed \(seed)") {
        try inclusion.verify(leaf: flipped(leaf, bit: bit), root: root)
      }
      #expect(throws: InclusionProofError.self, "seed \(seed)") {
        try inclusion.verify(leaf: leaf, root: flipped(root, bit: bit))
      }
    }

    let old = UInt64.random(in: 1...size, using: &chance)
    let oldRoot = roots[Int(old)]
    let consistency = try ConsistencyProof(from: old, to: size, leaves: leaves)
    try consistency.verify(oldRoot: oldRoot, newRoot: root)
    for hashes in mutants(consistency.hashes, &chance) {
      let lie = ConsistencyProof(oldSize: old, newSize: size, hashes: hashes)
      let error = refusal { () throws(ConsistencyProofError) in
        try lie.verify(oldRoot: oldRoot, newRoot: root)
      }
      #expect(error != nil, "seed \(seed): \(lie)")
      refused += error == nil ? 0 : 1
    }
    for bit in 0..<256 {
      #expect(throws: ConsistencyProofError.self, "seed \(seed)") {
        try consistency.verify(oldRoot: flipped(oldRoot, bit: bit), newRoot: root)
      }
      #expect(throws: ConsistencyProofError.self, "seed \(seed)") {
        try consistency.verify(oldRoot: oldRoot, newRoot: flipped(root, bit: bit))
      }
    }
  }
  print("proofs of random trees: \(refused) altered proofs refused")
}

@Test("every proof of every tree up to 70 leaves verifies, and has the number of hashes expected")
func allSmallTrees() throws {
  let leaves = (0..<70).map { leafHash([UInt8($0)]) }
  let roots = (0...70).map { leaves.root(of: 0..<UInt64($0)) }
  var count = 0
  for size in 1...70 as ClosedRange<UInt64> {
    for index in 0..<size {
      let inclusion = try InclusionProof(of: index, in: size, leaves: leaves)
      try inclusion.verify(leaf: leaves[Int(index)], root: roots[Int(size)])
      let old = index + 1
      let consistency = try ConsistencyProof(from: old, to: size, leaves: leaves)
      try consistency.verify(oldRoot: roots[Int(old)], newRoot: roots[Int(size)])
      count += 2
    }
  }
  #expect(count == 70 * 71)
}

@Test("sizes up to 2^64 - 1 are counted without a trap")
func largestTrees() {
  let hash = SHA256Digest.emptyRoot
  let numbers: [UInt64] = [0, 1, 2, 1 << 62, 1 << 63 - 1, 1 << 63, .max - 1, .max]
  for one in numbers {
    for other in numbers {
      for count in [0, 1, 62, 63, 64, 65, 126] {
        let hashes = [SHA256Digest](repeating: hash, count: count)
        let inclusion = refusal { () throws(InclusionProofError) in
          try InclusionProof(index: one, size: other, hashes: hashes).verify(leaf: hash, root: hash)
        }
        // A tree of one leaf is its leaf.
        #expect((inclusion == nil) == (one == 0 && other == 1 && count == 0))
        let consistency = refusal { () throws(ConsistencyProofError) in
          try ConsistencyProof(oldSize: one, newSize: other, hashes: hashes)
            .verify(oldRoot: hash, newRoot: hash)
        }
        #expect((consistency == nil) == (one == other && one > 0 && count == 0))
      }
    }
  }
}

import Testing

@testable import TransparencyLog

@Test("roots of sizes 0 to 8 are the published ones, by frontier and by recursion")
func publishedRoots() {
  let vectors = Vectors.published
  var hasher = SHA256()
  var frontier = TreeFrontier()
  for size in 0...8 as ClosedRange<UInt64> {
    #expect(frontier.size == size)
    #expect(frontier.root == vectors.root(size))
    #expect(vectors.leaves.root(of: 0..<size) == vectors.root(size))
    #expect(TreeFrontier(size: size, peaks: frontier.peaks) == frontier)
    if size < 8 { frontier.append(vectors.leaves[Int(size)], using: &hasher) }
  }
  #expect(TreeFrontier(size: 7, peaks: frontier.peaks) == nil)
  #expect(TreeFrontier(size: 1 << 63, peaks: frontier.peaks) == nil)
}

@Test("all 36 published inclusion proofs are made and verify")
func publishedInclusion() throws {
  let vectors = Vectors.published
  #expect(vectors.inclusionProofs.count == 36)
  for vector in vectors.inclusionProofs {
    let proof = try InclusionProof(
      of: vector.leafIndex, in: vector.treeSize, leaves: vectors.leaves)
    #expect(proof.hashes == vector.proof.map(digest))
    try proof.verify(
      leaf: vectors.leaves[Int(vector.leafIndex)], root: vectors.root(vector.treeSize))
  }
}

@Test("all 36 published consistency proofs are made and verify")
func publishedConsistency() throws {
  let vectors = Vectors.published
  #expect(vectors.consistencyProofs.count == 36)
  for vector in vectors.consistencyProofs {
    let proof = try ConsistencyProof(from: vector.size1, to: vector.size2, leaves: vectors.leaves)
    #expect(proof.hashes == vector.proof.map(digest))
    try proof.verify(oldRoot: vectors.root(vector.size1), newRoot: vectors.root(vector.size2))
  }
}

/// A digest of what a probe says. Some say hashes of 0, 9 or 12 bytes, which our type cannot hold:
/// each is stood for by a hash of its own, equal to another's where they are equal.
private func standIn(_ hex: String) -> SHA256Digest {
  SHA256Digest(bytes(hex: hex)) ?? plainHash(Array("stands for \(hex)".utf8))
}

@Test("the 98 inclusion probes: 6 accepted, 92 refused")
func inclusionProbes() {
  var accepted: [String] = []
  var notHashes = 0
  for probe in Vectors.published.probesInclusion {
    let hashes = probe.proof ?? []
    if ([probe.leafHash, probe.root] + hashes).contains(where: { $0.count != 64 }) {
      notHashes += 1
      #expect(!probe.accept, "\(probe.id)")
      // An empty leaf hash that equals an empty root: refused by its type alone.
      if probe.id == "inclusion/single-entry/empty-root-and-leaf" { continue }
    }
    let proof = InclusionProof(
      index: probe.leafIndex, size: probe.treeSize, hashes: hashes.map(standIn))
    let refused = refusal { () throws(InclusionProofError) in
      try proof.verify(leaf: standIn(probe.leafHash), root: standIn(probe.root))
    }
    #expect((refused == nil) == probe.accept, "\(probe.id): \(refused?.message ?? "accepted")")
    if refused == nil { accepted.append(probe.id) }
  }
  #expect(Vectors.published.probesInclusion.count == 98)
  #expect(accepted.count == 6)
  #expect(notHashes == 26)
}

@Test("the 98 consistency probes: 6 accepted, 92 refused")
func consistencyProbes() {
  var accepted = 0
  for probe in Vectors.published.probesConsistency {
    let proof = ConsistencyProof(
      oldSize: probe.size1, newSize: probe.size2, hashes: (probe.proof ?? []).map(standIn))
    let refused = refusal { () throws(ConsistencyProofError) in
      try proof.verify(oldRoot: standIn(probe.root1), newRoot: standIn(probe.root2))
    }
    #expect((refused == nil) == probe.accept, "\(probe.id): \(refused?.message ?? "accepted")")
    accepted += refused == nil ? 1 : 0
  }
  #expect(Vectors.published.probesConsistency.count == 98)
  #expect(accepted == 6)
}

@Test("from size 0 nothing is proven, but every head of the log continues it")
func fromNothing() throws {
  let vectors = Vectors.published
  let empty = try Checkpoint(origin: "log", size: 0, root: .emptyRoot)
  let seven = try Checkpoint(origin: "log", size: 7, root: vectors.root(7))
  let eight = try Checkpoint(origin: "log", size: 8, root: vectors.root(8))
  let other = try Checkpoint(origin: "other", size: 8, root: vectors.root(8))
  let fork = try Checkpoint(origin: "log", size: 8, root: vectors.root(7))
  let hashes = try ConsistencyProof(from: 7, to: 8, leaves: vectors.leaves).hashes
  #expect(try ConsistencyProof(from: 0, to: 8, leaves: vectors.leaves).hashes == [])
  try ConsistencyProof.verify([], from: empty, to: seven)
  try ConsistencyProof.verify([], from: empty, to: empty)
  try ConsistencyProof.verify([], from: eight, to: eight)
  try ConsistencyProof.verify(hashes, from: seven, to: eight)

  func verify(
    _ hashes: [SHA256Digest], _ older: Checkpoint, _ newer: Checkpoint
  ) -> ConsistencyProofError? {
    refusal { () throws(ConsistencyProofError) in
      try ConsistencyProof.verify(hashes, from: older, to: newer)
    }
  }
  let expected: [(ConsistencyProofError?, ConsistencyProofError)] = [
    (verify(hashes, empty, seven), .hashCount(found: 4, expected: 0)),
    (verify(hashes, eight, seven), .sizes(old: 8, new: 7)),
    (verify(hashes, seven, other), .origins(old: "log", new: "other")),
    (verify([], eight, fork), .fork(size: 8, one: eight.root, other: fork.root)),
    (verify([], seven, eight), .hashCount(found: 0, expected: 4)),
    (
      verify(hashes, seven, fork), .newRoot(computed: eight.root, expected: fork.root)
    ),
  ]
  for (found, wanted) in expected {
    #expect(found == wanted)
    #expect(found?.message.isEmpty == false)
  }
}

@Test("kept subtree roots are used, and give the same proofs")
func keptSubtrees() throws {
  /// Keeps the roots over four leaves, and refuses to tell a leaf that they make needless.
  struct Kept: LeafHashes {
    let leaves: [SHA256Digest]
    let needed: Range<UInt64>
    let roots: [SHA256Digest]

    func leafHash(at index: UInt64) -> SHA256Digest {
      #expect(needed.contains(index))
      return leaves[Int(index)]
    }

    func subtreeRoot(level: Int, at index: UInt64) -> SHA256Digest? {
      level == 2 ? roots[Int(index)] : nil
    }
  }
  let leaves = (0..<64).map { leafHash([UInt8($0)]) }
  let roots = (0..<16).map { leaves.root(of: UInt64($0) * 4..<UInt64($0) * 4 + 4) }
  let kept = Kept(leaves: leaves, needed: 20..<24, roots: roots)
  #expect(
    try InclusionProof(of: 21, in: 64, leaves: kept)
      == InclusionProof(of: 21, in: 64, leaves: leaves)
  )
  #expect(kept.root(of: 0..<64) == leaves.root(of: 0..<64))
  // Four leaves that are no full subtree of the log.
  let all = Kept(leaves: leaves, needed: 0..<64, roots: roots)
  #expect(all.root(of: 21..<25) == leaves.root(of: 21..<25))
}

@Test("leaf hashes are read in place from a buffer of 32 bytes each")
func leavesInPlace() {
  let vectors = Vectors.published
  let file = vectors.leaves.flatMap(\.bytes)
  file.withUnsafeBytes { raw in
    let digests = raw.bindMemory(to: SHA256Digest.self)
    #expect(digests.root(of: 0..<7) == vectors.root(7))
  }
}

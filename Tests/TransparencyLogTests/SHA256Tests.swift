import Testing

@testable import TransparencyLog

@Test("the published hashes of RFC 6962: empty tree, leaves, node")
func publishedHashes() throws {
  let vectors = Vectors.published
  #expect(vectors.hasherVectors.count == 4)
  for vector in vectors.hasherVectors {
    let found: SHA256Digest
    if let entry = vector.entryHex {
      found = leafHash(bytes(hex: entry))
    } else if let left = vector.leftHex, let right = vector.rightHex {
      found = plainHash([1] + bytes(hex: left) + bytes(hex: right))
    } else {
      found = .emptyRoot
    }
    #expect(found.description == vector.hash, "\(vector.what)")
  }
  #expect(vectors.leafInputsHex.map { leafHash(bytes(hex: $0)) } == vectors.leaves)
  #expect(leafHash([]) != .emptyRoot)
}

@Test("nodes over the published leaves have the published hashes, level by level")
func publishedNodes() {
  var hasher = SHA256()
  var level = Vectors.published.leaves
  for name in ["level1", "level2", "level3"] {
    level = stride(from: 0, to: level.count, by: 2).map { hasher.node(level[$0], level[$0 + 1]) }
    #expect(level == Vectors.published.completeSubtreeHashes[name]?.map(digest))
  }
}

@Test("one context gives the same hashes whatever it made before, in one piece or two")
func reuse() {
  var hasher = SHA256()
  for count in 0..<300 {
    let entry = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + count) }
    let expected = plainHash([0] + entry)
    entry.withUnsafeBufferPointer { entry in
      #expect(hasher.leaf(entry) == expected)
      let middle = count / 3
      let first = UnsafeBufferPointer(rebasing: entry[..<middle])
      let second = UnsafeBufferPointer(rebasing: entry[middle...])
      #expect(hasher.leaf(first, second) == expected)
    }
  }
}

@Test("a digest is 32 bytes in memory, and reads back from bytes and base64")
func digestForms() {
  #expect(MemoryLayout<SHA256Digest>.size == 32)
  #expect(MemoryLayout<SHA256Digest>.stride == 32)
  for (size, text) in Vectors.published.rootsBySizeBase64 {
    let root = Vectors.published.root(UInt64(size)!)
    #expect(root.base64 == text)
    #expect(SHA256Digest(base64: text) == root)
    #expect(SHA256Digest(root.bytes) == root)
  }
  #expect(SHA256Digest([UInt8](repeating: 0, count: 31)) == nil)
  #expect(SHA256Digest([UInt8](repeating: 0, count: 33)) == nil)
}

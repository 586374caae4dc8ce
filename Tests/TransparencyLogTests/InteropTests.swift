// Two folders tie this code to programs that are not ours, since neither can call the other:
//
//     Fixtures/tlog/ours/     what this code writes: compared here to the byte, and accepted by
//                             aics-tlog, hashlib and cryptography in Tests/Interop/test_tlog.py
//     Fixtures/tlog/theirs/   what aics-tlog writes: compared there to the byte, and accepted here
//
// Ed25519 gives the same signature each time, so bytes can be compared. After a change of what is
// written TLOG_REWRITE=1 makes this test write `ours` anew (and `test_tlog.py --rewrite` theirs);
// read the difference before it is committed.
//
// Either log has the entries "entry 0", "entry 1", … and a test key with a known seed.

import Foundation
import Testing

@testable import TransparencyLog

private let folder = fixtures.appending(path: "tlog")

private func file(_ name: String) throws -> [UInt8] {
  Array(try Data(contentsOf: folder.appending(path: name)))
}

private func entry(_ index: UInt64) -> [UInt8] { Array("entry \(index)".utf8) }

private let leaves = (0..<1000).map { leafHash(entry($0)) }

private let inclusions: [(index: UInt64, size: UInt64)] = [
  (0, 1), (2, 7), (6, 7), (99, 100), (640, 1000),
]
private let consistencies: [(old: UInt64, new: UInt64)] = [
  (1, 2), (2, 7), (7, 100), (64, 1000), (100, 1000), (1000, 1000),
]
private let sizes: [UInt64] = [0, 1, 2, 7, 64, 100, 1000]

@Test("what this code writes is what programs that are not ours accepted")
func ours() throws {
  let signer = NoteSigner(name: KeyName("example.com/timeline")!, seed: Array(0..<32))!
  var files: [String: [UInt8]] = ["key.vkey": Array((signer.verifier.vkey + "\n").utf8)]
  func head(_ size: UInt64) throws -> SignedNote {
    try Checkpoint(
      origin: signer.verifier.name.text, size: size, root: leaves.root(of: 0..<size)
    ).signed(by: signer)
  }
  for size in sizes { files["checkpoint-\(size).note"] = try head(size).bytes }
  for (index, size) in inclusions {
    let inclusion = try InclusionProof(of: index, in: size, leaves: leaves)
    let extra = index == 640 ? entry(index) : []
    files["proof-\(index)-\(size).tlog-proof"] =
      try LogProof(
        index: index, hashes: inclusion.hashes, checkpoint: head(size), extra: extra
      ).bytes
  }
  for (old, new) in consistencies {
    let proof = try ConsistencyProof(from: old, to: new, leaves: leaves)
    files["consistency-\(old)-\(new).txt"] = Array(
      proof.hashes.map { $0.base64 + "\n" }.joined().utf8)
  }
  if ProcessInfo.processInfo.environment["TLOG_REWRITE"] != nil {
    for (name, bytes) in files {
      try Data(bytes).write(to: folder.appending(path: "ours/\(name)"))
    }
  }
  for (name, bytes) in files {
    #expect(try bytes == file("ours/\(name)"), "\(name): TLOG_REWRITE=1 writes it anew")
  }
  let there = try FileManager.default.contentsOfDirectory(
    atPath: folder.appending(path: "ours").path)
  #expect(Set(there) == Set(files.keys))
}

@Test("what aics-tlog writes is accepted, and writes back to its bytes")
func theirs() throws {
  let vkey = String(decoding: try file("theirs/key.vkey").dropLast(), as: UTF8.self)
  let key = try NoteVerifier(vkey: vkey)
  #expect(key.vkey == vkey)
  #expect(key == NoteSigner(name: KeyName("example.com/python")!, seed: Array(32..<64))!.verifier)
  func head(_ size: UInt64) throws -> Checkpoint {
    let bytes = try file("theirs/checkpoint-\(size).note")
    let note = try SignedNote(bytes)
    #expect(note.bytes == bytes)
    let head = try Checkpoint(verifying: note, by: key)
    #expect(head.text == note.text)
    return head
  }
  for size in sizes {
    #expect(
      try head(size)
        == Checkpoint(origin: "example.com/python", size: size, root: leaves.root(of: 0..<size)))
  }
  for (index, size) in inclusions {
    let bytes = try file("theirs/proof-\(index)-\(size).tlog-proof")
    let proof = try LogProof(bytes)
    #expect(proof.bytes == bytes)
    #expect(proof.hashes == (try InclusionProof(of: index, in: size, leaves: leaves).hashes))
    #expect(try proof.verify(leaf: leafHash(entry(index)), by: key) == head(size))
    #expect(throws: LogProofError.self) {
      try proof.verify(leaf: leafHash(entry(index + 1)), by: key)
    }
  }
  for (old, new) in consistencies {
    let text = String(decoding: try file("theirs/consistency-\(old)-\(new).txt"), as: UTF8.self)
    let hashes = text.split(separator: "\n").map { SHA256Digest(base64: String($0))! }
    try ConsistencyProof.verify(hashes, from: head(old), to: head(new))
    #expect(hashes == (try ConsistencyProof(from: old, to: new, leaves: leaves).hashes))
  }
  // A head with extension lines, signed by a stranger and cosigned by a witness as well.
  let bytes = try file("theirs/witnessed.note")
  let note = try SignedNote(bytes)
  #expect(note.bytes == bytes)
  #expect(note.signatures.count == 3)
  let witnessed = try Checkpoint(verifying: note, by: key)
  #expect(witnessed == (try head(100)))
  #expect(witnessed.extensions == ["an extension line", "another, é"])
}

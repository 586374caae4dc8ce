// Signed notes, checkpoints, proofs and keys. There is one text for each: what is read writes back to
// the same bytes.

import TimelineModel
import TransparencyLog

enum NoteProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let bytes = Array(input)
    try note(bytes)
    try proof(bytes)
    guard let text = String(validating: input, as: UTF8.self) else { return }
    try checkpoint(ExactText(text))
    try key(text)
  }

  private static func note(_ bytes: [UInt8]) throws(Broken) {
    let note: SignedNote
    do { note = try SignedNote(bytes) } catch {
      try hold(!error.message.isEmpty, "an error without words")
      return
    }
    try hold(note.bytes == bytes, "the note writes back to \(note.bytes)")
    try hold(!note.signatures.isEmpty, "a note without signatures")
    try hold(note.text.bytes.last == 0x0A, "a text that does not end")
    try checkpoint(note.text)
    // A signature costs as much as all else together, a hundred times over: one in sixteen.
    guard bytes.withUnsafeBufferPointer({ CRC32C.of($0) }) % 16 == 0 || note.text == signed.text
    else { return }
    let verified = try? note.verify([signer.verifier])
    try hold(
      verified.map { $0.text == signed.text } ?? (note != signed),
      "the signature is of \(signed.text), and said to be of \(verified?.text as Any)")
  }

  /// Who signed one checkpoint in all time.
  private static let signer = NoteSigner(
    name: KeyName("fuzz")!, seed: [UInt8](repeating: 7, count: 32))!

  private static let signed: SignedNote = {
    guard
      let head = try? Checkpoint(
        origin: "fuzz", size: 1, root: SHA256Digest([UInt8](repeating: 9, count: 32))!)
    else { fatalError("no checkpoint") }
    return head.signed(by: signer)
  }()

  private static func checkpoint(_ text: ExactText) throws(Broken) {
    let head: Checkpoint
    do { head = try Checkpoint(text) } catch {
      try hold(!error.message.isEmpty, "an error without words")
      return
    }
    try hold(head.text == text, "the checkpoint writes back to \(head.text)")
    try hold(head.size <= UInt64(Int64.max), "size \(head.size)")
    try hold(head.size > 0 || head.root == .emptyRoot, "an empty tree of another root")
  }

  private static func proof(_ bytes: [UInt8]) throws(Broken) {
    let proof: LogProof
    do { proof = try LogProof(bytes) } catch {
      try hold(!error.message.isEmpty, "an error without words")
      return
    }
    try hold(proof.bytes == bytes, "the proof writes back to \(proof.bytes)")
    let leaf = SHA256Digest.emptyRoot
    var sizes = [proof.index, proof.index + 1, proof.index &* 2]
    if let head = try? Checkpoint(proof.checkpoint.text) { sizes.append(head.size) }
    for size in sizes {
      // No hashes lead from this leaf to itself, but those of a tree of one.
      let inclusion = InclusionProof(index: proof.index, size: size, hashes: proof.hashes)
      let isIn = (try? inclusion.verify(leaf: leaf, root: leaf)) != nil
      try hold(!isIn || size == 1 && proof.index == 0, "in a tree of \(size)")
      let growth = ConsistencyProof(oldSize: proof.index, newSize: size, hashes: proof.hashes)
      let grew = (try? growth.verify(oldRoot: leaf, newRoot: leaf)) != nil
      try hold(!grew || proof.index == size, "grew from \(proof.index) to \(size), the same")
    }
  }

  private static func key(_ text: String) throws(Broken) {
    let verifier: NoteVerifier
    do { verifier = try NoteVerifier(vkey: text) } catch {
      try hold(!error.message.isEmpty, "an error without words")
      return
    }
    try hold(verifier.vkey.utf8.elementsEqual(text.utf8), "the key writes back to \(verifier)")
  }
}

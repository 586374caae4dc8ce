import Testing

@testable import TransparencyLog

/// The public test key over the published trees; made with Python's cryptography.
enum PublishedHeads {
  static let signatures: [UInt64: String] = [
    0:
      "x08goyw1WL6iZD4GagectIEwy1dBJcu1w1xKzfGPJaPzS+8xGDsAojSszwytUnvMDG2Qs6yQC6sGr2c9X4K9VN/2Mwk=",
    7:
      "x08gozDA2D7IMPl5339ghWaWdMHI1FuM87Bu/YYK9oBwceVF6/ht0QN36iKgI+yAOPXFozUdDVbuzHFVmdCDL4UoAwU=",
    8:
      "x08gozdSgLMzAnw63LH1RGViJhUfW60EUGKY7Kmr004fQNOSqfrcd1hIk3BCtdcLWIqvGtX67sL24VN+44uTlxMnbAA=",
  ]

  static func head(_ size: UInt64) throws(CheckpointError) -> Checkpoint {
    try Checkpoint(origin: "PeterNeumann", size: size, root: Vectors.published.root(size))
  }

  static func note(_ size: UInt64) -> String {
    let root = Vectors.published.rootsBySizeBase64[String(size)]!
    return "PeterNeumann\n\(size)\n\(root)\n\n— PeterNeumann \(signatures[size]!)\n"
  }
}

@Test(
  "heads of sizes 0, 7 and 8 are signed to the known bytes, and read back", arguments: [0, 7, 8])
func knownHeads(size: UInt64) throws {
  let head = try PublishedHeads.head(size)
  let note = head.signed(by: Published.neumannSigner)
  #expect(String(decoding: note.bytes, as: UTF8.self) == PublishedHeads.note(size))
  let read = try SignedNote(note.bytes)
  #expect(try Checkpoint(verifying: read, by: Published.neumannSigner.verifier) == head)
  if size == 8 {
    #expect(note.bytes.count == 171)
    #expect(
      plainHash(note.bytes).description
        == "f06d499ad0059d9a7ba6c6543293a7956ab716027066e3e725f306b5c0f5a473")
  }
}

private let root = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="

@Test("extension lines are kept, and are no part of the head")
func extensions() throws {
  let text: ExactText = "log of ann + co\n8\n\(root)\nmore\n— and more\n"
  let head = try Checkpoint(text)
  #expect(head.extensions == ["more", "— and more"])
  #expect(head.text == text)
  #expect(head == (try Checkpoint("log of ann + co\n8\n\(root)\n")))
  #expect(Set([head, try Checkpoint("log of ann + co\n8\n\(root)\n")]).count == 1)
  #expect(head != (try Checkpoint("log of ann + co\n9\n\(root)\n")))
  #expect(head != (try Checkpoint("log of ann & co\n8\n\(root)\n")))
}

@Test("the largest size is 2^63 - 1")
func largestSize() throws {
  let head = try Checkpoint("log\n9223372036854775807\n\(root)\n")
  #expect(head.size == UInt64(Int64.max))
  #expect(head.text == "log\n9223372036854775807\n\(root)\n")
}

@Test(
  "what is no checkpoint is refused with its place",
  arguments: [
    ("", .lineEnd), ("log\n8\n\(root)", .lineEnd), ("log\n8\n", .lineCount(2)),
    ("\n", .emptyLine(1)),
    ("\n8\n\(root)\n", .emptyLine(1)), ("log\n\n\(root)\n", .emptyLine(2)),
    ("log\n8\n\n", .emptyLine(3)), ("log\n8\n\(root)\n\n", .emptyLine(4)),
    ("log\n8\n\(root)\nmore\n\nmore\n", .emptyLine(5)),
    ("log\r\n8\r\n\(root)\r\n", .controlByte(0x0D, offset: 3)),
    ("log\n08\n\(root)\n", .size("08")), ("log\n00\n\(root)\n", .size("00")),
    ("log\n+8\n\(root)\n", .size("+8")), ("log\n-8\n\(root)\n", .size("-8")),
    ("log\n 8\n\(root)\n", .size(" 8")), ("log\n8 \n\(root)\n", .size("8 ")),
    ("log\n0x8\n\(root)\n", .size("0x8")), ("log\n٨\n\(root)\n", .size("٨")),
    ("log\n9223372036854775808\n\(root)\n", .size("9223372036854775808")),
    ("log\n18446744073709551616\n\(root)\n", .size("18446744073709551616")),
    // 31 and 33 bytes; other last bits; no padding; hexadecimal; base64url; a space.
    (
      "log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQw==\n",
      .root("XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQw==")
    ),
    (
      "log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQygA\n",
      .root("XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQygA")
    ),
    (
      "log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyh=\n",
      .root("XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyh=")
    ),
    (
      "log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg\n",
      .root("XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg")
    ),
    (
      "log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz-Nw7_RgQyg=\n",
      .root("XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz-Nw7_RgQyg=")
    ),
    ("log\n8\n\(root) \n", .root(ExactText(root + " "))),
    ("log\n0\n\(root)\n", .emptyRoot(SHA256Digest(base64: root)!)),
  ] as [(String, CheckpointError)])
func noCheckpoints(text: String, expected: CheckpointError) {
  let found = refusal { () throws(CheckpointError) in try Checkpoint(ExactText(text)) }
  #expect(found == expected, "\(text.debugDescription)")
  #expect(found?.message.isEmpty == false)
}

@Test("a head that could not be read back is not made")
func unwritable() {
  func make(
    _ origin: ExactText, _ size: UInt64, _ extensions: [ExactText] = []
  ) -> CheckpointError? {
    refusal { () throws(CheckpointError) in
      try Checkpoint(
        origin: origin, size: size, root: Vectors.published.root(8), extensions: extensions)
    }
  }
  #expect(make("", 8) == .origin)
  #expect(make("a\nb", 8) == .origin)
  #expect(make("a\r", 8) == .origin)
  #expect(make("a", 1 << 63) == .size("9223372036854775808"))
  #expect(make("a", 0) == .emptyRoot(Vectors.published.root(8)))
  #expect(make("a", 8, ["x", ""]) == .emptyLine(5))
  #expect(make("a", 8, ["x\ny"]) == .emptyLine(4))
}

@Test("a head is of the log that was asked for, and its signer's, or it is refused")
func whoseHead() throws {
  let signer = Published.neumannSigner
  let other = try Checkpoint(origin: "other", size: 8, root: Vectors.published.root(8))
  let note = other.signed(by: signer)
  #expect(
    try Checkpoint(verifying: note, by: signer.verifier, origin: "other") == other)
  #expect(
    refusal { () throws(CheckpointError) in
      try Checkpoint(verifying: note, by: signer.verifier)
    } == .otherOrigin(found: "other", expected: "PeterNeumann"))
  let stranger = try verifier(Published.exampleKey)
  #expect(
    refusal { () throws(CheckpointError) in
      try Checkpoint(verifying: note, by: stranger, origin: "other")
    } == .note(.noKnownSignature(signers: ["PeterNeumann+c74f20a3"])))
}

// A log's head at some size (c2sp.org/tlog-checkpoint), the text of a signed note:
//
//     example.com/behind-the-sofa                     origin: which log
//     20852163                                        size: how many leaves
//     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=    root of the tree of that size, base64
//     …                                               perhaps lines of others; ours have none
//
// One text for one head: a leading zero, another base64, 31 bytes are refused, so that two readers
// never take different heads from one note. A log signs one root for a size, ever.

/// Why a text is no checkpoint, or is not the one that was asked for.
public enum CheckpointError: Error, Sendable, Hashable {
  case lineEnd
  case lineCount(Int)
  case emptyLine(Int)
  case controlByte(UInt8, offset: Int)
  case origin
  case size(ExactText)
  case root(ExactText)
  case emptyRoot(SHA256Digest)
  case otherOrigin(found: ExactText, expected: ExactText)
  case note(NoteError)

  public var message: String {
    switch self {
    case .lineEnd: "the checkpoint does not end in LF: part of it is missing"
    case .lineCount(let count):
      "\(count) lines; a checkpoint has three or more: origin, size, root"
    case .emptyLine(let line): "line \(line) of the checkpoint is empty, or no single line"
    case .controlByte(let byte, let offset):
      "byte \(byte) at offset \(offset); a checkpoint has no control byte but LF"
    case .origin: "the origin is empty, or has a line end or a control byte"
    case .size(let text):
      "line 2 of the checkpoint says size \"\(text)\"; a size is a number up to "
        + "\(CanonicalDecimal.largest) without leading zeros"
    case .root(let text):
      "line 3 of the checkpoint says root \"\(text)\"; a root is the 44 characters of base64 of 32 "
        + "bytes"
    case .emptyRoot(let root):
      "size 0 with root \(root.base64); the empty tree has root \(SHA256Digest.emptyRoot.base64)"
    case .otherOrigin(let found, let expected):
      "the checkpoint is of log \"\(found)\", not of \"\(expected)\": take that log's"
    case .note(let error): error.message
    }
  }
}

/// A log's head. Two are equal where origin, size and root are: signatures and extension lines say
/// nothing of what the log holds.
public struct Checkpoint: Sendable, Hashable {
  /// Which log: not empty; should be an address without `https://`.
  public let origin: ExactText
  /// Number of leaves, up to 2^63 - 1.
  public let size: UInt64
  public let root: SHA256Digest
  /// Lines of whatever meaning after the root, kept as they stand.
  public let extensions: [ExactText]

  public init(
    origin: ExactText, size: UInt64, root: SHA256Digest, extensions: [ExactText] = []
  ) throws(CheckpointError) {
    guard Self.isLine(origin) else { throw .origin }
    guard size <= CanonicalDecimal.largest else { throw .size(ExactText(String(size))) }
    guard size > 0 || root == .emptyRoot else { throw .emptyRoot(root) }
    for (index, line) in extensions.enumerated() where !Self.isLine(line) {
      throw .emptyLine(4 + index)
    }
    self.origin = origin
    self.size = size
    self.root = root
    self.extensions = extensions
  }

  /// Reads a note's text, not knowing whether it is signed.
  public init(_ text: ExactText) throws(CheckpointError) {
    if let (byte, offset) = text.controlByte { throw .controlByte(byte, offset: offset) }
    let utf8 = text.string.utf8
    guard utf8.last == 0x0A else { throw .lineEnd }
    let lines = utf8.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
      .map { ExactText(String(Substring($0))) }
    if let empty = lines.firstIndex(where: \.string.isEmpty) { throw .emptyLine(empty + 1) }
    guard lines.count >= 3 else { throw .lineCount(lines.count) }
    guard let size = CanonicalDecimal.parse(lines[1].string.utf8) else { throw .size(lines[1]) }
    guard let root = SHA256Digest(base64: lines[2].string) else { throw .root(lines[2]) }
    try self.init(
      origin: lines[0], size: size, root: root, extensions: Array(lines.dropFirst(3)))
  }

  /// Reads a note that the key signed, of the log that is named; unless it is, the key's own name.
  public init(
    verifying note: SignedNote, by verifier: NoteVerifier, origin: ExactText? = nil
  ) throws(CheckpointError) {
    let verified: VerifiedNote
    do throws(NoteError) {
      verified = try note.verify([verifier])
    } catch {
      throw .note(error)
    }
    try self.init(verified.text)
    let expected = origin ?? verifier.name.text
    guard self.origin == expected else {
      throw .otherOrigin(found: self.origin, expected: expected)
    }
  }

  /// The text that is signed, LF at its end.
  public var text: ExactText {
    ExactText(
      "\(origin)\n\(size)\n\(root.base64)\n" + extensions.map { "\($0)\n" }.joined())
  }

  /// Makes the note. The caller has made the lines durable, and has signed no other root for
  /// this size, nor a head that this one does not continue.
  public func signed(by signer: NoteSigner) -> SignedNote {
    do {
      return try SignedNote(signing: text, by: [signer])
    } catch {
      stop("a checkpoint is a text to sign, but: \(error.message)")
    }
  }

  public static func == (one: Checkpoint, other: Checkpoint) -> Bool {
    one.origin == other.origin && one.size == other.size && one.root == other.root
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(origin)
    hasher.combine(size)
    hasher.combine(root)
  }

  private static func isLine(_ text: ExactText) -> Bool {
    !text.string.isEmpty && text.string.utf8.allSatisfy { $0 >= 0x20 }
  }
}

// That one entry is in a log, in a file that is checked with the log's key alone, offline
// (c2sp.org/tlog-proof). The bytes in full:
//
//     c2sp.org/tlog-proof@v1
//     extra <base64>                                   optional, not authenticated
//     index 2                                          the entry's index, from 0
//     B1Bqhf2d0vEg62lPhgEeW7RmLlxBWmKRcDPUqWJEh+c=     its sibling first
//     +sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=
//     g327FS6bB5AQcX6E6GXaTrwPoZioBtWdMb8VrM7yLQ4=
//
//     PeterNeumann                                     the checkpoint, a signed note as it stands
//     7
//     3bib5AOAnjJXUNPSY814kpwpQreUKjS3fhIslZSnTIw=
//
//     — PeterNeumann x08gozDA2D7IMPl5339ghWaWdMHI1FuM87Bu/YYK9oBwceVF6/ht0QN36iKgI+yAOPXFoz…AwU=
//
// The entry's hash is not in it: a verifier makes it from what is to be proven. The size is the
// checkpoint's, and nobody else's.

/// Why a text is no proof, or does not prove it. `line` counts from 1.
public enum LogProofError: Error, Sendable, Hashable {
  case utf8
  case header
  case noCheckpoint
  case extra(line: Int)
  case index(line: Int)
  case hash(line: Int)
  case hashCount(Int)
  case note(NoteError)
  case checkpoint(CheckpointError)
  case inclusion(InclusionProofError)

  public var message: String {
    switch self {
    case .utf8: "the proof is not UTF-8: it was damaged, or is no proof"
    case .header:
      "line 1 is not \"\(LogProof.header)\": this is no proof, or one of another version"
    case .noCheckpoint: "there is no empty line with a checkpoint below it: the proof was cut"
    case .extra(let line): "line \(line): after \"extra \" stands no base64 as RFC 4648 writes it"
    case .index(let line):
      "line \(line) is not \"index \" and a number up to \(CanonicalDecimal.largest) without "
        + "leading zeros"
    case .hash(let line): "line \(line) is not the 44 characters of base64 of a 32-byte hash"
    case .hashCount(let count):
      "\(count) hashes; no tree needs more than \(LogProof.hashCountMax)"
    case .note(let error): "the checkpoint below the proof: \(error.message)"
    case .checkpoint(let error): "the checkpoint below the proof: \(error.message)"
    case .inclusion(let error): error.message
    }
  }
}

/// A proof as it came, well-formed; `verify` says whether it proves anything.
public struct LogProof: Sendable, Hashable {
  static let header = "c2sp.org/tlog-proof@v1"
  /// A tree of 2^63 - 1 leaves needs no more.
  static let hashCountMax = 63

  /// Whatever the maker added; empty for none. Nothing proves it.
  public let extra: [UInt8]
  /// The entry's index in the log, from 0.
  public let index: UInt64
  /// The leaf's sibling first, at most 63.
  public let hashes: [SHA256Digest]
  public let checkpoint: SignedNote

  /// Puts a proof together; it is not checked against the checkpoint.
  public init(
    index: UInt64, hashes: [SHA256Digest], checkpoint: SignedNote, extra: [UInt8] = []
  ) throws(LogProofError) {
    guard index <= CanonicalDecimal.largest else { throw .index(line: extra.isEmpty ? 2 : 3) }
    guard hashes.count <= Self.hashCountMax else { throw .hashCount(hashes.count) }
    self.index = index
    self.hashes = hashes
    self.checkpoint = checkpoint
    self.extra = extra
  }

  /// Reads a whole file.
  public init(_ bytes: [UInt8]) throws(LogProofError) {
    var rest = bytes[...]
    func nextLine() throws(LogProofError) -> ArraySlice<UInt8> {
      guard let end = rest.firstIndex(of: 0x0A) else { throw .noCheckpoint }
      defer { rest = rest[(end + 1)...] }
      return rest[..<end]
    }
    func after(_ word: String, _ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
      line.starts(with: word.utf8) ? line.dropFirst(word.utf8.count) : nil
    }
    guard let first = try? nextLine(), first.elementsEqual(Self.header.utf8) else {
      throw .header
    }
    var number = 2
    var line = try nextLine()
    var extra: [UInt8] = []
    if let text = after("extra ", line) {
      guard let bytes = Base64.decode(text), !bytes.isEmpty else { throw .extra(line: number) }
      extra = bytes
      line = try nextLine()
      number += 1
    }
    guard let text = after("index ", line), let index = CanonicalDecimal.parse(text) else {
      throw .index(line: number)
    }
    var hashes: [SHA256Digest] = []
    while true {
      line = try nextLine()
      number += 1
      if line.isEmpty { break }
      guard let bytes = Base64.decode(line), let hash = SHA256Digest(bytes) else {
        throw .hash(line: number)
      }
      hashes.append(hash)
      guard hashes.count <= Self.hashCountMax else { throw .hashCount(hashes.count) }
    }
    let checkpoint: SignedNote
    do throws(NoteError) {
      checkpoint = try SignedNote(Array(rest))
    } catch {
      throw .note(error)
    }
    try self.init(index: index, hashes: hashes, checkpoint: checkpoint, extra: extra)
  }

  /// The whole file.
  public var bytes: [UInt8] {
    let lines =
      [Self.header] + (extra.isEmpty ? [] : ["extra " + Base64.encode(extra)])
      + ["index \(index)"] + hashes.map(\.base64) + [""]
    return Array(lines.map { $0 + "\n" }.joined().utf8) + checkpoint.bytes
  }

  /// Succeeds only where the key signed the checkpoint, of the log that is named (unless it is, the
  /// key's own name), and that checkpoint's tree has this leaf hash at `index`. Returns the head.
  @discardableResult
  public func verify(
    leaf: SHA256Digest, by verifier: NoteVerifier, origin: ExactText? = nil
  ) throws(LogProofError) -> Checkpoint {
    let head: Checkpoint
    do throws(CheckpointError) {
      head = try Checkpoint(verifying: checkpoint, by: verifier, origin: origin)
    } catch {
      throw .checkpoint(error)
    }
    do throws(InclusionProofError) {
      try InclusionProof(index: index, size: head.size, hashes: hashes)
        .verify(leaf: leaf, root: head.root)
    } catch {
      throw .inclusion(error)
    }
    return head
  }
}

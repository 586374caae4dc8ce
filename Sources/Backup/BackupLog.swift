// One log of a backup: how many lines it has, which of them are missing, and the root of its tree, which
// its signed head has to be of. The head is checked with the key that the log itself names: that shows
// that the lines are those that were signed, not by whom.
//
//     LOG {"replica":"<36>","lines":665,"head":"origin\n665\n…"}

import TimelineModel
import TransparencyLog

public struct BackupLog: Sendable {
  public let replica: ReplicaID
  /// As many as the log had, those that are missing included.
  public let lines: UInt64
  /// The newest signed head, as a note; nil where the log had none.
  public let head: String?

  /// Lines that are there.
  public private(set) var present: UInt64 = 0
  /// Lines whose body was erased.
  public private(set) var stubs = 0
  /// The first runs of lines that were damaged when the backup was made.
  public private(set) var gaps: [ClosedRange<UInt64>] = []

  /// So many gaps are named.
  private static let gapsMax = 100

  private let note: SignedNote?
  private let checkpoint: Checkpoint?
  /// What heads are signed with, once a line has said it.
  public private(set) var key: NoteVerifier?
  /// The number of the newest line.
  private(set) var seq: UInt64 = 0
  private var recorded: RecordedTime?
  /// Over the lines before the first gap.
  private var tree = TreeFrontier()

  public var missing: UInt64 { lines - present }

  /// Lines before the first gap: those that can be restored.
  public var usable: UInt64 { gaps.first.map { $0.lowerBound - 1 } ?? lines }

  /// The root over all lines; nil where some are missing.
  public var root: SHA256Digest? { tree.size == lines ? tree.root : nil }

  /// How many lines the signed head is of; nil where there is none.
  public var headSize: UInt64? { checkpoint?.size }

  /// Whether the signed head was found to be that of the lines: where some of them are missing, nobody
  /// can say.
  public var isHeadChecked: Bool {
    key != nil && checkpoint.map { $0.size <= usable } ?? false
  }

  init(replica: ReplicaID, lines: UInt64, head: String?) throws(BackupError) {
    self.replica = replica
    self.lines = lines
    self.head = head
    guard let head else {
      (note, checkpoint) = (nil, nil)
      return
    }
    do throws(NoteError) { note = try SignedNote(Array(head.utf8)) } catch {
      throw .head(replica, error.message)
    }
    do throws(CheckpointError) { checkpoint = try Checkpoint(note!.text) } catch {
      throw .head(replica, error.message)
    }
    guard checkpoint!.size <= lines else {
      throw .head(replica, "it is of \(checkpoint!.size) lines, the log has \(lines)")
    }
    try compareHead()
  }

  /// Takes the next line that is there.
  mutating func take(
    _ line: Line, _ text: UnsafeBufferPointer<UInt8>, _ hasher: inout SHA256
  ) throws(BackupError) {
    guard line.replica == replica else {
      throw .otherLog(expected: replica, found: line.replica)
    }
    guard line.seq > seq else { throw .order(replica, after: seq, found: line.seq) }
    guard line.seq <= lines else { throw .tooMany(replica, lines: lines) }
    if let recorded, line.recorded <= recorded { throw .notRising(replica, seq: line.seq) }
    skip(to: line.seq)
    seq = line.seq
    recorded = line.recorded
    present += 1
    if line.isStub { stubs += 1 }
    guard gaps.isEmpty else { return }
    tree.append(line.leaf(of: text, using: &hasher), using: &hasher)
    try compareHead()
  }

  /// Takes what a line says that the log's heads are signed with; the first one counts.
  mutating func name(_ key: NoteVerifier) {
    if self.key == nil { self.key = key }
  }

  /// No line follows.
  mutating func end(of timeline: TimelineID) throws(BackupError) {
    skip(to: lines + 1)
    guard let note else { return }
    guard let key else {
      guard !gaps.isEmpty else { throw .head(replica, "the log names no key for it") }
      return
    }
    do throws(CheckpointError) {
      let name = KeyName(log: replica, of: timeline)
      guard key.name == name else {
        throw .otherOrigin(found: key.name.text, expected: name.text)
      }
      _ = try Checkpoint(verifying: note, by: key)
    } catch { throw .head(replica, error.message) }
  }

  private mutating func skip(to next: UInt64) {
    guard next > seq + 1, gaps.count < Self.gapsMax else { return }
    gaps.append(seq + 1...next - 1)
  }

  private func compareHead() throws(BackupError) {
    guard let checkpoint, checkpoint.size == tree.size else { return }
    let root = tree.root
    guard checkpoint.root == root else {
      throw .headRoot(replica, size: tree.size, signed: checkpoint.root, computed: root)
    }
  }
}

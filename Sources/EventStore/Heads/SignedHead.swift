// The head of a log as its machine signed it: how many lines, and the root of their tree. It is kept
// next to the segments in the form that tools of others read (c2sp.org/tlog-checkpoint):
//
//     logs/REPLICA/checkpoint     the newest one

import TimelineModel
import TransparencyLog

public struct SignedHead: Sendable {
  public let checkpoint: Checkpoint
  /// The signed note that says so, as it stands in the file.
  public let note: SignedNote

  public var size: UInt64 { checkpoint.size }
  public var root: SHA256Digest { checkpoint.root }

  /// What a log's heads and its machine's key are called.
  public static func name(_ replica: ReplicaID, of timeline: TimelineID) -> KeyName {
    KeyName(log: replica, of: timeline)
  }

  /// Why a note is not the head of a log.
  public enum Refusal: Error, Sendable, Hashable {
    case note(NoteError)
    case checkpoint(CheckpointError)

    public var message: String {
      switch self {
      case .note(let error): error.message
      case .checkpoint(let error): error.message
      }
    }
  }

  /// Reads a note that the key signed, of the log that the key is named after.
  public init(_ bytes: [UInt8], by key: NoteVerifier) throws(Refusal) {
    do throws(NoteError) { note = try SignedNote(bytes) } catch { throw .note(error) }
    do throws(CheckpointError) {
      checkpoint = try Checkpoint(verifying: note, by: key)
    } catch { throw .checkpoint(error) }
  }

  init(signing checkpoint: Checkpoint, by signer: NoteSigner) {
    self.checkpoint = checkpoint
    note = checkpoint.signed(by: signer)
  }

  /// The bytes of a log's head on disk; nil where there is none yet.
  static func read(
    _ replica: ReplicaID, in directory: String, _ fileSystem: some FileSystem
  ) throws(FileError) -> [UInt8]? {
    try fileSystem.read(path(replica, directory))
  }

  /// How many lines a log's head on disk is over; 0 where there is none, or none to rely on.
  static func size(
    of replica: ReplicaID, by key: NoteVerifier?, in directory: String,
    _ fileSystem: some FileSystem
  ) -> UInt64 {
    guard let key, let bytes = try? read(replica, in: directory, fileSystem),
      let size = (try? SignedHead(bytes, by: key))?.size, size <= LineLimits.seqMax
    else { return 0 }
    return size
  }

  func write(
    _ replica: ReplicaID, in directory: String, _ fileSystem: some FileSystem
  ) throws(FileError) {
    try fileSystem.replace(Self.path(replica, directory), with: note.bytes)
  }

  private static func path(_ replica: ReplicaID, _ directory: String) -> String {
    "\(directory)/logs/\(replica)/checkpoint"
  }
}

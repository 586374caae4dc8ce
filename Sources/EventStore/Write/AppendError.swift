// Why an event was not taken, with what to do. The wire maps each case to one ERR word.

import TimelineModel

public enum AppendError: Error, Sendable, Hashable {
  case notJSON(JSONError)
  case badEvent(EventError)
  /// An event of that id says something else already.
  case exists(EventID)
  /// A correction or retraction of an event that is not here.
  case unknownEvent(EventID)
  /// A snapshot to cite has that name.
  case nameTaken(SnapshotName, EventID)
  /// An event whose words are gone already.
  case wasErased(EventID, by: ReplicaID, UInt64)
  case wrongPosition(Position)
  case tooLarge(Int)
  case full(FileError)
  /// Something that passes by itself.
  case busy(FileError)
  case readOnly(String)
  /// A kind of line that this version does not make.
  case unsupported(String)
  /// This machine's device is a member with the role `read`, or is one no more.
  case notAllowed(Role?)

  public var message: String {
    switch self {
    case .notJSON(let error): "not the JSON of an event: \(error.message)"
    case .badEvent(let error): error.text
    case .exists(let id):
      "\(id) is there already and says something else; to change it, correct it"
    case .unknownEvent(let id): "no event \(id) here; look it up with the first digits of its id"
    case .nameTaken(let name, let id):
      "a snapshot is named \(name) already: \(id); give the new one another name"
    case .wasErased(let id, let replica, let seq):
      "\(id) was erased already, by line \(seq) of replica \(replica)"
    case .wrongPosition(let position): "the log stands at \(position.json.text)"
    case .tooLarge(let bytes):
      "the line would have \(bytes) bytes, a line has at most \(LineLimits.lineBytesMax); "
        + "put long texts into a source that the event cites"
    case .full(let error): "\(error.message); free some space, then send it again"
    case .busy(let error): "\(error.message); send it again in a moment"
    case .unsupported(let what): "\(what) events are not made by this version"
    case .notAllowed(let role?):
      "this machine has the role \(role.rawValue) in this timeline, and records nothing; ask an admin for a code "
        + "with the role write, for a new device"
    case .notAllowed(nil):
      "this machine's device is a member of the timeline no more, so nothing that it records would count"
    case .readOnly(let reason): "\(reason); restart timelined once the disk is well"
    }
  }
}

/// Why lines from another machine were not taken.
public enum IngestError: Error, Sendable, Hashable {
  case line(seq: UInt64, LineError)
  case wrongReplica(expected: ReplicaID, found: ReplicaID)
  case wrongSeq(expected: UInt64, found: UInt64)
  /// The recorded times of one replica rise strictly.
  case notRising(seq: UInt64)
  /// Another line of that number is here already.
  case fork(seq: UInt64)
  /// A line of our own log that we never wrote, from a time that has not come.
  case notOurs(seq: UInt64)
  /// A timeline can have no more logs: what names a line has room for so many.
  case tooManyLogs(ReplicaID, max: Int)
  /// A log that stands on the disk and was not read: it was put there while the timeline was open.
  case unread(ReplicaID)
  /// Lines that no signed head was named for.
  case noHead(ReplicaID)
  /// A log that begins with no line of a member's device.
  case noMember(ReplicaID)
  /// A log whose first line names no key.
  case noKey(ReplicaID)
  case badHead(ReplicaID, SignedHead.Refusal)
  /// The signed head of so many lines is that of other ones.
  case notUnderHead(ReplicaID, size: UInt64)
  /// Damaged lines here keep the tree of the log from being known.
  case treeUnknown(ReplicaID)
  case disk(AppendError)

  public var message: String {
    switch self {
    case .line(let seq, let error): "line \(seq): \(error.message)"
    case .wrongReplica(let expected, let found):
      "a line of replica \(found) among those of \(expected)"
    case .wrongSeq(let expected, let found): "line \(found) where \(expected) was due"
    case .notRising(let seq): "line \(seq) was recorded before the one ahead of it"
    case .fork(let seq):
      "fork: there is another line \(seq) here; the replica's id was used twice (a copied disk, an old "
        + "backup put back)"
    case .notOurs(let seq):
      "line \(seq) claims to be of the log that is written here, and comes from the future"
    case .tooManyLogs(let replica, let max):
      "replica \(replica) is not taken: this timeline has \(max) replicas, and can have no more"
    case .unread(let replica):
      "replica \(replica) is not taken: its directory was put there while timelined ran, and is not read yet; "
        + "restart timelined"
    case .noHead(let replica):
      "lines of replica \(replica) came without the signed head that they are under"
    case .noMember(let replica):
      "replica \(replica) is not taken: line 1 shows no device that may write in this timeline"
    case .noKey(let replica):
      "the first line of replica \(replica) names no key, so nobody can sign its lines"
    case .badHead(let replica, let refusal):
      "the signed head of replica \(replica) cannot be relied on: \(refusal.message)"
    case .notUnderHead(let replica, let size):
      "the signed head of the first \(size) lines of replica \(replica) is that of other lines than came"
    case .treeUnknown(let replica):
      "lines of replica \(replica) are damaged here, so new ones cannot be checked"
    case .disk(let error): error.message
    }
  }
}

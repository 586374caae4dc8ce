// Why a file is no backup, or none that can be relied on.

import TimelineModel
import TransparencyLog

public enum BackupError: Error, Sendable, Hashable {
  /// It does not begin as a backup does.
  case notABackup
  case version(String)
  case compression(String)
  /// It ends before its last line.
  case cut
  case extraData
  case tooLong(line: Int)
  /// A line of the file is none that has a place there.
  case form(line: Int, String)
  /// An event's line is not what was written.
  case event(ReplicaID, seq: UInt64, LineError)
  case notJSON(line: Int, JSONError)
  case otherLog(expected: ReplicaID, found: ReplicaID)
  case order(ReplicaID, after: UInt64, found: UInt64)
  case tooMany(ReplicaID, lines: UInt64)
  case notRising(ReplicaID, seq: UInt64)
  case head(ReplicaID, String)
  case headRoot(ReplicaID, size: UInt64, signed: SHA256Digest, computed: SHA256Digest)
  case count(stated: Int, found: Int)
  case hash

  public var message: String {
    switch self {
    case .notABackup: "it is no backup of timelinectl"
    case .version(let version):
      "it is a backup of version \(version.prefix(20)), this program reads version 1: install a newer one"
    case .compression(let reason): "its compressed data is damaged (\(reason))"
    case .cut: "it ends too early: part of it is missing"
    case .extraData: "there is more behind its end: it is not the file that was written"
    case .tooLong(let line): "line \(line) is longer than any line of a backup"
    case .form(let line, let what): "line \(line) is wrong: \(what)"
    case .event(let replica, let seq, let error):
      "the line after line \(seq) of replica \(replica): \(error.message)"
    case .notJSON(let line, let error): "line \(line) is not JSON: \(error.message)"
    case .otherLog(let expected, let found):
      "a line of replica \(found) stands among those of replica \(expected)"
    case .order(let replica, let after, let found):
      "line \(found) of replica \(replica) stands behind its line \(after)"
    case .tooMany(let replica, let lines): "replica \(replica) has more lines than its \(lines)"
    case .notRising(let replica, let seq):
      "line \(seq) of replica \(replica) was not recorded later than the line before it"
    case .head(let replica, let reason): "the signed head of replica \(replica): \(reason)"
    case .headRoot(let replica, let size, let signed, let computed):
      "the first \(size) lines of replica \(replica) have root \(computed.base64), its signed head says "
        + "\(signed.base64): these are not the lines that were signed"
    case .count(let stated, let found): "it says that it has \(stated) lines, and has \(found)"
    case .hash: "its bytes are not those that its last line is the hash of"
    }
  }
}

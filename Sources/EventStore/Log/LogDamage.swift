// What may be wrong with a log, and the words for it.

import TimelineModel

/// What a start found wrong in a log.
public struct LogDamage: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// The end of the newest segment held no whole line: a write that was never acknowledged.
    /// It was cut off, and its bytes kept next to the segment; or, on a full disk, it will be, with the
    /// next append for which there is room.
    case tornTail(bytes: Int, isCut: Bool = true)
    /// Lines that are no lines any more. They stay where they are, and are served by no one.
    case lines(first: UInt64, last: UInt64, reason: String)
    /// Bytes between two good lines in a row: no line is missing, these are too many.
    case stray(bytes: Int)
    /// A file among the segments that cannot be one.
    case stranger
    /// A log beyond as many as a timeline can have: it is not read.
    case leftOut(max: Int)
  }

  public var replica: ReplicaID
  public var file: String
  public var offset: Int
  public var kind: Kind

  public var message: String {
    switch kind {
    case .tornTail(let bytes, isCut: false):
      "\(file): \(bytes) bytes at \(offset) are the unfinished end of a write that was never "
        + "acknowledged; the disk is too full to keep them aside, so they stay until an append finds room"
    case .tornTail(let bytes, isCut: true):
      "\(file): cut \(bytes) bytes at \(offset), the unfinished end of a write that was never "
        + "acknowledged, and kept them beside it as .torn"
    case .lines(let first, let last, let reason):
      "\(file): lines \(first) to \(last) of replica \(replica) at byte \(offset) are damaged "
        + "(\(reason)); they are left as they are, everything else is served"
    case .stray(let bytes):
      "\(file): \(bytes) bytes at \(offset) stand between two lines and are none; they are passed over"
    case .stranger:
      "\(file): no segment of this log, by its name; it is left alone, move it away"
    case .leftOut(let max):
      "\(file): a timeline has at most \(max) logs; this one is not read, and left as it is"
    }
  }
}

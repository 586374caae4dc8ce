// What the engine wants done, in this order. An effect of the one connection never overtakes another
// of the same.

import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

public enum Effect: Sendable {
  case send(ConnectionID, [UInt8])
  /// Whether its bytes are to be read.
  case read(ConnectionID, Bool)
  /// Ends it once what was sent has gone out. Nothing more is said of it on either side.
  case close(ConnectionID)
  /// Connects to a peer: `dialed` or `closed` comes of it. At any address but the loopback's the device that
  /// answers has to be the expected one.
  case dial(ConnectionID, PeerAddress, expected: SHA256Digest?)
  /// Makes lines durable: `written` comes of it. The replies that it pays for lie inside.
  case write(Write)
  /// Does work on another thread: `finished` comes of it.
  case run(JobID, Work)
  /// Nobody waits for a job any more; it may end early, and its result is not looked at.
  case cancel(JobID)
  /// There is more to do as soon as what has come meanwhile was looked at.
  case again
  /// Wants a step by then at the latest, in microseconds of the monotonic clock; nil: only by inputs.
  /// Counts until the next one.
  case wake(at: Int64?)
  case log(LogLevel, String)
  case stopped
}

public enum LogLevel: Sendable {
  case error, warning, info
}

/// Lines of one timeline that are to become durable, and what is promised for that.
public struct Write: Sendable {
  public let timeline: TimelineID
  public let commit: Commit
  let promises: [Promise]

  /// Bytes that are to be written: what tells a driver where to do it.
  public var bytes: Int { commit.bytes }

  /// Does it; on any thread.
  public func perform() -> Written {
    Written(timeline: timeline, done: commit.perform(), promises: promises)
  }
}

/// What came of a write.
public struct Written: Sendable {
  public let timeline: TimelineID
  let done: Commit.Done
  let promises: [Promise]
}

/// What a connection is sent once a write has come back. It exists within the write alone, so nothing
/// can be acknowledged before it is durable.
struct Promise: Sendable {
  enum Kind: Sendable {
    case appended(Timeline.Staged)
    case appendedMany([Timeline.Staged])
    /// A snapshot to cite.
    case snapshot(Timeline.Staged, NamedSnapshot)
    case erased(Timeline.Staged)
    /// Lines of a peer: it is told that they are durable. The head becomes known where they end with it; the
    /// note is looked at where all of them were here before.
    case took(ReplicaID, last: UInt64, TakenHead?)
    /// A device is a member: it is told so.
    case joined(SyncJoined, addresses: [String])
  }

  enum TakenHead: Sendable {
    case checked(SignedHead)
    case unchecked(note: [UInt8])
  }

  let connection: ConnectionID
  let kind: Kind
}

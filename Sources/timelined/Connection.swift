// One client: its bytes in and out, and what it is waiting for. It decides nothing; Router does.

import CLinux
import EventStore
import Glibc
import Synchronization
import TimelineModel
import TimelineWire

/// Which connection: a number is never used again, as descriptors are.
struct ConnectionID: Sendable, Equatable {
  var descriptor: Int32
  var number: Int
}

/// A word that other threads read.
final class Flag: Sendable {
  private let state: Atomic<Bool>
  init(_ value: Bool) { state = Atomic(value) }
  var value: Bool { state.load(ordering: .relaxed) }
  func clear() { state.store(false, ordering: .relaxed) }
}

final class Connection {
  /// What an append will be answered with, once its batch is durable.
  enum Deferred {
    case appended(Timeline.Staged)
    case appendedMany([Timeline.Staged])
    /// A snapshot to cite.
    case snapshot(Timeline.Staged, NamedSnapshot)
    case erased(Timeline.Staged)
    case ready([UInt8])
    /// Lines of a peer: it is told that they are durable.
    case took(ReplicaID, last: UInt64)
  }

  /// What comes next on this connection.
  enum Mode {
    case requests
    /// An APPENDMANY whose lines are still coming.
    case collecting(ManyLines)
    case streaming(EventList, sent: Int)
    case backingUp(BackupStream)
    case watching(Filter, Position)
    /// A slow question is being answered on another thread.
    case waiting
    case syncing(SyncSession)
  }

  let descriptor: Int32
  /// Never used again, as descriptors are: answers of other threads find their connection by it.
  let number: Int
  /// Whether it came over TCP.
  let isRemote: Bool
  /// Who records where an event does not say it.
  let author: String
  var splitter = LineSplitter()
  var out: [UInt8] = []
  private var sent = 0
  /// Bytes that came over it.
  private(set) var received = 0
  var deferred: [Deferred] = []
  var mode = Mode.requests
  /// Lines that a peer says are lacking here, with their proofs, until it says that these are all.
  var proofs: [(place: LogPlace, proof: [UInt8], line: [UInt8])] = []
  static let proofBytesMax = 4 << 20
  /// Whether lines are being proven for the other side.
  var isProving = false
  /// Whether somebody waits at the other end; asked from other threads.
  let isWanted = Flag(true)
  /// Set once the last reply is to be the end.
  var isClosing = false
  /// The other side has said all that it will say.
  var isInputDone = false
  var isBroken = false
  /// Why the connection is ended from here.
  var reason: String?
  var interest: UInt32 = 0

  /// Beyond this much unsent output nothing more is produced or read.
  static let outBytesMax = 256 << 10

  /// Whether it leads to a peer that we called.
  let isOutgoing: Bool

  init(
    _ descriptor: Int32, number: Int, author: String, isRemote: Bool, isOutgoing: Bool = false
  ) {
    self.descriptor = descriptor
    self.number = number
    self.isRemote = isRemote
    self.isOutgoing = isOutgoing
    self.author = author
  }

  deinit { close(descriptor) }

  var id: ConnectionID { ConnectionID(descriptor: descriptor, number: number) }

  var isCollecting: Bool { if case .collecting = mode { true } else { false } }

  /// Whether the next request could be taken now.
  var isReadyForMore: Bool {
    switch mode {
    case .requests, .collecting, .watching, .syncing:
      !isCongested && !isClosing && !isBroken && splitter.hasLine
    case .streaming, .backingUp, .waiting: false
    }
  }

  var unsent: Int { out.count - sent }
  var isCongested: Bool { unsent > Self.outBytesMax }

  /// Reads what is there, once.
  func receive(into buffer: UnsafeMutableRawBufferPointer) {
    let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
    if count > 0 {
      received += count
      splitter.take(
        UnsafeBufferPointer(
          start: buffer.baseAddress!.assumingMemoryBound(to: UInt8.self), count: count))
    } else if count == 0 {
      isInputDone = true
    } else if errno != EAGAIN && errno != EINTR {
      isBroken = true
      reason = String(cString: strerror(errno))
    }
  }

  /// Sends as much as the other side takes.
  func flush() {
    while unsent > 0 {
      let count = out.withUnsafeBytes {
        send(descriptor, $0.baseAddress! + sent, unsent, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        if errno == EINTR { continue }
        if errno != EAGAIN {
          isBroken = true
          reason = String(cString: strerror(errno))
        }
        return
      }
      sent += count
    }
    out.removeAll(keepingCapacity: true)
    sent = 0
  }
}

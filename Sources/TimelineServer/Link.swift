// A connection to another machine: the greeting, of which timeline it speaks, the sync of that one, and
// how long its silence is borne.
//
//     we called, to sync       > HELLO  > HAVE T        < HELLO  < HAVE T     then SyncSession
//     we called, to follow     > HELLO  > FOLLOW name   < HELLO  < TIMELINE T name
//     we called, to join       > HELLO  > JOIN hash     < HELLO  < JOINED hash
//     we were called           < HELLO  > HELLO         then what the other side asks for

import EventStore
import TimelineModel
import TimelineWire

/// For whom a name is being looked up at another machine.
struct Following {
  /// Who asked, and waits.
  let asker: ConnectionID
  let address: PeerAddress
  /// The name of the timeline there, and the one that it is to have here (theirs, where nil).
  let name: String
  let localName: String?
}

final class Link {
  enum Stage {
    /// The other side has not greeted yet.
    case greeting
    /// It has greeted, and says next what it wants.
    case naming
    /// There is a session.
    case syncing
  }

  let isOutgoing: Bool
  let following: Following?
  let joining: Joining?
  private(set) var stage = Stage.greeting
  /// From the beginning where we called to sync, else once the timeline is named.
  var session: SyncSession?
  /// When something was received last, in microseconds of the monotonic clock.
  private var lastReceived: Int64
  /// When it was asked whether it is there; nil where something was received since.
  private var asked: Int64?
  /// Lines that the other side says are missing here, with their proofs, until it says that these are
  /// all.
  private(set) var proofs: [(address: LineAddress, proof: [UInt8], line: [UInt8])] = []
  private var proofBytes = 0
  /// Whether lines are being proven for the other side.
  var isProving = false
  /// Whether lines came that could not be checked, since others are damaged here.
  var hasPassedOver = false
  /// Whether it is to begin anew, for these.
  var beginsAnew = false

  private static let proofBytesMax = 4 << 20
  /// What waits to be sent to one that goes on talking and does not read: an honest one takes what was
  /// sent to it, so no more waits than the window and the answers to what it may have under way.
  static let unsentBytesMax = 16 << 20

  /// For a greeting, and for an answer to it.
  private static let greetingTime: Int64 = 10_000_000
  /// Without a word for so long it is asked, and so long it may take to answer.
  private static let quietTime: Int64 = 60_000_000
  private static let answerTime: Int64 = 30_000_000

  init(
    isOutgoing: Bool, session: SyncSession? = nil, following: Following? = nil,
    joining: Joining? = nil, now: Moment
  ) {
    self.joining = joining
    self.isOutgoing = isOutgoing
    self.session = session
    self.following = following
    lastReceived = now.monotonic
  }

  /// Something came from the other side. A stranger who drips has no more time for it.
  func noteReceived(_ now: Moment) {
    guard isLive else { return }
    lastReceived = now.monotonic
    asked = nil
  }

  /// Takes a proof, unless more came than was to be.
  func take(_ address: LineAddress, _ proof: [UInt8], _ line: [UInt8]) -> Bool {
    proofs.append((address, proof, line))
    proofBytes += proof.count + line.count
    return proofBytes <= Self.proofBytesMax
  }

  func takeProofs() -> [(address: LineAddress, proof: [UInt8], line: [UInt8])] {
    defer {
      proofs = []
      proofBytes = 0
    }
    return proofs
  }

  /// The stage that begins now has its own time.
  func enter(_ stage: Stage, _ now: Moment) {
    self.stage = stage
    lastReceived = now.monotonic
  }

  var isLive: Bool { stage == .syncing && session?.isLive ?? false }

  /// Whether it is to be asked now whether it is there: the way to it may be gone. Not twice for one answer.
  func ask(_ now: Moment) -> Bool {
    guard isLive, asked == nil else { return false }
    asked = now.monotonic
    return true
  }

  enum Overdue: Equatable {
    /// It is to be asked whether it is there.
    case ask
    case end(String)
  }

  /// What is to be done about its silence by now.
  func overdue(_ now: Moment) -> Overdue? {
    guard now.monotonic >= deadline else { return nil }
    switch stage {
    case .greeting: return .end("no greeting came within \(Self.greetingTime / 1_000_000) seconds")
    case .naming: return .end("no request came within \(Self.answerTime / 1_000_000) seconds")
    case .syncing:
      guard isLive, asked == nil else {
        return .end("no answer came within \(Self.answerTime / 1_000_000) seconds")
      }
      asked = now.monotonic
      return .ask
    }
  }

  /// When that is to be looked at, in microseconds of the monotonic clock.
  var deadline: Int64 {
    switch stage {
    case .greeting: lastReceived + Self.greetingTime
    case .naming: lastReceived + Self.answerTime
    case .syncing where isLive:
      asked.map { $0 + Self.answerTime } ?? lastReceived + Self.quietTime
    case .syncing: lastReceived + Self.answerTime
    }
  }
}

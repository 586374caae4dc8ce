// One connection: bytes that came and are to go, and what it is waiting for. It decides nothing; Router
// and LinkRouter do.

import Access
import EventStore
import TimelineModel
import TimelineWire

final class Connection {
  /// What comes next on this connection.
  enum Mode {
    case requests
    /// An APPENDMANY whose lines are still coming.
    case collecting(ManyLines)
    case streaming(EventList, sent: Int)
    case backingUp(BackupStream)
    case watching(Filter, Position)
    /// A slow question is being answered elsewhere.
    case waiting(JobID)
    /// It waits for what another machine says.
    case following
    case linked(Link)
  }

  let id: ConnectionID
  private(set) var principal: Principal
  /// The timeline that it speaks of; nil until a machine has named it.
  unowned var host: Host?
  /// Whether it chose that one: no other takes its place.
  var hasChosen = false
  /// What TLS proved of the other end; nil where there is none.
  let handshake: DeviceHandshake?
  /// It came over TLS and is no member.
  var isStranger = false
  /// Bytes that a stranger has said.
  var strangerBytes = 0
  var splitter = LineSplitter()
  /// What is to be sent at the end of the step.
  var out: [UInt8] = []
  var replies = ReplyQueue()
  var mode = Mode.requests
  /// What was sent waits at the other side.
  var isBlocked = false
  /// Bytes that were sent since.
  var unsent = 0
  /// Whether the next line waits until the timeline takes lines again.
  var isHeld = false
  /// Set once the last reply is to be the end.
  var isClosing = false
  /// The other side has said all that it will say.
  var isInputDone = false
  /// Whether it has brought what it was made for.
  var isAnswered = false
  /// Why the connection is ended from here.
  var reason: String?
  /// Whether its bytes are read now.
  var isRead = true
  /// Whether it stands in the engine's lists.
  var isActive = false
  var isTouched = false

  /// Beyond this much output nothing more is produced, or read of a client, in a step.
  static let outBytesMax = 256 << 10

  init(
    _ id: ConnectionID, _ principal: Principal, _ host: Host?, handshake: DeviceHandshake? = nil
  ) {
    self.handshake = handshake
    self.id = id
    self.principal = principal
    self.host = host
  }

  /// Whether both ends have shown which device they are.
  var isAmongMembers: Bool { handshake != nil }

  /// The device at the other end.
  var device: DeviceID? { handshake.map { DeviceID($0.device) } }

  /// It has a role in the timeline of the connection, or has none any more.
  func become(_ role: Role?) {
    guard let device else { return }
    principal = role.map { .device(device, $0) } ?? .stranger(device)
  }

  func newSession(of host: Host) -> SyncSession {
    SyncSession(
      timeline: host.id, replica: host.timeline.replica, isAmongMembers: isAmongMembers)
  }

  /// What of a timeline's logs is for the other end.
  func logs(of host: Host) -> SharedLogs {
    SharedLogs(timeline: host.timeline, isAmongMembers: isAmongMembers)
  }

  var author: String {
    switch principal {
    case .owner(let name): name
    case .device, .stranger, .nobody: ""
    }
  }

  var isOwner: Bool { if case .owner = principal { true } else { false } }
  var isCollecting: Bool { if case .collecting = mode { true } else { false } }
  /// Whether it has something to say by itself.
  var mayProduce: Bool {
    switch mode {
    case .streaming, .backingUp, .watching, .linked: true
    case .requests, .collecting, .waiting, .following: false
    }
  }
  var isStreaming: Bool {
    switch mode {
    case .streaming, .backingUp: true
    default: false
    }
  }
  var isLinked: Bool { if case .linked = mode { true } else { false } }

  /// A line that came, as long as the body looks at it.
  func line<Result>(
    _ range: Range<Int>, _ body: (UnsafeBufferPointer<UInt8>) -> Result
  ) -> Result {
    splitter.buffer.withUnsafeBufferPointer { body(UnsafeBufferPointer(rebasing: $0[range])) }
  }

  /// Whether it is between two requests, or waits for what has to do with no timeline.
  var isBetween: Bool {
    switch mode {
    case .requests, .collecting, .following: true
    case .streaming, .backingUp, .watching, .waiting, .linked: false
    }
  }

  /// Reads a request, of which the one at the other end must have the right.
  func request(_ line: UnsafeBufferPointer<UInt8>) throws(ErrorReply) -> Request {
    let request = try Request(line)
    guard principal.may(request.verb.right) else {
      throw ErrorReply(.denied, "\(request.verb.rawValue) is not yours to ask here")
    }
    return request
  }

  /// Whether more may be written into `out`.
  var hasRoom: Bool { !isBlocked && out.count <= Self.outBytesMax }

  /// Whether nothing is being answered that needs no further word of the other side.
  var isIdle: Bool {
    switch mode {
    case .requests, .collecting, .watching, .linked: replies.isEmpty
    case .streaming, .backingUp, .waiting, .following: false
    }
  }

  /// Whether it is over: all was said, and no more is to come.
  var isDone: Bool {
    out.isEmpty && isIdle && !isHeld && (isClosing || isInputDone && !splitter.hasLine)
  }

  /// Whether its bytes are wanted. A client that does not take its answers is not read; a peer always
  /// is, since what it waits for may be in what we do not read, but for the time of a write.
  var wantsInput: Bool {
    guard !isInputDone, !isClosing, !isHeld else { return false }
    switch mode {
    case .requests, .collecting, .watching: return !isBlocked
    case .linked: return true
    case .streaming, .backingUp, .waiting, .following: return false
    }
  }
}

// One end of a sync of one timeline between two machines: messages in, messages out, no socket, no clock.
// Both ends run the same machine, once they have greeted each other and know of which timeline they
// speak (the engine's Link).
//
//     > HAVE T {"replica":"A","heads":{"R":[7,"1a2b3c4d5e6f7a8b",5]}}   < HAVE T {…}
//     > LINES T R 101 2 1042        then the two lines, as they stand in the log
//     < TOOK T R 102                only once they are durable there
//     > HEAD T R 102 "signed note"  only once it has the lines that the head is over
//     > WANT T R 7 3                lines that are damaged here, or lack their words
//     < PROOF T R 8 "tlog-proof"    then the line: one for each that is there and under a signed head
//     < PROVED T R 7 3              all of these were looked at
//
// State: comparing → live → ended, never back. Each side sends what the other lacks, of any replica, as
// far as the window allows; what arrives while live is passed on the same way, so A and C meet
// through B. Two windows cannot close a circle: lines wait for TOOK alone, TOOK waits for the disk
// alone, and whoever has output waiting goes on reading.

import TimelineModel
import TransparencyLog

/// The logs as a session reads them.
public protocol LogSource {
  var position: Position { get }
  /// Whole lines in a row, at most about `bytesMax` bytes; none where the first one is damaged.
  func run(
    of replica: ReplicaID, from first: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>)
  /// Lines that are to be fetched again, in ranges.
  var wanted: [WantedLines] { get }
  /// The newest signed head of a log, as it stands in its file.
  func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])?
  /// Lines under that head; 0 where there is none.
  func signedSize(of replica: ReplicaID) -> UInt64
}

/// Lines in a row, of one log.
public struct WantedLines: Sendable, Hashable {
  public var replica: ReplicaID
  public var first: UInt64
  public var count: UInt64

  public init(_ replica: ReplicaID, _ first: UInt64, _ count: UInt64) {
    self.replica = replica
    self.first = first
    self.count = count
  }
}

extension LogSource {
  public var wanted: [WantedLines] { [] }

  public func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? { nil }

  public func signedSize(of replica: ReplicaID) -> UInt64 { head(of: replica)?.size ?? 0 }

  /// What stands for a line, its words there or not: the first 8 bytes of its leaf, in hex.
  func check(of replica: ReplicaID, at seq: UInt64) -> String? {
    let (_, bytes) = run(of: replica, from: seq, bytesMax: 0)
    guard let line = try? Line(bytes) else { return nil }
    var hasher = SHA256()
    return String(line.leaf(of: bytes, using: &hasher).description.prefix(16))
  }
}

public struct SyncSession: Sendable {
  public enum Effect: Sendable {
    case send([UInt8])
    /// Lines to take in; `committed` is to be called once they are durable.
    case ingest(ReplicaID, lines: [UInt8], first: UInt64, last: UInt64)
    /// The signed head of a log of which the lines are here.
    case head(ReplicaID, note: [UInt8])
    /// The other side asks for these lines, each with a proof: `proven` writes the answer.
    case want(WantedLines)
    /// A line that was asked for; nothing of it has been checked.
    case proof(LineAddress, proof: [UInt8], line: [UInt8])
    /// No more of these come.
    case proved(WantedLines)
    /// The other side is told why, and the connection ends.
    case end(ErrorReply)
  }

  private enum State: Equatable {
    case comparing
    case live
    case ended
  }

  /// Lines that are coming: which, how many more, and those that came.
  private struct Incoming: Sendable {
    var replica: ReplicaID
    let first: UInt64
    let last: UInt64
    var left: UInt64
    let announced: Int
    var bytes: [UInt8] = []

    mutating func take(_ line: UnsafeBufferPointer<UInt8>) {
      bytes.append(contentsOf: line)
      bytes.append(0x0A)
      left -= 1
    }
  }

  /// At most so much is sent that the other side has not yet taken.
  public static let windowBytes = 4 << 20
  private static let chunkBytes = 960 << 10

  public let timeline: TimelineID
  /// The log that this machine writes.
  public let replica: ReplicaID
  private var state = State.comparing
  /// What the other side has, or will have once what was sent arrives.
  private var theirs = Position()
  /// What the other side said it has, on its disk.
  public private(set) var taken = Position()
  /// Lines under the newest head that the other side has, or will have.
  private var signed = Position()
  private var unacknowledged: [(replica: ReplicaID, last: UInt64, bytes: Int)] = []
  private var incoming: Incoming?
  /// A proof whose line comes next.
  private var proof: (address: LineAddress, text: [UInt8])?
  /// The line of what was asked for that was proven last: each is, once.
  private var proven: UInt64 = 0
  /// What is being asked for, and what will be; nil until it is looked up.
  private var asked: WantedLines?
  private var toAsk: [WantedLines]?
  /// What the other side ended it with.
  public private(set) var refusal: ErrorReply?
  /// A damaged line stands in the way of these: the other side has to get them elsewhere.
  private var blocked: Set<ReplicaID> = []

  public init(timeline: TimelineID, replica: ReplicaID) {
    self.timeline = timeline
    self.replica = replica
  }

  public var isLive: Bool { state == .live }

  /// Whether both have the same lines, durably, as far as this side has been told.
  public func isInSync(with source: some LogSource) -> Bool {
    state == .live && unacknowledged.isEmpty && taken == source.position
  }

  // MARK: Steps

  /// What this side has: the first that it says.
  public func start(_ source: some LogSource) -> [UInt8] {
    let heads = source.position.sorted.map { replica, size in
      SyncHave.Head(
        replica, size: size, check: source.check(of: replica, at: size) ?? "",
        signed: source.signedSize(of: replica))
    }
    var out: [UInt8] = []
    var rest = heads[...]
    repeat {
      let part = rest.prefix(SyncHave.headsMax)
      rest = rest.dropFirst(part.count)
      SyncMessage.have(
        SyncHave(timeline, replica: replica, heads: Array(part), hasMore: !rest.isEmpty)
      ).append(to: &out)
    } while !rest.isEmpty
    return out
  }

  /// Takes one line, without its LF.
  public mutating func receive<Source: LogSource>(
    _ line: UnsafeBufferPointer<UInt8>, _ source: @autoclosure () -> Source
  ) -> [Effect] {
    guard state != .ended else { return [] }
    if incoming != nil { return take(line) }
    if let proof {
      self.proof = nil
      return [.proof(proof.address, proof: proof.text, line: Array(line) + [0x0A])]
    }
    do throws(ErrorReply) {
      return try receive(try SyncMessage(line), source())
    } catch {
      state = .ended
      return [.end(error)]
    }
  }

  private mutating func receive(
    _ message: SyncMessage, _ source: some LogSource
  ) throws(ErrorReply) -> [Effect] {
    switch (message, state) {
    case (.have(let have), .comparing):
      try compare(have, source)
      if !have.hasMore { state = .live }
    case (.lines(let timeline, let run, let bytes), .live):
      try check(timeline)
      incoming = Incoming(
        replica: run.replica, first: run.first, last: run.first + run.count - 1, left: run.count,
        announced: bytes)
    case (.head(let timeline, let replica, let size, let note), .live):
      try check(timeline)
      // What they have need not be sent back.
      signed[replica] = max(signed[replica], size)
      return [.head(replica, note: note)]
    case (.want(let timeline, let lines), .live):
      try check(timeline)
      return [.want(lines)]
    case (.proof(let timeline, let replica, let seq, let text), .live):
      try check(timeline)
      guard let asked, asked.replica == replica, seq >= max(asked.first, proven + 1),
        seq - asked.first < asked.count
      else { throw ErrorReply(.badRequest, "PROOF is of what was asked for, each line once") }
      proven = seq
      proof = (LineAddress(replica, seq), text)
    case (.proved(let timeline, let lines), .live):
      try check(timeline)
      return try proved(lines)
    case (.took(let timeline, let replica, let last), .live):
      try check(timeline)
      guard last <= theirs[replica] else {
        throw ErrorReply(.badRequest, "TOOK is of lines that were sent")
      }
      taken[replica] = max(taken[replica], last)
      unacknowledged.removeAll { $0.replica == replica && $0.last <= last }
    case (.ping, _): return [.send(SyncMessage.pong.bytes)]
    case (.pong, _): break
    case (.error(let error), _):
      state = .ended
      refusal = error
      return [.end(.said(error))]
    default:
      let word = String(decoding: message.bytes.prefix { $0 > 0x20 }, as: UTF8.self)
      throw ErrorReply(.badRequest, "\(word) has no place here")
    }
    return []
  }

  private func check(_ timeline: TimelineID) throws(ErrorReply) {
    guard timeline == self.timeline else {
      throw ErrorReply(.notFound, "this connection speaks of timeline \(self.timeline)")
    }
  }

  /// A line that was too long to be read: nothing of ours is.
  public mutating func tooLong() -> Effect {
    state = .ended
    return .end(ErrorReply(.tooLarge, "a line has at most \(LineLimits.lineBytesMax) bytes"))
  }

  /// Some of what the other side lacks, as far as the window allows; to be asked for more once that
  /// is on its way.
  public mutating func pump(_ source: some LogSource) -> [UInt8] {
    guard state == .live else { return [] }
    var out: [UInt8] = []
    var inFlight = unacknowledged.reduce(0) { $0 + $1.bytes }
    let position = source.position.sorted
    for (replica, size) in position where !blocked.contains(replica) {
      while theirs[replica] < size, inFlight < Self.windowBytes, out.isEmpty {
        let first = theirs[replica] + 1
        let (count, bytes) = source.run(of: replica, from: first, bytesMax: Self.chunkBytes)
        guard count > 0 else {
          blocked.insert(replica)
          break
        }
        let last = first + count - 1
        SyncMessage.lines(timeline, WantedLines(replica, first, count), bytes: bytes.count)
          .append(to: &out)
        out.append(contentsOf: bytes)
        theirs[replica] = last
        inFlight += bytes.count
        unacknowledged.append((replica, last, bytes.count))
      }
    }
    if out.isEmpty { out = heads(source, position) }
    if out.isEmpty { out = want(source) }
    return out
  }

  /// Looks up again what is to be asked for, and what can be sent: lines that were damaged may be back.
  public mutating func askAgain() {
    toAsk = nil
    blocked = []
  }

  /// What is to be fetched again, one range after the other.
  private mutating func want(_ source: some LogSource) -> [UInt8] {
    if toAsk == nil { toAsk = source.wanted }
    guard asked == nil, var next = toAsk?.first else { return [] }
    toAsk?.removeFirst()
    if next.count > SyncMessage.wantedMax {
      toAsk?.insert(
        WantedLines(
          next.replica, next.first + SyncMessage.wantedMax, next.count - SyncMessage.wantedMax),
        at: 0)
      next.count = SyncMessage.wantedMax
    }
    asked = next
    proven = 0
    return SyncMessage.want(timeline, next).bytes
  }

  /// The answer to `want`: first each line with its proof,
  public func proven(
    _ seq: UInt64, _ proof: [UInt8], _ line: [UInt8], _ lines: WantedLines
  ) -> [UInt8] {
    SyncMessage.proof(timeline, lines.replica, seq: seq, text: proof).bytes + line
  }

  /// then what was looked at.
  public func proved(_ lines: WantedLines) -> [UInt8] {
    SyncMessage.proved(timeline, lines).bytes
  }

  /// The heads of logs whose lines the other side has.
  private mutating func heads(
    _ source: some LogSource, _ position: [(replica: ReplicaID, size: UInt64)]
  ) -> [UInt8] {
    var out: [UInt8] = []
    for (replica, _) in position {
      let signedSize = source.signedSize(of: replica)
      guard signed[replica] < signedSize, signedSize <= taken[replica],
        let (size, note) = source.head(of: replica)
      else { continue }
      signed[replica] = size
      SyncMessage.head(timeline, replica, size: size, note: note).append(to: &out)
    }
    return out
  }

  /// The lines of an `ingest` are durable here.
  public mutating func committed(_ replica: ReplicaID, last: UInt64) -> [UInt8] {
    theirs[replica] = max(theirs[replica], last)
    taken[replica] = max(taken[replica], last)
    return SyncMessage.took(timeline, replica, last: last).bytes
  }

  // MARK: Parts

  /// Notes what the other side has; refuses a log that was written twice.
  private mutating func compare(
    _ have: SyncHave, _ source: some LogSource
  ) throws(ErrorReply) {
    try check(have.timeline)
    guard have.replica != replica else {
      throw ErrorReply(
        .denied,
        "that is this machine itself, or a copy of its data directory with the same replica id")
    }
    for head in have.heads {
      if head.size > 0, head.size <= source.position[head.replica],
        let ours = source.check(of: head.replica, at: head.size), ours != head.check,
        !head.check.isEmpty
      {
        throw ErrorReply(
          .wrongPosition,
          "fork: replica \(head.replica) has another line \(head.size) here and there")
      }
      theirs[head.replica] = head.size
      taken[head.replica] = head.size
      signed[head.replica] = head.signed
    }
  }

  private mutating func proved(_ lines: WantedLines) throws(ErrorReply) -> [Effect] {
    guard let asked, asked.replica == lines.replica, asked.first == lines.first,
      lines.count <= asked.count
    else { throw ErrorReply(.badRequest, "PROVED is of what was asked for") }
    if lines.count < asked.count {
      toAsk?.insert(
        WantedLines(lines.replica, lines.first + lines.count, asked.count - lines.count), at: 0)
    }
    self.asked = nil
    return [.proved(lines)]
  }

  private mutating func take(_ line: UnsafeBufferPointer<UInt8>) -> [Effect] {
    // In place: a copy for each line would cost the square of a run.
    incoming!.take(line)
    let (left, came, announced) = (incoming!.left, incoming!.bytes.count, incoming!.announced)
    guard left == 0 ? came == announced : came < announced else {
      state = .ended
      return [.end(ErrorReply(.badRequest, "\(announced) bytes were announced, others came"))]
    }
    guard left == 0, let lines = incoming else { return [] }
    incoming = nil
    return [.ingest(lines.replica, lines: lines.bytes, first: lines.first, last: lines.last)]
  }
}

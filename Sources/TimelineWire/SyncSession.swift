// One end of a sync of one timeline between two machines: messages in, messages out, no socket, no clock.
// Both ends run the same machine, once they have greeted each other and know of which timeline they
// speak (the engine's Link).
//
//     > HAVE T {"replica":"A","heads":{"R":[7,"1a2b3c4d5e6f7a8b",5]}}   < HAVE T {…}
//     > HEAD T R 900 "signed note"  under which the lines behind it are
//     > LINES T R 101 2 1042 ["…"]  that 102 lines are under it; then the two lines, as they stand in the log
//     < TOOK T R 102                only once they are durable there
//     > WANT T R 7 3                lines that are damaged here, or miss their bodies
//     < PROOF T R 8 "tlog-proof"    then the line: one for each that is there and under a signed head
//     < PROVED T R 7 3              all of these were looked at
//     > FORK T R 7 "1a2b3c4d5e6f7a8b"   line 7 is another one here: nothing of this log goes over any more
//
// State: comparing → live → ended, never back. Each side sends what the other lacks, of any replica, as
// far as the window allows; what arrives while live is passed on the same way, so A and C meet
// through B. What is sent is under a signed head, which goes before it: the receiver can tell before the write
// that it is what its machine wrote. Two windows cannot close a circle: lines wait for TOOK alone, TOOK waits
// for the disk alone, and a side that has output waiting goes on reading.

import TimelineModel
import TransparencyLog

/// The logs as a session reads them.
public protocol LogSource {
  var position: Position { get }
  /// Whole lines in a row, at most `linesMax` and about `bytesMax` bytes; none where the first one is damaged.
  func run(
    of replica: ReplicaID, from first: UInt64, linesMax: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>)
  /// Lines that are to be fetched again, in ranges.
  var linesToRequest: [LineRange] { get }
  /// The newest signed head of a log, as it stands in its file.
  func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])?
  /// Lines under that head; 0 where there is none.
  func signedSize(of replica: ReplicaID) -> UInt64
  /// The logs with the number of their lines that are sent, in the order in which they go.
  var logsInOrder: [(replica: ReplicaID, size: UInt64)] { get }

  // Among members:

  /// Whose log it is; nil for one from before there were devices.
  func device(of replica: ReplicaID) -> DeviceID?
  /// Whether lines are asked for of a log that a peer says is of that device.
  func follows(_ replica: ReplicaID, of device: DeviceID?) -> Bool
  /// Changes whenever `follows` may.
  var membershipVersion: Int { get }
  /// What of a position is asked for and sent: the lines that somebody says to have behind an end are not missing.
  func followed(of position: Position) -> Position
}

/// Lines in a row, of one log.
public struct LineRange: Sendable, Hashable {
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
  public var linesToRequest: [LineRange] { [] }

  public func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? { nil }

  public func signedSize(of replica: ReplicaID) -> UInt64 { head(of: replica)?.size ?? 0 }

  public var logsInOrder: [(replica: ReplicaID, size: UInt64)] { position.sorted }

  public func device(of replica: ReplicaID) -> DeviceID? { nil }

  public func follows(_ replica: ReplicaID, of device: DeviceID?) -> Bool { true }

  public var membershipVersion: Int { 0 }

  public func followed(of position: Position) -> Position { position }

  /// What stands for a line, its words there or not: the first 8 bytes of its leaf, in hex.
  func check(of replica: ReplicaID, at seq: UInt64) -> String? {
    let (_, bytes) = run(of: replica, from: seq, linesMax: 1, bytesMax: 0)
    guard let line = try? Line(bytes) else { return nil }
    var hasher = SHA256()
    return String(line.leaf(of: bytes, using: &hasher).description.prefix(16))
  }
}

/// What says that lines of a peer are those that their machine wrote; nothing of it has been checked.
public struct PeerHead: Sendable, Equatable {
  /// Of so many lines, the peer says.
  public var size: UInt64
  /// The signed note.
  public var note: [UInt8]
  /// From the tree that ends with the lines to that of the head; empty where both are one.
  public var consistency: [SHA256Digest]

  public init(size: UInt64, note: [UInt8], consistency: [SHA256Digest] = []) {
    self.size = size
    self.note = note
    self.consistency = consistency
  }
}

public struct SyncSession: Sendable {
  public enum Effect: Sendable {
    case send([UInt8])
    /// Lines to take in; `committed` is to be called once they are durable. Nil where the other side names
    /// no head.
    case ingest(ReplicaID, lines: [UInt8], first: UInt64, last: UInt64, under: PeerHead?)
    /// The signed head of a log of which the lines are here.
    case head(ReplicaID, note: [UInt8])
    /// The other side asks for these lines, each with a proof: `proven` writes the answer.
    case want(LineRange)
    /// A line that was requested; nothing of it has been checked.
    case proof(LineAddress, proof: [UInt8], line: [UInt8])
    /// No more of these come.
    case proved(LineRange)
    /// The log was written twice: both have a line of this number, and not the same.
    case fork(ReplicaID, seq: UInt64)
    /// The other side gets the reason, and the connection ends.
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
    let under: PeerHead?
    var bytes: [UInt8] = []

    mutating func take(_ line: UnsafeBufferPointer<UInt8>) {
      bytes.append(contentsOf: line)
      bytes.append(0x0A)
      left -= 1
    }
  }

  /// Lines to be sent once it is known how their head covers them.
  public struct HeldRun: Sendable, Equatable {
    public let lines: LineRange
    /// Lines under the head.
    public let head: UInt64

    /// The number of the last line.
    public var last: UInt64 { lines.first + lines.count - 1 }
  }

  /// What `pump` has to say.
  public struct Pumped: Sendable {
    public var bytes: [UInt8] = []
    /// To be proven: `send` goes on with it, or `skip`.
    public var held: HeldRun?

    public var isEmpty: Bool { bytes.isEmpty && held == nil }
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
  /// The head that was said last, on either side: the lines behind it are under that one.
  private var saidHead: (replica: ReplicaID, size: UInt64)?
  private var heardHead: (replica: ReplicaID, head: PeerHead)?
  private var held: HeldRun?
  /// Whether lines go under signed heads alone.
  private let isUnderHeads: Bool
  /// A proof whose line comes next.
  private var proof: (address: LineAddress, text: [UInt8])?
  /// The line of what was requested that was proven last: each is, once.
  private var proven: UInt64 = 0
  /// What is being requested, and what will be; nil until it is looked up.
  private var requested: LineRange?
  private var toRequest: [LineRange]?
  /// What the other side ended it with.
  public private(set) var refusal: ErrorReply?
  /// A damaged line stands in the way of these: the other side has to get them elsewhere.
  private var blocked: Set<ReplicaID> = []
  /// Logs that were written twice, each with a line that differs: nothing of them goes over, all others go on.
  public private(set) var forked: [ReplicaID: UInt64] = [:]
  /// Among members lines go only of logs that the other side has named.
  private let isAmongMembers: Bool
  private var named: Set<ReplicaID> = []
  /// Those that this side has named.
  private var announced: Set<ReplicaID> = []
  /// Those that the other side has and this one does not follow, with whose they are said to be.
  private var offered: [ReplicaID: DeviceID?] = [:]
  /// Those of them that were asked for.
  private var asked: Set<ReplicaID> = []
  /// Of the membership by which `offered` was looked through; nil: it has to be.
  private var seenMembership: Int?
  private static let offeredMax = 1 << 16

  /// - Parameters:
  ///   - isUnderHeads: whether lines go under signed heads alone; false where an owner puts back what he kept, to
  ///     the last line.
  ///   - isAmongMembers: whether each side has only the logs that it names.
  public init(
    timeline: TimelineID, replica: ReplicaID, isUnderHeads: Bool = true,
    isAmongMembers: Bool = false
  ) {
    self.timeline = timeline
    self.replica = replica
    self.isUnderHeads = isUnderHeads
    self.isAmongMembers = isAmongMembers
  }

  public var isLive: Bool { state == .live }

  /// Whether both have the same lines, durably, as far as this side has been told; of all logs but those in `forked`.
  public func isInSync(with source: some LogSource) -> Bool {
    guard state == .live, unacknowledged.isEmpty else { return false }
    let position = source.position
    return (!isAmongMembers || hasAllNamed(source, position))
      && shared(source.followed(of: taken)) == shared(source.followed(of: position))
  }

  /// Without the logs that were written twice.
  private func shared(_ position: Position) -> Position {
    forked.isEmpty ? position : Position(position.sizes.filter { forked[$0.key] == nil })
  }

  /// Whether nothing is to be named, and of each log that was asked for some is here: of who follows nobody yet, no
  /// line would be missing.
  private func hasAllNamed(_ source: some LogSource, _ position: Position) -> Bool {
    seenMembership == source.membershipVersion && asked.allSatisfy { position[$0] > 0 }
  }

  // MARK: Steps

  /// What this side has: the first that it says.
  public mutating func start(_ source: some LogSource) -> [UInt8] {
    say(source.logsInOrder.map { head(of: $0.replica, size: $0.size, source) })
  }

  private func head(
    of replica: ReplicaID, size: UInt64, _ source: some LogSource
  ) -> SyncHave.Head {
    SyncHave.Head(
      replica, size: size, check: source.check(of: replica, at: size) ?? "",
      signed: source.signedSize(of: replica),
      device: isAmongMembers ? source.device(of: replica) : nil)
  }

  private mutating func say(_ heads: [SyncHave.Head]) -> [UInt8] {
    var out: [UInt8] = []
    var rest = heads[...]
    repeat {
      let part = rest.prefix(SyncHave.headsMax)
      rest = rest.dropFirst(part.count)
      SyncMessage.have(
        SyncHave(timeline, replica: replica, heads: Array(part), hasMore: !rest.isEmpty)
      ).append(to: &out)
    } while !rest.isEmpty
    if isAmongMembers { announced.formUnion(heads.map(\.replica)) }
    return out
  }

  /// Names the logs that have come here since, and those of the other side that are followed now.
  private mutating func name(
    _ source: some LogSource, _ logs: [(replica: ReplicaID, size: UInt64)]
  ) -> [UInt8] {
    var heads = logs.filter { !announced.contains($0.replica) }.map {
      head(of: $0.replica, size: $0.size, source)
    }
    if seenMembership != source.membershipVersion {
      seenMembership = source.membershipVersion
      let position = source.position
      for (replica, device) in offered.sorted(by: { $0.key < $1.key })
      where source.follows(replica, of: device) {
        offered[replica] = nil
        guard !announced.contains(replica), position[replica] == 0 else { continue }
        asked.insert(replica)
        heads.append(SyncHave.Head(replica, size: 0, check: "", signed: 0, device: device))
      }
    }
    return heads.isEmpty ? [] : say(heads)
  }

  /// Whether the next line is one of a run.
  public var isTakingLines: Bool { incoming != nil }

  /// The log of which the next line ends a run; nil where it ends none.
  public var endingRun: ReplicaID? { incoming?.left == 1 ? incoming?.replica : nil }

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
      let effects = try compare(have, source)
      if !have.hasMore { state = .live }
      return effects
    case (.have(let have), .live) where isAmongMembers: return try compare(have, source)
    case (.fork(let timeline, let replica, let seq, let check), .live):
      try self.check(timeline)
      guard let ours = source.check(of: replica, at: seq), ours != check else {
        throw ErrorReply(.badRequest, "FORK is of a line that is another one here")
      }
      guard forked[replica] == nil else { return [] }
      stop(replica, at: seq)
      return [.fork(replica, seq: seq)]
    case (.lines(let timeline, let run, let bytes, let consistency), .live):
      try check(timeline)
      guard !isAmongMembers || announced.contains(run.replica) else {
        throw ErrorReply(.badRequest, "LINES is of logs that the other side has named")
      }
      var under = heardHead?.replica == run.replica ? heardHead?.head : nil
      under?.consistency = consistency
      incoming = Incoming(
        replica: run.replica, first: run.first, last: run.first + run.count - 1, left: run.count,
        announced: bytes, under: under)
    case (.head(let timeline, let replica, let size, let note), .live):
      try check(timeline)
      guard forked[replica] == nil else { return [] }
      // What they have need not be sent back.
      signed[replica] = max(signed[replica], size)
      heardHead = (replica, PeerHead(size: size, note: note))
      // Else its lines come behind it.
      return size <= source.position[replica] ? [.head(replica, note: note)] : []
    case (.want(let timeline, let lines), .live):
      try check(timeline)
      return [.want(lines)]
    case (.proof(let timeline, let replica, let seq, let text), .live):
      try check(timeline)
      guard let requested, requested.replica == replica, seq >= max(requested.first, proven + 1),
        seq - requested.first < requested.count
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
    // The answer to a JOIN that was said ahead of HAVE.
    case (.pong, _), (.joined, _): break
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

  /// Some of what the other side lacks, as far as the window allows; to be called again once that
  /// is on its way.
  public mutating func pump(_ source: some LogSource) -> Pumped {
    guard state == .live else { return Pumped() }
    var pumped = Pumped()
    let inFlight = unacknowledged.reduce(0) { $0 + $1.bytes }
    let logs = source.logsInOrder
    if isAmongMembers {
      pumped.bytes = name(source, logs)
      guard pumped.isEmpty else { return pumped }
    }
    let position = logs.filter {
      (!isAmongMembers || named.contains($0.replica)) && forked[$0.replica] == nil
    }
    if held == nil, inFlight < Self.windowBytes { pumped = lines(source, position) }
    if pumped.isEmpty { pumped.bytes = heads(source, position) }
    if pumped.isEmpty { pumped.bytes = want(source) }
    return pumped
  }

  /// The next lines, of the first log that has some.
  private mutating func lines(
    _ source: some LogSource, _ position: [(replica: ReplicaID, size: UInt64)]
  ) -> Pumped {
    var pumped = Pumped()
    for (replica, size) in position where !blocked.contains(replica) {
      let end = isUnderHeads ? min(size, source.signedSize(of: replica)) : size
      guard theirs[replica] < end else { continue }
      let first = theirs[replica] + 1
      let (count, bytes) = source.run(
        of: replica, from: first, linesMax: end - first + 1, bytesMax: Self.chunkBytes)
      guard count > 0 else {
        blocked.insert(replica)
        continue
      }
      let run = LineRange(replica, first, count)
      if isUnderHeads { say(headOf: replica, source, to: &pumped.bytes) }
      if isUnderHeads, first + count - 1 < end {
        held = HeldRun(lines: run, head: end)
        pumped.held = held
      } else {
        send(run, bytes, consistency: [], to: &pumped.bytes)
      }
      break
    }
    return pumped
  }

  /// Goes on with a run that was held, with the proof that its head covers it.
  public mutating func send(
    _ run: HeldRun, consistency: [SHA256Digest], _ source: some LogSource
  ) -> [UInt8] {
    guard held == run, state == .live else { return [] }
    held = nil
    let (count, bytes) = source.run(
      of: run.lines.replica, from: run.lines.first, linesMax: run.lines.count, bytesMax: .max)
    // It is begun anew where its lines have been rewritten meanwhile, or another head was said.
    guard count == run.lines.count, let saidHead, saidHead == (run.lines.replica, run.head) else {
      return []
    }
    var out: [UInt8] = []
    send(run.lines, bytes, consistency: consistency, to: &out)
    return out
  }

  /// Passes over the log of a run that cannot be proven, until `askAgain`.
  public mutating func skip(_ run: HeldRun) {
    guard held == run else { return }
    held = nil
    blocked.insert(run.lines.replica)
  }

  private mutating func send(
    _ run: LineRange, _ bytes: UnsafeBufferPointer<UInt8>, consistency: [SHA256Digest],
    to out: inout [UInt8]
  ) {
    let last = run.first + run.count - 1
    SyncMessage.lines(timeline, run, bytes: bytes.count, consistency: consistency).append(to: &out)
    out.append(contentsOf: bytes)
    theirs[run.replica] = last
    unacknowledged.append((run.replica, last, bytes.count))
  }

  /// The newest head of a log, unless it was the last that was said.
  private mutating func say(
    headOf replica: ReplicaID, _ source: some LogSource, to out: inout [UInt8]
  ) {
    guard let (size, note) = source.head(of: replica),
      saidHead.map({ $0 != (replica, size) }) ?? true
    else { return }
    saidHead = (replica, size)
    signed[replica] = size
    SyncMessage.head(timeline, replica, size: size, note: note).append(to: &out)
  }

  /// Looks up again what is to be asked for, and what can be sent: lines that were damaged may be back.
  public mutating func askAgain() {
    toRequest = nil
    blocked = []
  }

  /// What is to be fetched again, one range after the other.
  private mutating func want(_ source: some LogSource) -> [UInt8] {
    if toRequest == nil { toRequest = source.linesToRequest }
    guard requested == nil, var next = toRequest?.first else { return [] }
    toRequest?.removeFirst()
    if next.count > SyncMessage.requestedMax {
      toRequest?.insert(
        LineRange(
          next.replica, next.first + SyncMessage.requestedMax, next.count - SyncMessage.requestedMax
        ),
        at: 0)
      next.count = SyncMessage.requestedMax
    }
    requested = next
    proven = 0
    return SyncMessage.want(timeline, next).bytes
  }

  /// The answer to `want`: first each line with its proof,
  public func proven(
    _ seq: UInt64, _ proof: [UInt8], _ line: [UInt8], _ lines: LineRange
  ) -> [UInt8] {
    SyncMessage.proof(timeline, lines.replica, seq: seq, text: proof).bytes + line
  }

  /// then what was looked at.
  public func proved(_ lines: LineRange) -> [UInt8] {
    SyncMessage.proved(timeline, lines).bytes
  }

  /// The heads of logs whose lines the other side has already.
  private mutating func heads(
    _ source: some LogSource, _ position: [(replica: ReplicaID, size: UInt64)]
  ) -> [UInt8] {
    guard held == nil else { return [] }
    var out: [UInt8] = []
    for (replica, _) in position {
      let signedSize = source.signedSize(of: replica)
      guard signed[replica] < signedSize, signedSize <= taken[replica] else { continue }
      say(headOf: replica, source, to: &out)
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

  /// Notes what the other side has, and which logs were written twice.
  private mutating func compare(
    _ have: SyncHave, _ source: some LogSource
  ) throws(ErrorReply) -> [Effect] {
    try check(have.timeline)
    var effects: [Effect] = []
    guard have.replica != replica else {
      throw ErrorReply(
        .denied,
        "that is this machine itself, or a copy of its data directory with the same replica id")
    }
    let position = source.position
    for head in have.heads {
      let size = position[head.replica]
      if isAmongMembers {
        // Named again it is as it was: what came since is known.
        guard named.insert(head.replica).inserted else { continue }
        if size == 0 { try note(offer: head) }
      }
      if head.size > 0, head.size <= size,
        let ours = source.check(of: head.replica, at: head.size), ours != head.check,
        !head.check.isEmpty
      {
        effects += fork(of: head.replica, at: head.size, ours)
        continue
      }
      theirs[head.replica] = max(theirs[head.replica], head.size)
      taken[head.replica] = max(taken[head.replica], head.size)
      signed[head.replica] = max(signed[head.replica], head.signed)
    }
    return effects
  }

  /// Tells the other side that a line is another one here, with its check.
  private mutating func fork(of replica: ReplicaID, at seq: UInt64, _ check: String) -> [Effect] {
    guard forked[replica] == nil else { return [] }
    stop(replica, at: seq)
    return [
      .send(SyncMessage.fork(timeline, replica, seq: seq, check: check).bytes),
      .fork(replica, seq: seq),
    ]
  }

  /// A line came that is another one here.
  public mutating func fork(
    of replica: ReplicaID, at seq: UInt64, _ source: some LogSource
  ) -> [Effect] {
    fork(of: replica, at: seq, source.check(of: replica, at: seq) ?? "")
  }

  private mutating func stop(_ replica: ReplicaID, at seq: UInt64) {
    forked[replica] = seq
    unacknowledged.removeAll { $0.replica == replica }
    if held?.lines.replica == replica { held = nil }
  }

  /// Keeps in mind a log that the other side has and this one does not.
  private mutating func note(offer head: SyncHave.Head) throws(ErrorReply) {
    guard head.size > 0 else { return }
    guard offered.count < Self.offeredMax else {
      throw ErrorReply(
        .tooLarge, "more than \(Self.offeredMax) logs that are followed by nobody here")
    }
    offered[head.replica] = .some(head.device)
    seenMembership = nil
  }

  private mutating func proved(_ lines: LineRange) throws(ErrorReply) -> [Effect] {
    guard let requested, requested.replica == lines.replica, requested.first == lines.first,
      lines.count <= requested.count
    else { throw ErrorReply(.badRequest, "PROVED is of what was asked for") }
    if lines.count < requested.count {
      toRequest?.insert(
        LineRange(lines.replica, lines.first + lines.count, requested.count - lines.count), at: 0)
    }
    self.requested = nil
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
    // They were on their way when the fork was found.
    guard forked[lines.replica] == nil else { return [] }
    return [
      .ingest(
        lines.replica, lines: lines.bytes, first: lines.first, last: lines.last, under: lines.under)
    ]
  }
}

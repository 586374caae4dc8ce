// One end of a sync between two machines: lines in, lines out, no socket, no clock. Both ends run the
// same machine; the one that connected speaks first.
//
//     > HELLO timeline-sync 1 {"device":"…"}            < HELLO timeline-sync 1 {"device":"…"}
//     > HAVE main {"uuid":"…","heads":{"R":[7,"1a2b3c4d5e6f7a8b",5]}}   < HAVE main {…}
//     > LINES main R 101 2 1042        then the two lines, as they stand in the log
//     < TOOK main R 102                only once they are durable there
//     > HEAD main R 102 "signed note"  only once it has the lines that the head is over
//     > WANT main R 7 3                lines that are damaged here, or lack their words
//     < PROOF main R 8 "tlog-proof"    then the line: one for each that is there and under a signed head
//     < PROVED main R 7 3              all of these were looked at
//
// State: greeting → comparing → live → ended, never back. Each side sends what the other lacks, of any
// replica, as far as the window allows; what arrives while live is passed on the same way, so A and C
// meet through B.

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
    case proof(LogPlace, proof: [UInt8], line: [UInt8])
    /// No more of these come.
    case proved(WantedLines)
    /// The other side is told why, and the connection ends.
    case end(RequestError)
  }

  private enum State: Equatable {
    case greeting
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
  static let windowBytes = 4 << 20
  private static let chunkBytes = 960 << 10
  /// Lines at most that are asked for at once.
  public static let wantedMax: UInt64 = 1000
  private static let headBytesMax = 8 << 10
  private static let incomingBytesMax = 1 << 20

  public let timeline: TimelineID
  public let name: String
  public let device: ReplicaID
  private var state = State.greeting
  private let isInitiator: Bool
  /// What the other side has, or will have once what was sent arrives.
  private var theirs = Position()
  /// What the other side said it has, on its disk.
  public private(set) var taken = Position()
  /// Lines under the newest head that the other side has, or will have.
  private var signed = Position()
  private var unacknowledged: [(replica: ReplicaID, last: UInt64, bytes: Int)] = []
  private var incoming: Incoming?
  /// A proof whose line comes next.
  private var proof: (place: LogPlace, text: [UInt8])?
  /// The line of what was asked for that was proven last: each is, once.
  private var proven: UInt64 = 0
  /// What is being asked for, and what will be; nil until it is looked up.
  private var asked: WantedLines?
  private var toAsk: [WantedLines]?
  /// What the other side ended it with.
  public private(set) var refusal: ErrorReply?
  /// A damaged line stands in the way of these: the other side has to get them elsewhere.
  private var blocked: Set<ReplicaID> = []

  public init(timeline: TimelineID, name: String, device: ReplicaID, isInitiator: Bool) {
    self.timeline = timeline
    self.name = name
    self.device = device
    self.isInitiator = isInitiator
  }

  public var isLive: Bool { state == .live }

  /// Whether both have the same lines, durably, as far as this side has been told.
  public func isInSync(with source: some LogSource) -> Bool {
    state == .live && unacknowledged.isEmpty && taken == source.position
  }

  // MARK: Steps

  /// The first words of the side that connected.
  public mutating func start(_ source: some LogSource) -> [UInt8] {
    isInitiator ? greeting() + have(source) : []
  }

  /// Takes one line, without its LF.
  public mutating func receive<Source: LogSource>(
    _ line: UnsafeBufferPointer<UInt8>, _ source: @autoclosure () -> Source
  ) -> [Effect] {
    guard state != .ended else { return [] }
    if incoming != nil { return take(line) }
    if let proof {
      self.proof = nil
      return [.proof(proof.place, proof: proof.text, line: Array(line) + [0x0A])]
    }
    let words = String(decoding: line, as: UTF8.self).split(
      separator: " ", maxSplits: 5, omittingEmptySubsequences: true
    ).map(String.init)
    do throws(RequestError) {
      switch (words.first, state) {
      case ("HELLO", .greeting):
        guard words.count >= 3, words[1] == "timeline-sync", words[2] == "1" else {
          throw RequestError(.unsupported, "this daemon speaks: HELLO timeline-sync 1")
        }
        try checkDevice(line)
        state = .comparing
        return isInitiator ? [] : [.send(greeting() + have(source()))]
      case ("HAVE", .comparing):
        guard words.count > 1, words[1] == name else {
          throw RequestError(.notFound, "no such timeline; there is: \(name)")
        }
        try compare(line, source())
        state = .live
        return []
      case ("LINES", .live): return try announce(words)
      case ("HEAD", .live): return try head(line, words)
      case ("WANT", .live): return [.want(try lines(words))]
      case ("PROOF", .live):
        try proof(line, words)
        return []
      case ("PROVED", .live): return try proved(words)
      case ("TOOK", .live):
        try took(words)
        return []
      case ("PING", _): return [.send(Array("PONG\n".utf8))]
      case ("PONG", _): return []
      case ("ERR", _):
        state = .ended
        refusal = ErrorReply.parse(line)
        let said =
          refusal.map { "\($0.code.rawValue) \($0.text)" }
          ?? words.dropFirst().joined(separator: " ")
        return [.end(ErrorReply(.denied, "the peer says: \(said)"))]
      default:
        throw RequestError(.badRequest, "\"\((words.first ?? "").prefix(20))\" has no place here")
      }
    } catch {
      state = .ended
      return [.end(error)]
    }
  }

  /// A line that was too long to be read: nothing of ours is.
  public mutating func tooLong() -> Effect {
    state = .ended
    return .end(RequestError(.tooLarge, "a line has at most \(LineLimits.lineBytesMax) bytes"))
  }

  /// Some of what the other side lacks, as far as the window allows; to be asked for more once that
  /// is on its way.
  public mutating func pump(_ source: some LogSource) -> [UInt8] {
    guard state == .live else { return [] }
    var out: [UInt8] = []
    var inFlight = unacknowledged.reduce(0) { $0 + $1.bytes }
    for (replica, size) in source.position.sorted where !blocked.contains(replica) {
      while theirs[replica] < size, inFlight < Self.windowBytes, out.isEmpty {
        let first = theirs[replica] + 1
        let (count, bytes) = source.run(of: replica, from: first, bytesMax: Self.chunkBytes)
        guard count > 0 else {
          blocked.insert(replica)
          break
        }
        let last = first + count - 1
        out.append(contentsOf: "LINES \(name) \(replica) \(first) \(count) \(bytes.count)\n".utf8)
        out.append(contentsOf: bytes)
        theirs[replica] = last
        inFlight += bytes.count
        unacknowledged.append((replica, last, bytes.count))
      }
    }
    if out.isEmpty { out = heads(source) }
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
    if next.count > Self.wantedMax {
      toAsk?.insert(
        WantedLines(
          next.replica, next.first + Self.wantedMax, next.count - Self.wantedMax), at: 0)
      next.count = Self.wantedMax
    }
    asked = next
    proven = 0
    return Array("WANT \(name) \(next.replica) \(next.first) \(next.count)\n".utf8)
  }

  /// The answer to `want`: first each line with its proof,
  public func proven(
    _ seq: UInt64, _ proof: [UInt8], _ line: [UInt8], _ lines: WantedLines
  ) -> [UInt8] {
    let text = JSONValue.string(String(decoding: proof, as: UTF8.self)).text
    return Array("PROOF \(name) \(lines.replica) \(seq) \(text)\n".utf8) + line
  }

  /// then what was looked at.
  public func proved(_ lines: WantedLines) -> [UInt8] {
    Array("PROVED \(name) \(lines.replica) \(lines.first) \(lines.count)\n".utf8)
  }

  /// The heads of logs whose lines the other side has.
  private mutating func heads(_ source: some LogSource) -> [UInt8] {
    var out: [UInt8] = []
    for (replica, _) in source.position.sorted {
      guard let (size, note) = source.head(of: replica), signed[replica] < size,
        size <= taken[replica]
      else { continue }
      signed[replica] = size
      let text = JSONValue.string(String(decoding: note, as: UTF8.self)).text
      out.append(contentsOf: "HEAD \(name) \(replica) \(size) \(text)\n".utf8)
    }
    return out
  }

  /// The lines of an `ingest` are durable here.
  public mutating func committed(_ replica: ReplicaID, last: UInt64) -> [UInt8] {
    theirs[replica] = max(theirs[replica], last)
    taken[replica] = max(taken[replica], last)
    return Array("TOOK \(name) \(replica) \(last)\n".utf8)
  }

  // MARK: Parts

  private func greeting() -> [UInt8] {
    Array("HELLO timeline-sync 1 {\"device\":\"\(device)\",\"features\":[]}\n".utf8)
  }

  /// Refuses to speak with itself, or with a copy of itself, which would write what it writes.
  private func checkDevice(_ line: UnsafeBufferPointer<UInt8>) throws(RequestError) {
    guard Self.json(of: line)?["device"]?.string != device.description else {
      throw RequestError(
        .denied,
        "that is this machine itself, or a copy of its data directory with the same replica id")
    }
  }

  private static func json(of line: UnsafeBufferPointer<UInt8>) -> JSONValue? {
    let start = line.firstIndex(of: UInt8(ascii: "{")) ?? line.count
    return try? JSONValue(parsing: UnsafeBufferPointer(rebasing: line[start...]))
  }

  private func have(_ source: some LogSource) -> [UInt8] {
    let heads = source.position.sorted.map { replica, size in
      JSONValue.Member(
        replica.description,
        .array([
          .int(Int(size)), .string(source.check(of: replica, at: size) ?? ""),
          .int(Int(source.head(of: replica)?.size ?? 0)),
        ]))
    }
    let json = JSONValue.object([
      "uuid": .string(timeline.description), "heads": .object(heads),
    ])
    return Array("HAVE \(name) \(json.text)\n".utf8)
  }

  /// Notes what the other side has; refuses another timeline, and a log that was written twice.
  private mutating func compare(
    _ line: UnsafeBufferPointer<UInt8>, _ source: some LogSource
  ) throws(RequestError) {
    guard let json = Self.json(of: line), let heads = json["heads"]?.members else {
      throw RequestError(.badRequest, "HAVE names a timeline and its heads")
    }
    guard json["uuid"]?.string == timeline.description else {
      throw RequestError(.notFound, "no timeline here has that uuid")
    }
    for head in heads {
      guard let replica = ReplicaID(head.key), let size = head.value.array?.first?.int,
        (0...Int(LineLimits.seqMax)).contains(size), let rest = head.value.array?.dropFirst(),
        rest.count == 2,
        let check = rest.first?.string, let signed = rest.last?.int, (0...size).contains(signed)
      else { throw RequestError(.badRequest, "a head is \"REPLICA\":[size,\"check\",signed]") }
      let seq = UInt64(size)
      if seq > 0, seq <= source.position[replica], let ours = source.check(of: replica, at: seq),
        ours != check, !check.isEmpty
      {
        throw RequestError(
          .wrongPosition, "fork: replica \(replica) has another line \(seq) here and there")
      }
      theirs[replica] = seq
      taken[replica] = seq
      self.signed[replica] = UInt64(signed)
    }
  }

  private mutating func announce(_ words: [String]) throws(RequestError) -> [Effect] {
    guard words.count == 6, words[1] == name, let replica = ReplicaID(words[2]),
      let first = UInt64(words[3]), let count = UInt64(words[4]), let bytes = Int(words[5]),
      first > 0, first <= LineLimits.seqMax, count > 0, count <= 1 << 20, bytes > 0,
      bytes <= Self.incomingBytesMax
    else { throw RequestError(.badRequest, "LINES timeline replica first count bytes") }
    incoming = Incoming(
      replica: replica, first: first, last: first + count - 1, left: count, announced: bytes)
    return []
  }

  private mutating func head(
    _ line: UnsafeBufferPointer<UInt8>, _ words: [String]
  ) throws(RequestError) -> [Effect] {
    let start = line.firstIndex(of: UInt8(ascii: "\"")) ?? line.count
    let text = UnsafeBufferPointer(rebasing: line[start...])
    guard words.count >= 5, words[1] == name, let replica = ReplicaID(words[2]),
      let size = UInt64(words[3]), text.count <= Self.headBytesMax,
      let note = (try? JSONValue(parsing: text))?.string
    else { throw RequestError(.badRequest, "HEAD timeline replica size \"signed note\"") }
    // What they have need not be sent back.
    signed[replica] = max(signed[replica], size)
    return [.head(replica, note: Array(note.utf8))]
  }

  private func lines(_ words: [String]) throws(RequestError) -> WantedLines {
    guard words.count == 5, words[1] == name, let replica = ReplicaID(words[2]),
      let first = UInt64(words[3]), let count = UInt64(words[4]), first > 0,
      first <= LineLimits.seqMax, (1...Self.wantedMax).contains(count)
    else {
      throw RequestError(
        .badRequest, "\(words[0]) timeline replica first count, at most \(Self.wantedMax)")
    }
    return WantedLines(replica, first, count)
  }

  private mutating func proof(
    _ line: UnsafeBufferPointer<UInt8>, _ words: [String]
  ) throws(RequestError) {
    let start = line.firstIndex(of: UInt8(ascii: "\"")) ?? line.count
    let text = UnsafeBufferPointer(rebasing: line[start...])
    guard words.count >= 5, words[1] == name, let replica = ReplicaID(words[2]),
      let seq = UInt64(words[3]), let asked, asked.replica == replica,
      seq >= max(asked.first, proven + 1), seq - asked.first < asked.count,
      text.count <= Self.headBytesMax,
      let proof = (try? JSONValue(parsing: text))?.string
    else {
      throw RequestError(
        .badRequest, "PROOF timeline replica seq \"proof\", of what was asked for, each once")
    }
    proven = seq
    self.proof = (LogPlace(replica, seq), Array(proof.utf8))
  }

  private mutating func proved(_ words: [String]) throws(RequestError) -> [Effect] {
    let lines = try lines(words)
    guard let asked, asked.replica == lines.replica, asked.first == lines.first,
      lines.count <= asked.count
    else { throw RequestError(.badRequest, "PROVED is of what was asked for") }
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
      return [.end(RequestError(.badRequest, "\(announced) bytes were announced, others came"))]
    }
    guard left == 0, let lines = incoming else { return [] }
    incoming = nil
    return [.ingest(lines.replica, lines: lines.bytes, first: lines.first, last: lines.last)]
  }

  private mutating func took(_ words: [String]) throws(RequestError) {
    guard words.count == 4, words[1] == name, let replica = ReplicaID(words[2]),
      let last = UInt64(words[3]), last <= theirs[replica]
    else { throw RequestError(.badRequest, "TOOK timeline replica seq, of what was sent") }
    taken[replica] = max(taken[replica], last)
    unacknowledged.removeAll { $0.replica == replica && $0.last <= last }
  }
}

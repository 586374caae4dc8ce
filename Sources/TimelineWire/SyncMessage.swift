// What two machines say to each other, one message a line. TIMELINE is the id of a timeline; names are
// local to a machine and stand in FOLLOW alone.
//
//     HELLO timeline-sync 1 {"features":[]}
//     HAVE TIMELINE {"replica":"R","heads":{"R":[7,"1a2b3c4d5e6f7a8b",5]}}     what is on disk here; among
//                                       members each with the hash of its device, and again when it is more
//     HEAD TIMELINE R 900 "signed note" the head that the LINES behind it are under
//     LINES TIMELINE R 101 2 1042 ["…"] first, count, bytes, and that the first 102 lines are under the
//                                       head (none where it ends there); then the lines themselves
//     TOOK TIMELINE R 102               they are durable here
//     WANT TIMELINE R 7 3               first and count of lines that are damaged here, or miss their bodies
//     PROOF TIMELINE R 8 "tlog-proof"   then the line
//     PROVED TIMELINE R 7 3
//     FORK TIMELINE R 7 "1a2b3c4d5e6f7a8b"      line 7 is another one here, with this check
//     FOLLOW main                       which timeline has this name there?
//     TIMELINE TIMELINE main HASH       the whole hash that the id is the beginning of, where it is known
//     JOIN HASH {"name":"bo's laptop","proof":"…","addresses":[…]}     by an invitation to the timeline of this hash
//     JOIN HASH {"name":"ann","record":"{…}"}                          by a record that the recovery code signed
//     JOINED HASH {"name":"main","role":"write","founding":"…"}
//     PING    PONG    ERR code text
//
// To add a message: a case here, its two spellings below, what SyncSession does with it, and
// docs/reference/protocol.md.

import TimelineModel
import TransparencyLog

public enum SyncMessage: Sendable, Equatable {
  case hello(features: [String])
  case have(SyncHave)
  /// Lines follow: so many, of so many bytes. `consistency` is from the tree that they end to that of the
  /// head that was said last (RFC 9162, 2.1.4), and empty where that head ends with them.
  case lines(TimelineID, LineRange, bytes: Int, consistency: [SHA256Digest])
  case took(TimelineID, ReplicaID, last: UInt64)
  case head(TimelineID, ReplicaID, size: UInt64, note: [UInt8])
  case want(TimelineID, LineRange)
  /// The line follows.
  case proof(TimelineID, ReplicaID, seq: UInt64, text: [UInt8])
  case proved(TimelineID, LineRange)
  /// A log was written twice: the other side has another line of this number.
  case fork(TimelineID, ReplicaID, seq: UInt64, check: String)
  case follow(name: String)
  case timeline(TimelineID, name: String, hash: SHA256Digest?)
  case join(SyncJoin)
  case joined(SyncJoined)
  case ping
  case pong
  case error(ErrorReply)
}

/// A device that has an invitation, or was brought in by the recovery code.
public struct SyncJoin: Sendable, Equatable {
  /// The whole hash of the timeline.
  public var timeline: SHA256Digest
  /// What people call the device.
  public var name: String
  /// What shows that it may.
  public var right: Right
  /// Where it answers itself; none where nobody can call it.
  public var addresses: [String]

  public enum Right: Sendable, Equatable {
    /// An invitation: `JoinProof.bytes`.
    case proof([UInt8])
    /// A record that the recovery code signed (M-6), which whoever takes it records.
    case record(MemberRecord)
  }

  public init(timeline: SHA256Digest, name: String, right: Right, addresses: [String]) {
    self.timeline = timeline
    self.name = name
    self.right = right
    self.addresses = addresses
  }
}

/// That it is a member.
public struct SyncJoined: Sendable, Equatable {
  public var timeline: SHA256Digest
  /// What the timeline is called there.
  public var name: String
  public var role: Role
  /// What the timeline's hash is made from.
  public var founding: TimelineFounding

  public init(timeline: SHA256Digest, name: String, role: Role, founding: TimelineFounding) {
    self.timeline = timeline
    self.name = name
    self.role = role
    self.founding = founding
  }
}

/// What a machine has of a timeline.
public struct SyncHave: Sendable, Equatable {
  public struct Head: Sendable, Equatable {
    public var replica: ReplicaID
    public var size: UInt64
    /// The first 8 bytes of the last line's leaf, in hex; empty where that line is damaged.
    public var check: String
    /// Lines under the newest signed head.
    public var signed: UInt64
    /// Whose log it is, among members; nil for one from before there were devices.
    public var device: DeviceID?

    public init(
      _ replica: ReplicaID, size: UInt64, check: String, signed: UInt64, device: DeviceID? = nil
    ) {
      self.replica = replica
      self.size = size
      self.check = check
      self.signed = signed
      self.device = device
    }
  }

  public var timeline: TimelineID
  /// The log that the machine writes; nil where it does not say.
  public var replica: ReplicaID?
  public var heads: [Head]
  /// Whether another part follows.
  public var hasMore = false

  /// So many heads fit into a line.
  static let headsMax = 350

  public init(_ timeline: TimelineID, replica: ReplicaID?, heads: [Head], hasMore: Bool = false) {
    self.timeline = timeline
    self.replica = replica
    self.heads = heads
    self.hasMore = hasMore
  }
}

extension SyncMessage {
  public static let version = "1"
  /// Lines at most that are requested at once.
  public static let requestedMax: UInt64 = 1000
  static let noteBytesMax = 8 << 10
  /// As many as a tree of 2^47 lines can need.
  static let consistencyMax = 48
  static let runBytesMax = 1 << 20
  static let runLinesMax: UInt64 = 1 << 20

  // MARK: Reading

  /// Reads one line, without its LF.
  public init(_ line: UnsafeBufferPointer<UInt8>) throws(ErrorReply) {
    // Bytes, not characters: each run of lines comes with one of these.
    let words = line.split(separator: 0x20, maxSplits: 6, omittingEmptySubsequences: true)
      .map { String(decoding: $0, as: UTF8.self) }
    let text = UnsafeBufferPointer(
      rebasing: line[(line.firstIndex { [0x22, 0x5B, 0x7B].contains($0) } ?? line.count)...])
    let reader = SyncMessageReader(words: words, text: text)
    switch words.first {
    case "HELLO": self = try reader.hello()
    case "HAVE": self = try reader.have()
    case "LINES":
      let (timeline, run) = try reader.run(
        "LINES timeline replica first count bytes [consistency]", max: Self.runLinesMax,
        words: 6...7)
      guard let bytes = Int(words[5]), (1...Self.runBytesMax).contains(bytes) else {
        throw ErrorReply(.badRequest, "LINES brings 1 to \(Self.runBytesMax) bytes")
      }
      self = .lines(
        timeline, run, bytes: bytes,
        consistency: words.count == 7 ? try reader.consistency() : [])
    case "TOOK":
      let (timeline, replica, last) = try reader.address("TOOK timeline replica seq")
      self = .took(timeline, replica, last: last)
    case "HEAD":
      let (timeline, replica, size) = try reader.address(
        "HEAD timeline replica size \"signed note\"")
      self = .head(timeline, replica, size: size, note: try reader.note())
    case "WANT":
      let (timeline, lines) = try reader.run("WANT timeline replica first count")
      self = .want(timeline, lines)
    case "PROOF":
      let (timeline, replica, seq) = try reader.address("PROOF timeline replica seq \"proof\"")
      self = .proof(timeline, replica, seq: seq, text: try reader.note())
    case "PROVED":
      let (timeline, lines) = try reader.run("PROVED timeline replica first count")
      self = .proved(timeline, lines)
    case "FORK":
      let (timeline, replica, seq) = try reader.address("FORK timeline replica seq \"check\"")
      self = .fork(timeline, replica, seq: seq, check: try reader.check())
    case "FOLLOW" where words.count == 2: self = .follow(name: words[1])
    case "TIMELINE" where (3...4).contains(words.count):
      self = .timeline(try reader.timeline(), name: words[2], hash: try reader.hash())
    case "JOIN": self = .join(try reader.join())
    case "JOINED": self = .joined(try reader.joined())
    case "PING": self = .ping
    case "PONG": self = .pong
    case "ERR":
      self = .error(
        ErrorReply.parse(line)
          ?? ErrorReply(.internal, words.dropFirst().joined(separator: " ")))
    case let word:
      throw ErrorReply(.badRequest, "\"\((word ?? "").prefix(20))\" is no word of a sync")
    }
  }

  // MARK: Writing

  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return bytes
  }

  public func append(to out: inout [UInt8]) {
    if case .error(let error) = self { return Reply.error(error, to: &out) }
    out.append(contentsOf: line.utf8)
    out.append(0x0A)
  }

  private var line: String {
    switch self {
    case .hello(let features):
      "HELLO timeline-sync \(Self.version) "
        + JSONValue.object(["features": .strings(features)]).text
    case .have(let have): "HAVE \(have.timeline) \(have.json.text)"
    case .lines(let timeline, let run, let bytes, let consistency):
      "LINES \(timeline) \(run.words) \(bytes)"
        + (consistency.isEmpty ? "" : " " + JSONValue.strings(consistency.map(\.base64)).text)
    case .took(let timeline, let replica, let last): "TOOK \(timeline) \(replica) \(last)"
    case .head(let timeline, let replica, let size, let note):
      "HEAD \(timeline) \(replica) \(size) \(Self.quoted(note))"
    case .want(let timeline, let lines): "WANT \(timeline) \(lines.words)"
    case .proof(let timeline, let replica, let seq, let text):
      "PROOF \(timeline) \(replica) \(seq) \(Self.quoted(text))"
    case .proved(let timeline, let lines): "PROVED \(timeline) \(lines.words)"
    case .fork(let timeline, let replica, let seq, let check):
      "FORK \(timeline) \(replica) \(seq) \"\(check)\""
    case .follow(let name): "FOLLOW \(name)"
    case .timeline(let id, let name, let hash):
      "TIMELINE \(id) \(name)" + (hash.map { " " + $0.base64 } ?? "")
    case .join(let join): "JOIN \(join.timeline.base64) \(join.json.text)"
    case .joined(let joined): "JOINED \(joined.timeline.base64) \(joined.json.text)"
    case .ping: "PING"
    case .pong: "PONG"
    case .error(let error): "ERR \(error.code.rawValue) \(error.text)"
    }
  }

  private static func quoted(_ text: [UInt8]) -> String {
    JSONValue.string(String(decoding: text, as: UTF8.self)).text
  }
}

extension LineRange {
  fileprivate var words: String { "\(replica) \(first) \(count)" }
}

extension SyncHave {
  fileprivate var json: JSONValue {
    .object([
      "replica": replica.map { .string($0.description) },
      "heads": .object(
        heads.map { head in
          JSONValue.Member(
            head.replica.description,
            .array(
              [.int(Int(head.size)), .string(head.check), .int(Int(head.signed))]
                + (head.device.map { [.string($0.digest.base64)] } ?? [])))
        }),
      "more": hasMore ? .bool(true) : nil,
    ])
  }
}

extension SyncJoin {
  /// As many as an invitation names.
  public static let addressesMax = Invitation.addressCountMax

  fileprivate var json: JSONValue {
    let (proof, record): (JSONValue?, JSONValue?) =
      switch right {
      case .proof(let bytes): (.string(Base64.encode(bytes)), nil)
      case .record(let record): (nil, .string(MembershipRecord.member(record).bodyText))
      }
    return .object([
      "name": .string(name), "proof": proof, "record": record,
      "addresses": addresses.isEmpty ? nil : .strings(addresses),
    ])
  }
}

extension SyncJoined {
  fileprivate var json: JSONValue {
    .object([
      "name": .string(name), "role": .string(role.rawValue),
      "founding": .string(founding.bodyText),
    ])
  }
}

/// One line taken apart into words, and the JSON that closes it.
private struct SyncMessageReader {
  let words: [String]
  let text: UnsafeBufferPointer<UInt8>

  func hello() throws(ErrorReply) -> SyncMessage {
    guard words.count >= 3, words[1] == "timeline-sync", words[2] == SyncMessage.version else {
      throw ErrorReply(
        .unsupported, "this daemon speaks: HELLO timeline-sync \(SyncMessage.version)")
    }
    let json = try? JSONValue(parsing: text)
    return .hello(features: json?["features"]?.array?.compactMap(\.string) ?? [])
  }

  func have() throws(ErrorReply) -> SyncMessage {
    let timeline = try timeline()
    guard let json = try? JSONValue(parsing: text), let members = json["heads"]?.members else {
      throw ErrorReply(.badRequest, "HAVE names a timeline and its heads")
    }
    var heads: [SyncHave.Head] = []
    for member in members {
      guard let replica = ReplicaID(member.key), let values = member.value.array,
        (3...4).contains(values.count), let size = values[0].int,
        (0...Int(LineLimits.seqMax)).contains(size),
        let check = values[1].string, let signed = values[2].int, (0...size).contains(signed)
      else { throw Self.headForm }
      let device = values.dropFirst(3).first.map { SHA256Digest(base64: $0.string ?? "") }
      guard device.map({ $0 != nil }) ?? true else { throw Self.headForm }
      heads.append(
        SyncHave.Head(
          replica, size: UInt64(size), check: check, signed: UInt64(signed),
          device: device?.map { DeviceID($0) }))
    }
    return .have(
      SyncHave(
        timeline, replica: json["replica"]?.string.flatMap { ReplicaID($0) }, heads: heads,
        hasMore: json["more"]?.bool ?? false))
  }

  private static let headForm = ErrorReply(
    .badRequest,
    "a head is \"REPLICA\":[size,\"check\",signed], with the device behind it among members")

  func timeline() throws(ErrorReply) -> TimelineID {
    guard words.count > 1, let id = TimelineID(words[1]) else {
      throw ErrorReply(.badRequest, "\(words[0]) names a timeline by its id")
    }
    return id
  }

  /// The whole hash of the timeline, where it is said.
  func hash() throws(ErrorReply) -> SHA256Digest? {
    guard words.count == 4 else { return nil }
    guard let hash = SHA256Digest(base64: words[3]), try timeline() == TimelineID(hash: hash) else {
      throw ErrorReply(
        .badRequest, "\(words[0]) ends with the hash that the timeline's id is made from")
    }
    return hash
  }

  private func hashAndJSON() throws(ErrorReply) -> (SHA256Digest, JSONValue) {
    guard words.count > 1, let hash = SHA256Digest(base64: words[1]),
      let json = try? JSONValue(parsing: text)
    else { throw ErrorReply(.badRequest, "\(words[0]) names a timeline by its whole hash") }
    return (hash, json)
  }

  func join() throws(ErrorReply) -> SyncJoin {
    let (hash, json) = try hashAndJSON()
    let addresses = json["addresses"]?.array?.compactMap(\.string) ?? []
    let proof = json["proof"]?.string.flatMap { Base64.decode($0.utf8) }.map(SyncJoin.Right.proof)
    guard let name = json["name"]?.string, MemberRecord.isName(name),
      let right = proof ?? record(json).map(SyncJoin.Right.record),
      addresses.count <= SyncJoin.addressesMax
    else { throw ErrorReply(.badRequest, "JOIN HASH {name, proof or record, addresses}") }
    return SyncJoin(timeline: hash, name: name, right: right, addresses: addresses)
  }

  private func record(_ json: JSONValue) -> MemberRecord? {
    guard case .member(let record) = json["record"]?.string.flatMap({ MembershipRecord(body: $0) })
    else { return nil }
    return record
  }

  func joined() throws(ErrorReply) -> SyncJoined {
    let (hash, json) = try hashAndJSON()
    guard let name = json["name"]?.string, TimelineFounding.isName(name),
      let role = json["role"]?.string.flatMap({ Role(rawValue: $0) }),
      let founding = json["founding"]?.string.flatMap({ TimelineFounding(parsing: $0) }),
      founding.hash == hash
    else {
      throw ErrorReply(
        .badRequest, "JOINED HASH {name, role, founding}, of which the hash is that of the founding"
      )
    }
    return SyncJoined(timeline: hash, name: name, role: role, founding: founding)
  }

  /// A timeline, a replica and a number.
  func address(_ form: String) throws(ErrorReply) -> (TimelineID, ReplicaID, UInt64) {
    guard words.count >= 4, let timeline = TimelineID(words[1]), let replica = ReplicaID(words[2]),
      let number = UInt64(words[3]), number <= LineLimits.seqMax
    else { throw ErrorReply(.badRequest, form) }
    return (timeline, replica, number)
  }

  /// A timeline, and lines in a row.
  func run(
    _ form: String, max: UInt64 = SyncMessage.requestedMax, words expected: ClosedRange<Int> = 5...5
  ) throws(ErrorReply) -> (TimelineID, LineRange) {
    let (timeline, replica, first) = try address(form)
    guard expected.contains(words.count), let count = UInt64(words[4]), first > 0,
      (1...max).contains(count)
    else { throw ErrorReply(.badRequest, "\(form), at most \(max) lines") }
    return (timeline, LineRange(replica, first, count))
  }

  func consistency() throws(ErrorReply) -> [SHA256Digest] {
    let texts =
      text.count <= SyncMessage.noteBytesMax ? (try? JSONValue(parsing: text))?.array : nil
    let hashes = (texts ?? []).compactMap { $0.string.flatMap { SHA256Digest(base64: $0) } }
    guard (1...SyncMessage.consistencyMax).contains(hashes.count), hashes.count == texts?.count
    else {
      throw ErrorReply(
        .badRequest, "LINES ends with 1 to \(SyncMessage.consistencyMax) hashes in base64")
    }
    return hashes
  }

  /// Of a line: 16 digits of hex.
  func check() throws(ErrorReply) -> String {
    guard let check = (try? JSONValue(parsing: text))?.string, check.utf8.count == 16,
      check.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) })
    else { throw ErrorReply(.badRequest, "\(words[0]) ends with a check of 16 digits") }
    return check
  }

  func note() throws(ErrorReply) -> [UInt8] {
    guard text.count <= SyncMessage.noteBytesMax, let note = (try? JSONValue(parsing: text))?.string
    else {
      throw ErrorReply(
        .badRequest, "\(words[0]) ends with a text of at most \(SyncMessage.noteBytesMax) bytes")
    }
    return Array(note.utf8)
  }
}

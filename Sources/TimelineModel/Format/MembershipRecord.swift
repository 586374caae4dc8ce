// The control records that say who is a member: parsed from the body of a line, nothing judged. What counts
// is for Access (Membership) to say. The forms, to the byte: docs/reference/membership.md, M-1 to M-6.
//
// A body has one form. One that is written in any other way, or has a member more, is no record on any version:
// otherwise two versions with the same lines would have different members.

import TransparencyLog

/// A record of membership.
public indirect enum MembershipRecord: Sendable, Hashable {
  case replica(ReplicaRecord)
  case timeline(TimelineFounding)
  case member(MemberRecord)
  case end(MemberEnd)

  /// Those of lines that may be one.
  public static let types: Set<EventType> = [
    .logReplica, .logTimeline, .logMember, .logMemberEnd,
  ]

  /// Reads the body of a line, with its salt or without; nil where it is no such record (M-1).
  public init?(body text: String) {
    guard let (json, salt) = Self.unsalted(text) else { return nil }
    switch json["type"]?.string {
    case EventType.logReplica.word: self.init(ReplicaRecord(json: json).map(Self.replica))
    case EventType.logTimeline.word: self.init(TimelineFounding(json: json).map(Self.timeline))
    case EventType.logMember.word: self.init(MemberRecord(json: json).map(Self.member))
    case EventType.logMemberEnd.word: self.init(MemberEnd(json: json).map(Self.end))
    default: return nil
    }
    guard Self.salted(self.json, salt).text.utf8.elementsEqual(text.utf8) else { return nil }
  }

  /// Reads what a whole line says; nil where it is no such record.
  public init?(_ line: Line, _ text: UnsafeBufferPointer<UInt8>) {
    guard !line.isStub else { return nil }
    let body = UnsafeBufferPointer(rebasing: text[line.body])
    self.init(body: "{\(String(decoding: body, as: UTF8.self))}")
  }

  private init?(_ record: Self?) {
    guard let record else { return nil }
    self = record
  }

  /// Whether it says that the recovery key signed it.
  public var isSigned: Bool {
    switch self {
    case .member(let record): record.signature != nil
    case .end(let end): end.signature != nil
    case .replica, .timeline: false
    }
  }

  public var type: EventType {
    switch self {
    case .replica: .logReplica
    case .timeline: .logTimeline
    case .member: .logMember
    case .end: .logMemberEnd
    }
  }

  public var json: JSONValue {
    switch self {
    case .replica(let record): record.json
    case .timeline(let founding): founding.json
    case .member(let record): record.json
    case .end(let end): end.json
    }
  }

  /// The body without its salt, to the byte.
  public var bodyText: String { json.text }

  /// Without the last member, where that is the salt.
  private static func unsalted(_ text: String) -> (JSONValue, salt: JSONValue?)? {
    let json = Array(text.utf8).withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let json, var members = json.members else { return nil }
    guard let last = members.last, last.key == "salt" else { return (json, nil) }
    members.removeLast()
    return (.object(members), last.value)
  }

  private static func salted(_ json: JSONValue, _ salt: JSONValue?) -> JSONValue {
    guard let salt, let members = json.members else { return json }
    return .object(members + [JSONValue.Member("salt", salt)])
  }
}

/// What a timeline's recovery key can sign (M-6).
public protocol RecoverySigned: Sendable, Hashable {
  /// The 64 bytes; nil where its recorder says it by his own right.
  var signature: [UInt8]? { get set }
  var json: JSONValue { get }
}

extension RecoverySigned {
  /// Whether the recovery key of the timeline signed it.
  public func isSigned(by recovery: Ed25519PublicKey, of timeline: SHA256Digest) -> Bool {
    signature.map { recovery.isSignature($0, of: signedBytes(timeline)) } ?? false
  }

  /// The same, signed by the recovery key of the timeline.
  public func signed(by recovery: SigningKey, of timeline: SHA256Digest) -> Self {
    var copy = self
    copy.signature = recovery.signature(of: signedBytes(timeline))
    return copy
  }

  private func signedBytes(_ timeline: SHA256Digest) -> [UInt8] {
    var unsigned = self
    unsigned.signature = nil
    return Array("timeline-recovery\n\(timeline.base64)\n\(unsigned.json.text)".utf8)
  }
}

extension JSONValue {
  var digest: SHA256Digest? { string.flatMap { SHA256Digest(base64: $0) } }

  var publicKey: Ed25519PublicKey? { bytes.flatMap { Ed25519PublicKey($0) } }

  var bytes: [UInt8]? { string.flatMap { Base64.decode($0.utf8) } }

  var signature: [UInt8]? {
    bytes.flatMap { $0.count == Ed25519PublicKey.signatureByteCount ? $0 : nil }
  }

  static func base64(_ bytes: [UInt8]) -> JSONValue { .string(Base64.encode(bytes)) }

  /// The keys of an object are those of `json`, in the order of the ids.
  static func byReplica<Value>(_ values: [ReplicaID: Value], _ json: (Value) -> JSONValue) -> Self {
    .object(
      values.sorted { $0.key < $1.key }.map {
        JSONValue.Member($0.key.description, json($0.value))
      })
  }

  /// Nil where a key is no id, stands twice, or its value is not one.
  func byReplica<Value>(_ read: (JSONValue) -> Value?) -> [ReplicaID: Value]? {
    guard let members else { return nil }
    var values: [ReplicaID: Value] = [:]
    for member in members {
      guard let replica = ReplicaID(member.key), values[replica] == nil,
        let value = read(member.value)
      else { return nil }
      values[replica] = value
    }
    return values
  }
}

extension UUIDBytes {
  /// The version-8 UUID of the first 16 bytes of a hash.
  init(_ digest: SHA256Digest) {
    let bytes = digest.bytes
    self.init(custom: Self.word(bytes[0..<8]), Self.word(bytes[8..<16]))
  }

  /// Whether it is of a form of our own (RFC 9562, 5.8).
  var isCustom: Bool { high >> 12 & 15 == 8 }
}

extension SHA256Digest {
  /// Of a text as UTF-8.
  init(of text: String) { self.init(of: Array(text.utf8)) }
}

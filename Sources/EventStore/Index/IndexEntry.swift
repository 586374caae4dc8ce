// What the index wants to know of one line: read from the line itself, whenever it is asked.

import TimelineModel
import TransparencyLog

struct IndexEntry: Sendable {
  var ref: LineRef
  var replica: ReplicaID
  var recorded: RecordedTime
  var id: EventID
  var isStub = false
  /// Nil for a stub, and for a body that this version would refuse: stored, relayed, not counted.
  var body: ValidBody?
  /// What the line says of who is a member, or whose log it is; what is not right where it stands is not here.
  var membership: MembershipRecord?
  /// Of the body, `salt` left out: equal for equal bodies, whatever their spelling. Nil where it was
  /// not asked for; it is needed only where an event has more than one copy.
  var fingerprint: SHA256Digest?

  init(
    ref: LineRef, replica: ReplicaID, recorded: RecordedTime, id: EventID, body: ValidBody?
  ) {
    self.ref = ref
    self.replica = replica
    self.recorded = recorded
    self.id = id
    self.body = body
  }

  /// The snapshot that the line names; nil for any other line.
  var snapshot: NamedSnapshot? {
    if case .controlRecord(_, .snapshot(let named)) = body { named } else { nil }
  }

  /// The same without its words.
  var erased: IndexEntry {
    var entry = self
    entry.body = nil
    entry.membership = nil
    entry.isStub = true
    return entry
  }

  /// The event that the line is, or is a version of.
  var subject: EventID {
    switch body {
    case .controlRecord(_, .correct(let id, _, _, _)), .controlRecord(_, .retract(let id, _)): id
    default: id
    }
  }

  /// The events that the line is, is a version of, or joins or parts.
  var subjects: [EventID] {
    if case .controlRecord(_, .same(let record)) = body { record.pair.ids } else { [subject] }
  }

  /// Whether the line says that words are to go.
  var isErasure: Bool { if case .controlRecord(_, .erase) = body { true } else { false } }

  /// The key of its log's heads that the line names; nil for any other line.
  var key: NoteVerifier? {
    if case .replica(let record) = membership { return record.verifier }
    // In logs from before there were devices.
    if case .controlRecord(_, .member(replica, let key)) = body { return key }
    return nil
  }

  /// What the line says that a timeline's id is made from; nil for any other line.
  var founding: TimelineFounding? {
    if case .controlRecord(_, .timeline(let founding)) = body { founding } else { nil }
  }

  /// Reads a line; what is no JSON has no body.
  init(_ line: Line, _ text: UnsafeBufferPointer<UInt8>, ref: LineRef, _ reader: BodyReader) {
    do throws(JSONError) {
      self = try Self.read(line, text, ref: ref, reader)
    } catch {
      self.init(
        ref: ref, replica: line.replica, recorded: line.recorded, id: line.id, body: nil)
    }
  }

  /// Reads a line that must be JSON.
  static func read(
    _ line: Line, _ text: UnsafeBufferPointer<UInt8>, ref: LineRef, _ reader: BodyReader
  ) throws(JSONError) -> IndexEntry {
    try reader.parse(text)
    var body: ValidBody?
    if !line.isStub {
      body = try? reader.validate(text, registry: nil, isStored: true)
        .by(reader.number(ofAuthor: UnsafeBufferPointer(rebasing: text[line.author])))
    }
    var entry = IndexEntry(
      ref: ref, replica: line.replica, recorded: line.recorded, id: line.id, body: body)
    entry.isStub = line.isStub
    if case .controlRecord(let type, _) = body, MembershipRecord.types.contains(type) {
      entry.membership = membership(line, text)
    }
    return entry
  }

  private static func membership(
    _ line: Line, _ text: UnsafeBufferPointer<UInt8>
  ) -> MembershipRecord? {
    guard let record = MembershipRecord(line, text) else { return nil }
    guard case .replica(let first) = record else { return record }
    return first.isRight(in: line.replica, at: line.seq) ? record : nil
  }

  /// Reads the line again, its fingerprint too; nil where it is damaged.
  init?(reading ref: LineRef, _ logs: [ReplicaLog], _ vocabulary: Vocabulary) {
    guard let text = logs[ref.replica].line(ref.seq), let line = try? Line(text) else { return nil }
    let reader = BodyReader(vocabulary)
    self.init(line, text, ref: ref, reader)
    if !reader.document.isEmpty { fingerprint = Self.fingerprint(reader.document, in: text) }
  }

  /// Members that are the recorder's, not the event's.
  static let envelope = BodyMember.envelope.union(BodyMember.recorder)

  /// SHA-256 of the canonical body: members by key, envelope and salt left out.
  static func fingerprint(
    _ document: JSONDocument, in text: UnsafeBufferPointer<UInt8>
  ) -> SHA256Digest {
    var bytes: [UInt8] = []
    canonicalBody(document.value(0, in: text)).append(to: &bytes)
    var hasher = SHA256()
    return bytes.withUnsafeBufferPointer { hasher.hash($0) }
  }

  /// Whether two lines have the same body to the byte, but for the salt that we write last: so it is
  /// with one file that was imported on two machines.
  static func haveSameBytes(_ one: LineRef, _ other: LineRef, _ logs: [ReplicaLog]) -> Bool {
    recordedBody(one, logs).map { hasBody(other, $0, logs) } ?? false
  }

  /// Whether a line's body is these bytes, but for the salt.
  static func hasBody(
    _ ref: LineRef, _ body: UnsafeBufferPointer<UInt8>, _ logs: [ReplicaLog]
  ) -> Bool {
    recordedBody(ref, logs)?.elementsEqual(body) ?? false
  }

  /// The bytes that the recorder wrote.
  private static func recordedBody(
    _ ref: LineRef, _ logs: [ReplicaLog]
  ) -> UnsafeBufferPointer<UInt8>? {
    guard let text = logs[ref.replica].line(ref.seq), let line = try? Line(text), !line.isStub,
      line.body.count > Line.saltLength
    else { return nil }
    return UnsafeBufferPointer(rebasing: text[line.body.dropLast(Line.saltLength)])
  }

  static func canonicalBody(_ value: JSONValue) -> JSONValue {
    .object((value.members ?? []).filter { !envelope.contains($0.key) }).sortedByKey
  }
}

extension JSONValue {
  /// The same value with the members of every object by key.
  var sortedByKey: JSONValue {
    switch self {
    case .object(let members):
      .object(
        members.map { Member($0.key, $0.value.sortedByKey) }.sorted { $0.key < $1.key })
    case .array(let values): .array(values.map(\.sortedByKey))
    default: self
    }
  }
}

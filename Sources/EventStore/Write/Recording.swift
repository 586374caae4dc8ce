// Staging: one event, or a list of them, becomes stamped lines of the own batch. What is recorded is read
// (TimelineModel), checked against what is here (Admission), and gets its moment and number.

import TimelineModel
import TransparencyLog

extension Timeline {
  public struct Staged: Sendable {
    public var id: EventID
    public var replica: ReplicaID
    public var seq: UInt64
    /// The same event was there already, or is under way: nothing is recorded.
    public var isDuplicate: Bool
    /// Commits that had failed by then: behind another one its number stands for another line.
    let era: Int
  }

  /// What comes from outside for one append.
  public struct Recording {
    /// Who records where the event does not say it.
    public var author: String
    public var now: RecordedTime
    public var random: () -> UInt64
    /// A new random id, for an event that has none.
    public var newID: () -> EventID
    /// Where given, the append is refused unless the log stands there.
    public var position: Position?

    public init(
      author: String, now: RecordedTime, random: @escaping () -> UInt64,
      newID: @escaping () -> EventID, position: Position? = nil
    ) {
      self.author = author
      self.now = now
      self.random = random
      self.newID = newID
      self.position = position
    }
  }

  /// Takes one event, a JSON object, for the next commit.
  public func stage(
    _ text: UnsafeBufferPointer<UInt8>, _ recording: Recording
  ) throws(AppendError) -> Staged {
    try requireWritable()
    requireOpen()
    try checkPosition(recording)
    let prepared = try prepare(text, store.index.vocabulary)
    return try stage(prepared, text, recording, store.index.vocabulary)
  }

  /// Takes a snapshot to cite, made of what is here, for the next commit.
  public func stage(
    _ named: NamedSnapshot, author: String?, _ recording: Recording
  ) throws(AppendError) -> Staged {
    try requireWritable()
    requireOpen()
    let author = author.map { JSONValue.Member("author", .string($0)) }
    let event = JSONValue.object((named.json.members ?? []) + [author].compactMap { $0 })
    return try Array(event.text.utf8).withTypedBuffer { (text) throws(AppendError) in
      let prepared = try prepare(text, store.index.vocabulary)
      if let id = snapshot(named: named.name) { throw .nameTaken(named.name, id) }
      return try stamp(prepared.parts, prepared.body, recording, text, store.index.vocabulary)
    }
  }

  /// Says where what was staged, or found, stands.
  private func outcome(
    _ id: EventID, _ replica: ReplicaID, _ seq: UInt64, isDuplicate: Bool
  ) -> Staged {
    Staged(id: id, replica: replica, seq: seq, isDuplicate: isDuplicate, era: era)
  }

  /// The number of the next line of this machine's log, behind all that is staged or under way.
  private var nextSeq: UInt64 {
    let taken = underWay?.staging.own.lengths.count ?? 0
    return store.logs[0].size + UInt64(taken + staged.own.lengths.count) + 1
  }

  /// A line with an id that its recorder gave it, staged or under way; with the batch that it is in.
  func coming(_ id: EventID) -> (named: StagedEvents.Named, batch: Batch)? {
    if let named = staged.events[id] { return (named, staged.own) }
    return underWay?.staging.events[id].map { ($0, underWay!.staging.own) }
  }

  /// What is to be said of an event last, staged or under way; with the batch that it is in.
  func comingVersion(of id: EventID) -> (bytes: Range<Int>, batch: Batch)? {
    if let bytes = staged.events.lastVersion(of: id) { return (bytes, staged.own) }
    return underWay?.staging.events.lastVersion(of: id).map { ($0, underWay!.staging.own) }
  }

  /// Lines of this machine's log that are not durable yet, in their order.
  func comingEntries(where isWanted: (IndexEntry) -> Bool) -> [IndexEntry] {
    (underWay?.staging.own.entries.filter(isWanted) ?? []) + staged.own.entries.filter(isWanted)
  }

  private func hasComing(where isIt: (IndexEntry) -> Bool) -> Bool {
    underWay?.staging.own.entries.contains(where: isIt) ?? false
      || staged.own.entries.contains(where: isIt)
  }

  /// Actors that are staged or under way: they may not come to be.
  private var comingActors: [Actor] {
    guard let taken = underWay?.staging.events.actors, !taken.isEmpty else {
      return staged.events.actors
    }
    return taken + staged.events.actors
  }

  /// The snapshot to cite that has a name already, staged ones included.
  public func snapshot(named name: SnapshotName) -> EventID? {
    store.index.snapshots.first { $0.named.name == name }?.id
      ?? comingEntries { $0.snapshot?.name == name }.first?.id
  }

  /// Reads one event. While actors are staged it is read by a reader of its own: they may not come to
  /// be, and the other remembers whom it knew.
  private func prepare(
    _ text: UnsafeBufferPointer<UInt8>, _ vocabulary: Vocabulary
  ) throws(AppendError) -> PreparedEvent {
    try PreparedEvent(
      text, registry: registry, comingActors.isEmpty ? store.reader : BodyReader(vocabulary))
  }

  /// The actors that an event staged now may name.
  var registry: ActorRegistry {
    let coming = comingActors
    guard !coming.isEmpty else { return store.index.registry }
    var registry = store.index.registry
    for actor in coming { registry.add(actor) }
    return registry
  }

  private func stage(
    _ prepared: PreparedEvent, _ text: UnsafeBufferPointer<UInt8>, _ recording: Recording,
    _ vocabulary: Vocabulary
  ) throws(AppendError) -> Staged {
    if let missing = unknownSubject(of: prepared.body) { throw .unknownEvent(missing) }
    do throws(EventError) { try checkSubject(of: prepared.body) } catch { throw .badEvent(error) }
    switch prepared.body {
    case .controlRecord(let type, .other), .controlRecord(let type, .member),
      .controlRecord(let type, .timeline), .controlRecord(let type, .erase):
      throw .unsupported(type.word)
    case .controlRecord(let type, .snapshot):
      throw .badEvent(
        EventError(
          "type", "\(type.word) is not sent: the daemon makes it, once it has found the roots",
          value: type.word, hint: .nameSnapshot))
    default: break
    }
    if let id = prepared.parts.id, let copy = try duplicate(of: id, prepared.parts, text) {
      return copy
    }
    if let linking = prepared.linking {
      do throws(EventError) { try checkLinks(of: linking) } catch {
        throw .badEvent(error)
      }
    }
    return try stamp(prepared.parts, prepared.body, recording, text, vocabulary)
  }

  /// Takes all or none of a list of events; an error says which one, from 0.
  public func stageAll(
    _ texts: [UnsafeBufferPointer<UInt8>], _ recording: Recording
  ) -> Result<[Staged], StageAllError> {
    do throws(AppendError) { try requireWritable() } catch {
      return .failure(StageAllError(index: 0, error: error))
    }
    requireOpen()
    let before = staged.own.lengths.count
    var all: [Staged] = []
    all.reserveCapacity(texts.count)
    for verdict in stageEach(texts, recording, store.index.vocabulary, stopsAtError: true) {
      do throws(AppendError) { all.append(try verdict.get()) } catch {
        unstage(to: before)
        return .failure(StageAllError(index: all.count, error: error))
      }
    }
    return .success(all)
  }

  /// What staging each of a list of events would say, those before it taken; stages nothing. Of those that
  /// are never meant to be recorded it says so where nothing can be, too.
  public func check(
    _ texts: [UnsafeBufferPointer<UInt8>], _ recording: Recording, areHypotheses: Bool = false
  ) -> [Result<Staged, AppendError>] {
    if let readOnly, !areHypotheses { return texts.map { _ in .failure(.readOnly(readOnly)) } }
    followOthers(now: recording.now)
    let (before, clock) = (staged.own.lengths.count, clock)
    // No moment was given out: the clock stands where it stood.
    defer {
      unstage(to: before)
      self.clock = clock
    }
    // Words of events that are not recorded are not kept either.
    return stageEach(texts, recording, Vocabulary(), stopsAtError: false)
  }

  private func stageEach(
    _ texts: [UnsafeBufferPointer<UInt8>], _ recording: Recording, _ vocabulary: Vocabulary,
    stopsAtError: Bool
  ) -> [Result<Staged, AppendError>] {
    let prepared = PreparedEvent.all(texts, registry: store.index.registry, vocabulary)
    var verdicts: [Result<Staged, AppendError>] = []
    verdicts.reserveCapacity(texts.count)
    for (index, text) in texts.enumerated() {
      let verdict = Result { () throws(AppendError) in
        if index == 0 { try checkPosition(recording) }
        // Once a line has added an actor, those behind it are read anew: they may name it.
        let prepared =
          comingActors.isEmpty ? try prepared[index].get() : try prepare(text, vocabulary)
        return try stage(prepared, text, recording, vocabulary)
      }
      verdicts.append(verdict)
      if stopsAtError, case .failure = verdict { break }
    }
    return verdicts
  }

  /// Drops what was staged after the first so many lines of the own batch.
  private func unstage(to count: Int) {
    store.linkWalk = LinkWalk()
    staged.events.remove(
      staged.own.entries[count...], from: staged.own.lengths[..<count].reduce(0, +))
    staged.own.cut(to: count)
  }

  public struct StageAllError: Error {
    public var index: Int
    public var error: AppendError
  }

  func checkPosition(_ recording: Recording) throws(AppendError) {
    guard let position = recording.position else { return }
    var here = self.position
    for log in store.logs {
      for staging in [underWay?.staging, staged] {
        here[log.id] += UInt64(staging?.batch(of: log.id, own: replica)?.lengths.count ?? 0)
      }
    }
    guard position == here else { throw .wrongPosition(here) }
  }

  private func stamp(
    _ parts: RequestParts, _ body: ValidBody, _ recording: Recording,
    _ text: UnsafeBufferPointer<UInt8>, _ vocabulary: Vocabulary
  ) throws(AppendError) -> Staged {
    let before = staged.own.lengths.count
    introduce(recording)
    let id = parts.id ?? recording.newID()
    let seq = nextSeq
    let start = staged.own.bytes.count
    followOthers(now: recording.now)
    let recorded = clock.stamp(now: recording.now)
    let author = parts.author ?? recording.author
    parts.withBody(of: text) { body in
      Line.append(
        to: &staged.own.bytes, replica: replica, seq: seq, recorded: recorded, id: id,
        author: author, body: body,
        salt: (recording.random(), recording.random()))
    }
    let length = staged.own.bytes.count - start
    guard length <= LineLimits.lineBytesMax else {
      staged.own.bytes.removeSubrange(start...)
      unstage(to: before)
      throw .tooLarge(length)
    }
    staged.own.lengths.append(length)
    let number =
      vocabulary === store.reader.vocabulary
      ? store.reader.number(ofAuthorNamed: author)
      : vocabulary.number(ofAuthor: JSONText.inner(author))
    staged.own.entries.append(
      IndexEntry(
        ref: LineRef(replica: 0, seq: seq), replica: replica, recorded: recorded, id: id,
        body: body.by(number)))
    staged.events.add(body, id, isNamed: parts.id != nil, at: start..<staged.own.bytes.count)
    return outcome(id, replica, seq, isDuplicate: false)
  }

  /// Before its first event a machine's log says whose it is and with which key its heads are signed, so that readers
  /// of the log can check them, and the founder's what the timeline's id is made from.
  func introduce(_ recording: Recording) {
    guard let signer else { return }
    nameKey(signer, recording)
    if let founding { name(founding, recording) }
  }

  private func nameKey(_ signer: NoteSigner, _ recording: Recording) {
    guard store.index.keys[0] == nil, !hasComing(where: { $0.key != nil })
    else { return }
    if let record {
      say(.replica(record), recording)
      return
    }
    _ = stamp(
      .logMember,
      ["member": .string(replica.description), "vkey": .string(signer.verifier.vkey)],
      .member(replica, signer.verifier), recording)
  }

  /// Once in all logs here: a machine that goes on in a new log has said it in its old one.
  private func name(_ founding: TimelineFounding, _ recording: Recording) {
    guard !store.index.foundings.values.contains(where: { $0.founding == founding }),
      !hasComing(where: { $0.founding != nil })
    else { return }
    say(.timeline(founding), recording)
  }

  /// Stages a line that has to do with who is a member.
  @discardableResult
  func say(_ record: MembershipRecord, _ recording: Recording) -> Staged {
    let control: ControlRecord =
      if case .timeline(let founding) = record { .timeline(founding) } else { .other }
    let staged = stamp(record.type, record.json, control, recording)
    self.staged.own.entries[self.staged.own.entries.count - 1].membership = record
    return staged
  }

  /// Stages a line that is made here.
  func stamp(
    _ type: EventType, _ members: KeyValuePairs<String, JSONValue?>, _ record: ControlRecord,
    _ recording: Recording
  ) -> Staged {
    let body =
      [JSONValue.Member("type", .string(type.word))]
      + members.compactMap { key, value in value.map { JSONValue.Member(key, $0) } }
    return stamp(type, .object(body), record, recording)
  }

  private func stamp(
    _ type: EventType, _ body: JSONValue, _ record: ControlRecord, _ recording: Recording
  ) -> Staged {
    let seq = nextSeq
    let start = staged.own.bytes.count
    let id = recording.newID()
    followOthers(now: recording.now)
    let recorded = clock.stamp(now: recording.now)
    let text = Array(body.text.utf8.dropFirst().dropLast())
    text.withUnsafeBufferPointer {
      Line.append(
        to: &staged.own.bytes, replica: replica, seq: seq, recorded: recorded, id: id,
        author: recording.author, body: $0, salt: (recording.random(), recording.random()))
    }
    staged.own.lengths.append(staged.own.bytes.count - start)
    staged.own.entries.append(
      IndexEntry(
        ref: LineRef(replica: 0, seq: seq), replica: replica, recorded: recorded, id: id,
        body: .controlRecord(type, record)))
    return outcome(id, replica, seq, isDuplicate: false)
  }

  /// The event of that id, where it is there already with the same body.
  private func duplicate(
    of id: EventID, _ parts: RequestParts, _ text: UnsafeBufferPointer<UInt8>
  ) throws(AppendError) -> Staged? {
    if let (named, batch) = coming(id) {
      let (seq, fingerprint) = batch.bytes.withUnsafeBufferPointer { bytes in
        let line = UnsafeBufferPointer(rebasing: bytes[named.bytes])
        return ((try? Line(line))?.seq ?? 0, Self.fingerprint(line))
      }
      guard fingerprint == Self.fingerprint(text) else { throw .exists(id) }
      return outcome(id, replica, seq, isDuplicate: true)
    }
    guard let slot = store.index.slot(of: id) else { return nil }
    let ref = store.index[slot].ref
    // What was erased is not recorded again.
    if store.index.erasures[id] != nil {
      return outcome(id, store.logs[ref.replica].id, ref.seq, isDuplicate: true)
    }
    if parts.withBody(of: text, { IndexEntry.hasBody(ref, $0, store.logs) }) {
      return outcome(id, store.logs[ref.replica].id, ref.seq, isDuplicate: true)
    }
    let fingerprint = Self.fingerprint(text)
    let copies =
      [store.index[slot].ref] + (store.index.copies[slot] ?? [])
      + (store.index.histories[slot]?.versions.map(\.ref) ?? [])
    for ref in copies {
      guard let entry = IndexEntry(reading: ref, store.logs, store.index.vocabulary),
        entry.id == id,
        entry.fingerprint == fingerprint
      else { continue }
      return outcome(id, entry.replica, ref.seq, isDuplicate: true)
    }
    throw .exists(id)
  }

  private static func fingerprint(_ text: UnsafeBufferPointer<UInt8>) -> SHA256Digest? {
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil else { return nil }
    return IndexEntry.fingerprint(document, in: text)
  }
}

// One timeline on this machine: its owner. All writing goes through here, in two steps:
//
//     stage   validate (TimelineModel) → stamp (clock, seq, CRC) → the batch of its replica
//     commit  write → fdatasync → index
//
// Between the two, further appends join the batch: that is group commit. Nothing staged is visible
// or acknowledged; what `commit` says is durable, is. Readers take a snapshot.
// It belongs to one thread (the daemon's loop) and asks nobody for time or chance.

import TimelineModel
import TransparencyLog

public final class Timeline {
  public let id: TimelineID
  public let name: String
  /// The log that this machine writes.
  public let replica: ReplicaID
  /// Signs this machine's log under its name; nil where the machine has no key.
  public let signer: NoteSigner?
  /// The log that this machine wrote until this start, which it could not sign any more.
  public internal(set) var leftLog: ReplicaID?
  /// The heads that were found in the lines, as far as `HeadKeeper` has told.
  public private(set) var heads: [ReplicaID: SignedHead] = [:]
  /// What is wrong with the log.
  public private(set) var damage: [LogDamage]
  /// Why nothing is written any more; nil in health.
  public private(set) var readOnly: String?
  /// Lines from clocks more than an hour ahead, which are accepted but not followed.
  public private(set) var ahead = 0

  private let directory: String
  private let fileSystem: any FileSystem
  private var logs: [ReplicaLog]
  private var index: EventIndex
  private var clock: HybridClock
  /// Whether the clock knows of the logs that other machines wrote before the start.
  private var hasFollowed = false
  /// What is staged for each of `logs`; this machine's own is 0.
  private var batches: [Batch] = []
  /// What is staged by id, to find copies within a batch: bytes in the own batch.
  private var pendingIDs: [EventID: Pending] = [:]

  private struct Pending {
    var bytes: Range<Int>
    /// The event that the line is, or is a version of; nil where it is neither.
    var subject: EventID?
  }

  /// What is staged to be said of an event, the last behind the others: the line of a correction, nothing
  /// for a retraction.
  private var pendingVersions: [EventID: [Range<Int>]] = [:]
  /// Begun anew where links change in any other way than by new events that are staged here.
  private var linkWalk = LinkWalk()
  /// Whether lines of a peer are staged.
  private var hasIngested = false

  /// Actors that staged lines add: what is staged behind them may name them.
  private var pendingActors: [Actor] = []
  private var reader: BodyReader
  /// Lines that the index on disk knows.
  private var indexedLines: UInt64
  /// Lines that the index on disk knew when it was taken over, or was to be once all was quiet: of
  /// those behind them the index holds memory of its own, which a save while appends come leaves so.
  private var mappedLines: UInt64
  /// Under which the index as it is may be written.
  private var permit = IndexPermit()
  /// Whether answers that were kept elsewhere are to be forgotten; asked for once.
  private var wasReadAgain = false
  private var erased: [LogPlace] = []
  /// Why what was erased is not gone yet.
  public private(set) var unfinishedErasure: String?
  /// Whether the next commit is to try again.
  private var isErasureDue = false

  /// Lines that are stamped, but not yet written.
  private struct Batch {
    var bytes: [UInt8] = []
    var lengths: [Int] = []
    var entries: [IndexEntry] = []

    mutating func add(_ other: Batch) {
      bytes += other.bytes
      lengths += other.lengths
      entries += other.entries
    }

    mutating func removeAll() {
      // Kept for the next batch, unless one was out of the ordinary.
      bytes.removeAll(keepingCapacity: bytes.capacity <= 4 << 20)
      lengths.removeAll(keepingCapacity: lengths.capacity <= 1 << 16)
      entries.removeAll(keepingCapacity: entries.capacity <= 1 << 16)
    }
  }

  /// Opens a timeline, reading what its index on disk does not know. A torn tail is cut and reported
  /// in `damage`.
  init(
    id: TimelineID, name: String, replica: ReplicaID, key: SigningKey?, directory: String,
    fileSystem: any FileSystem
  ) throws(FileError) {
    self.id = id
    self.name = name
    self.replica = replica
    signer = key?.signer(named: SignedHead.name(replica, of: id))
    self.directory = directory
    self.fileSystem = fileSystem
    var opened = try Self.takeOver(replica, directory, fileSystem)
    unread = opened?.unread
    if opened == nil {
      opened = try OpenedTimeline(EventIndex(Vocabulary()), directory, [replica], fileSystem)
    }
    try opened!.readOn(fileSystem)
    damage = opened!.damage
    index = opened!.index
    logs = opened!.logs
    indexedLines = unread?.logs.reduce(0) { $0 + $1.lines } ?? 0
    mappedLines = indexedLines
    reader = BodyReader(index.vocabulary)
    batches = logs.map { _ in Batch() }
    clock = HybridClock()
    if let last = logs[0].lastRecorded { clock.resume(after: last) }
    eraseWhatIsDue()
  }

  /// Follows what the logs of other machines held at the start, once it is known what time it is.
  private func followOthers(now: RecordedTime) {
    guard !hasFollowed else { return }
    hasFollowed = true
    let limit = RecordedTime(
      microseconds: now.microseconds + HybridClock.followLimitMicroseconds)
    for log in logs.dropFirst() {
      if let latest = log.recorded(log.size(recordedBy: limit)) {
        _ = clock.follow(latest, now: now)
      }
    }
  }

  /// Opens with what the index on disk knows; nil where there is none to be believed.
  private static func takeOver(
    _ replica: ReplicaID, _ directory: String, _ fileSystem: any FileSystem
  ) throws(FileError) -> OpenedTimeline? {
    // A cache that cannot be read, for whatever reason, is none.
    guard let found = try? IndexFile.read(indexPath(directory), fileSystem),
      found.replicas.first == replica, try found.fits(logsIn: directory + "/logs", fileSystem)
    else { return nil }
    var opened = try OpenedTimeline(
      found.index, directory, found.replicas, covers: found.covers, fileSystem)
    return opened.index.restore(found.irregular, opened.logs) ? opened : nil
  }

  private static func indexPath(_ directory: String) -> String { directory + "/index/checkpoint" }

  /// All that is durable, as a value.
  public var snapshot: Snapshot {
    index.order()
    return Snapshot(timeline: id, index: index, logs: logs, heads: heads)
  }

  /// The same for whoever reads lines alone, as they come: the lists of events may lack the newest
  /// ones, so that their order is not found again after every commit.
  public var lines: Snapshot { Snapshot(timeline: id, index: index, logs: logs, heads: heads) }

  /// The number of durable lines of each replica.
  public var position: Position { Position(Dictionary(logs.map { ($0.id, $0.size) }) { $1 }) }

  public var bytesOnDisk: Int { logs.reduce(0) { $0 + $1.bytes } }

  /// Whether a commit has something to do.
  public var hasPending: Bool { batches.contains { !$0.lengths.isEmpty } }

  // MARK: Heads

  /// Signs and checks the heads of these logs, for one thread beside the loop.
  public func headKeeper() -> HeadKeeper {
    HeadKeeper(
      timeline: id, own: replica, signer: signer, directory: directory, fileSystem: fileSystem)
  }

  /// Makes a head known, that was found in the lines and is durable.
  public func publish(_ head: SignedHead, of replica: ReplicaID) {
    if heads[replica].map({ $0.size <= head.size }) ?? true { heads[replica] = head }
  }

  /// Whether what this machine writes next could not be signed: its log names another key, or has a
  /// damaged line, which others may still have. Nothing is lost by going on in another log.
  var wantsNewLog: Bool {
    guard let signer else { return false }
    return logs[0].hasDamage || index.members[0].map { $0.key != signer.verifier } ?? false
  }

  /// Whether this machine wrote lines that no published head covers.
  public var wantsHead: Bool {
    guard let signer, index.members[0]?.key == signer.verifier else { return false }
    return (heads[replica]?.size ?? 0) < logs[0].size
  }

  // MARK: The index on disk

  /// Whether lines that the index on disk does not know are so many that a start would feel it. While
  /// appends come it is left for later, unless they are many.
  public func wantsIndexSaved(isQuiet: Bool) -> Bool {
    let lines = logs.reduce(0) { $0 + $1.size }
    return isQuiet
      ? lines - mappedLines >= max(1000, lines / 100)
      : lines - indexedLines >= max(250_000, lines / 2)
  }

  /// The index as it stands, to be written by any thread; a failure costs the next start some time.
  public struct IndexSave: Sendable {
    let snapshot: Snapshot
    let path: String
    let fileSystem: any FileSystem
    let permit: IndexPermit

    public func write() throws(FileError) {
      try permit.whileValid { () throws(FileError) in try writeNow() }
    }

    private func writeNow() throws(FileError) {
      try fileSystem.createDirectory(String(path[..<path.lastIndex(of: "/")!]))
      try IndexFile.write(snapshot, to: path, fileSystem)
    }

    /// What was written, as it stands in the file; nil where it cannot be read back.
    public func readBack() throws(FileError) -> SavedIndex? {
      guard var found = try IndexFile.read(path, vocabulary: snapshot.index.vocabulary, fileSystem),
        found.replicas == snapshot.logs.map(\.id), found.index.rows.count == snapshot.rowCount,
        // Where nothing was written, since a log has damage, an older one may stand there.
        snapshot.logs.allSatisfy({ UInt64(found.covers[$0.id]?.starts.count ?? 0) == $0.size }),
        found.index.restore(found.irregular, snapshot.logs)
      else { return nil }
      return SavedIndex(
        index: found.index, covers: found.covers, position: snapshot.position, permit: permit)
    }
  }

  /// An index in the memory of its file.
  public struct SavedIndex: Sendable {
    let index: EventIndex
    let covers: [ReplicaID: ReplicaLog.Cover]
    let position: Position
    let permit: IndexPermit
  }

  /// What is to be written now; nil while the index on disk knows enough. Handed out once.
  public func indexToSave(isQuiet: Bool) -> IndexSave? {
    guard wantsIndexSaved(isQuiet: isQuiet) else { return nil }
    indexedLines = logs.reduce(0) { $0 + $1.size }
    if isQuiet { mappedLines = indexedLines }
    return IndexSave(
      snapshot: snapshot, path: Self.indexPath(directory), fileSystem: fileSystem, permit: permit)
  }

  /// Goes on with the index in its file, and lets its own memory go, unless lines have come since.
  public func adopt(_ saved: SavedIndex) {
    guard saved.permit === permit, saved.position == position, !hasPending else { return }
    index = saved.index
    for place in logs.indices {
      if let cover = saved.covers[logs[place].id] { logs[place].adopt(cover) }
    }
  }

  /// Lines that were taken over from the index on disk, unread, to be read by any thread.
  public struct Unread: Sendable {
    let logs: [(log: ReplicaLog, lines: UInt64)]
    /// Whether they are all what was written.
    public func isWhole() -> Bool { logs.allSatisfy { $0.log.isWhole(upTo: $0.lines) } }
  }

  /// What the start took on trust; nil where it read everything.
  public private(set) var unread: Unread?

  /// Hands it out once: it keeps the file of the index that it came from, and that file's space.
  public func takeUnread() -> Unread? {
    defer { unread = nil }
    return unread
  }

  /// Reads everything again, as a start without an index does, because something is not what it was.
  /// Nothing may be staged.
  public func readAgain() throws(FileError) {
    permit.end()
    permit = IndexPermit()
    wasReadAgain = true
    linkWalk = LinkWalk()
    indexedLines = 0
    mappedLines = 0
    var opened = try OpenedTimeline(
      EventIndex(Vocabulary()), directory, logs.map(\.id), fileSystem)
    try opened.readOn(fileSystem)
    damage = opened.damage
    index = opened.index
    logs = opened.logs
    reader = BodyReader(index.vocabulary)
  }

  // MARK: Recording

  public struct Staged: Sendable {
    public var id: EventID
    public var replica: ReplicaID
    public var seq: UInt64
    /// The same event was there already: nothing is recorded.
    public var isDuplicate: Bool
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
    if let readOnly { throw .readOnly(readOnly) }
    try checkPosition(recording)
    let prepared = try prepare(text, index.vocabulary)
    return try stage(prepared, text, recording, index.vocabulary)
  }

  /// Takes a snapshot to cite, made of what is here, for the next commit.
  public func stage(
    _ named: NamedSnapshot, author: String?, _ recording: Recording
  ) throws(AppendError) -> Staged {
    if let readOnly { throw .readOnly(readOnly) }
    let author = author.map { JSONValue.Member("author", .string($0)) }
    let event = JSONValue.object((named.json.members ?? []) + [author].compactMap { $0 })
    return try Array(event.text.utf8).withTypedBuffer { (text) throws(AppendError) in
      let prepared = try prepare(text, index.vocabulary)
      if let id = snapshot(named: named.name) { throw .nameTaken(named.name, id) }
      return try stamp(prepared.parts, prepared.body, recording, text, index.vocabulary)
    }
  }

  /// The snapshot to cite that has a name already, staged ones included.
  public func snapshot(named name: SnapshotName) -> EventID? {
    index.snapshots.first { $0.named.name == name }?.id
      ?? batches[0].entries.first { $0.snapshot?.name == name }?.id
  }

  /// Reads one event. While actors are staged it is read by a reader of its own: they may not come to
  /// be, and the other remembers whom it knew.
  private func prepare(
    _ text: UnsafeBufferPointer<UInt8>, _ vocabulary: Vocabulary
  ) throws(AppendError) -> PreparedEvent {
    try PreparedEvent(
      text, registry: registry, pendingActors.isEmpty ? reader : BodyReader(vocabulary))
  }

  /// The actors that an event staged now may name.
  private var registry: ActorRegistry {
    guard !pendingActors.isEmpty else { return index.registry }
    var registry = index.registry
    for actor in pendingActors { registry.add(actor) }
    return registry
  }

  private func stage(
    _ prepared: PreparedEvent, _ text: UnsafeBufferPointer<UInt8>, _ recording: Recording,
    _ vocabulary: Vocabulary
  ) throws(AppendError) -> Staged {
    if let missing = unknownSubject(of: prepared.body) { throw .unknownEvent(missing) }
    do throws(EventError) { try checkSubject(of: prepared.body) } catch { throw .badEvent(error) }
    switch prepared.body {
    case .statement(let type, .other), .statement(let type, .member),
      .statement(let type, .erase):
      throw .unsupported(type.word)
    case .statement(let type, .snapshot):
      throw .badEvent(
        EventError(
          "type", "\(type.word) is written by timelinectl snapshot create, which finds the roots"))
    default: break
    }
    if let id = prepared.parts.id, let staged = try duplicate(of: id, prepared.parts, text) {
      return staged
    }
    if let linking = prepared.linking {
      do throws(EventError) { try checkLinks(of: linking) } catch {
        throw .badEvent(error)
      }
    }
    return try stamp(prepared.parts, prepared.body, recording, text, vocabulary)
  }

  // MARK: Links

  /// Links lead to what came before and to commitments that are there, and never back. One to an event
  /// that is not here is taken: it may come by a sync, or later in the same file.
  private func checkLinks(of event: LinkedEvent) throws(EventError) {
    let here = lines
    let old = event.id.flatMap { linked($0, here) }
    // To mend a word nobody has to mend what another machine let pass; LINT goes on naming it.
    if let old, old.links == event.links, old.first == event.first, old.actors == event.actors {
      return
    }
    for (place, link) in event.links.enumerated() {
      guard let target = linked(link.id, here),
        let fault = LinkFault.of(link, from: event, to: target)
      else { continue }
      throw fault.error(place, link, from: event, to: target)
    }
    // Nobody can name a new id before its append was answered.
    guard let id = event.id else { return }
    let isNew = index.slot(of: id) == nil && pendingIDs[id] == nil
    let found = linkWalk.circle(of: id, isNew: isNew, event.links) { id in
      linked(id, here)?.links.map(\.id)
    }
    if let (place, way) = found, let target = linked(event.links[place].id, here) {
      throw LinkFault.circle(way).error(place, event.links[place], from: event, to: target)
    }
  }

  /// An event as it shows, or will once all that is staged is durable; nil where it is not here.
  private func linked(_ id: EventID, _ here: Snapshot) -> LinkedEvent? {
    let version = pendingVersions[id]?.last
    let staged = pendingIDs[id]
    guard let range = version ?? staged?.bytes else { return here.linked(id) }
    // An id that a correction was given is that of a version, and of no event.
    guard version != nil || staged?.subject == id else { return nil }
    return batches[0].bytes.withUnsafeBufferPointer { bytes in
      let text = UnsafeBufferPointer(rebasing: bytes[range])
      var document = JSONDocument()
      guard (try? document.parse(text)) != nil else { return nil }
      let node = version == nil ? 0 : document.member("body", of: 0, in: text)
      return node.flatMap { LinkedEvent(id: id, document, node: $0, in: text) }
    }
  }

  /// Takes all or none of a list of events; an error says which one, from 0.
  public func stageAll(
    _ texts: [UnsafeBufferPointer<UInt8>], _ recording: Recording
  ) -> Result<[Staged], StageAllError> {
    if let readOnly { return .failure(StageAllError(place: 0, error: .readOnly(readOnly))) }
    let before = batches[0].lengths.count
    var staged: [Staged] = []
    staged.reserveCapacity(texts.count)
    for verdict in stageEach(texts, recording, index.vocabulary, stopsAtError: true) {
      do throws(AppendError) { staged.append(try verdict.get()) } catch {
        unstage(to: before)
        return .failure(StageAllError(place: staged.count, error: error))
      }
    }
    return .success(staged)
  }

  /// What staging each of a list of events would say, those before it taken; stages nothing. Of those that
  /// are never meant to be recorded it says so where nothing can be, too.
  public func check(
    _ texts: [UnsafeBufferPointer<UInt8>], _ recording: Recording, areHypotheses: Bool = false
  ) -> [Result<Staged, AppendError>] {
    if let readOnly, !areHypotheses { return texts.map { _ in .failure(.readOnly(readOnly)) } }
    followOthers(now: recording.now)
    let (before, clock) = (batches[0].lengths.count, clock)
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
    let prepared = PreparedEvent.all(texts, registry: index.registry, vocabulary)
    var verdicts: [Result<Staged, AppendError>] = []
    verdicts.reserveCapacity(texts.count)
    for (place, text) in texts.enumerated() {
      let verdict = Result { () throws(AppendError) in
        if place == 0 { try checkPosition(recording) }
        // Once a line has added an actor, those behind it are read anew: they may name it.
        let prepared =
          pendingActors.isEmpty ? try prepared[place].get() : try prepare(text, vocabulary)
        return try stage(prepared, text, recording, vocabulary)
      }
      verdicts.append(verdict)
      if stopsAtError, case .failure = verdict { break }
    }
    return verdicts
  }

  /// Drops what was staged after the first so many lines of the own batch.
  private func unstage(to count: Int) {
    linkWalk = LinkWalk()
    let start = batches[0].lengths[..<count].reduce(0, +)
    for entry in batches[0].entries[count...] {
      pendingIDs[entry.id] = nil
      pendingVersions[entry.subject]?.removeAll { $0.lowerBound >= start }
      if case .statement(_, .actor) = entry.body { pendingActors.removeLast() }
    }
    batches[0].bytes.removeSubrange(start...)
    batches[0].lengths.removeSubrange(count...)
    batches[0].entries.removeSubrange(count...)
  }

  public struct StageAllError: Error {
    public var place: Int
    public var error: AppendError
  }

  private func checkPosition(_ recording: Recording) throws(AppendError) {
    guard let position = recording.position else { return }
    var here = self.position
    for (log, batch) in zip(logs, batches) { here[log.id] += UInt64(batch.lengths.count) }
    guard position == here else { throw .wrongPosition(here) }
  }

  private func stamp(
    _ parts: RequestParts, _ body: ValidBody, _ recording: Recording,
    _ text: UnsafeBufferPointer<UInt8>, _ vocabulary: Vocabulary
  ) throws(AppendError) -> Staged {
    let before = batches[0].lengths.count
    introduce(recording)
    let id = parts.id ?? recording.newID()
    let seq = logs[0].size + UInt64(batches[0].lengths.count) + 1
    let start = batches[0].bytes.count
    followOthers(now: recording.now)
    let recorded = clock.stamp(now: recording.now)
    let author = parts.author ?? recording.author
    parts.withBody(of: text) { body in
      Line.append(
        to: &batches[0].bytes, replica: replica, seq: seq, recorded: recorded, id: id,
        author: author, body: body,
        salt: (recording.random(), recording.random()))
    }
    let length = batches[0].bytes.count - start
    guard length <= LineLimits.lineBytesMax else {
      batches[0].bytes.removeSubrange(start...)
      unstage(to: before)
      throw .tooLarge(length)
    }
    batches[0].lengths.append(length)
    let number =
      vocabulary === reader.vocabulary
      ? reader.number(ofAuthorNamed: author)
      : vocabulary.number(ofAuthor: JSONText.inner(author))
    batches[0].entries.append(
      IndexEntry(
        ref: LineRef(replica: 0, seq: seq), replica: replica, recorded: recorded, id: id,
        body: body.by(number)))
    if case .statement(_, .actor(let actor)) = body { pendingActors.append(actor) }
    // Nobody can name a new id before its append was answered.
    if case .statement(_, let statement) = body {
      switch statement {
      case .correct(let subject, _, _, _):
        pendingVersions[subject, default: []].append(start..<batches[0].bytes.count)
      case .retract(let subject, _): pendingVersions[subject, default: []].append(start..<start)
      default: break
      }
    }
    if parts.id != nil {
      pendingIDs[id] = Pending(bytes: start..<batches[0].bytes.count, subject: body.subject(of: id))
    }
    return Staged(id: id, replica: replica, seq: seq, isDuplicate: false)
  }

  /// Before its first event a machine's log says with which key its heads are signed, so that whoever
  /// has the log can check them.
  private func introduce(_ recording: Recording) {
    guard let signer, index.members[0] == nil,
      !batches[0].entries.contains(where: { $0.member != nil })
    else { return }
    _ = stamp(
      .logMember,
      ["member": .string(replica.description), "vkey": .string(signer.verifier.vkey)],
      .member(replica, signer.verifier), recording)
  }

  /// Stages a line that is made here.
  private func stamp(
    _ type: EventType, _ members: KeyValuePairs<String, JSONValue?>, _ statement: LogStatement,
    _ recording: Recording
  ) -> Staged {
    let seq = logs[0].size + UInt64(batches[0].lengths.count) + 1
    let start = batches[0].bytes.count
    let id = recording.newID()
    followOthers(now: recording.now)
    let recorded = clock.stamp(now: recording.now)
    let body =
      [JSONValue.Member("type", .string(type.word))]
      + members.compactMap { key, value in value.map { JSONValue.Member(key, $0) } }
    let text = Array(JSONValue.object(body).text.utf8.dropFirst().dropLast())
    text.withUnsafeBufferPointer {
      Line.append(
        to: &batches[0].bytes, replica: replica, seq: seq, recorded: recorded, id: id,
        author: recording.author, body: $0, salt: (recording.random(), recording.random()))
    }
    batches[0].lengths.append(batches[0].bytes.count - start)
    batches[0].entries.append(
      IndexEntry(
        ref: LineRef(replica: 0, seq: seq), replica: replica, recorded: recorded, id: id,
        body: .statement(type, statement)))
    return Staged(id: id, replica: replica, seq: seq, isDuplicate: false)
  }

  /// The event of that id, where it is there already with the same body.
  private func duplicate(
    of id: EventID, _ parts: RequestParts, _ text: UnsafeBufferPointer<UInt8>
  ) throws(AppendError) -> Staged? {
    if let range = pendingIDs[id]?.bytes {
      let (seq, fingerprint) = batches[0].bytes.withUnsafeBufferPointer { bytes in
        let line = UnsafeBufferPointer(rebasing: bytes[range])
        return ((try? Line(line))?.seq ?? 0, Self.fingerprint(line))
      }
      guard fingerprint == Self.fingerprint(text) else { throw .exists(id) }
      return Staged(id: id, replica: replica, seq: seq, isDuplicate: true)
    }
    guard let slot = index.slot(of: id) else { return nil }
    let ref = index[slot].ref
    // What was erased is not recorded again.
    if index.erasures[id] != nil {
      return Staged(id: id, replica: logs[ref.replica].id, seq: ref.seq, isDuplicate: true)
    }
    if parts.withBody(of: text, { IndexEntry.hasBody(ref, $0, logs) }) {
      return Staged(
        id: id, replica: logs[ref.replica].id, seq: ref.seq, isDuplicate: true)
    }
    let fingerprint = Self.fingerprint(text)
    let copies =
      [index[slot].ref] + (index.copies[slot] ?? [])
      + (index.histories[slot]?.versions.map(\.ref) ?? [])
    for ref in copies {
      guard let entry = IndexEntry(reading: ref, logs, index.vocabulary), entry.id == id,
        entry.fingerprint == fingerprint
      else { continue }
      return Staged(id: id, replica: entry.replica, seq: ref.seq, isDuplicate: true)
    }
    throw .exists(id)
  }

  private static func fingerprint(_ text: UnsafeBufferPointer<UInt8>) -> SHA256Digest? {
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil else { return nil }
    return IndexEntry.fingerprint(document, in: text)
  }

  /// A correction or retraction speaks of an event that is here, and of its versions.
  private func unknownSubject(of body: ValidBody) -> EventID? {
    guard case .statement(_, let statement) = body else { return nil }
    switch statement {
    case .correct(let id, let supersedes, _, _), .retract(let id, let supersedes):
      return ([id] + supersedes).first { index.slot(of: $0) == nil && pendingIDs[$0] == nil }
    case .actor, .erase, .member, .snapshot, .rules, .unusableRules, .other: return nil
    }
  }

  private func checkSubject(of body: ValidBody) throws(EventError) {
    guard case .statement(_, let statement) = body else { return }
    switch statement {
    case .correct(let id, let supersedes, _, _), .retract(let id, let supersedes):
      let isRetraction = if case .retract = statement { true } else { false }
      let isEvent =
        index.slot(of: id).map { !index[$0].flags.contains(.unlisted) }
        ?? (pendingIDs[id]?.subject == id)
      guard isEvent else {
        throw EventError(
          isRetraction ? "retracts" : "corrects", "\(id) is a line of the log, not an event")
      }
      guard !supersedes.isEmpty else {
        throw EventError("supersedes", "name the versions that it replaces, at least one")
      }
      let versions = index.versions(of: id)
      for version in supersedes
      where version != id && !versions.contains(version) && pendingIDs[version]?.subject != id {
        throw EventError("supersedes", "\(version) is no version of \(id)")
      }
    case .actor(let actor):
      if let old = registry[actor.code] {
        throw EventError("code", "\(actor.code) is taken already: \(old.name)")
      }
    case .rules(let table): try check(table)
    case .erase, .member, .snapshot, .unusableRules, .other: break
    }
  }

  /// A name stands for one table; a subtype is one that the model names, or that an event here has.
  private func check(_ table: RuleTable) throws(EventError) {
    let staged = batches[0].entries.compactMap { entry -> (EventID, RuleTable)? in
      if case .statement(_, .rules(let table)) = entry.body { (entry.id, table) } else { nil }
    }
    let recorded = index.rules.all.compactMap { entry in entry.table.map { (entry.id, $0) } }
    for (id, other) in recorded + staged
    where other.kind == table.kind && other.version == table.version && other.rows != table.rows {
      throw EventError(
        "name",
        "\"\(table.version)\" is another table of \(table.kind.rawValue) already, event"
          + " \(id); give this one a name of its own")
    }
    for (row, type, subtype) in table.unknownSubtypes {
      var filter = Filter()
      filter.types = [type]
      filter.subtypes = [subtype]
      var query = Query(filter)
      query.limit = 1
      guard snapshot.count(query) == 0 else { continue }
      let near = EditDistance.nearest(to: subtype, in: type.knownSubtypes)
      throw EventError(
        "rows[\(row)].subtype",
        "\"\(subtype)\" is no subtype of \(type.word), and no event here has it; "
          + (near.isEmpty
            ? "those that are known: \(type.knownSubtypes.joined(separator: ", "))"
            : "did you mean \(near.joined(separator: ", "))?"))
    }
  }

  // MARK: Lines from other machines

  /// Takes whole lines of another replica, numbered from `first`, for the next commit; what is here
  /// already is compared and passed over.
  /// Nothing is taken where one of them is wrong.
  public func ingest(
    _ bytes: UnsafeBufferPointer<UInt8>, of replica: ReplicaID, from first: UInt64,
    now: RecordedTime
  ) throws(IngestError) {
    if let readOnly { throw .disk(.readOnly(readOnly)) }
    followOthers(now: now)
    let place = try place(of: replica)
    var batch = Batch()
    var hasher = SHA256()
    var next = logs[place].size + UInt64(batches[place].lengths.count) + 1
    var previous = batches[place].entries.last?.recorded ?? logs[place].lastRecorded
    var latest = clock
    var ahead = 0
    var expected = first
    for piece in PeerLine.all(in: bytes, place: place, index.vocabulary) {
      guard let text = piece.text else { throw .line(seq: next, .noLineEnd) }
      let line: Line
      do throws(LineError) { line = try piece.line.get() } catch { throw .line(seq: next, error) }
      guard line.replica == replica else {
        throw .wrongReplica(expected: replica, found: line.replica)
      }
      guard line.seq == expected else {
        throw .wrongSeq(expected: expected, found: line.seq)
      }
      expected += 1
      if line.seq < next {
        guard isHere(line, text, place) else { throw .fork(seq: line.seq) }
        continue
      }
      guard line.seq == next, let entry = piece.entry else {
        throw .wrongSeq(expected: next, found: line.seq)
      }
      guard previous.map({ $0 < line.recorded }) ?? true else { throw .notRising(seq: next) }
      previous = line.recorded
      let isFollowed = latest.follow(line.recorded, now: now)
      if !isFollowed { ahead += 1 }
      // Our own log, which we had lost: what we write next comes after it.
      guard isFollowed || place != 0 else { throw .notOurs(seq: next) }
      if index.erasures.covers(entry) {
        // Its words were to go before it came.
        let stub = line.stub(of: text, using: &hasher)
        batch.bytes.append(contentsOf: stub)
        batch.lengths.append(stub.count)
        batch.entries.append(entry.erased)
      } else {
        batch.bytes.append(contentsOf: text)
        batch.lengths.append(text.count)
        batch.entries.append(entry)
      }
      next += 1
    }
    clock = latest
    self.ahead += ahead
    hasIngested = true
    batches[place].add(batch)
  }

  /// Whether a line that a peer sent is the one that is here; one that is damaged here may be any. Either
  /// may have lost its words, so where the bytes differ their leaves are compared.
  private func isHere(_ line: Line, _ text: UnsafeBufferPointer<UInt8>, _ place: Int) -> Bool {
    func isSame(_ here: UnsafeBufferPointer<UInt8>) -> Bool {
      if here.elementsEqual(text) { return true }
      guard let known = try? Line(here) else { return true }
      var hasher = SHA256()
      return (known.isStub || line.isStub)
        && known.leaf(of: here, using: &hasher) == line.leaf(of: text, using: &hasher)
    }
    guard line.seq > logs[place].size else { return logs[place].line(line.seq).map(isSame) ?? true }
    let staged = Int(line.seq - logs[place].size) - 1
    let start = batches[place].lengths[..<staged].reduce(0, +)
    return batches[place].bytes.withUnsafeBufferPointer {
      isSame(UnsafeBufferPointer(rebasing: $0[start..<start + batches[place].lengths[staged]]))
    }
  }

  private func place(of replica: ReplicaID) throws(IngestError) -> Int {
    if let place = logs.firstIndex(where: { $0.id == replica }) { return place }
    do throws(FileError) {
      let path = "\(directory)/logs/\(replica)"
      logs.append(try ReplicaLog(replica, in: path, cover: nil, fileSystem: fileSystem))
      batches.append(Batch())
      return logs.count - 1
    } catch { throw .disk(note(error)) }
  }

  // MARK: Erasing

  /// Takes, for the next commit, that an event's words are to go: those of its first recording, of its
  /// copies and of its versions. They are gone when the commit has come back, from every file but
  /// the backups that were made before.
  public func stageErasure(
    of id: EventID, reason: String, _ recording: Recording
  ) throws(AppendError) -> Staged {
    if let readOnly { throw .readOnly(readOnly) }
    if let ref = index.erasures[id] { throw .wasErased(id, by: logs[ref.replica].id, ref.seq) }
    let lines = index.lines(of: id)
    guard !lines.isEmpty else { throw .unknownEvent(id) }
    let places = lines.map { LogPlace(logs[$0.replica].id, $0.seq) }
      .sorted { ($0.replica, $0.seq) < ($1.replica, $1.seq) }
    introduce(recording)
    return stamp(
      .logErase,
      [
        "erases": .string(id.description), "lines": .array(places.map(\.json)),
        "reason": .string(reason),
      ], .erase(id, lines: places), recording)
  }

  /// Replaces lines whose words are to go by their stubs. The index on disk goes first, which has some
  /// of these words too; what a crash or a full disk cuts short is done at the next start or commit.
  private func eraseWhatIsDue() {
    let due = index.linesToErase(logs)
    unfinishedErasure = index.unreadableToErase(logs).map {
      "line \($0.seq) of log \($0.replica), whose words were erased, is damaged: what is left of it "
        + "stands on the disk until timelinectl repair has fetched it from a peer"
    }
    isErasureDue = false
    guard !due.isEmpty, readOnly == nil else { return }
    permit.end()
    permit = IndexPermit()
    var failure: FileError?
    do throws(FileError) {
      let index = Self.indexPath(directory)
      if try !fileSystem.list(directory + "/index").isEmpty {
        try fileSystem.replace(index, with: [])
      }
      for (place, seqs) in due.sorted(by: { $0.key < $1.key }) {
        let log = logs[place]
        let ids = subjects(of: seqs, in: place)
        // Also beside the other logs: an event may have been tried there first.
        for log in logs { try log.emptyAside(naming: ids, fileSystem) }
        try log.rewrite(
          stubs(of: seqs, in: log), forgetting: seqs, ids, signed: signed(place), fileSystem)
        erased += seqs.sorted().map { LogPlace(log.id, $0) }
      }
    } catch { failure = error }
    let places = failure?.cause == .full ? Array(due.keys) : []
    do throws(FileError) { try openRewritten(places) } catch { failure = error }
    guard let failure else { return }
    unfinishedErasure = "words that were erased are still on the disk: \(failure.message)"
    isErasureDue = true
    if failure.cause != .full { _ = note(failure) }
  }

  /// Opens the logs anew after segments were rewritten, or may have been: which files stand there now has
  /// to be found out. Where it cannot be, nothing is written any more, whatever the reason: what is
  /// open may be a file that has no name any more, and a line in it would be lost.
  ///
  /// - Parameter places: logs of which the renames may not be durable.
  private func openRewritten(_ places: [Int]) throws(FileError) {
    do throws(FileError) {
      for place in places { try logs[place].syncDirectory(fileSystem) }
      try readAgain()
    } catch {
      readOnly = "the timeline is read-only since \(error.message)"
      throw error
    }
  }

  /// Lines under the head of a log that is on disk.
  private func signed(_ place: Int) -> UInt64 {
    SignedHead.size(of: logs[place].id, by: index.members[place]?.key, in: directory, fileSystem)
  }

  /// Puts lines back that are damaged here, or lack their words: each is the one of its place, as
  /// `HeadKeeper.isProven` says. Damaged lines side by side come back together or not at all; what stood
  /// there is kept beside the segment. Nothing may be staged.
  public func mend(_ lines: [LogPlace: [UInt8]]) throws(AppendError) {
    if let readOnly { throw .readOnly(readOnly) }
    let lacking = Set(
      snapshot.lacking.flatMap { lines in lines.lines.map { LogPlace(lines.replica, $0) } })
    let reader = BodyReader(index.vocabulary)
    var hasher = SHA256()
    var failure: FileError?
    var unsynced: [Int] = []
    var hasChanged = false
    for (place, log) in logs.enumerated() {
      var found: [UInt64: [UInt8]] = [:]
      var erased: [UInt64: EventID] = [:]
      for (name, line) in lines where name.replica == log.id && lacking.contains(name) {
        line.withUnsafeBufferPointer { text in
          guard let parsed = try? Line(text) else { return }
          if let here = log.line(name.seq), let stub = try? Line(here) {
            // Where only the words lack, what is here says which they were.
            guard !parsed.isStub,
              stub.leaf(of: here, using: &hasher) == parsed.leaf(of: text, using: &hasher)
            else { return }
          }
          let ref = LineRef(replica: place, seq: name.seq)
          let entry = IndexEntry(parsed, text, ref: ref, reader)
          guard index.erasures.covers(entry) else {
            found[name.seq] = line
            return
          }
          found[name.seq] = parsed.stub(of: text, using: &hasher)
          erased[name.seq] = entry.subject
        }
      }
      guard !found.isEmpty, failure == nil else { continue }
      hasChanged = true
      do throws(FileError) {
        try log.rewrite(
          found, forgetting: Set(erased.keys), Array(erased.values), signed: signed(place),
          fileSystem)
      } catch {
        failure = error
        if error.cause == .full { unsynced.append(place) }
      }
    }
    guard hasChanged else { return }
    do throws(FileError) { try openRewritten(unsynced) } catch { throw .readOnly(readOnly!) }
    if let failure { throw note(failure) }
    if unfinishedErasure != nil { eraseWhatIsDue() }
  }

  private func stubs(of seqs: Set<UInt64>, in log: ReplicaLog) -> [UInt64: [UInt8]] {
    var hasher = SHA256()
    var stubs: [UInt64: [UInt8]] = [:]
    for seq in seqs {
      if let text = log.line(seq), let line = try? Line(text) {
        stubs[seq] = line.stub(of: text, using: &hasher)
      }
    }
    return stubs
  }

  private func subjects(of seqs: Set<UInt64>, in place: Int) -> [EventID] {
    seqs.compactMap { seq in
      IndexEntry(reading: LineRef(replica: place, seq: seq), logs, index.vocabulary)?.subject
    }
  }

  /// The lines that have lost their words since this was asked last.
  public func takeErased() -> [LogPlace] {
    defer { erased = [] }
    return erased
  }

  /// Whether everything was read again since this was asked last.
  public func takeWasReadAgain() -> Bool {
    defer { wasReadAgain = false }
    return wasReadAgain
  }

  // MARK: Commit

  /// Makes everything staged durable and visible. After an error only the staged lines that
  /// `isDurable` were taken.
  public func commit() throws(AppendError) {
    var failure: AppendError?
    let erasures = index.erasures.all.count
    var hasNewErasure: Bool { index.erasures.all.count > erasures || isErasureDue }
    for place in logs.indices where !batches[place].lengths.isEmpty {
      defer { batches[place].removeAll() }
      if let readOnly {
        failure = .readOnly(readOnly)
        continue
      }
      let (lines, error) = batches[place].bytes.withUnsafeBufferPointer {
        logs[place].append($0, lengths: batches[place].lengths, fileSystem: fileSystem)
      }
      for entry in batches[place].entries.prefix(lines) { index.apply(entry, logs: logs) }
      if let error { failure = note(error) }
    }
    pendingIDs.removeAll(keepingCapacity: true)
    // What came from elsewhere was not walked, what was corrected links elsewhere now, and what was not
    // recorded nowhere.
    if failure != nil || hasIngested || !pendingVersions.isEmpty { linkWalk = LinkWalk() }
    hasIngested = false
    pendingVersions = [:]
    pendingActors = []
    if hasNewErasure { eraseWhatIsDue() }
    if let failure { throw failure }
  }

  /// Whether a staged append has become part of the log.
  public func isDurable(_ staged: Staged) -> Bool {
    logs.contains { $0.id == staged.replica && $0.size >= staged.seq }
  }

  /// What a failure of the disk means: a full disk is a state that passes, anything else ends writing,
  /// since what a failed sync left behind is unknown and a second one may lie.
  private func note(_ error: FileError) -> AppendError {
    switch error.cause {
    case .full: return .full(error)
    case .tooManyFiles: return .busy(error)
    default: break
    }
    readOnly = "the timeline is read-only since \(error.message)"
    return .readOnly(readOnly!)
  }
}

extension ValidBody {
  /// The event that a line of this body is, or is a version of; nil where it is neither.
  fileprivate func subject(of id: EventID) -> EventID? {
    switch self {
    case .happening: id
    case .statement(_, .correct(let target, _, _, _)), .statement(_, .retract(let target, _)):
      target
    case .statement: nil
    }
  }
}

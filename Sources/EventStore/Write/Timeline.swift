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
  /// What this machine calls it.
  public var name: String
  /// What the id is made from, where this machine founded the timeline.
  public let founding: TimelineFounding?
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
  public internal(set) var readOnly: String?
  /// Lines from clocks more than an hour ahead, which are accepted but not followed.
  public internal(set) var ahead = 0

  let directory: String
  let fileSystem: any FileSystem
  var logs: [ReplicaLog]
  var index: EventIndex
  var clock: HybridClock
  /// Whether the clock knows of the logs that other machines wrote before the start.
  private var hasFollowed = false
  /// What is staged for each of `logs`; this machine's own is 0.
  var batches: [Batch] = []
  /// What of it other lines may name: copies, corrections and actors are found within a batch too.
  var staged = StagedEvents()
  /// Begun anew where links change in any other way than by new events that are staged here.
  var linkWalk = LinkWalk()
  /// Whether lines of a peer are staged.
  var hasIngested = false
  var reader: BodyReader
  /// Lines that the index on disk knows.
  var indexedLines: UInt64
  /// Lines that the index on disk knew when it was taken over, or was to be once all was quiet: of
  /// those behind them the index holds memory of its own, of which a save while appends come leaves some.
  var mappedLines: UInt64
  /// Under which the index as it is may be written.
  var permit = IndexPermit()
  /// Whether answers that were kept elsewhere are to be forgotten; asked for once.
  private var wasReadAgain = false
  var erased: [LogPlace] = []
  /// Why what was erased is not gone yet.
  public internal(set) var unfinishedErasure: String?
  /// Whether the next commit is to try again.
  var isErasureDue = false

  /// What the start took on trust; nil where it read everything.
  public internal(set) var unread: Unread?

  /// Opens a timeline, reading what its index on disk does not know. A torn tail is cut and reported
  /// in `damage`.
  init(
    _ hosted: HostedTimeline, key: SigningKey?, directory: String, fileSystem: any FileSystem
  ) throws(FileError) {
    id = hosted.id
    name = hosted.name
    founding = hosted.founding
    replica = hosted.replica
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
  func followOthers(now: RecordedTime) {
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

  static func indexPath(_ directory: String) -> String { directory + "/index/checkpoint" }

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
    // What came from elsewhere was not walked, what was corrected links elsewhere now, and what was not
    // recorded nowhere.
    if failure != nil || hasIngested || staged.changesEvents { linkWalk = LinkWalk() }
    linkWalk.beginTurn()
    hasIngested = false
    staged.removeAll()
    if hasNewErasure { eraseWhatIsDue() }
    if let failure { throw failure }
  }

  /// Whether a staged append has become part of the log.
  public func isDurable(_ staged: Staged) -> Bool {
    logs.contains { $0.id == staged.replica && $0.size >= staged.seq }
  }

  /// What a failure of the disk means: a full disk is a state that passes, anything else ends writing,
  /// since what a failed sync left behind is unknown and a second one may lie.
  func note(_ error: FileError) -> AppendError {
    switch error.cause {
    case .full: return .full(error)
    case .tooManyFiles: return .busy(error)
    default: break
    }
    readOnly = "the timeline is read-only since \(error.message)"
    return .readOnly(readOnly!)
  }
}

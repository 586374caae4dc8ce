// One timeline on this machine: its owner. All writing goes through here, in two steps:
//
//     stage   validate (TimelineModel) → stamp (clock, seq, CRC) → the batch of its replica
//     commit  write → fdatasync → index                             (Commit: on two threads, or on one)
//
// Between the two, further appends join the batch: that is group commit. Nothing staged is visible
// or acknowledged; what is behind `finishCommit` is durable. Readers take a `ReadView`.
// It belongs to one thread (the daemon's loop) and is handed the time and random numbers.

import Access
import TimelineModel
import TransparencyLog

public final class Timeline {
  public let id: TimelineID
  /// What this machine calls it.
  public var name: String
  /// What the id is made from, where this machine founded the timeline: its log says it.
  public let founding: TimelineFounding?
  /// The log that this machine writes.
  public let replica: ReplicaID
  /// What that log begins with; nil for one from before there were devices.
  let record: ReplicaRecord?
  /// What this machine signs with; nil where it has no keys.
  let keys: MachineKeys?
  /// Signs this machine's log under its name; nil where the machine has no key.
  public let signer: NoteSigner?
  /// The log that this machine wrote until this start, which it could not sign any more.
  public internal(set) var leftLog: ReplicaID?
  /// The heads that were found in the lines, as far as `HeadKeeper` has told.
  public private(set) var heads: [ReplicaID: SignedHead] = [:]
  /// Why nothing is written any more; nil in health.
  public internal(set) var readOnly: String?
  /// Lines from clocks more than an hour ahead, which are accepted but not followed.
  public internal(set) var ahead = 0

  /// Where everything is.
  let files: OpenStore.Location
  /// All that was read; nothing but `readAgain` puts another reading in its place.
  var store: OpenStore
  /// Later than every line that is here, staged or under way.
  var clock: HybridClock
  /// Whether the clock knows of the logs that other machines wrote before the start.
  private var hasFollowed = false

  /// What no commit has taken yet; numbered behind `underWay`, which is numbered behind `store`.
  var staged = Staging()
  /// What a commit has taken; nil while there is none.
  var underWay: UnderWay?
  /// Emptied, for what is staged next: its memory is used again.
  var spare = Staging()
  /// Commits that were begun.
  var commits = 0
  /// Commits that failed: what was staged in one of these may stand at a number that was given out again.
  var era = 0
  /// The last era that ended, and how many lines of each log were durable then.
  var ended: (era: Int, sizes: [ReplicaID: UInt64])?

  /// Whether answers that were kept elsewhere are to be forgotten; asked for once.
  private var wasReadAgain = false
  var erased: [LineAddress] = []
  /// Lines of erased events that no erasure names yet.
  var linesToName: [EventID: [LineAddress]] = [:]
  /// Why what was erased is not gone yet.
  public internal(set) var unfinishedErasure: String?
  /// Whether the next commit is to try again.
  var isErasureDue = false

  var directory: String { files.directory }
  var fileSystem: any FileSystem { files.fileSystem }

  /// What is wrong with the log.
  public var damage: [LogDamage] { store.damage }

  /// What is unverified until the background scan; nil where the start read everything.
  public var unverified: Unverified? { store.unverified }

  /// Opens a timeline, reading what its index on disk does not know. A torn tail is cut and reported
  /// in `damage`.
  init(
    _ hosted: HostedTimeline, keys: MachineKeys?, directory: String, fileSystem: any FileSystem,
    logsMax: Int = LineRef.logsMax
  ) throws(FileError) {
    id = hosted.id
    name = hosted.name
    founding = hosted.isFoundedHere ? hosted.founding : nil
    replica = hosted.replica
    record = hosted.record
    self.keys = keys
    signer = keys?.heads.signer(named: SignedHead.name(replica, of: id))
    files = OpenStore.Location(
      timeline: id, hash: hosted.hash, device: record.map { DeviceID(of: $0.device) },
      founding: hosted.founding, directory: directory,
      own: replica,
      fileSystem: fileSystem, logsMax: logsMax)
    store = try OpenStore(files)
    clock = HybridClock()
    if let last = store.logs[0].lastRecorded { clock.resume(after: last) }
    eraseWhatIsDue()
    linesToName = store.index.linesToName(store.logs)
  }

  /// Follows what the logs of other machines held at the start, once it is known what time it is.
  func followOthers(now: RecordedTime) {
    guard !hasFollowed else { return }
    hasFollowed = true
    let limit = RecordedTime(
      microseconds: now.microseconds + HybridClock.followLimitMicroseconds)
    for log in store.logs.dropFirst() {
      if let latest = log.recorded(log.size(recordedBy: limit)) {
        _ = clock.follow(latest, now: now)
      }
    }
  }

  /// All that is durable, as a value.
  public var view: ReadView {
    store.index.order()
    return lines
  }

  /// The same for callers that read lines alone, as they come: the lists of events may miss the newest
  /// ones, so that they are not brought in order again after every commit.
  public var lines: ReadView {
    ReadView(timeline: id, index: store.index, logs: store.logs, heads: heads)
  }

  /// The number of durable lines of each replica, as far as they count.
  public var position: Position {
    Position(Dictionary(store.logs.indices.map { (store.logs[$0].id, store.counted($0)) }) { $1 })
  }

  /// The number of durable lines of a log, whether they count or not.
  public func size(of replica: ReplicaID) -> UInt64 { store.size(of: replica) }

  /// Whole lines of a log in a row, as they stand, for a peer.
  public func run(
    of replica: ReplicaID, from first: UInt64, linesMax: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
    store.logIndex(of: replica).map {
      store.logs[$0].run(from: first, linesMax: linesMax, bytesMax: bytesMax)
    }
      ?? (0, UnsafeBufferPointer(start: nil, count: 0))
  }

  public var bytesOnDisk: Int { store.logs.reduce(0) { $0 + $1.bytes } }

  // MARK: Heads

  /// Signs and checks the heads of these logs, for one thread off the loop.
  public func headKeeper() -> HeadKeeper {
    HeadKeeper(
      timeline: id, own: replica, key: keys?.heads, directory: directory, fileSystem: fileSystem)
  }

  /// Makes a head known, that was found in the lines and is durable.
  public func publish(_ head: SignedHead, of replica: ReplicaID) {
    if heads[replica].map({ $0.size <= head.size }) ?? true { heads[replica] = head }
  }

  /// The newest head of a log that was found in its lines.
  public func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? {
    heads[replica].map { ($0.size, $0.note.bytes) }
  }

  /// Lines under that head; 0 where there is none.
  public func signedSize(of replica: ReplicaID) -> UInt64 { heads[replica]?.size ?? 0 }

  /// Whether what this machine writes next could not be signed: its log is of another device, names another key, or
  /// has a damaged line, which others may still have. Nothing is lost by going on in another log.
  var wantsNewLog: Bool {
    guard let keys, let signer else { return false }
    if store.logs[0].hasDamage { return true }
    if let record {
      return record.device != keys.device.publicKey || record.key != keys.heads.publicKey
    }
    // One that has begun without saying whose it is goes on as it is.
    guard store.logs[0].size > 0 else { return hash != nil }
    return store.index.keys[0].map { $0.key != signer.verifier } ?? false
  }

  // MARK: Members

  /// Who is a member, by all lines that are durable here; nil for a timeline from before there were members.
  public var membership: Membership? { store.membership }

  /// Whether who is a member has changed so that other lines count than those that were taken in.
  public var wantsReading: Bool { store.isStale }

  /// Changes with each line that may change who is one.
  public var membershipVersion: Int { store.membershipVersion }

  /// The logs that are asked for and sent, in the order in which they go, each with the number of its lines that are:
  /// none behind its reach. Logs without lines are left out.
  public var followedLogs: [(replica: ReplicaID, size: UInt64)] {
    store.followed.compactMap { number in
      let log = store.logs[number]
      let size = min(log.size, store.membership?.reach(of: log.id) ?? .max)
      return size > 0 ? (log.id, size) : nil
    }
  }

  /// What names the timeline where 122 bits are too few; nil where no line here says it.
  public var hash: SHA256Digest? { store.membership?.timeline }

  /// Whether this machine wrote lines that no published head covers.
  public var wantsHead: Bool {
    guard let signer, store.index.keys[0]?.key == signer.verifier else { return false }
    return (heads[replica]?.size ?? 0) < store.logs[0].size
  }

  /// Reads everything again, as a start without an index does, because something is not what it was. Nothing
  /// may be staged, and no commit be under way.
  public func readAgain() throws(FileError) {
    requireNothingStaged()
    wasReadAgain = true
    store.endPermit()
    // An erased or damaged line is the same leaf.
    let trees = store.trees
    store = try OpenStore(reading: store.logs.map(\.id), signed: heads, files)
    store.trees = trees
    linesToName = store.index.linesToName(store.logs)
  }

  /// What is staged was numbered and checked by what was read: it goes with it.
  func requireNothingStaged() {
    require(
      "the store is replaced between commits, with nothing staged", !hasStaged && !isCommitting,
      [
        "staged lines": staged.own.lengths.count, "logs of others staged": staged.others.count,
        "commit under way": underWay?.number ?? 0,
      ])
  }

  /// Behind a commit that rewrites files everything is read again.
  func requireOpen() {
    require(
      "nothing is staged while a commit is under way that rewrites files", isOpenForStaging,
      ["commit under way": underWay?.number ?? 0])
  }

  /// Whether everything was read again since this was asked last.
  public func takeWasReadAgain() -> Bool {
    defer { wasReadAgain = false }
    return wasReadAgain
  }
}

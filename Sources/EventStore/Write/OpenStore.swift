// What is read together: the logs, what is known of them, and what stands or falls with both. One value, so
// that no part of it can be of another reading; `Timeline.readAgain` puts another in its place as a whole.
//
//     logs[n]  ◀── LineRef.replica of index ── index.vocabulary ──▶ reader
//                                     └─ index.membership ──▶ membership

import Access
import TimelineModel
import TransparencyLog

struct OpenStore {
  /// This machine's own is the first; the others come behind it as they were found, and keep their indices.
  var logs: [ReplicaLog] = []
  /// Of all lines of `logs`; its refs are indices of them.
  var index: EventIndex
  /// Numbers words by `index.vocabulary`.
  let reader: BodyReader
  /// Who is a member, by what `index.membership` has; nil while the whole hash of the timeline is not known.
  private(set) var membership: Membership?
  /// Why this machine records nothing, as far as it is known who is a member; asked for with each append.
  private(set) var refusal: AppendError?
  /// Those of `index.membership` that `membership` has.
  private var judged = 0
  /// The logs of which lines are asked for and sent, by index, in the order in which they go.
  private(set) var followed: [Int] = []
  private let location: Location
  /// What is wrong with `logs`.
  private(set) var damage: [LogDamage] = []
  /// The tree of each log of which that is known; one whose size is not the log's says nothing.
  var trees: [ReplicaID: TreeFrontier] = [:]
  /// Begun anew where links change in any other way than by new events that are staged here.
  var linkWalk = LinkWalk()
  /// Under which `index` as it is may be written.
  private(set) var permit = IndexPermit()
  /// Lines that the index on disk knows.
  var indexedLines: UInt64 = 0
  /// Lines that the index on disk knew when it was taken over, or was to be once all was quiet: of
  /// those behind them the index holds memory of its own, of which a save while appends come leaves some.
  var mappedLines: UInt64 = 0
  /// What came from the index on disk and is unverified until the background scan; nil where everything was read.
  var unverified: Timeline.Unverified?

  /// What has to be known to open one.
  struct Location {
    let timeline: TimelineID
    /// The whole hash that `timeline` is the beginning of, where it is known without the lines.
    let hash: SHA256Digest?
    /// The device of the log that is written here.
    let device: DeviceID?
    /// What that is the hash of, where it is known without the lines: it counts wherever it stands.
    let founding: TimelineFounding?
    let directory: String
    /// The log that is written here.
    let own: ReplicaID
    let fileSystem: any FileSystem
    /// Logs at most: further ones are named as damage, and left alone.
    let logsMax: Int

    /// Who is a member before a line was read.
    var membership: Membership? {
      hash.map { hash in
        Membership(of: hash, founding.map { [.line(own, 2, .timeline($0))] } ?? [])
      }
    }

    var index: String { directory + "/index/" + IndexFile.name }
    func log(_ replica: ReplicaID) -> String { "\(directory)/logs/\(replica)" }
  }

  /// Opens what is in a directory, reading what its index on disk does not know.
  init(_ location: Location) throws(FileError) {
    // Nobody reads it any more. Where it cannot be removed, an erasure tries again, and is not done before.
    try? IndexFile.removeOlder(in: location.directory, location.fileSystem)
    if let taken = try Self(takingOver: location) {
      self = taken
    } else {
      self.init(new: [], location)
    }
    try readOn(signed: [:])
    try readWithinLimits(signed: [:])
  }

  /// Reads everything; the logs that are known keep their indices.
  ///
  /// - Parameter signed: heads that are known, and may not be on the disk yet.
  init(
    reading known: [ReplicaID], signed: [ReplicaID: SignedHead], _ location: Location
  ) throws(FileError) {
    self.init(new: known, location)
    try readOn(signed: signed.mapValues(\.size))
    try readWithinLimits(signed: signed.mapValues(\.size))
  }

  private init(new known: [ReplicaID], limits: [Int: UInt64] = [:], _ location: Location) {
    self.location = location
    membership = location.membership
    index = EventIndex(Vocabulary(), limits: limits)
    reader = BodyReader(index.vocabulary)
    logs = (known.isEmpty ? [location.own] : known).map { ReplicaLog($0, in: location.log($0)) }
  }

  /// Takes over what the index on disk knows; nil where there is none to be believed.
  private init?(takingOver location: Location) throws(FileError) {
    // A cache that cannot be read, for whatever reason, is none.
    guard let found = try? IndexFile.read(location.index, location.fileSystem),
      found.replicas.first == location.own, found.replicas.count <= location.logsMax,
      try found.fits(logsIn: location.directory + "/logs", location.fileSystem)
    else { return nil }
    self.location = location
    membership = location.membership
    index = found.index
    reader = BodyReader(index.vocabulary)
    for replica in found.replicas {
      let path = location.log(replica)
      logs.append(
        try ReplicaLog(replica, in: path, cover: found.covers[replica], location.fileSystem))
    }
    guard index.restore(found.irregular, logs) else { return nil }
    unverified = Timeline.Unverified(logs: logs.map { ($0, $0.size) })
    indexedLines = lineCount
    mappedLines = indexedLines
  }

  /// Reads what is not known yet, logs that were not known behind the others.
  private mutating func readOn(signed heads: [ReplicaID: UInt64]) throws(FileError) {
    let known = Set(logs.map(\.id))
    let found = try location.fileSystem.list(location.directory + "/logs")
    for replica in found.compactMap({ ReplicaID($0) }) where !known.contains(replica) {
      guard logs.count < location.logsMax else {
        damage.append(
          LogDamage(
            replica: replica, file: location.log(replica), offset: 0,
            kind: .leftOut(max: location.logsMax)))
        continue
      }
      logs.append(ReplicaLog(replica, in: location.log(replica)))
    }
    var (logs, damage) = (logs, damage)
    let location = location
    try index.inBulk { (index) throws(FileError) in
      for number in logs.indices {
        let others = logs
        let reason = try logs[number].readOn(
          LogReader(vocabulary: index.vocabulary, logIndex: number),
          fileSystem: location.fileSystem,
          damage: &damage
        ) { entry, log in
          func all() -> [ReplicaLog] {
            var all = others
            all[number] = log()
            return all
          }
          index.apply(entry, logs: all())
        }
        let onDisk = SignedHead.size(
          of: logs[number].id, by: index.keys[number]?.key, in: location.directory,
          location.fileSystem)
        try logs[number].finishRecovery(
          reason, signed: max(onDisk, heads[logs[number].id] ?? 0), fileSystem: location.fileSystem,
          damage: &damage)
      }
    }
    self.logs = logs
    self.damage = damage
    judge()
  }

  /// Brings who is a member up to what the lines say.
  private mutating func judge() {
    guard judged < index.membership.count else { return }
    if membership == nil { membership = hash.map { Membership(of: $0) } }
    let logs = logs
    membership?.insert(
      index.membership[judged...].map { event in
        MembershipFact.line(logs[event.ref.replica].id, event.ref.seq, event.record)
      })
    guard let membership else { return }
    judged = index.membership.count
    let numbers = Dictionary(logs.indices.map { (logs[$0].id, $0) }) { first, _ in first }
    followed = membership.followed.compactMap { numbers[$0] }
    refusal = nil
    if let device = location.device, membership.knows(device) {
      let role = membership.role(of: device)
      if (role ?? .read) < .write { refusal = .notAllowed(role) }
    }
    let limits = wantedLimits
    isStale = !isWithin(limits)
    if !isStale { index.limit(limits) }
  }

  /// Changes with each line that may change who is a member.
  var membershipVersion: Int { judged }

  /// Who is a member is known once all lines were read: where some of them do not count, all are read once more.
  private mutating func readWithinLimits(signed: [ReplicaID: UInt64]) throws(FileError) {
    guard isStale else { return }
    let (limits, damage, known) = (wantedLimits, damage, logs.map(\.id))
    self = Self(new: known, limits: limits, location)
    try readOn(signed: signed)
    // What a crash had left is cut off, and told, the first time.
    self.damage = damage
  }

  /// The last line that counts of each log of which that is known; the log of a device that was never a member, which
  /// only plain TCP or the owner brings here, has none.
  private var wantedLimits: [Int: UInt64] {
    guard let membership else { return [:] }
    var limits: [Int: UInt64] = [:]
    for (number, log) in logs.enumerated() {
      guard membership.device(of: log.id).map({ membership.knows($0) }) ?? false else { continue }
      limits[number] = membership.end(of: log.id)
    }
    return limits
  }

  /// Whether `index` has lines that do not count, or lacks some that do: all is to be read again. It can come to be
  /// so with who is a member alone: lines that come later are taken in within the limits.
  private(set) var isStale = false

  private func isWithin(_ wanted: [Int: UInt64]) -> Bool {
    wanted == index.limits
      || !logs.enumerated().contains { number, log in
        min(log.size, wanted[number] ?? .max) != min(log.size, index.limits[number] ?? .max)
      }
  }

  /// Lines of a log that count.
  func counted(_ number: Int) -> UInt64 { min(logs[number].size, index.limits[number] ?? .max) }

  /// The whole hash of the timeline as a line of it says.
  private var hash: SHA256Digest? {
    index.membership.lazy.compactMap { event -> SHA256Digest? in
      switch event.record {
      case .replica(let record): record.timelineID == location.timeline ? record.timeline : nil
      case .timeline(let founding): founding.id == location.timeline ? founding.hash : nil
      case .member, .end: nil
      }
    }.first
  }

  /// Number of lines of all logs.
  var lineCount: UInt64 { logs.reduce(0) { $0 + $1.size } }

  /// The index of a log; nil where it is not here.
  func logIndex(of replica: ReplicaID) -> Int? { logs.firstIndex { $0.id == replica } }

  /// Lines of a log; 0 where it is not here.
  func size(of replica: ReplicaID) -> UInt64 { logIndex(of: replica).map { logs[$0].size } ?? 0 }

  /// Takes in what was written at the end of a log, as far as it was.
  mutating func take(_ tail: LogTail, _ batch: Batch, lines: Int, logIndex: Int) {
    logs[logIndex].take(tail, lengths: batch.lengths)
    let logs = logs
    for entry in batch.entries.prefix(lines) { index.apply(entry, logs: logs) }
    judge()
  }

  /// Ends what is being made of the index as it was: it is not written any more, nor gone on with.
  mutating func endPermit() {
    permit.end()
    permit = IndexPermit()
  }
}

// A store at work on a simulated disk, with a ledger that no crash touches: what was sent,
// what was acknowledged and when. And the checks that every crash state has to pass.

import Support
import TimelineModel
import TransparencyLog

@testable import EventStore

/// What a client remembers of a store.
struct Ledger: Sendable {
  /// The lines that were ever written at an address: more than one where a crash took the first.
  var sent: [LineAddress: Set<[UInt8]>] = [:]
  /// Acknowledged lines, each with the number of operations that there had been.
  var acknowledged: [(after: Int, address: LineAddress, line: [UInt8])] = []
  /// Heads that were handed out, each with the number of operations that there had been.
  var heads: [(after: Int, head: SignedHead)] = []
  /// Words that were erased, each with the number of operations that there had been, and the line
  /// that asks for it.
  var erased: [(after: Int, words: String, line: [UInt8])] = []
  /// Lines that may stand there as their stubs.
  var mayBeStubs: Set<EventID> = []
  /// Ids of the events that were ever sent, those of refused appends among them.
  var ids: Set<EventID> = []
  /// Events that corrections and retractions speak of, and lines that are no events.
  var special: Set<EventID> = []
  /// Events whose appends were refused in a way that leaves nothing behind.
  var refused: Set<EventID> = []

  mutating func note(_ line: [UInt8], acknowledgedAfter count: Int) {
    let parsed = line.withUnsafeBufferPointer { try! Line($0) }
    let address = LineAddress(parsed.replica, parsed.seq)
    sent[address, default: []].insert(line)
    ids.insert(parsed.id)
    acknowledged.append((count, address, line))
  }
}

final class CrashRun {
  static let path = "/data"
  static let replica = ReplicaID(UUIDBytes(random: 0xA, 0xA))

  let start: SimulatedDisk
  let fileSystem: CrashingFileSystem
  var ledger: Ledger
  private var directory: DataDirectory?
  private(set) var timeline: Timeline?
  /// Whether the background scan follows soon after a start.
  var readsBehindStart = true
  /// Signs heads where it is there.
  private(set) var keeper: HeadKeeper?
  private let isSigning: Bool
  private var nextID: UInt64
  private var now: Int64 = 1_000_000

  /// - Parameter ledger: what is remembered of the disk that the run starts on, all of it
  ///   acknowledged.
  init(
    on disk: SimulatedDisk = SimulatedDisk(), ledger: Ledger = Ledger(),
    mutant: CrashingFileSystem.Mutant? = nil, firstID: UInt64? = nil, isSigning: Bool = false
  ) {
    self.isSigning = isSigning
    start = disk
    self.ledger = ledger
    for index in ledger.acknowledged.indices { self.ledger.acknowledged[index].after = 0 }
    for index in ledger.erased.indices { self.ledger.erased[index].after = 0 }
    for index in ledger.heads.indices { self.ledger.heads[index].after = 0 }
    fileSystem = CrashingFileSystem(disk, mutant: mutant)
    nextID = firstID ?? UInt64(ledger.ids.count) << 8
  }

  func close() {
    timeline = nil
    directory = nil
  }

  /// Opens, or opens anew, as the daemon does: the background scan reads what is unverified.
  func open() throws(OpenError) {
    close()
    let directory = try DataDirectory(Self.path, fileSystem: fileSystem)
    let seed = (0..<32).map { UInt8(truncatingIfNeeded: nextID >> (8 * ($0 % 8))) }
    let keys =
      isSigning
      ? MachineKeys(
        heads: try directory.signingKey { seed }, device: SigningKey(seed: [UInt8](1...32))!) : nil
    let timeline = try directory.openTimeline("main", by: LogMaker(keys: keys, random: chance))
    if readsBehindStart, let unverified = timeline.unverified, !unverified.isWhole() {
      do throws(FileError) { try timeline.readAgain() } catch { throw .disk(error) }
    }
    self.directory = directory
    self.timeline = timeline
    keeper = isSigning ? timeline.headKeeper() : nil
  }

  /// The first log is always the same.
  private func chance() -> UInt64 {
    !isSigning || fileSystem.disk.node(Self.path + "/timelines/main/timeline.json") == nil
      ? 0xA : 0xC << 32 | nextID
  }

  func newID() -> EventID {
    nextID += 1
    return EventID(UUIDBytes(high: 0x4000, low: 1 << 63 | nextID))
  }

  /// Signs what is durable, and hands the head out.
  func sign() throws(HeadProblem) {
    guard let timeline, let head = try keeper?.sign(timeline.lines, isKept: true) else { return }
    ledger.heads.append((fileSystem.operations.count, head))
  }

  private func recording() -> Timeline.Recording {
    now += 1000
    var salt = UInt64(now)
    return Timeline.Recording(
      author: "ann", now: RecordedTime(microseconds: now),
      random: {
        salt &*= 0x9E37_79B9_7F4A_7C15
        return salt
      },
      newID: { [self] in
        // The lines that name the key and what the timeline's id is made from.
        let id = newID()
        ledger.ids.insert(id)
        ledger.special.insert(id)
        return id
      })
  }

  /// Appends events in one commit. What is staged but not durable is refused.
  @discardableResult
  func append(_ bodies: [String]) throws(AppendError) -> [EventID] {
    guard let timeline else { return [] }
    defer { timeline.checkInvariants() }
    var staged: [Timeline.Staged] = []
    let ids = bodies.map { _ in newID() }
    ledger.ids.formUnion(ids)
    do throws(AppendError) {
      for (body, id) in zip(bodies, ids) {
        let text = Array((body.dropLast() + #","id":"\#(id)"}"#).utf8)
        let recording = recording()
        try text.withTypedBuffer { (text) throws(AppendError) in
          staged.append(try timeline.stage(text, recording))
        }
      }
      try timeline.commit()
    } catch {
      let taken = staged.filter { timeline.isDurable($0) }
      acknowledge(taken)
      ledger.refused.formUnion(Set(ids).subtracting(taken.map(\.id)))
      throw error
    }
    acknowledge(staged)
    return ids
  }

  private func acknowledge(_ staged: [Timeline.Staged]) {
    // The lines that name the key and what the timeline's id is made from are written with the first event.
    if let first = staged.first {
      for seq in (first.seq > 2 ? first.seq - 2 : 1)..<first.seq
      where id(of: first.replica, seq).map(ledger.special.contains) ?? false {
        acknowledge(first.replica, seq...seq)
      }
    }
    for staged in staged { acknowledge(staged.replica, staged.seq...staged.seq) }
  }

  private func id(of replica: ReplicaID, _ seq: UInt64) -> EventID? {
    timeline?.lines.log(replica)?.line(seq).flatMap { try? Line($0).id }
  }

  private func acknowledge(_ replica: ReplicaID, _ seqs: ClosedRange<UInt64>) {
    let log = timeline!.lines.logs.first { $0.id == replica }!
    for seq in seqs {
      ledger.note(Array(log.line(seq)!), acknowledgedAfter: fileSystem.operations.count)
    }
  }

  /// Appends one event to a timeline that is open; its id.
  @discardableResult
  func append(_ title: String, bytes: Int = 0) throws(AppendError) -> EventID {
    let filling = String(repeating: "filling ", count: bytes / 8)
    return try append([body(title, more: bytes > 0 ? #","summary":"\#(filling)""# : "")])[0]
  }

  func correct(_ id: EventID) throws(AppendError) {
    ledger.special.insert(id)
    let correction = try append([
      #"{"type":"log.correct","corrects":"\#(id)","supersedes":["\#(id)"],"reason":"typo","#
        + #""body":\#(body("right", date: "2001"))}"#
    ])
    ledger.special.formUnion(correction)
  }

  func retract(_ id: EventID) throws(AppendError) {
    ledger.special.insert(id)
    ledger.special.formUnion(
      try append([
        #"{"type":"log.retract","retracts":"\#(id)","supersedes":["\#(id)"],"reason":"x"}"#
      ]))
  }

  /// Erases an event that says these words, and nothing else does.
  func erase(_ id: EventID, _ words: String) throws(AppendError) {
    guard let timeline else { return }
    defer { timeline.checkInvariants() }
    ledger.special.insert(id)
    ledger.mayBeStubs.insert(id)
    let staged = try timeline.stageErasure(of: id, reason: "danger", recording())
    try timeline.commit()
    acknowledge([staged])
    ledger.erased.append((fileSystem.operations.count, words, ledger.acknowledged.last!.line))
  }

  /// Takes lines of a peer, and events of our own in the same commit.
  func take(_ lines: ArraySlice<[UInt8]>, with bodies: [String] = []) throws(AppendError) {
    guard let timeline else { return }
    defer { timeline.checkInvariants() }
    let parsed = lines.map { line in line.withUnsafeBufferPointer { try! Line($0) } }
    let replica = parsed[0].replica
    ledger.ids.formUnion(parsed.map(\.id))
    do throws(IngestError) {
      let now = RecordedTime(microseconds: now)
      _ = try Array(lines.joined()).withTypedBuffer { (bytes) throws(IngestError) in
        try timeline.ingest(bytes, of: replica, from: parsed[0].seq, by: .owner, now: now)
      }
    } catch {
      guard case .disk(let error) = error else { fatalError(error.message) }
      throw error
    }
    defer {
      let durable = timeline.position[replica]
      if durable >= parsed[0].seq {
        acknowledge(replica, parsed[0].seq...min(durable, parsed.last!.seq))
      }
    }
    if bodies.isEmpty { try timeline.commit() } else { try append(bodies) }
  }

  func saveIndex() throws(FileError) {
    guard let timeline else { return }
    try Timeline.IndexSave(
      view: timeline.view, path: Self.path + "/timelines/main/index/events.idx",
      fileSystem: fileSystem,
      permit: IndexPermit()
    ).write()
  }

  /// An index as an older timelined left it; there is a newer one already.
  func leaveOlderIndex(_ words: String) throws(FileError) {
    try fileSystem.replace(Self.path + "/timelines/main/index/checkpoint", with: Array(words.utf8))
  }

  /// Lines of another machine.
  static func peerLines(_ count: Int, replica: UInt64 = 2) -> [[UInt8]] {
    (1...count).map { seq in
      var line: [UInt8] = []
      let members = Array(body("theirs \(seq)").utf8).dropFirst().dropLast()
      Array(members).withUnsafeBufferPointer {
        Line.append(
          to: &line, replica: ReplicaID(UUIDBytes(high: 0xB, low: replica)), seq: UInt64(seq),
          recorded: RecordedTime(microseconds: 500_000 + Int64(seq)),
          id: EventID(UUIDBytes(high: replica << 16 | 0x4000, low: 1 << 63 | UInt64(seq))),
          author: "ben", body: $0, salt: (1, 2))
      }
      return line
    }
  }
}

/// What a store serves.
struct Served: Equatable {
  var lines: [LineAddress: [UInt8]] = [:]
  /// Lines that are named as damaged.
  var damaged: Set<LineAddress> = []
  var events: [EventID: [UInt8]] = [:]
  /// What the timeline says of holes and lines, torn tails left out: they are reported once.
  var named: Set<LogDamage> = []

  /// - Parameter skipped: lines at the start of this machine's log that need not be looked at.
  init(_ timeline: Timeline, skipped: UInt64 = 0) {
    let view = timeline.view
    for log in view.logs {
      var seq: UInt64 = log.id == CrashRun.replica ? skipped + 1 : 1
      while seq <= log.size {
        let address = LineAddress(log.id, seq)
        if let line = log.line(seq) {
          lines[address] = Array(line)
        } else {
          damaged.insert(address)
        }
        seq += 1
      }
    }
    guard skipped == 0 else { return }
    view.visit(Query()) { event in
      var bytes: [UInt8] = []
      events[event.id] = view.append(event, to: &bytes) ? bytes : []
      return true
    }
    named = Set(
      timeline.damage.filter { if case .tornTail = $0.kind { false } else { true } })
  }
}

/// What became of the checks.
struct Verdict: Sendable {
  var states = 0
  /// States during a recovery from a crash, and during one from a crash in a recovery.
  var inRecovery = 0
  /// States with lines that were never acknowledged and are named as damaged, with good ones behind.
  var withHoles = 0
  var failures: [String] = []

  mutating func add(_ other: Verdict) {
    states += other.states
    inRecovery += other.inRecovery
    withHoles += other.withHoles
    failures += other.failures
  }
}

/// Checks what a store makes of a disk after a crash.
struct CrashCheck {
  var ledger: Ledger
  /// Lines at the start of this machine's log that no state touches.
  var skipped: UInt64 = 0
  /// States of recoveries at most that are crashed behind one state, and then behind one of those.
  var recoveryLimits = [1, 3]
  var verdict = Verdict()
  var isSigning = false
  var chance: SplitMix

  /// - Parameters:
  ///   - count: operations before the crash: what was acknowledged by then has to be there.
  ///   - depth: crashes that may follow, each during the recovery from the one before it.
  mutating func check(_ disk: SimulatedDisk, after count: Int, depth: Int, _ name: String) {
    verdict.states += 1
    let failures = verdict.failures.count
    func fail(_ text: String) -> String { "\(name): \(text)" }
    let run = CrashRun(on: disk, firstID: 1 << 40, isSigning: isSigning)
    run.readsBehindStart = skipped == 0
    let recovered: Int
    let before: Served
    do throws(OpenError) {
      try run.open()
      recovered = run.fileSystem.operations.count
      before = Served(run.timeline!, skipped: skipped)
    } catch {
      return verdict.failures.append(fail("does not open: \(error.message)"))
    }
    verdict.failures += compare(before, after: count).map(fail)
    verdict.failures += words(on: run.fileSystem.disk, before, after: count).map(fail)
    verdict.failures += compareHeads(run, after: count).map(fail)

    // It goes on, and what was served once stays, should the power fail right away.
    let appended: EventID
    do throws(AppendError) { appended = try run.append("after") } catch {
      return verdict.failures.append(fail("does not go on: \(error.message)"))
    }
    verdict.failures += compareHeads(run, after: count).map { fail("gone on: \($0)") }
    let then = CrashRun(on: run.fileSystem.disk.atWorst, firstID: 1 << 41, isSigning: isSigning)
    then.readsBehindStart = skipped == 0
    do throws(OpenError) { try then.open() } catch {
      return verdict.failures.append(fail("does not open again: \(error.message)"))
    }
    let heads = run.ledger.heads.map(\.head)
    verdict.failures += compareHeads(then, with: heads).map { fail("opened again: \($0)") }
    var expected = before
    for (_, address, line) in run.ledger.acknowledged {
      expected.lines[address] = line
      if skipped == 0 { expected.events[appended] = Array(line.dropLast()) }
    }
    var again = Served(then.timeline!, skipped: skipped)
    // Lines that are wrong at the end of a log and before good ones are named in other words.
    expected.named = []
    again.named = []
    if again != expected {
      let lost = Set(expected.lines.keys).subtracting(again.lines.keys).map(\.seq).sorted()
      verdict.failures.append(fail("says something else when opened again; lacks \(lost)"))
    }
    guard depth > 0, failures == verdict.failures.count else { return }

    var during = disk
    var states: [(SimulatedDisk, String)] = []
    for (number, operation) in run.fileSystem.operations.prefix(recovered).enumerated() {
      during.apply(operation)
      guard !during.isSynced else { continue }
      let name = "\(name), recovery \(number + 1)"
      states.append((during, name + " killed"))
      during.afterPowerCut(limit: 4, &chance) { states.append(($0, name)) }
    }
    states.shuffle(using: &chance)
    for (state, name) in states.prefix(recoveryLimits[depth - 1]) {
      verdict.inRecovery += 1
      check(state, after: count, depth: depth - 1, name)
    }
  }

  /// A line that was erased keeps its leaf, and so its place in the tree.
  private func isStub(_ found: [UInt8], of line: [UInt8]) -> Bool {
    line.withUnsafeBufferPointer { text in
      guard let parsed = try? Line(text), ledger.mayBeStubs.contains(parsed.id) else {
        return false
      }
      var hasher = SHA256()
      return parsed.stub(of: text, using: &hasher) == found
    }
  }

  /// Files that hold words which were erased, or are to be by a line that is there.
  private func words(on disk: SimulatedDisk, _ served: Served, after count: Int) -> [String] {
    let lines = Set(served.lines.values)
    return ledger.erased.filter { $0.after <= count || lines.contains($0.line) }.flatMap { erased in
      disk.paths.filter { path in
        guard case .file? = disk.node(path) else { return false }
        return String(decoding: disk[file: path], as: UTF8.self).contains(erased.words)
      }.map { "\"\(erased.words)\" was erased, and is in \($0)" }
    }
  }

  /// Every head that was handed out is one of this log, and it is signed on.
  private func compareHeads(_ run: CrashRun, after count: Int) -> [String] {
    guard isSigning else { return [] }
    return compareHeads(run, with: ledger.heads.filter { $0.after <= count }.map(\.head))
  }

  private func compareHeads(_ run: CrashRun, with heads: [SignedHead]) -> [String] {
    guard isSigning else { return [] }
    do throws(HeadProblem) { try run.sign() } catch { return [error.message] }
    return heads.compactMap { head in
      let name = String(head.checkpoint.origin.string.suffix(36))
      guard let log = ReplicaID(name).flatMap({ run.timeline!.lines.log($0) }),
        head.size <= log.size
      else { return "a head of \(head.size) lines, which are not there" }
      var tree = LogTree()
      guard (try? tree.advance(to: head.size, of: log)) != nil, tree.root == head.root else {
        return "a second root for \(head.size) lines"
      }
      return nil
    }
  }

  /// What a store serves, compared with the ledger.
  mutating func compare(_ served: Served, after count: Int) -> [String] {
    var failures: [String] = []
    var acknowledged: Set<LineAddress> = []
    for (after, address, line) in ledger.acknowledged where after <= count && address.seq > skipped
    {
      acknowledged.insert(address)
      if served.lines[address] == nil {
        failures.append("acknowledged line \(address.seq) of \(address.replica) is not served")
      } else if served.lines[address] != line, !isStub(served.lines[address]!, of: line) {
        failures.append("acknowledged line \(address.seq) of \(address.replica) is another one")
      }
      let id = line.withUnsafeBufferPointer { try! Line($0).id }
      if skipped == 0, !ledger.special.contains(id), served.events[id] != Array(line.dropLast()) {
        failures.append("the event of acknowledged line \(address.seq) is not served")
      }
    }
    for (address, line) in served.lines where ledger.sent[address]?.contains(line) != true {
      guard let id = line.withUnsafeBufferPointer({ try? Line($0).id }), ledger.ids.contains(id)
      else {
        failures.append("line \(address.seq) of \(address.replica) was never sent")
        continue
      }
    }
    for id in served.events.keys where !ledger.ids.contains(id) {
      failures.append("event \(id) was never sent")
    }
    for id in served.events.keys where ledger.refused.contains(id) {
      failures.append("event \(id) was refused, and is served")
    }
    // Without signed heads lines that a power cut took from the middle of a write look like lines that
    // a bad disk took from the middle of the log. Those behind them are kept, so they are named.
    if !served.damaged.isEmpty { verdict.withHoles += 1 }
    for address in served.damaged {
      let isNamed = served.named.contains { damage in
        guard case .lines(let first, let last, _) = damage.kind else { return false }
        return damage.replica == address.replica && (first...last).contains(address.seq)
      }
      if !isNamed && skipped == 0 {
        failures.append("nobody says that line \(address.seq) is damaged")
      }
    }
    for damage in served.named {
      guard case .lines(let first, let last, _) = damage.kind else {
        failures.append("named for no reason: \(damage.message)")
        continue
      }
      for seq in first...last
      where acknowledged.contains(LineAddress(damage.replica, seq)) {
        failures.append("acknowledged line \(seq) is named as damaged")
      }
    }
    return failures
  }
}

// One timeline under service: what is staged in it, the write that is under way, and what must wait for
// both.
//
//     stage … stage ─▶ write ─────────────▶ written ─▶ replies, watchers, peers
//              stage … stage (meanwhile) ─▶ write …
//
// The commit is a pipeline: while one batch is being made durable, the next is read, checked and
// stamped. What replaces what was read (a reading of everything again, a repair) happens between
// commits, with nothing staged: while such an act waits, nothing more is staged.

import Access
import EventStore
import TimelineModel

final class Host {
  /// What needs that nothing is staged and nothing is being written.
  enum Maintenance {
    /// Something is not what it was read as.
    case readAgain
    /// Nothing, for callers that wait for such a moment.
    case pause
    /// Lines to put back, each proven.
    case repair([LineAddress: [UInt8]])
  }

  let timeline: Timeline
  let heads: Heads
  let states = States()
  /// What answers its requests.
  var router: Router?
  private let service: Service

  /// Of what is staged and not yet handed out.
  private var promises: [Promise] = []
  private var isWriting = false
  private var maintenance: [Maintenance] = []
  /// When something was committed last, in microseconds of the monotonic clock.
  private var lastCommit: Int64
  private var isSavingIndex = false

  /// Connections that watch, or sync: each commit concerns them.
  var listeners: [Connection] = []
  /// Connections whose next line waits until lines are taken again.
  var held: [Connection] = []
  /// Links whose next line waits for the tree of a log.
  var awaitingTrees: [Connection] = []
  /// Answers that are lines to append, and wait for the same.
  var answers: [(JobID, WorkResult)] = []

  /// After so long without a commit the index is saved.
  private static let quietTime: Int64 = 5_000_000

  /// Who was a member when all lines could be read.
  let remembered: Remembered

  init(_ timeline: Timeline, _ hosted: HostedTimeline, _ service: Service) {
    self.timeline = timeline
    remembered = Remembered(service.directory, hosted)
    self.service = service
    heads = Heads(timeline.headKeeper())
    lastCommit = service.now.monotonic
  }

  var id: TimelineID { timeline.id }

  // MARK: Staging

  /// Whether lines may be staged now.
  var isOpenForStaging: Bool {
    maintenance.isEmpty && timeline.isOpenForStaging
      && !(isWriting && timeline.stagedBytes > service.stagedBytesMax)
  }

  /// What was staged last is answered once it is durable.
  func promise(_ kind: Promise.Kind, _ connection: Connection) {
    promises.append(Promise(connection: connection.id, kind: kind))
  }

  // MARK: Between steps

  /// Hands out what is staged, or does what had to wait. Returns the connections that may go on.
  func proceed() -> [Connection] {
    if timeline.hasFurtherErasures, isOpenForStaging {
      timeline.stageFurtherErasures(
        Timeline.Recording(
          author: "timelined", now: service.now.wall, random: service.random, newID: service.newID))
    }
    if !isWriting, let commit = timeline.beginCommit() {
      isWriting = true
      lastCommit = service.now.monotonic
      service.emit(.write(Write(timeline: id, commit: commit, promises: promises)))
      promises = []
    }
    while !isWriting, !maintenance.isEmpty { perform(maintenance.removeFirst()) }
    guard !held.isEmpty, isOpenForStaging else { return [] }
    defer { held = [] }
    return held
  }

  /// Promises of what is durable already, as where all was here before; nothing needs to be written.
  func takeKept() -> [Promise] {
    guard !isWriting, !timeline.hasStaged, !promises.isEmpty else { return [] }
    return takePromises()
  }

  private func takePromises() -> [Promise] {
    defer { promises = [] }
    return promises
  }

  /// Takes in what a write came to. Returns what was promised for it, and why it failed, where it did:
  /// with it goes what was staged meanwhile.
  func finish(_ written: Written) -> (promises: [Promise], failure: AppendError?) {
    isWriting = false
    defer { noteErased() }
    do throws(AppendError) { try timeline.finishCommit(written.done) } catch {
      service.log(.error, error.message)
      return (written.promises + takePromises(), error)
    }
    if timeline.wantsHead {
      heads.want(service.now.monotonic, isUrgent: listeners.contains(where: \.isLinked))
    }
    if timeline.wantsReading { maintain(.readAgain) }
    remembered.note(timeline)
    return (written.promises, nil)
  }

  /// Logs that were written twice, as peers have shown since the start, each with the first line that is known to
  /// differ.
  private(set) var forks: [ReplicaID: UInt64] = [:]

  func note(forkOf replica: ReplicaID, at seq: UInt64) {
    forks[replica] = min(seq, forks[replica] ?? .max)
  }

  /// A peer is told of what comes; what it lacks may wait for a head.
  func listen(_ connection: Connection) {
    listeners.append(connection)
    if timeline.wantsHead { heads.want(service.now.monotonic, isUrgent: true) }
  }

  /// Whether the device was a member and is none any more.
  func hasEnded(_ device: DeviceID) -> Bool {
    timeline.membership?.hasEnded(device) ?? false
  }

  private var membershipSeen = 0

  /// Whether who is a member may have changed since this was asked last.
  func takeMembershipChanged() -> Bool {
    defer { membershipSeen = timeline.membershipVersion }
    return membershipSeen != timeline.membershipVersion
  }

  // MARK: Maintenance

  func maintain(_ act: Maintenance) { maintenance.append(act) }

  private func perform(_ act: Maintenance) {
    switch act {
    case .readAgain: readAgain()
    case .pause: break
    case .repair(let lines): repair(lines)
    }
  }

  private func readAgain() {
    heads.forgetLostTrees()
    do throws(FileError) { try timeline.readAgain() } catch {
      return service.log(.error, error.message)
    }
    states.forget()
    for damage in timeline.damage { service.log(.warning, damage.message) }
    for work in heads.retryAll(timeline.lines) { run(work) }
    askAgain()
  }

  /// Puts lines back that a peer proved.
  private func repair(_ lines: [LineAddress: [UInt8]]) {
    let before = missingLineCount
    do throws(AppendError) { try timeline.repair(lines) } catch {
      return service.log(.error, "lines could not be put back: \(error.message)")
    }
    noteErased()
    heads.forgetLostTrees()
    service.log(
      .info,
      "\(before - missingLineCount) damaged lines were put back, \(missingLineCount) are left")
    run(heads.work(.all, timeline.lines))
    for work in heads.retryAll(timeline.lines) { run(work) }
    if missingLineCount < before { askAgain() }
  }

  private var missingLineCount: Int {
    timeline.lines.missingLines.reduce(0) { $0 + $1.lines.count }
  }

  /// Has every peer that is connected asked for what is missing.
  func askAgain() {
    for connection in listeners {
      guard case .linked(let link) = connection.mode else { continue }
      link.session?.askAgain()
      link.beginsAnew = link.hasPassedOver
    }
    hasNews = true
  }

  /// Whether those who listen are to be looked at.
  var hasNews = false

  /// Says which lines lost their words, and forgets what was kept of them.
  private func noteErased() {
    if timeline.takeWasReadAgain() { states.forget() }
    for address in timeline.takeErased() {
      service.log(
        .info,
        "line \(address.seq) of log \(address.replica) lost its words, as a line of the log asks for"
      )
    }
  }

  // MARK: Work elsewhere

  private(set) var jobs: Set<JobID> = []

  func run(_ work: Work?) {
    guard let work else { return }
    jobs.insert(service.run(work))
  }

  /// What the start took over and is unverified, and heads that are not signed.
  func begin() {
    noteErased()
    if let unverified = timeline.takeUnverified() { run(Work(kind: .scan(unverified))) }
    run(heads.work(.all, timeline.lines))
  }

  /// What is due by the clock: heads to sign and to write, the index to save.
  func passTime() {
    let now = service.now.monotonic
    if heads.isDue(now) {
      run(heads.sign(timeline.lines, own: timeline.replica, now))
    }
    for work in heads.retry(timeline.lines, now) { run(work) }
    saveIndex(isQuiet: now >= lastCommit + Self.quietTime)
  }

  func saveIndex(isQuiet: Bool) {
    guard !isSavingIndex, let save = timeline.indexToSave(isQuiet: isQuiet) else { return }
    isSavingIndex = true
    run(Work(kind: .saveIndex(save)))
  }

  /// When that is to be looked at again; nil for never.
  var wake: Int64? {
    let quiet =
      !isSavingIndex && timeline.wantsIndexSaved(isQuiet: true) ? lastCommit + Self.quietTime : nil
    return [quiet, heads.due].lazy.compactMap { $0 }.min()
  }

  /// Takes in what came of work on this timeline; the report on heads, for the peers that it concerns.
  func finished(_ job: JobID, _ result: WorkResult) -> HeadReport? {
    jobs.remove(job)
    switch result.kind {
    case .heads(let report):
      let (next, warnings) = heads.took(report, timeline, service.now.monotonic)
      for warning in warnings { service.log(.warning, warning) }
      run(next)
      if !report.repairs.isEmpty { maintain(.repair(report.repairs)) }
      hasNews = true
      return report
    case .index(let saved):
      isSavingIndex = false
      if let saved { timeline.adopt(saved) }
    case .indexNotSaved(let error):
      isSavingIndex = false
      service.log(
        .warning, "the index was not saved, the next start takes longer: \(error.message)")
    case .scanned(let isWhole): if !isWhole { maintain(.readAgain) }
    case .answer: break
    }
    return nil
  }

  // MARK: The end

  /// Whether nothing is under way.
  var isIdle: Bool { !isWriting && !timeline.hasStaged && promises.isEmpty }

  /// Signs and saves what is not yet; nothing may be under way.
  func finish() -> [String] {
    var warnings = [heads.finish(timeline.lines)].compactMap { $0 }
    if let save = timeline.indexToSave(isQuiet: true) {
      do throws(FileError) { try save.write() } catch {
        warnings.append(
          "the index was not saved, the next start takes longer: \(error.message)")
      }
    }
    return warnings
  }
}

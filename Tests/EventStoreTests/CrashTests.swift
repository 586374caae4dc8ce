import Dispatch
import Foundation
import Support
import Synchronization
import Testing
import TimelineModel

@testable import EventStore

/// Every crash of a run: behind each operation, each state that a power cut may leave, and that of a
/// kill. A failure says the seed; with CRASH_SEED it is the same again. CRASH_STATES is the number of
/// states at most behind an operation.
func crashEverywhere(
  _ name: String, _ run: CrashRun, limit: Int = limitOfStates, depth: Int = 2, skipped: UInt64 = 0
) -> Verdict {
  let ledger = run.ledger
  var disk = run.start
  var points = [disk]
  for operation in run.fileSystem.operations {
    disk.apply(operation)
    points.append(disk)
  }
  let verdicts = Mutex<[Verdict]>([])
  let last = points.count
  let isSigning = run.keeper != nil
  DispatchQueue.concurrentPerform(iterations: last) { [points] count in
    let chance = SplitMix(seed: seedOfCrashes &+ UInt64(count) &* 0x5851_F42D_4C95_7F2D)
    var check = CrashCheck(
      ledger: ledger, skipped: skipped, isSigning: isSigning, chance: chance)
    let point = "\(name), operation \(count) of \(last - 1)"
    check.check(points[count], after: count, depth: depth, "\(point), killed")
    var states: [SimulatedDisk] = []
    points[count].afterPowerCut(limit: limit, &check.chance) { states.append($0) }
    for (number, state) in states.enumerated() {
      check.check(state, after: count, depth: depth, "\(point), power cut \(number)")
    }
    verdicts.withLock { $0.append(check.verdict) }
  }
  var verdict = Verdict()
  for other in verdicts.withLock({ $0 }) { verdict.add(other) }
  return verdict
}

let seedOfCrashes =
  ProcessInfo.processInfo.environment["CRASH_SEED"].flatMap { UInt64($0) }
  ?? UInt64.random(in: 0..<1 << 32)
let limitOfStates =
  ProcessInfo.processInfo.environment["CRASH_STATES"].flatMap { Int($0) } ?? 16

@Suite("Crashes")
struct CrashTests {
  /// Runs a workload to its end, and crashes it everywhere.
  private func survive(
    _ name: String, _ run: CrashRun, limit: Int = limitOfStates, skipped: UInt64 = 0,
    _ work: (CrashRun) throws -> Void
  ) throws {
    try work(run)
    let start = ContinuousClock.now
    let verdict = crashEverywhere(name, run, limit: limit, skipped: skipped)
    print(
      "crashes: \(name): \(verdict.states) states behind \(run.fileSystem.operations.count)",
      "operations, \(verdict.inRecovery) of them in a recovery, \(verdict.withHoles) with holes,",
      "seed \(seedOfCrashes), \(ContinuousClock.now - start)")
    #expect(
      verdict.failures.isEmpty,
      "seed \(seedOfCrashes): \(verdict.failures.count) failures, such as \(verdict.failures.prefix(5))"
    )
  }

  @Test("A log of our own: one by one, in batches, corrected, restarted, the index saved")
  func own() throws {
    try survive("own log", CrashRun()) { run in
      try run.open()
      let first = try run.append("first")
      try run.append("second")
      try run.append((1...5).map { body("batch \($0)") })
      try run.correct(first)
      try run.append("large", bytes: 9000)
      try run.saveIndex()
      try run.append("behind the index")
      try run.open()
      try run.append((1...14).map { body("longer batch \($0)") })
      try run.saveIndex()
      try run.retract(try run.append("gone"))
      try run.open()
      try run.append("last")
    }
  }

  @Test("Heads are signed: never two roots for one size, and lines under one are not lost")
  func heads() throws {
    try survive("signed heads", CrashRun(isSigning: true)) { run in
      try run.open()
      try run.append("first")
      try run.sign()
      try run.append((1...5).map { body("batch \($0)") })
      try run.append("large", bytes: 9000)
      try run.sign()
      try run.saveIndex()
      try run.append("not signed")
      try run.open()
      try run.append((1...9).map { body("longer batch \($0)") })
      try run.sign()
      try run.take(CrashRun.peerLines(2)[...], with: [body("with theirs")])
      try run.sign()
    }
  }

  @Test("Erased words are gone whatever crashes, and all else is there")
  func erasure() throws {
    try survive("erasure", CrashRun(isSigning: true)) { run in
      try run.open()
      try run.append("first")
      // The index keeps tags as words.
      let secret = try run.append([body("a secret", more: #","tags":["quetzalcoatl"]"#)])[0]
      try run.append((1...3).map { body("batch \($0)") })
      try run.sign()
      try run.saveIndex()
      try run.leaveOlderIndex("quetzalcoatl")
      try run.open()
      try run.erase(secret, "quetzalcoatl")
      try run.sign()
      try run.append("behind")
      try run.open()
      let other = try run.append("zanzibar")
      try run.erase(other, "zanzibar")
      try run.saveIndex()
      try run.append("last")
      try run.sign()
    }
  }

  @Test("Lines of a peer, alone and together with our own")
  func peer() throws {
    let theirs = CrashRun.peerLines(24)
    let others = CrashRun.peerLines(3, replica: 3)
    try survive("peers", CrashRun()) { run in
      try run.open()
      try run.take(theirs[0..<2])
      try run.append("ours")
      try run.take(theirs[2..<18], with: [body("with theirs")])
      try run.saveIndex()
      try run.take(others[0..<1], with: [body("a third one's")])
      try run.open()
      try run.take(theirs[18...])
      try run.take(others[1...])
    }
  }

  @Test("A torn tail was recovered, written behind, and torn again")
  func tornTail() throws {
    let before = CrashRun()
    try before.open()
    try before.append("kept")
    try before.append("kept as well", bytes: 600)
    let whole = before.fileSystem.disk.atBest
    for (number, tail) in [
      Array(#"{"v":1,"replica":"0000"#.utf8), [UInt8](repeating: 0, count: 700),
    ].enumerated() {
      var disk = whole
      let segment = disk.paths.first { $0.hasSuffix(".jsonl") }!
      disk[file: segment] += tail
      let run = CrashRun(on: disk, ledger: before.ledger)
      try survive("torn tail \(number + 1)", run) { run in
        try run.open()
        #expect(run.timeline!.damage.count == 1)
        try run.append("behind it")
        try run.append((1...5).map { body("batch \($0)") })
        try run.open()
        #expect(run.timeline!.damage.isEmpty)
        try run.append("last")
      }
    }
  }

  /// A log whose first segment has room for two lines, with an index that has read it, so that a start
  /// has little to do. (A segment's size is no setting: nothing but tests would set it.)
  private static let nearlyFull: (disk: SimulatedDisk, lines: UInt64)? = {
    let run = CrashRun()
    do {
      try run.open()
      try run.append("first")
      run.close()
      var disk = run.fileSystem.disk.atBest
      let path = disk.paths.first { $0.hasSuffix(".jsonl") }!
      guard case .file(let file)? = disk.node(path) else { return nil }
      var bytes = disk[file: path]
      var seq: UInt64 = 1
      func filler(_ length: Int) -> [UInt8] {
        var line: [UInt8] = []
        let members = #""type":"log.import","text":"\#(String(repeating: "x", count: length))""#
        Array(members.utf8).withUnsafeBufferPointer {
          Line.append(
            to: &line, replica: CrashRun.replica, seq: seq,
            recorded: RecordedTime(microseconds: 2_000_000 + Int64(seq)),
            id: EventID(UUIDBytes(high: 0x4001, low: 1 << 63 | seq)), author: "ann", body: $0,
            salt: (1, 2))
        }
        return line
      }
      while bytes.count < ReplicaLog.segmentBytesMax - 66_000 {
        seq += 1
        bytes += filler(65_000)
      }
      seq += 1
      bytes += filler(ReplicaLog.segmentBytesMax - bytes.count - 1500)
      disk[file: path] = []
      disk.files[file].durable.image = DiskImage(bytes)
      disk.files[file].current.image = disk.files[file].durable.image
      let full = CrashRun(on: disk)
      try full.open()
      guard full.timeline!.damage.isEmpty else { return nil }
      try full.saveIndex()
      full.close()
      return (full.fileSystem.disk.atBest, seq)
    } catch { return nil }
  }()

  @Test("Batches across two segments")
  func segments() throws {
    let (disk, lines) = try #require(Self.nearlyFull)
    let run = CrashRun(on: disk, firstID: 1 << 20)
    try survive("two segments", run, skipped: lines) { run in
      try run.open()
      try #require(run.timeline!.unverified != nil)
      try run.append((1...9).map { body("across \($0)") })
      let log = run.timeline!.lines.logs[0].cover!
      #expect(log.segments.count == 2)
      try run.append((1...3).map { body("behind \($0)") })
      try run.open()
      try run.append("last")
    }
  }

  @Test("The checks notice a sync that is left out or comes too late", arguments: mutants)
  func mutant(_ mutant: CrashingFileSystem.Mutant) throws {
    let run = CrashRun(mutant: mutant)
    try run.open()
    try run.append("first")
    try run.append((1...3).map { body("batch \($0)") })
    try run.take(CrashRun.peerLines(2)[...])
    let verdict = crashEverywhere("\(mutant)", run, limit: 6, depth: 0)
    print("mutant: \(mutant): \(verdict.failures.count) failures in \(verdict.states) states")
    #expect(!verdict.failures.isEmpty, "seed \(seedOfCrashes)")
  }

  @Test("The checks notice a head that is handed out before its lines are durable")
  func headTooEarly() throws {
    let run = CrashRun(mutant: .noSyncOfSegment, isSigning: true)
    try run.open()
    try run.append("first")
    try run.sign()
    try run.append("second")
    try run.sign()
    run.ledger.acknowledged = []
    let verdict = crashEverywhere("head too early", run, limit: 6, depth: 0)
    print("mutant: head too early: \(verdict.failures.count) failures in \(verdict.states) states")
    #expect(verdict.failures.contains { $0.contains("head of") }, "seed \(seedOfCrashes)")
  }

  private static let mutants = CrashingFileSystem.Mutant.allCases

  @Test("What a killed process wrote and did not sync is synced before it is served")
  func killedBeforeSync() throws {
    let run = CrashRun()
    try run.open()
    try run.append("first")
    try run.append("killed")
    var disk = run.start
    // All but the last sync.
    for operation in run.fileSystem.operations.dropLast() { disk.apply(operation) }
    #expect(!disk.isSynced)
    let next = CrashRun(on: disk)
    try next.open()
    #expect(next.timeline!.titles == ["first", "killed"])
    let after = CrashRun(on: next.fileSystem.disk.atWorst)
    try after.open()
    #expect(after.timeline!.titles == ["first", "killed"])
  }

  @Test("A directory that a killed process made is synced by the next one")
  func killedBeforeDirectorySync() throws {
    let run = CrashRun()
    try run.open()
    try run.append("first")
    var disk = run.start
    for operation in run.fileSystem.operations {
      disk.apply(operation)
      let next = CrashRun(on: disk, firstID: 1 << 40)
      try next.open()
      try next.append("second")
      let after = CrashRun(on: next.fileSystem.disk.atWorst)
      try after.open()
      #expect(after.timeline!.titles.contains("second"))
    }
  }
}

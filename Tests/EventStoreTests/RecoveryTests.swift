import Testing
import TimelineModel

@testable import EventStore

/// What a start makes of the end of a log that a crash left.
@Suite("Recovery of the end of a log")
struct RecoveryTests {
  private func segment(_ disk: SimulatedDisk) -> String {
    disk.paths.first { $0.hasSuffix(".jsonl") }!
  }

  /// One acknowledged line, three that a failed sync refused and cut off, and one more behind it in
  /// their place; with the first bytes of what was refused.
  private func afterRefusedBatch() throws -> (CrashRun, refused: [UInt8]) {
    let run = CrashRun()
    try run.open()
    try run.append("one")
    // Calls behind this one: write, sync.
    run.fileSystem.fault = CrashingFileSystem.Fault(number: 2, cause: .inputOutput, goesOn: false)
    #expect(throws: AppendError.self) { try run.append((1...3).map { body("refused \($0)") }) }
    run.fileSystem.fault = nil
    let refused = run.fileSystem.operations.reversed().lazy.compactMap {
      if case .append(let bytes, _) = $0 { bytes } else { nil }
    }.first!
    try run.open()
    try run.append("two")
    run.close()
    return (run, refused)
  }

  @Test("Old lines of a batch that was refused, left behind a write that was torn, are not served")
  func staleLines() throws {
    let (before, refused) = try afterRefusedBatch()
    var disk = before.fileSystem.disk.atBest
    // The first of them stood where "two" stands now.
    let stale = Array(refused[(refused.firstIndex(of: 0x0A)! + 1)...])
    #expect(stale.count { $0 == 0x0A } == 2)
    disk[file: segment(disk)] += stale
    let run = CrashRun(on: disk, firstID: 1 << 20)
    for _ in 0..<2 {
      try run.open()
      #expect(run.timeline!.titles == ["one", "two"])
      #expect(
        run.timeline!.damage.contains {
          if case .lines(3, 4, let reason) = $0.kind { reason.contains("recorded") } else { false }
        }, "\(run.timeline!.damage)")
    }
    // They keep their numbers; what comes behind them is served, after a start too.
    try run.append("five")
    try run.open()
    #expect(run.timeline!.titles.sorted() == ["five", "one", "two"])
    #expect(run.timeline!.position[CrashRun.replica] == 5)
  }

  @Test("What is recorded behind a damaged line is later than the good one ahead of it")
  func clockBehindDamage() throws {
    let before = CrashRun()
    try before.open()
    for number in 1...20 { try before.append("event \(number)") }
    before.close()
    var disk = before.fileSystem.disk.atBest
    var bytes = disk[file: segment(disk)]
    bytes[bytes.count - 40] ^= 0x02
    disk[file: segment(disk)] = bytes
    // Its clock stands at the beginning again.
    let run = CrashRun(on: disk, firstID: 1 << 20)
    try run.open()
    #expect(run.timeline!.damage.count == 1)
    try run.append("after")
    try run.open()
    #expect(run.timeline!.titles.contains("after"))
    #expect(run.timeline!.damage.count == 1)
  }

  @Test("A full disk with a torn tail is served; the tail is cut when an append finds room")
  func tornTailOnFullDisk() throws {
    let before = CrashRun()
    try before.open()
    try before.append("kept")
    before.close()
    var disk = before.fileSystem.disk.atBest
    let torn = Array(#"{"v":1,"replica":"0000"#.utf8)
    let path = segment(disk)
    let whole = disk[file: path]
    disk[file: path] = whole + torn
    let run = CrashRun(on: disk, firstID: 1 << 20)
    run.fileSystem.fault = CrashingFileSystem.Fault(number: 1, cause: .noRoom, goesOn: true)
    for _ in 0..<2 {
      try run.open()
      #expect(run.timeline!.titles == ["kept"])
      #expect(run.timeline!.damage.map(\.kind) == [.tornTail(bytes: torn.count, isCut: false)])
      do throws(AppendError) {
        try run.append("no room")
        Issue.record("taken without room")
      } catch { #expect({ if case .full = error { true } else { false } }(), "\(error.message)") }
      #expect(run.timeline!.readOnly == nil)
      // Nothing is lost that was not kept.
      #expect(run.fileSystem.disk[file: path] == whole + torn)
    }
    run.fileSystem.fault = nil
    try run.append("room again")
    #expect(run.timeline!.titles.sorted() == ["kept", "room again"])
    #expect(run.fileSystem.disk[file: path + ".torn"] == torn)
    let after = CrashRun(on: run.fileSystem.disk.atWorst, firstID: 1 << 21)
    try after.open()
    #expect(after.timeline!.titles.sorted() == ["kept", "room again"])
    #expect(after.timeline!.damage.isEmpty)
  }

  @Test("A torn tail that was served on a full disk survives crashes while it is truncated")
  func truncatingCrashes() throws {
    let before = CrashRun()
    try before.open()
    try before.append("kept")
    var disk = before.fileSystem.disk.atBest
    disk[file: segment(disk)] += Array(#"{"v":1,"replica":"0000"#.utf8)
    let run = CrashRun(on: disk, ledger: before.ledger)
    run.fileSystem.fault = CrashingFileSystem.Fault(number: 1, cause: .noRoom, goesOn: true)
    try run.open()
    run.fileSystem.fault = nil
    try run.append("room again")
    try run.append("and again")
    let verdict = crashEverywhere("truncating", run)
    print("crashes: truncating: \(verdict.states) states, seed \(seedOfCrashes)")
    #expect(verdict.failures.isEmpty, "seed \(seedOfCrashes): \(verdict.failures.prefix(5))")
  }
}

import Support
import Testing
import TimelineModel

@testable import EventStore

/// Every call of a workload fails in turn: once, or from there on for ever.
@Suite("Failing calls")
struct FailingCallTests {
  private typealias Fault = CrashingFileSystem.Fault

  /// What came of a workload under a fault.
  private struct Outcome {
    var run: CrashRun
    /// Appends that failed since something was full or in short supply.
    var passing = 0
    var isReadOnly: Bool { run.timeline?.readOnly != nil }
  }

  /// Goes on whatever fails, as a daemon does; all errors are of a declared type.
  private func work(_ fault: Fault) -> Outcome {
    var outcome = Outcome(run: CrashRun())
    let run = outcome.run
    run.fileSystem.fault = fault
    func open() { do throws(OpenError) { try run.open() } catch {} }
    func attempt(_ append: () throws(AppendError) -> Void) {
      let wasReadOnly = run.timeline?.readOnly != nil
      do throws(AppendError) {
        try append()
        #expect(!wasReadOnly, "a timeline that is read-only takes nothing")
      } catch {
        switch error {
        case .full, .busy:
          outcome.passing += 1
          #expect(run.timeline?.readOnly == nil)
        case .readOnly: #expect(run.timeline?.readOnly != nil)
        default: Issue.record("\(fault): \(error.message)")
        }
      }
    }
    func append(_ title: String) {
      guard run.timeline != nil else { return }
      attempt { () throws(AppendError) in try run.append(title) }
    }
    let theirs = CrashRun.peerLines(4)
    open()
    if run.timeline == nil { open() }
    append("first")
    append("second")
    attempt { () throws(AppendError) in try run.append((1...3).map { body("batch \($0)") }) }
    // The same lines again, should the first time have failed.
    for _ in 0..<2 {
      attempt { () throws(AppendError) in try run.take(theirs[...], with: [body("with theirs")]) }
    }
    do throws(FileError) { try run.saveIndex() } catch {}
    append("before the restart")
    // A restart is what a read-only timeline waits for; here another fault may wait in it.
    if run.timeline?.readOnly == nil { open() }
    if run.timeline == nil { open() }
    append("behind the restart")
    return outcome
  }

  @Test("Nothing acknowledged is lost, nothing refused is served, and a full disk passes")
  func each() {
    var count = 0
    var failures: [String] = []
    for cause in Fault.Cause.allCases {
      for goesOn in [false, true] {
        let healthy = work(Fault(number: .max, cause: cause, goesOn: goesOn))
        for number in 1...healthy.run.fileSystem.calls {
          count += 1
          let outcome = work(Fault(number: number, cause: cause, goesOn: goesOn))
          failures += check(outcome, cause, goesOn: goesOn)
            .map { "\(cause) at call \(number)\(goesOn ? " and after it" : ""): \($0)" }
        }
      }
    }
    print("failing calls: \(count) runs, seed \(seedOfCrashes)")
    #expect(
      failures.isEmpty, "\(failures.count), such as \(failures.prefix(5)), seed \(seedOfCrashes)")
  }

  private func check(_ outcome: Outcome, _ cause: Fault.Cause, goesOn: Bool) -> [String] {
    let run = outcome.run
    let system = run.fileSystem
    system.fault = nil
    var failures: [String] = []
    var check = CrashCheck(ledger: run.ledger, chance: SplitMix(seed: seedOfCrashes))
    check.recoveryLimits = [1, 1]
    if let timeline = run.timeline {
      failures += check.compare(Served(timeline), after: .max).map { "before a restart: \($0)" }
    } else if !goesOn {
      failures.append("one failure keeps it from being opened twice in a row")
    }
    if goesOn, run.timeline != nil, !outcome.isReadOnly, cause != .inputOutput {
      // There is room again.
      do throws(AppendError) { try run.append("room again") } catch {
        failures.append("does not go on once there is room: \(error.message)")
      }
      check.ledger = run.ledger
    }
    // Where what was written could not be cut off again, it may come back: that is why no more is
    // written, and the client was told that nobody knows.
    if system.hasFailedToCut { check.ledger.refused = [] }
    let count = Int.max
    run.close()
    // A limit: where a sync failed, and the cut behind it as well, memory shows lines that the disk will
    // never hold, and the next sync says that all is well. A new process cannot tell, short of writing
    // the log afresh; a machine that was started anew can.
    if !system.hasFailedToCut { check.check(system.disk, after: count, depth: 1, "restart") }
    var states: [SimulatedDisk] = []
    system.disk.afterPowerCut(limit: 3, &check.chance) { states.append($0) }
    for state in states { check.check(state, after: count, depth: 0, "power cut") }
    return failures + check.verdict.failures
  }

  @Test("A sync that fails ends writing, and what it covered is not there after a restart")
  func failedSync() throws {
    let run = CrashRun()
    try run.open()
    try run.append("kept")
    // Calls behind this one: write, sync.
    run.fileSystem.fault = Fault(number: 2, cause: .full, goesOn: false)
    #expect(throws: AppendError.self) { try run.append("refused") }
    #expect(run.timeline?.readOnly != nil)
    #expect(run.timeline?.titles == ["kept"])
    run.fileSystem.fault = nil
    try run.open()
    #expect(run.timeline?.titles == ["kept"])
    try run.append("goes on")
  }

  @Test("A cut that fails ends writing, even for lack of room: the next line would stand behind it")
  func failedCut() throws {
    let run = CrashRun()
    try run.open()
    try run.append("kept")
    run.fileSystem.fault = Fault(number: 1, cause: .full, goesOn: true)
    #expect(throws: AppendError.self) { try run.append("half") }
    run.fileSystem.fault = nil
    #expect(run.timeline?.readOnly != nil)
    #expect(throws: AppendError.self) { try run.append("refused") }
    try run.open()
    try run.append("goes on")
    #expect(run.timeline!.titles.sorted() == ["goes on", "kept"])
  }

  @Test(
    "A new segment's directory that could not be opened is synced before anything is acknowledged")
  func directoryLater() throws {
    for cause in [Fault.Cause.tooManyFiles, .inputOutput] {
      let healthy = CrashRun()
      try healthy.open()
      healthy.fileSystem.fault = Fault(number: .max, cause: cause, goesOn: false)
      try healthy.append("one")
      for number in 1...healthy.fileSystem.calls {
        let run = CrashRun()
        try run.open()
        run.fileSystem.fault = Fault(number: number, cause: cause, goesOn: false)
        do throws(AppendError) { try run.append("one") } catch {}
        do throws(AppendError) { try run.append("two") } catch {}
        let after = CrashRun(on: run.fileSystem.disk.atWorst)
        try after.open()
        let served = Served(after.timeline!)
        for (_, address, line) in run.ledger.acknowledged {
          #expect(served.lines[address] == line, "\(cause) at call \(number)")
        }
      }
    }
  }
}

import Testing
import TimelineModel

@testable import EventStore

@Suite("Reading everything again")
struct VerificationTests {
  /// Two logs, of one and of three lines.
  private func timeline() throws -> Timeline {
    let (_, timeline) = try Scratch().open()
    try timeline.record(body("ours"))
    let lines = CrashRun.peerLines(3)
    let replica = try lines[0].withUnsafeBufferPointer { try Line($0).replica }
    _ = try Array(lines.joined()).withUnsafeBufferPointer {
      try timeline.ingest(
        $0, of: replica, from: 1, by: .owner, now: RecordedTime(microseconds: 2_000_000))
    }
    try timeline.commit()
    return timeline
  }

  @Test("It says how far it is, over all logs")
  func progress() throws {
    var steps: [Int] = []
    let found = Verification(try timeline().lines, heads: [:]) {
      steps.append($0)
      return true
    }
    #expect(found.logs.count == 2 && found.isWhole)
    #expect(found.logs.allSatisfy { $0.root != nil })
    #expect(steps.last == 4 && steps.count == 2)
  }

  @Test("It ends where nobody waits for it any more")
  func notWanted() throws {
    var steps: [Int] = []
    let found = Verification(try timeline().lines, heads: [:]) {
      steps.append($0)
      return false
    }
    #expect(steps.count == 1)
    #expect(found.logs.count == 1 && found.logs[0].root == nil)
  }
}

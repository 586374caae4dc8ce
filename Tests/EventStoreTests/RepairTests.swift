import Foundation
import Testing
import TimelineModel

@testable import EventStore

@Suite("Lines that are put back")
struct RepairTests {
  private static func flip(_ path: String, _ word: String) throws {
    let url = URL(fileURLWithPath: path)
    var data = try Data(contentsOf: url)
    data[data.range(of: Data(word.utf8))!.lowerBound] ^= 1
    try data.write(to: url)
  }

  @Test("Where a stub stands, nothing comes back but the words that were there")
  func otherWords() throws {
    let scratch = Scratch()
    let (_, timeline) = try scratch.open()
    var (log, other) = (ForeignLog(1), ForeignLog(1))
    log.add(body("true"))
    other.add(body("forged"))
    try timeline.take(ForeignLog.stub(of: log.lines[0]), of: log.replica)
    let address = LineAddress(log.replica, 1)
    try timeline.repair([address: other.lines[0]])
    #expect(timeline.titles.isEmpty)
    #expect(timeline.lines(of: log.replica) == ForeignLog.stub(of: log.lines[0]))
    try timeline.repair([address: log.lines[0]])
    #expect(timeline.titles == ["true"])
  }

  @Test("Of a damaged line that was erased no words are kept aside")
  func erasedWhileDamaged() throws {
    let scratch = Scratch()
    var (log, erasure) = (ForeignLog(1), ForeignLog(2))
    let id = EventID(.random())
    log.add(body("before"))
    log.add(body("in Zanzibar"), id: id)
    log.add(body("after"))
    erasure.erase(id, [(log.replica, 2)])
    do {
      let (_, timeline) = try scratch.open()
      try timeline.take(log.bytes, of: log.replica)
    }
    try Self.flip(scratch.segment(of: log.replica), "in Zanz")
    let (_, timeline) = try scratch.open()
    try timeline.take(erasure.bytes, of: erasure.replica)
    // Nobody can say what its stub is: so that is said.
    #expect(try scratch.files(with: "Zanzibar").count == 1)
    #expect(timeline.unfinishedErasure?.contains("fetched from a peer") ?? false)
    try timeline.repair([LineAddress(log.replica, 2): log.lines[1]])
    #expect(timeline.titles.sorted() == ["after", "before"])
    #expect(try scratch.files(with: "Zanzibar") == [])
    #expect(timeline.unfinishedErasure == nil)
  }

  @Test("After a call that fails in an erasure or a repair nothing is acknowledged and lost")
  func failingCalls() throws {
    for cause in CrashingFileSystem.Fault.Cause.allCases {
      for isRepair in [false, true] {
        var number = 1
        while try goesOn(number, cause, isRepair: isRepair) { number += 1 }
        #expect(number >= 3)
      }
    }
  }

  /// False where there was no call of that number.
  private func goesOn(
    _ number: Int, _ cause: CrashingFileSystem.Fault.Cause, isRepair: Bool
  ) throws -> Bool {
    let run = CrashRun()
    try run.open()
    var log = ForeignLog(1)
    log.add(body("theirs"))
    try run.timeline!.take(ForeignLog.stub(of: log.lines[0]), of: log.replica)
    let id = try run.append("to go")
    let before = run.fileSystem.calls
    run.fileSystem.fault = CrashingFileSystem.Fault(number: number, cause: cause, goesOn: false)
    let timeline = run.timeline!
    do throws(AppendError) {
      if isRepair {
        try timeline.repair([LineAddress(log.replica, 1): log.lines[0]])
      } else {
        var erasure = ForeignLog(2)
        erasure.erase(id, [(timeline.replica, 1)])
        try? timeline.take(erasure.bytes, of: erasure.replica)
      }
    } catch {}
    let wasReached = run.fileSystem.calls - before >= number
    run.fileSystem.fault = nil
    log.add(body("later theirs"))
    try? timeline.take(log.bytes, of: log.replica)
    var acknowledged: Set<String> = []
    if timeline.position[log.replica] == 2 { acknowledged.insert("later theirs") }
    do throws(AppendError) {
      try run.append("later")
      acknowledged.insert("later")
    } catch {}
    try run.open()
    #expect(
      acknowledged.isSubset(of: run.timeline!.titles), "\(cause) at \(number), repair \(isRepair)")
    return wasReached
  }
}

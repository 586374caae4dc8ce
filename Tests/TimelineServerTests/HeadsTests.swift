// Signed heads that come side by side, and disks that do not take them: what the simulation found.

import Access
import EventStore
import Support
import Testing
import TimelineModel

@testable import Simulation
@testable import TimelineServer

@Suite("Heads", .timeLimit(.minutes(2)))
struct HeadsTests {
  private let peers = (1...3).map { ConnectionID(UInt64($0)) }

  /// The note of a head that is to be looked at.
  private func note(_ work: Work?) -> [UInt8]? {
    guard case .heads(let work)? = work?.kind, case .take(_, let note, _) = work.kind else {
      return nil
    }
    return note
  }

  private func timeline() throws -> Timeline {
    let driven = try Driven()
    _ = driven.ask("APPEND \(event("a line"))", on: driven.open())
    return driven.engine.openTimelines[0]
  }

  @Test("While a head is looked at, those of all peers wait, whichever comes last")
  func headsOfSeveral() throws {
    let timeline = try timeline()
    let heads = Heads(timeline.headKeeper())
    let (log, lines) = (timeline.replica, timeline.lines)
    #expect(note(heads.take([1], of: log, lines, from: peers[0])) == [1])
    #expect(heads.take([3], of: log, lines, from: peers[1]) == nil)
    #expect(heads.take([2], of: log, lines, from: peers[2]) == nil)
    let report = HeadReport(taken: log)
    #expect(note(heads.took(report, timeline, 0).next) == [3])
    #expect(note(heads.took(report, timeline, 0).next) == [2])
    #expect(heads.took(report, timeline, 0).next == nil)
    #expect(note(heads.take([4], of: log, lines, from: peers[0])) == [4])
  }

  @Test("Of one peer the newest head alone waits")
  func headsOfOne() throws {
    let timeline = try timeline()
    let heads = Heads(timeline.headKeeper())
    let (log, lines) = (timeline.replica, timeline.lines)
    #expect(note(heads.take([1], of: log, lines, from: peers[0])) == [1])
    #expect(heads.take([2], of: log, lines, from: peers[0]) == nil)
    #expect(heads.take([3], of: log, lines, from: peers[0]) == nil)
    let report = HeadReport(taken: log)
    #expect(note(heads.took(report, timeline, 0).next) == [3])
    #expect(heads.took(report, timeline, 0).next == nil)
  }

  @Test("A head that a full disk did not take is signed again, though nothing is recorded")
  func fullDisk() throws {
    let driven = try Driven()
    let client = driven.open()
    _ = driven.ask("APPEND \(event("first"))", on: client)
    _ = driven.ask("APPEND \(event("second"))", on: client)
    let timeline = driven.engine.openTimelines[0]
    #expect(timeline.wantsHead)
    driven.fileSystem.isFull = true
    driven.time += 1_000_000
    driven.step([])
    #expect(timeline.wantsHead)
    #expect(driven.logged.contains { $0.contains("the disk is full") })
    driven.fileSystem.isFull = false
    let wake = try #require(driven.wake)
    #expect(wake <= driven.time + 10_000_000)
    driven.time = wake
    driven.step([])
    #expect(!timeline.wantsHead)
  }

  @Test("A head over a damaged line waits until the line is put back, or another head comes")
  func damagedLine() throws {
    let timeline = try timeline()
    let heads = Heads(timeline.headKeeper())
    let (log, lines) = (timeline.replica, timeline.lines)
    #expect(note(heads.take([1], of: log, lines, from: peers[0])) == [1])
    var report = HeadReport(taken: log)
    report.unwritten = (peers[0], [1])
    #expect(heads.took(report, timeline, 0).next == nil)
    #expect(heads.due == nil)
    #expect(heads.retryAll(lines).map { note($0) } == [[1]])
    #expect(heads.took(report, timeline, 0).next == nil)
    #expect(note(heads.take([2], of: log, lines, from: peers[1])) == [1])
    #expect(note(heads.took(HeadReport(taken: log), timeline, 0).next) == [2])
    #expect(heads.retryAll(lines).isEmpty)
  }

  @Test("A head that was looked at while the damaged line was put back is looked at again")
  func damagedLineMeanwhile() throws {
    let timeline = try timeline()
    let heads = Heads(timeline.headKeeper())
    let (log, lines) = (timeline.replica, timeline.lines)
    #expect(note(heads.take([1], of: log, lines, from: peers[0])) == [1])
    #expect(heads.retryAll(lines).isEmpty)
    var report = HeadReport(taken: log)
    report.unwritten = (peers[0], [1])
    #expect(note(heads.took(report, timeline, 0).next) == [1])
    #expect(heads.took(report, timeline, 0).next == nil)
  }

  @Test("A peer's head that a full disk did not take is written later, though none comes again")
  func fullDiskOfPeer() throws {
    let (one, other) = (try Driven(seed: 1), try Driven(seed: 2))
    let pair = try Pair(other, follows: one)
    pair.run()
    let client = one.open()
    _ = one.ask("APPEND \(event("first"))", on: client)
    _ = one.ask("APPEND \(event("second"))", on: client)
    pair.run()
    other.fileSystem.isFull = true
    one.time += 1_000_000
    one.step([])
    pair.run()
    let (there, here) = (one.engine.openTimelines[0], other.engine.openTimelines[0])
    let log = there.replica
    /// Lines under the head as it stands on the disk.
    func kept() throws -> UInt64? {
      let file = try other.fileSystem.read("data/timelines/main/logs/\(log)/checkpoint")
      return file.flatMap {
        UInt64(String(decoding: $0, as: UTF8.self).split(separator: "\n")[1])
      }
    }
    #expect(there.signedSize(of: log) == there.position[log])
    #expect(here.position == there.position)
    other.time += 1_000_000
    other.step([])
    #expect(try kept() ?? 0 < there.position[log])
    other.fileSystem.isFull = false
    other.time += 10_000_000
    other.step([])
    #expect(try kept() == there.position[log])
  }
}

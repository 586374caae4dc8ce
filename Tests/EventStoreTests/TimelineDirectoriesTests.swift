import Support
import Testing
import TimelineModel
import TransparencyLog

@testable import EventStore

/// A data directory on a disk in memory.
private struct Disk {
  let fileSystem: CrashingFileSystem
  let keys = MachineKeys(heads: key(7), device: key(8))

  static func key(_ byte: UInt8) -> SigningKey {
    SigningKey(seed: Array(repeating: byte, count: 32))!
  }

  init(_ disk: SimulatedDisk = SimulatedDisk()) { fileSystem = CrashingFileSystem(disk) }

  func open() throws -> DataDirectory { try DataDirectory("/data", fileSystem: fileSystem) }

  func write(_ path: String, _ text: String) throws {
    let parts = path.split(separator: "/")
    for count in 1..<parts.count {
      try fileSystem.createDirectory("/" + parts[..<count].joined(separator: "/"))
    }
    try fileSystem.replace(path, with: Array(text.utf8))
  }

  func text(_ path: String) -> String {
    String(decoding: fileSystem.disk[file: path], as: UTF8.self)
  }
}

/// What makes logs, with numbers of its own for each start.
private func maker(_ start: UInt64, _ keys: MachineKeys? = nil) -> LogMaker {
  var chance = SplitMix(seed: start)
  return LogMaker(keys: keys) { chance.next() }
}

private func replica(_ number: UInt64) -> ReplicaID { ReplicaID(UUIDBytes(high: 0xA, low: number)) }

@Suite("Timelines of a data directory")
struct TimelineDirectoriesTests {
  @Test("`main` is made where there is none, with an id of its own")
  func main() throws {
    let (one, other) = (Disk(), Disk())
    let made = try one.open().timelines(by: maker(1, one.keys))
    #expect(made.timelines.map(\.name) == ["main"])
    let hosted = try #require(made["main"])
    #expect(hosted.directory == "main" && hosted.replica == hosted.record?.id && !hosted.isArchived)
    #expect(hosted.founding?.id == hosted.id && hosted.founding?.key == one.keys.device.publicKey)
    let again = try one.open().timelines(by: maker(2, one.keys))
    #expect(again.timelines == [hosted])
    let others = try other.open().timelines(by: maker(3, one.keys))
    #expect(others["main"]?.id != hosted.id)
    let renamed = try one.open().renameTimeline(hosted.id, to: "work")
    let later = try one.open().timelines(by: maker(2, one.keys))
    #expect(later.timelines == [renamed])
  }

  @Test("The device's key is made once, is no other's, and is never replaced")
  func deviceKey() throws {
    let disk = Disk()
    let seed = [UInt8](repeating: 9, count: 32)
    let made = try disk.open().deviceKey { seed }
    #expect(disk.text("/data/keys/device.pem").utf8.elementsEqual(made.pem))
    let heads = try disk.open().signingKey { [UInt8](repeating: 8, count: 32) }
    #expect(heads.publicKey != made.publicKey)
    let again = try disk.open().deviceKey {
      Issue.record("a key is there")
      return seed
    }
    #expect(again.publicKey == made.publicKey)
    try disk.write("/data/keys/device.pem", "garbage")
    #expect(throws: OpenError.self) { try disk.open().deviceKey { seed } }
    #expect(disk.text("/data/keys/device.pem") == "garbage")
  }

  @Test("The founder's log names key and founding, then its first event; a follower's only its key")
  func lines() throws {
    let disk = Disk()
    let directory = try disk.open()
    let own = try directory.createTimeline("own", by: maker(1, disk.keys))
    let timeline = try directory.openTimeline(own, by: maker(2, disk.keys))
    #expect(try timeline.record(body("one")).seq == 3)
    #expect(try timeline.record(body("two")).seq == 4)
    #expect(timeline.view.founding == own.founding)
    let line = String(
      decoding: try #require(timeline.view.line(LineRef(replica: 0, seq: 2))), as: UTF8.self)
    #expect(line.contains(try #require(own.founding).bodyText.dropFirst().dropLast()))
    // Read again it is the same, with an index and without.
    try IndexFile.write(timeline.view, to: "/data/index", disk.fileSystem)
    let again = try directory.openTimeline(own, by: maker(2, disk.keys))
    #expect(again.view.founding == own.founding && again.view.index.unreadable == 0)
    #expect(try again.record(body("three")).seq == 5)

    let followed = try directory.joinTimeline(
      TimelineID(UUIDBytes(high: 1, low: 1)), hash: nil, name: "theirs", by: maker(3))
    let theirs = try directory.openTimeline(followed, by: maker(4, disk.keys))
    #expect(try theirs.record(body("one")).seq == 2)
    #expect(theirs.view.founding == nil && theirs.founding == nil)
  }

  @Test("Without a key nothing is named, and the founding says so")
  func withoutKey() throws {
    let disk = Disk()
    let directory = try disk.open()
    let own = try directory.createTimeline("own", by: maker(1))
    #expect(own.founding?.key == nil)
    let timeline = try directory.openTimeline(own, by: maker(2))
    #expect(try timeline.record(body("one")).seq == 1)
    let later = try directory.openTimeline(own, by: maker(2, disk.keys))
    #expect(try later.record(body("two")).seq == 4)
    #expect(later.view.founding == own.founding)
  }

  @Test("A machine that goes on in a new log keeps name and founding, and says them once")
  func newLog() throws {
    let disk = Disk()
    let directory = try disk.open()
    let own = try directory.createTimeline("own", by: maker(1, disk.keys))
    try directory.openTimeline(own, by: maker(2, disk.keys)).record(body("one"))
    let other = MachineKeys(heads: Disk.key(9), device: disk.keys.device)
    let timeline = try directory.openTimeline(own, by: maker(2, other))
    #expect(timeline.leftLog == own.replica && timeline.replica != own.replica)
    #expect(try timeline.record(body("two")).seq == 2)
    let hosted = try #require(try directory.timelines()["own"])
    #expect(hosted.replica == timeline.replica && hosted.founding == own.founding)
  }

  @Test("Names: taken, wrong, changed; directories keep theirs")
  func names() throws {
    let disk = Disk()
    let directory = try disk.open()
    func create(_ name: String, _ number: UInt64) throws -> HostedTimeline {
      try directory.createTimeline(name, by: maker(number))
    }
    let first = try create("first", 1)
    #expect(throws: OpenError.timelineExists("first")) { try create("first", 2) }
    #expect(throws: OpenError.badName("../x")) { try create("../x", 2) }
    let renamed = try directory.renameTimeline(first.id, to: "older")
    #expect(renamed.directory == "first" && renamed.id == first.id)
    #expect(try directory.renameTimeline(first.id, to: "older") == renamed)
    // The name is free again, the directory is not.
    let second = try create("first", 3)
    #expect(second.directory == second.id.description)
    #expect(throws: OpenError.timelineExists("first")) {
      try directory.renameTimeline(first.id, to: "first")
    }
    let nobody = TimelineID(UUIDBytes(high: 9, low: 9))
    #expect(throws: OpenError.noTimeline(nobody.description)) {
      try directory.renameTimeline(nobody, to: "x")
    }
    let archived = try directory.setArchived(second.id, true)
    #expect(archived.isArchived)
    #expect(try directory.timelines().timelines == [archived, renamed])
    #expect(try directory.setArchived(second.id, false) == second)
  }

  @Test("A timeline that is followed takes the place of an own one without a line, of no other")
  func following() throws {
    let disk = Disk()
    let directory = try disk.open()
    let (theirs, third) = (
      TimelineID(UUIDBytes(high: 1, low: 1)), TimelineID(UUIDBytes(high: 1, low: 2))
    )
    let own = try directory.createTimeline("main", by: maker(1))
    _ = try directory.openTimeline(own, by: maker(2))
    let followed = try directory.joinTimeline(theirs, hash: nil, name: "main", by: maker(3))
    #expect(followed.directory == "main" && followed.founding == nil)
    #expect(try directory.timelines().timelines == [followed])
    #expect(throws: OpenError.timelineExists("main")) {
      try directory.joinTimeline(theirs, hash: nil, name: "other", by: maker(4))
    }
    // One that was joined is not ours to give up, though it has no line yet.
    #expect(throws: OpenError.timelineExists("main")) {
      try directory.joinTimeline(third, hash: nil, name: "main", by: maker(4))
    }
    let full = try directory.createTimeline("full", by: maker(5))
    try directory.openTimeline(full, by: maker(6)).record(body("one"))
    #expect(throws: OpenError.timelineExists("full")) {
      try directory.joinTimeline(third, hash: nil, name: "full", by: maker(6))
    }
    #expect(
      try directory.joinTimeline(third, hash: nil, name: "third", by: maker(6)).name == "third")
  }

  @Test("What is damaged is named, and keeps no other from opening")
  func damaged() throws {
    let disk = Disk()
    let directory = try disk.open()
    let good = try directory.createTimeline("good", by: maker(1))
    let other = try directory.createTimeline("other", by: maker(2))
    let text = disk.text("/data/timelines/other/timeline.json")
    for broken in [
      "", "{", "{}", text.replacing(#""other""#, with: #""/""#),
      text.replacing(other.id.description, with: good.id.description),
    ] {
      try disk.write("/data/timelines/other/timeline.json", broken)
      let found = try directory.timelines()
      #expect(
        found.timelines == [good] && found.unreadable.map(\.directory) == ["other"], "\(broken)")
      #expect(throws: OpenError.self) {
        try directory.openTimeline("other", by: maker(3))
      }
    }
    // A copy is one too many; an empty directory and what is no timeline's are passed over.
    try disk.write(
      "/data/timelines/other/timeline.json", disk.text("/data/timelines/good/timeline.json"))
    try disk.fileSystem.createDirectory("/data/timelines/empty")
    try disk.write("/data/timelines/.trash/timeline.json", "x")
    #expect(try directory.timelines().unreadable.map(\.directory) == ["other"])
    // One that lost its timeline.json is nowhere near free.
    try disk.fileSystem.createDirectory("/data/timelines/lost/logs/\(replica(4))")
    #expect(try directory.timelines().unreadable.map(\.directory) == ["lost", "other"])
    let lost = try directory.createTimeline("lost", by: maker(5))
    #expect(lost.directory == lost.id.description)
  }

  @Test("A directory of version 1 opens with the id that it has, and is of version 2 from then on")
  func version1() throws {
    let disk = Disk()
    try disk.write("/data/data.json", #"{"format":"timeline-data","version":1}"#)
    try disk.write(
      "/data/timelines/main/timeline.json",
      #"{"timeline":"\#(TimelineID.main)","name":"main","replica":"\#(replica(1))"}"#)
    let directory = try disk.open()
    #expect(disk.text("/data/data.json") == "{\"format\":\"timeline-data\",\"version\":3}\n")
    let found = try directory.timelines(by: maker(2, disk.keys))
    let main = try #require(found["main"])
    #expect(main.id == .main && main.replica == replica(1) && main.founding == nil)
    let timeline = try directory.openTimeline(main, by: maker(2, disk.keys))
    #expect(try timeline.record(body("one")).seq == 2)
    for version in ["0", "4", "\"2\""] {
      try disk.write("/data/data.json", #"{"format":"timeline-data","version":\#(version)}"#)
      #expect(throws: OpenError.self) { try disk.open() }
      #expect(disk.text("/data/data.json").contains(version))
    }
  }

  @Test("A power cut leaves each change done or not done")
  func powerCuts() throws {
    let start = Disk()
    let directory = try start.open()
    let first = try directory.createTimeline("first", by: maker(1))
    _ = try directory.createTimeline("second", by: maker(2))
    let theirs = TimelineID(UUIDBytes(high: 1, low: 1))
    let changes: [(DataDirectory) throws -> Void] = [
      { _ = try $0.createTimeline("third", by: maker(3)) },
      { _ = try $0.renameTimeline(first.id, to: "older") },
      { _ = try $0.setArchived(first.id, true) },
      { _ = try $0.joinTimeline(theirs, hash: nil, name: "second", by: maker(4)) },
    ]
    for (number, change) in changes.enumerated() {
      let run = Disk(start.fileSystem.disk)
      func found(_ disk: SimulatedDisk) throws -> [HostedTimeline] {
        let found = try Disk(disk).open().timelines()
        #expect(found.unreadable.isEmpty)
        return found.timelines
      }
      let before = try found(run.fileSystem.disk)
      try change(try run.open())
      let after = try found(run.fileSystem.disk)
      #expect(before != after)
      var disk = start.fileSystem.disk
      var chance = SplitMix(seed: 1)
      for operation in run.fileSystem.operations {
        disk.apply(operation)
        var states = [disk]
        disk.afterPowerCut(limit: 16, &chance) { states.append($0) }
        for state in states {
          let there = try found(state)
          #expect(there == before || there == after, "change \(number)")
        }
      }
      var last: [SimulatedDisk] = []
      disk.afterPowerCut(limit: 16, &chance) { last.append($0) }
      for state in last { #expect(try found(state) == after, "change \(number), durable") }
    }
  }
}

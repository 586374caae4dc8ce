import Dispatch
import Foundation
import Support
import Synchronization
import Testing
import TimelineModel

@testable import EventStore

/// A bad disk turns bits around. Whatever it turns is detected or harmless.
@Suite("Bit flips")
struct BitFlipTests {
  /// A disk with one bit turned, opened as the daemon does it; what is wrong with what it then serves.
  private func failures(_ disk: SimulatedDisk, _ path: String, bit: Int, _ whole: Served)
    -> [String]
  {
    var disk = disk
    var bytes = disk[file: path]
    bytes[bit / 8] ^= 1 << (bit % 8)
    disk[file: path] = bytes
    let name = "\(path), byte \(bit / 8), bit \(bit % 8)"
    let run = CrashRun(on: disk)
    do throws(OpenError) { try run.open() } catch {
      // The small files that say what a directory is carry no check: one that is damaged may say no
      // clear thing any more, which is an answer.
      guard !path.hasSuffix(".json") || error.message.isEmpty else { return [] }
      return ["\(name): \(error.message)"]
    }
    let timeline = run.timeline!
    var served = Served(timeline)
    // Here a bit may turn a replica's id, so that this machine begins another log: nothing is lost.
    served.lines = served.lines.filter { !$0.value.isEmpty }
    var failures: [String] = []
    let hurt = hurtLine(bytes, path, bit / 8)
    for (address, line) in served.lines where whole.lines[address] != line {
      failures.append("\(name): line \(address.seq) is served with other bytes")
    }
    let missing = whole.lines.keys.filter { served.lines[$0] == nil }
    for address in missing where address != hurt {
      failures.append("\(name): line \(address.seq) is not served, and nothing is wrong with it")
    }
    for (id, event) in served.events where whole.events[id] != event {
      // A correction that was hurt leaves the event as it was before.
      let isLine = whole.lines.values.contains { $0.dropLast().elementsEqual(event) }
      if !isLine { failures.append("\(name): event \(id) is served with other bytes") }
    }
    // A limit: without signed heads a line at the end that lacks its LF, or has a zero in it, looks like
    // a torn one. It is cut off, and kept next to the segment.
    if path.hasSuffix(".jsonl"), timeline.damage.isEmpty {
      failures.append("\(name): nobody noticed")
    }
    return failures
  }

  /// What is wrong with any of them, on all processors.
  private func failures(_ bits: [(String, Int)], _ whole: Served) -> [String] {
    let found = Mutex<[String]>([])
    let portion = 50
    DispatchQueue.concurrentPerform(iterations: (bits.count + portion - 1) / portion) { number in
      let range = number * portion..<min((number + 1) * portion, bits.count)
      let failures = bits[range].flatMap { self.failures(small, $0.0, bit: $0.1, whole) }
      found.withLock { $0 += failures }
    }
    return found.withLock { $0 }.sorted()
  }

  /// The line of a log that a byte is part of.
  private func hurtLine(_ bytes: [UInt8], _ path: String, _ offset: Int) -> LineAddress? {
    guard path.hasSuffix(".jsonl") else { return nil }
    return lineRanges[path]?.first { $0.range.contains(offset) }?.address
  }

  private let lineRanges: [String: [(range: Range<Int>, address: LineAddress)]]
  private let small: SimulatedDisk

  init() throws {
    let run = CrashRun()
    try run.open()
    let first = try run.append("first")
    try run.append("second ÄÖ")
    try run.correct(first)
    try run.take(CrashRun.peerLines(2)[...])
    try run.saveIndex()
    try run.append("behind the index")
    run.close()
    small = run.fileSystem.disk.atBest
    lineRanges = Self.lineRanges(small)
  }

  private static func lineRanges(
    _ disk: SimulatedDisk
  ) -> [String: [(range: Range<Int>, address: LineAddress)]] {
    var lineRanges: [String: [(range: Range<Int>, address: LineAddress)]] = [:]
    for path in disk.paths where path.hasSuffix(".jsonl") {
      let bytes = disk[file: path]
      var start = 0
      for end in bytes.indices where bytes[end] == 0x0A {
        let line = bytes[start...end].withUnsafeBufferPointer { try! Line($0) }
        lineRanges[path, default: []].append(
          (start..<end + 1, LineAddress(line.replica, line.seq)))
        start = end + 1
      }
    }
    return lineRanges
  }

  private func served(_ disk: SimulatedDisk) throws -> Served {
    let run = CrashRun(on: disk)
    try run.open()
    return Served(run.timeline!)
  }

  /// Every bit takes minutes in a debug build: a sample and every line end, all with CRASH_STATES=100.
  @Test("Every bit of every file of a small store")
  func every() throws {
    let whole = try served(small)
    let start = ContinuousClock.now
    var chance = SplitMix(seed: seedOfCrashes)
    let bits = small.paths.flatMap { path -> [(String, Int)] in
      let bytes = small[file: path]
      let isIndex = path.hasSuffix("events.idx")
      return (0..<bytes.count * 8).filter { bit in
        limitOfStates >= 100 || bytes[bit / 8] == 0x0A
          || chance.next() % (isIndex ? 64 : path.hasSuffix(".json") ? 2 : 8) == 0
      }.map { (path, $0) }
    }
    let failures = failures(bits, whole)
    print(
      "bit flips: \(bits.count) in a small store, seed \(seedOfCrashes),",
      "\(ContinuousClock.now - start)")
    #expect(
      failures.isEmpty,
      "seed \(seedOfCrashes): \(failures.count), such as \(failures.prefix(5))")
  }

  @Test("A line end that is damaged hides its own line alone")
  func lineEnd() throws {
    var disk = small
    let path = CrashRun.path + "/timelines/main/logs/\(CrashRun.replica)/00000000000000000001.jsonl"
    var bytes = disk[file: path]
    bytes[bytes.firstIndex(of: 0x0A)!] ^= 1
    disk[file: path] = bytes
    let served = try served(disk)
    #expect(served.damaged.map(\.seq) == [1])
  }

  /// BIT_FLIPS=10000 takes minutes in a debug build.
  private static let countInLarger =
    ProcessInfo.processInfo.environment["BIT_FLIPS"].flatMap { Int($0) } ?? 100

  @Test("Bits by chance in a larger store")
  func larger() throws {
    let run = CrashRun()
    try run.open()
    for first in stride(from: 0, to: 2000, by: 100) {
      try run.append((first..<first + 100).map { body("event \($0)") })
    }
    try run.saveIndex()
    run.close()
    let disk = run.fileSystem.disk.atBest
    let test = try BitFlipTests(disk)
    let whole = try served(disk)
    var chance = SplitMix(seed: seedOfCrashes)
    // All of its files are turned, by their sizes.
    let sizes = disk.paths.map { ($0, disk[file: $0].count * 8) }
    let bits = (0..<Self.countInLarger).map { _ in
      var bit = Int.random(in: 0..<sizes.reduce(0) { $0 + $1.1 }, using: &chance)
      let (path, _) = sizes.first { _, size in
        if bit < size { return true }
        bit -= size
        return false
      }!
      return (path, bit)
    }
    let failures = test.failures(bits, whole)
    print("bit flips: \(bits.count) in a larger store, seed \(seedOfCrashes)")
    #expect(
      failures.isEmpty,
      "seed \(seedOfCrashes): \(failures.count), such as \(failures.prefix(5))")
  }

  private init(_ disk: SimulatedDisk) throws {
    small = disk
    lineRanges = Self.lineRanges(disk)
  }
}

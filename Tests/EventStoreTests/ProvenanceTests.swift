import Testing
import TimelineModel
import TransparencyLog

@testable import EventStore

/// A machine with a log, and one that takes it over line by line.
private struct Pair {
  let sender: Timeline
  private(set) var receiver: Timeline
  let keeper: HeadKeeper
  private let directories: [DataDirectory]

  init(lines: Int, keySeed: UInt8 = 1) throws {
    let first = try DataDirectory(Scratch().path, fileSystem: PosixFileSystem())
    let second = try DataDirectory(Scratch().path, fileSystem: PosixFileSystem())
    directories = [first, second]
    let keys = MachineKeys(
      heads: SigningKey(seed: Array(repeating: keySeed, count: 32))!,
      device: SigningKey(seed: Array(repeating: keySeed + 100, count: 32))!)
    sender = try first.openTimeline("main", by: Self.maker(keys))
    let hosted = try second.joinTimeline(
      sender.id, hash: sender.hash, name: "main", by: Self.maker(nil))
    receiver = try second.openTimeline(hosted, by: Self.maker(nil))
    for n in 0..<lines { try sender.record(body("line \(n)"), at: Int64(n + 1)) }
    keeper = sender.headKeeper()
  }

  private static func maker(_ keys: MachineKeys?) -> LogMaker {
    LogMaker(keys: keys) { .random(in: 0 ... .max) }
  }

  /// Opens what the receiver has, as a start does.
  mutating func restart() throws {
    let hosted = try directories[1].timelines()["main"]!
    receiver = try directories[1].openTimeline(hosted, by: Self.maker(nil))
  }

  /// Puts a file where the receiver keeps the head of the log.
  func writeHead(_ bytes: [UInt8]) throws {
    try directories[1].replace("timelines/main/logs/\(log)/checkpoint", with: bytes)
  }

  var log: ReplicaID { sender.replica }

  /// Lines of the sender's, as they stand.
  func lines(_ range: ClosedRange<UInt64>) -> [UInt8] {
    Array(
      sender.view.run(
        of: log, from: range.lowerBound, linesMax: UInt64(range.count), bytesMax: .max
      ).bytes)
  }

  /// What the sender says that lines up to a number are under.
  func claim(upTo last: UInt64) throws -> HeadClaim {
    let head = try keeper.sign(sender.view, isKept: false)!
    let proof = try keeper.consistency(from: last, to: head.size, of: log, sender.view)
    return HeadClaim(note: head.note.bytes, consistency: proof)
  }

  @discardableResult
  func take(
    _ bytes: [UInt8], from first: UInt64, under claim: HeadClaim?
  ) throws(IngestError) -> SignedHead? {
    let head = try bytes.withTypedBuffer { (bytes) throws(IngestError) in
      try receiver.ingest(
        bytes, of: log, from: first, by: .peer(claim),
        now: RecordedTime(microseconds: 5_000_000))
    }
    do throws(AppendError) { try receiver.commit() } catch { throw .disk(error) }
    return head
  }
}

@Suite("What peers send is what its machine wrote")
struct ProvenanceTests {
  @Test("Runs are taken one by one under a head far ahead, and the head where they reach it")
  func runs() throws {
    let pair = try Pair(lines: 700)
    let size = pair.sender.position[pair.log]
    var first: UInt64 = 1
    for last in [UInt64(1), 255, 256, 300, 600, size] {
      let head = try pair.take(
        pair.lines(first...last), from: first, under: try pair.claim(upTo: last))
      #expect(pair.receiver.position[pair.log] == last)
      #expect(head?.size == (last == size ? size : nil))
      first = last + 1
    }
    #expect(pair.receiver.view.rowCount == pair.sender.view.rowCount)
    // And live: one line more.
    try pair.sender.record(body("live"))
    let head = try pair.take(
      pair.lines(first...first), from: first, under: try pair.claim(upTo: first))
    #expect(head?.size == size + 1)
  }

  @Test("Lines that nobody signed for are not kept: changed, left out, or without a head")
  func forged() throws {
    let pair = try Pair(lines: 20)
    let claim = try pair.claim(upTo: 10)
    try pair.take(pair.lines(1...10), from: 1, under: claim)
    let later = try pair.claim(upTo: 15)
    func refusal(
      _ bytes: [UInt8], from first: UInt64 = 11, under claim: HeadClaim?
    ) -> IngestError? {
      do throws(IngestError) {
        try pair.take(bytes, from: first, under: claim)
        return nil
      } catch { return error }
    }
    let size = pair.sender.position[pair.log]
    // Another text, with a check that fits: the relay made it.
    let other = try Pair(lines: 20, keySeed: 2)
    let forged = Array(
      String(decoding: other.lines(11...15), as: UTF8.self)
        .replacing(other.log.description, with: pair.log.description).utf8)
    #expect(refusal(withNewChecks(forged), under: later) == .notUnderHead(pair.log, size: size))
    #expect(refusal(pair.lines(11...15), under: nil) == .noHead(pair.log))
    #expect(
      refusal(pair.lines(11...15), under: claim) == .notUnderHead(pair.log, size: size),
      "the proof of another run")
    guard case .badHead = refusal(pair.lines(11...15), under: try other.claim(upTo: 15)) else {
      Issue.record("the head of another log is taken")
      return
    }
    #expect(pair.receiver.position[pair.log] == 10)
    try pair.take(pair.lines(11...15), from: 11, under: later)
    #expect(pair.receiver.position[pair.log] == 15)
  }

  @Test("A log that names no key has no lines that count")
  func withoutKey() throws {
    let pair = try Pair(lines: 3)
    let claim = try pair.claim(upTo: 3)
    // Its first line is left out, and the others numbered anew.
    var text = String(decoding: pair.lines(2...4), as: UTF8.self)
    for seq in 2...4 { text = text.replacing("\"seq\":\(seq),", with: "\"seq\":\(seq - 1),") }
    let error = #expect(throws: IngestError.self) {
      try pair.take(withNewChecks(Array(text.utf8)), from: 1, under: claim)
    }
    #expect(error == .noKey(pair.log))
    #expect(pair.receiver.position.sizes.isEmpty)
  }

  @Test("A reading of everything again leaves the tree as it is")
  func readAgain() throws {
    let pair = try Pair(lines: 600)
    try pair.take(pair.lines(1...500), from: 1, under: try pair.claim(upTo: 500))
    try pair.receiver.readAgain()
    #expect(pair.receiver.hasTree(of: pair.log))
    try pair.take(pair.lines(501...501), from: 501, under: try pair.claim(upTo: 501))
    #expect(pair.receiver.position[pair.log] == 501)
  }

  @Test("Behind a start the tree is asked for, and then lines are taken again")
  func started() throws {
    var pair = try Pair(lines: 600)
    try pair.take(pair.lines(1...500), from: 1, under: try pair.claim(upTo: 500))
    #expect(pair.receiver.hasTree(of: pair.log))
    try pair.restart()
    #expect(!pair.receiver.hasTree(of: pair.log))
    let claim = try pair.claim(upTo: 501)
    #expect(throws: IngestError.treeUnknown(pair.log)) {
      try pair.take(pair.lines(501...501), from: 501, under: claim)
    }
    pair.receiver.adopt(pair.receiver.headKeeper().trees(pair.receiver.view))
    try pair.take(pair.lines(501...501), from: 501, under: claim)
    #expect(pair.receiver.position[pair.log] == 501)
  }

  @Test("A garbled head on the disk keeps no lines of another's log out")
  func garbledHead() throws {
    var pair = try Pair(lines: 600)
    try pair.take(pair.lines(1...500), from: 1, under: try pair.claim(upTo: 500))
    try pair.writeHead(Array("no note".utf8))
    try pair.restart()
    let keeper = pair.receiver.headKeeper()
    pair.receiver.adopt(keeper.trees(pair.receiver.view))
    let head = try pair.take(
      pair.lines(501...602), from: 501, under: try pair.claim(upTo: 602))
    #expect(head?.size == 602)
    guard
      case .here(.success) = keeper.take(head!.note.bytes, of: pair.log, pair.receiver.view)
    else {
      Issue.record("the head is not taken")
      return
    }
  }
}

/// The lines with checks that fit them.
private func withNewChecks(_ bytes: [UInt8]) -> [UInt8] {
  bytes.split(separator: 0x0A).flatMap { line in
    let body = line.dropLast(",\"crc32c\":\"xxxxxxxx\"}".utf8.count)
    let check = Array(body).withUnsafeBufferPointer { CRC32C.of($0) }
    let digits = String(check, radix: 16)
    let padded = String(repeating: "0", count: 8 - digits.count) + digits
    return Array(body) + Array(",\"crc32c\":\"\(padded)\"}\n".utf8)
  }
}

import Testing
import TimelineModel
import TransparencyLog

@testable import TimelineWire

/// A machine in memory: logs as arrays of lines, and everything that it was sent is durable at once.
private struct Machine: LogSource {
  let id: ReplicaID
  var logs: [ReplicaID: [[UInt8]]] = [:]
  var linesToRequest: [LineRange] = []
  var proven: [LineAddress: [UInt8]] = [:]
  var proved: [LineRange] = []
  /// Lines of its own log that it cannot read.
  var damaged: Set<UInt64> = []
  /// A note that says how many lines it is over; of what is appended here, unless it is not to be signed.
  var heads: [ReplicaID: String] = [:]

  init(_ number: UInt64) { id = ReplicaID(UUIDBytes(high: number, low: number)) }

  var position: Position { Position(logs.mapValues { UInt64($0.count) }) }

  func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? {
    heads[replica].map { (UInt64($0.split(separator: "\n")[1])!, Array($0.utf8)) }
  }

  func run(
    of replica: ReplicaID, from first: UInt64, linesMax: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
    guard let log = logs[replica], first >= 1, first <= log.count, !damaged.contains(first) else {
      return (0, UnsafeBufferPointer(start: nil, count: 0))
    }
    var bytes: [UInt8] = []
    var count: UInt64 = 0
    for line in log[Int(first - 1)...]
    where count == 0 || count < linesMax && bytes.count + line.count <= bytesMax {
      bytes += line
      count += 1
    }
    // Kept for the length of the test process.
    let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    _ = copy.initialize(from: bytes)
    return (count, UnsafeBufferPointer(copy))
  }

  mutating func append(_ text: String, isSigned: Bool = true) {
    let seq = UInt64(logs[id]?.count ?? 0) + 1
    var line: [UInt8] = []
    let body = Array("\"title\":\"\(text)\"".utf8)
    body.withUnsafeBufferPointer {
      Line.append(
        to: &line, replica: id, seq: seq, recorded: RecordedTime(microseconds: Int64(seq)),
        id: EventID(importedName: text), author: "a", body: $0, salt: (1, 2))
    }
    logs[id, default: []].append(line)
    if isSigned { heads[id] = "log \"\(id)\"\n\(seq)\nroot é\n" }
  }
}

/// A connection between two machines; `runUntilQuiet` carries words until both are silent.
private struct Wire {
  var left: SyncSession
  var right: SyncSession
  var transcript: [String] = []
  var ends: [ErrorReply] = []
  var forks: [ReplicaID] { left.forked.keys.sorted() + right.forked.keys.sorted() }

  init(_ left: Machine, _ right: Machine) {
    self.left = SyncSession(timeline: .main, replica: left.id)
    self.right = SyncSession(timeline: .main, replica: right.id)
  }

  mutating func runUntilQuiet(_ a: inout Machine, _ b: inout Machine, starting: Bool = false) {
    var toRight = starting ? left.start(a) : Self.pump(&left, a)
    var toLeft = starting ? right.start(b) : Self.pump(&right, b)
    while !toRight.isEmpty || !toLeft.isEmpty {
      let (forRight, forLeft) = (toRight, toLeft)
      transcript += Self.words(forRight).map { "> " + $0 } + Self.words(forLeft).map { "< " + $0 }
      toLeft = Self.deliver(forRight, to: &right, of: &b, &ends)
      toRight = Self.deliver(forLeft, to: &left, of: &a, &ends)
    }
  }

  /// All that the window allows.
  static func pump(_ session: inout SyncSession, _ machine: Machine) -> [UInt8] {
    var all: [UInt8] = []
    while case let pumped = session.pump(machine), !pumped.isEmpty {
      all += pumped.bytes
      if let run = pumped.held {
        all += session.send(run, consistency: [proof(run.last, run.head)], machine)
      }
    }
    return all
  }

  /// Stands for a proof that so many lines are the beginning of so many.
  static func proof(_ last: UInt64, _ size: UInt64) -> SHA256Digest {
    var hasher = SHA256()
    return Array("\(last) of \(size)".utf8).withUnsafeBufferPointer { hasher.hash($0) }
  }

  private static func words(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
      .filter { !$0.hasPrefix("{") }.map { String($0.prefix { $0 != "{" }) }
  }

  private static func deliver(
    _ bytes: [UInt8], to session: inout SyncSession, of machine: inout Machine,
    _ ends: inout [ErrorReply]
  ) -> [UInt8] {
    var out: [UInt8] = []
    for line in bytes.split(separator: 0x0A) {
      let effects = Array(line).withUnsafeBufferPointer { session.receive($0, machine) }
      for effect in effects {
        switch effect {
        case .send(let bytes): out += bytes
        case .end(let error): ends.append(error)
        case .fork: break
        case .want(let lines):
          for seq in lines.first..<lines.first + lines.count where seq % 2 == 1 {
            let line = machine.logs[lines.replica]![Int(seq) - 1]
            out += session.proven(seq, Array("proof \"\(seq)\"\n".utf8), line, lines)
          }
          out += session.proved(lines)
        case .proof(let address, let proof, let line):
          #expect(proof == Array("proof \"\(address.seq)\"\n".utf8))
          machine.proven[address] = line
        case .proved(let lines): machine.proved.append(lines)
        case .head(let replica, let note):
          let text = String(decoding: note, as: UTF8.self)
          let size = Int(text.split(separator: "\n")[1])!
          #expect(size <= machine.logs[replica]?.count ?? 0, "a head before its lines")
          machine.heads[replica] = text
        case .ingest(let replica, let lines, _, let last, let under):
          guard let under else {
            Issue.record("lines without a head")
            continue
          }
          #expect(
            under.consistency == (last == under.size ? [] : [proof(last, under.size)]),
            "\(last) of \(under.size)")
          if last == under.size {
            machine.heads[replica] = String(decoding: under.note, as: UTF8.self)
          }
          for line in lines.split(separator: 0x0A) {
            machine.logs[replica, default: []].append(Array(line) + [0x0A])
          }
          out += session.committed(replica, last: last)
        }
      }
    }
    out += pump(&session, machine)
    return out
  }
}

@Suite("Sync between machines")
struct SyncSessionTests {
  @Test("Both send what the other lacks, and know when they agree")
  func bothWays() {
    var (a, b) = (Machine(1), Machine(2))
    for n in 0..<3 { a.append("a\(n)") }
    for n in 0..<5 { b.append("b\(n)") }
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(a.logs == b.logs)
    #expect(wire.left.isInSync(with: a) && wire.right.isInSync(with: b))
    // Live: one new line costs a HEAD, a LINES and a TOOK.
    let before = wire.transcript.count
    a.append("new")
    #expect(!wire.left.isInSync(with: a))
    wire.runUntilQuiet(&a, &b)
    #expect(a.logs == b.logs)
    #expect(wire.transcript.count == before + 3)
    #expect(wire.left.isInSync(with: a) && wire.right.isInSync(with: b))
  }

  @Test("What is missing is requested range by range, and comes with its proofs")
  func requested() {
    var (a, b) = (Machine(1), Machine(2))
    for n in 0..<2500 { a.append("a\(n)") }
    b.logs = a.logs
    b.heads = a.heads
    b.linesToRequest = [LineRange(a.id, 3, 2), LineRange(a.id, 100, 2001)]
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(wire.ends.isEmpty)
    #expect(
      b.proved == [
        LineRange(a.id, 3, 2), LineRange(a.id, 100, 1000), LineRange(a.id, 1100, 1000),
        LineRange(a.id, 2100, 1),
      ])
    #expect(b.proven.count == 1 + 1000)
    for (address, line) in b.proven { #expect(line == a.logs[a.id]![Int(address.seq) - 1]) }
    // Asked once, unless it is to be again.
    let before = wire.transcript.count
    wire.runUntilQuiet(&a, &b)
    #expect(wire.transcript.count == before)
    b.linesToRequest = [LineRange(a.id, 5, 1)]
    wire.right.askAgain()
    wire.runUntilQuiet(&a, &b)
    #expect(b.proved.last == LineRange(a.id, 5, 1))
  }

  @Test("Each line is proven once, so that an answer has an end")
  func provenOnce() {
    var b = Machine(2)
    b.linesToRequest = [LineRange(ReplicaID(UUIDBytes(high: 1, low: 1)), 3, 4)]
    let replica = b.linesToRequest[0].replica
    for (first, second) in [(3, 3), (5, 4), (6, 7), (6, 2)] {
      var session = SyncSession(timeline: .main, replica: b.id)
      func say(_ text: String) -> [SyncSession.Effect] {
        Array(text.utf8).withUnsafeBufferPointer { session.receive($0, b) }
      }
      _ = say("HAVE \(TimelineID.main) {\"heads\":{}}")
      _ = Wire.pump(&session, b)
      #expect(say("PROOF \(TimelineID.main) \(replica) \(first) \"\"").isEmpty)
      #expect(say("").count == 1)
      let effects = say("PROOF \(TimelineID.main) \(replica) \(second) \"\"")
      #expect(
        effects.contains { if case .end = $0 { true } else { false } }, "\(first), then \(second)")
    }
  }

  @Test("What is sent stops at a damaged line, and goes on in the same session once it is back")
  func repaired() {
    var (a, b) = (Machine(1), Machine(2))
    a.append("one")
    a.append("two")
    a.damaged = [1]
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(b.logs.isEmpty)
    a.damaged = []
    wire.left.askAgain()
    wire.runUntilQuiet(&a, &b)
    #expect(b.logs == a.logs)
    #expect(wire.left.isInSync(with: a))
  }

  @Test("Lines come under a head, through the one in the middle too, and it is sent once")
  func heads() {
    var (a, b, c) = (Machine(1), Machine(2), Machine(3))
    for n in 0..<3 { a.append("a\(n)") }
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(b.heads == a.heads)
    var next = Wire(b, c)
    next.runUntilQuiet(&b, &c, starting: true)
    #expect(c.heads == a.heads)
    // A head over a line that comes with it; and again nothing.
    a.append("more")
    let before = wire.transcript.count
    wire.runUntilQuiet(&a, &b)
    wire.runUntilQuiet(&a, &b)
    #expect(b.heads == a.heads)
    #expect(wire.transcript.count == before + 3)
    var again = Wire(a, b)
    again.runUntilQuiet(&a, &b, starting: true)
    #expect(again.transcript.count == 2)
    #expect(wire.ends.isEmpty && next.ends.isEmpty && again.ends.isEmpty)
  }

  @Test("What no head covers yet is not sent, nor is it in sync")
  func unsigned() {
    var (a, b) = (Machine(1), Machine(2))
    a.append("one")
    a.append("two", isSigned: false)
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(b.logs[a.id]?.count == 1)
    #expect(!wire.left.isInSync(with: a))
    a.append("three")
    wire.runUntilQuiet(&a, &b)
    #expect(b.logs == a.logs)
    #expect(wire.left.isInSync(with: a))
  }

  @Test(
    "Runs before the end of a head come each with its proof, and live lines of others between them")
  func runs() {
    var (a, b) = (Machine(1), Machine(2))
    let text = String(repeating: "x", count: 30_000)
    for n in 0..<100 { a.append("\(n) \(text)") }
    b.append("b")
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(wire.ends.isEmpty)
    #expect(b.logs == a.logs && b.heads == a.heads)
    #expect(wire.transcript.count { $0.hasPrefix("> LINES") } > 3)
    #expect(wire.transcript.count { $0.hasPrefix("> HEAD") } == 1)
  }

  @Test("A run that cannot be proven is passed over, until it is asked for again")
  func unproven() {
    var a = Machine(1)
    let b = Machine(2)
    let text = String(repeating: "x", count: 30_000)
    for n in 0..<100 { a.append("\(n) \(text)") }
    var session = SyncSession(timeline: .main, replica: a.id)
    var other = SyncSession(timeline: .main, replica: b.id)
    let have = other.start(b).dropLast()
    _ = Array(have).withUnsafeBufferPointer { session.receive($0, a) }
    guard let run = session.pump(a).held else {
      Issue.record("a run that needs no proof")
      return
    }
    #expect(session.pump(a).isEmpty)
    session.skip(run)
    #expect(session.pump(a).isEmpty)
    session.askAgain()
    #expect(session.pump(a).held == run)
  }

  @Test(
    "Behind the greetings a quiet reconnect costs one message each way, whatever the log's size")
  func quiet() {
    var (a, b) = (Machine(1), Machine(2))
    for n in 0..<500 { a.append("a\(n)") }
    b.logs = a.logs
    b.heads = a.heads
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(
      wire.transcript == ["> HAVE \(TimelineID.main) ", "< HAVE \(TimelineID.main) "])
    #expect(wire.left.isInSync(with: a) && wire.right.isInSync(with: b))
  }

  @Test("Machines that never meet agree through a third")
  func relay() {
    var (a, b, c) = (Machine(1), Machine(2), Machine(3))
    a.append("a")
    c.append("c")
    var (ab, bc) = (Wire(a, b), Wire(b, c))
    ab.runUntilQuiet(&a, &b, starting: true)
    bc.runUntilQuiet(&b, &c, starting: true)
    ab.runUntilQuiet(&a, &b)
    #expect(a.logs == c.logs && a.logs == b.logs)
  }

  @Test(
    "A log that was written twice stops on both sides, and all others go on", arguments: [1, 3])
  func fork(copied: Int) {
    var (a, copy, b) = (Machine(1), Machine(1), Machine(2))
    a.append("one")
    a.append("two")
    for n in 0..<copied { copy.append("other \(n)") }
    b.logs = copy.logs
    let (here, there) = (a.logs[a.id], b.logs[a.id])
    b.append("of b")
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    // More of it goes neither way, and what is new elsewhere does.
    a.append("three")
    b.append("more of b")
    wire.runUntilQuiet(&a, &b)
    #expect(wire.ends.isEmpty)
    #expect(a.logs[a.id]?.starts(with: here ?? []) ?? false && b.logs[a.id] == there)
    #expect(a.logs[b.id] == b.logs[b.id] && b.logs[b.id]?.count == 2)
    #expect(wire.forks.count == 2 && Set(wire.forks) == [a.id])
    #expect(wire.left.isInSync(with: a) && wire.right.isInSync(with: b))
  }

  @Test("A machine does not sync with itself, nor with a copy of itself")
  func itself() {
    var (a, b) = (Machine(1), Machine(1))
    a.append("one")
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(wire.ends.first?.code == .denied)
    #expect(b.logs.isEmpty)
  }

  @Test(
    "What has no place here ends the session, and nothing of it is kept",
    arguments: [
      "HELLO timeline-sync 1 {}", "LINES \(TimelineID.main) x 1 1 1", "FROB",
      "HAVE \(TimelineID.main) {", "HAVE main {\"heads\":{}}", "TOOK \(TimelineID.main) x 1",
      "LINES \(TimelineID.main) 00000000-0000-0001-0000-000000000001 1 99999999999 9",
      "LINES \(TimelineID.main) 00000000-0000-0001-0000-000000000001 18446744073709551615 2 100",
      "LINES 00000000-0000-0001-0000-000000000009 00000000-0000-0001-0000-000000000001 1 1 9",
      "HAVE \(TimelineID.main) {\"heads\":{\"00000000-0000-0001-0000-000000000001\":[1,\"\",2]}}",
    ])
  func hostile(word: String) {
    let machine = Machine(2)
    var session = SyncSession(timeline: .main, replica: machine.id)
    func say(_ text: String) -> [SyncSession.Effect] {
      Array(text.utf8).withUnsafeBufferPointer { session.receive($0, machine) }
    }
    if word.hasPrefix("LINES") || word.hasPrefix("TOOK") {
      _ = say("HAVE \(TimelineID.main) {\"heads\":{}}")
    }
    let effects = say(word)
    #expect(effects.contains { if case .end = $0 { true } else { false } })
    #expect(say("PING").isEmpty)
  }

  @Test("What a machine has comes in parts where it has many logs, and is whole with the last")
  func manyLogs() {
    var (a, b) = (Machine(1), Machine(2))
    for number in 10..<1300 {
      let other = ReplicaID(UUIDBytes(high: UInt64(number), low: 1))
      var machine = Machine(UInt64(number))
      machine.append("x\(number)")
      a.logs[other] = machine.logs.values.first!
    }
    b.logs = a.logs
    a.append("new")
    var wire = Wire(a, b)
    wire.runUntilQuiet(&a, &b, starting: true)
    #expect(wire.ends.isEmpty)
    #expect(b.logs == a.logs)
    #expect(wire.left.isInSync(with: a) && wire.right.isInSync(with: b))
    #expect(wire.transcript.count { $0.contains("HAVE") } == 8)
    #expect(wire.transcript.count { $0.contains("LINES") } == 1)
  }

  @Test("A message is read as it was written")
  func messages() throws {
    let replica = ReplicaID(UUIDBytes(high: 1, low: 2))
    let lines = LineRange(replica, 7, 3)
    let messages: [SyncMessage] = [
      .hello(features: ["zstd"]), .lines(.main, lines, bytes: 100, consistency: []),
      .lines(.main, lines, bytes: 100, consistency: [.emptyRoot, .emptyRoot]),
      .took(.main, replica, last: 9),
      .head(.main, replica, size: 5, note: Array("a \"note\"\né\n".utf8)), .want(.main, lines),
      .proof(.main, replica, seq: 7, text: Array("x\n".utf8)), .proved(.main, lines),
      .follow(name: "main"), .timeline(.main, name: "iran", hash: nil),
      .timeline(TimelineID(hash: .emptyRoot), name: "iran", hash: .emptyRoot), .ping, .pong,
      .error(ErrorReply(.denied, "no")),
      .have(
        SyncHave(
          .main, replica: replica,
          heads: [SyncHave.Head(replica, size: 7, check: "1a2b3c4d5e6f7a8b", signed: 5)],
          hasMore: true)),
    ]
    for message in messages {
      let line = message.bytes.dropLast()
      #expect(try Array(line).withUnsafeBufferPointer { try SyncMessage($0) } == message)
    }
  }
}

// The engine without sockets and threads, driven by hand: what a test sends, what it receives, and when a
// write comes back.

import Access
import EventStore
import Support
import TimelineModel

@testable import Simulation
@testable import TimelineServer

final class Driven {
  let fileSystem: SimulatedFileSystem
  private(set) var engine: Engine
  let keys: MachineKeys
  private var random: SplitMix
  /// Microseconds of the monotonic clock.
  var time: Int64 = 1_000_000
  private var opened: UInt64 = 0
  /// What was sent on each connection and not taken yet.
  private var sent: [ConnectionID: [UInt8]] = [:]
  private(set) var closed: Set<ConnectionID> = []
  private(set) var dialed: [(ConnectionID, PeerAddress)] = []
  private(set) var logged: [String] = []
  /// Writes that did not come back.
  private(set) var writes: [Write] = []
  /// Whether writes come back by `finishWrites` alone.
  var holdsWrites = false
  /// Questions that are not answered yet.
  private var questions: [(JobID, Work)] = []
  /// Whether questions are answered by `finishQuestions` alone.
  var holdsQuestions = false
  private(set) var wake: Int64?
  private(set) var hasStopped = false

  init(seed: UInt64 = 1, listening port: UInt16 = 7000) throws {
    random = SplitMix(seed: seed)
    fileSystem = SimulatedFileSystem(seed: seed)
    let generator = Generator(seed: seed)
    let directory = try DataDirectory("data", fileSystem: fileSystem)
    keys = MachineKeys(
      heads: try directory.signingKey { (0..<32).map { UInt8($0) } },
      device: try directory.deviceKey { (0..<32).map { UInt8(truncatingIfNeeded: seed) &+ $0 } })
    engine = try Engine(
      Engine.World(
        directory: directory, keys: keys, version: "tested", random: generator.word,
        newID: { EventID(UUIDBytes(random: generator.word(), generator.word())) }),
      now: Moment(wall: RecordedTime(microseconds: 1_780_000_000_000_000), monotonic: 0))
    step([])
  }

  private final class Generator {
    var random: SplitMix
    init(seed: UInt64) { random = SplitMix(seed: seed) }
    func word() -> UInt64 { random.next() }
  }

  func open(_ principal: Principal = .owner(name: "ann")) -> ConnectionID {
    opened += 1
    let id = ConnectionID(opened)
    step([.opened(id, principal)])
    return id
  }

  func send(_ text: String, on id: ConnectionID) { step([.bytes(id, Array(text.utf8))]) }

  /// The lines that were sent on a connection since they were taken last.
  func take(_ id: ConnectionID) -> [String] {
    let bytes = sent.removeValue(forKey: id) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  func ask(_ text: String, on id: ConnectionID) -> [String] {
    send(text + "\n", on: id)
    return take(id)
  }

  func step(_ inputs: [Input]) {
    var inputs = inputs
    repeat {
      let effects = engine.step(
        inputs,
        now: Moment(
          wall: RecordedTime(microseconds: 1_780_000_000_000_000 + time), monotonic: time))
      inputs = []
      var goesOn = false
      for effect in effects {
        switch effect {
        case .send(let id, let bytes): sent[id, default: []] += bytes
        case .close(let id): closed.insert(id)
        case .dial(let id, let address, _): dialed.append((id, address))
        case .write(let write):
          if holdsWrites { writes.append(write) } else { inputs.append(.written(write.perform())) }
        case .run(let job, let work) where holdsQuestions && work.lane == .questions:
          questions.append((job, work))
        case .run(let job, let work):
          inputs.append(.finished(job, work.perform(report: { _ in }, isWanted: { true })))
        case .log(_, let text): logged.append(text)
        case .again: goesOn = true
        case .wake(let moment): wake = moment
        case .stopped: hasStopped = true
        case .read, .cancel: break
        }
      }
      if inputs.isEmpty, !goesOn { return }
    } while true
  }

  func finishQuestions() {
    let due = questions
    questions = []
    for (job, work) in due {
      step([.finished(job, work.perform(report: { _ in }, isWanted: { true }))])
    }
  }

  func finishWrites() {
    let due = writes
    writes = []
    for write in due { step([.written(write.perform())]) }
  }
}

/// An event; with a summary of `length` characters, where one is given.
func event(_ title: String, length: Int? = nil) -> String {
  let summary = length.map { #""summary":"\#(String(repeating: "x", count: $0))","# } ?? ""
  return
    #"{"type":"test","date":"2017-11-29","actors":["PRK"],"title":"\#(title)",\#(summary)"unsourced":true}"#
}

// One who uses a simulated machine through its Unix socket: records, corrects, asks; several requests in
// a row without waiting. Replies have to come in the order of the requests, each of its kind.

import Access
import Support
import TimelineModel
import TimelineWire

/// What was recorded through all clients, as far as they know.
struct Recorded {
  /// Ids that were sent, and those that were acknowledged.
  var sent: Set<EventID> = []
  var acknowledged: Set<EventID> = []
  /// Events that can be corrected, in the order in which they were acknowledged.
  var events: [EventID] = []
  var erased: Set<EventID> = []
  var maybeErased: Set<EventID> = []
}

final class SimulatedClient: Endpoint {
  private enum Asked {
    case append(EventID, isEvent: Bool)
    case appendMany([EventID])
    case erase(EventID)
    case get(EventID)
    case other(String)
  }

  let name: String
  private unowned let cluster: Cluster
  private let machine: Machine
  private var world: World { cluster.world }
  private var connection: SimulatedConnection?
  private var asked: [(Asked, text: [UInt8])] = []
  private var splitter = LineSplitter(bytesMax: 8 << 20)
  private var left: Int
  private var count = 0
  /// Ids that this machine has acknowledged to this client, in this connection or an earlier one.
  private var own: [EventID] = []
  private var unsure: [(Asked, text: [UInt8])] = []

  init(_ cluster: Cluster, _ machine: Machine, _ number: Int, requests: Int) {
    self.cluster = cluster
    self.machine = machine
    name = "\(machine.name)c\(number)"
    left = requests
  }

  var isDone: Bool { left == 0 && asked.isEmpty }

  /// Speaks now and then, until all was said or it is ended.
  func begin() {
    let pause = cluster.plan.duration / Int64(max(1, cluster.plan.requests))
    world.after(world.time(0...pause * 2)) { [weak self] in
      guard let self, left > 0, !cluster.isHealed else { return }
      act()
      begin()
    }
  }

  func finish() {
    left = 0
    connection?.close(0)
    connection = nil
  }

  private func act() {
    guard machine.isUp else { return }
    if connection == nil {
      connection = machine.accept(self, .owner(name: name))
      splitter = LineSplitter(bytesMax: 8 << 20)
      // What was not answered is sent again: the same event is recorded once.
      for (request, text) in unsure { ask(request, text) }
      unsure = []
    }
    for _ in 0..<min(left, world.chance(1, in: 3) ? world.number(2...10) : 1) {
      left -= 1
      let (request, text) = next()
      ask(request, Array((text + "\n").utf8))
    }
  }

  private func ask(_ request: Asked, _ text: [UInt8]) {
    asked.append((request, text))
    connection?.send(text, from: 0)
  }

  private func id() -> EventID {
    EventID(UUIDBytes(random: world.random.next(), world.random.next()))
  }

  private func event(_ id: EventID) -> String {
    count += 1
    let parties = ["USA", "PRK", "KOR", "CHN"]
    let actor = parties.randomElement(using: &world.random)!
    let target = parties.filter { $0 != actor }.randomElement(using: &world.random)!
    let type = ["test", "talks", "message", "exercise", "aid"].randomElement(using: &world.random)!
    let day = world.number(1...28)
    let text = String(repeating: "x", count: world.number(0...cluster.plan.textMax))
    return
      #"{"id":"\#(id)","type":"\#(type)","date":"20\#(world.number(10...19))-0\#(world.number(1...9))-\#(day < 10 ? "0" : "")\#(day)","#
      + #""actors":["\#(actor)"],"targets":["\#(target)"],"title":"\#(name) \#(count)","summary":"\#(text)","unsourced":true}"#
  }

  private func next() -> (Asked, String) {
    let known = cluster.recorded.events
    switch world.number(0...99) {
    case 60..<68:
      let ids = (0..<world.number(1...cluster.plan.batchMax)).map { _ in id() }
      for id in ids { cluster.recorded.sent.insert(id) }
      return (
        .appendMany(ids),
        "APPENDMANY \(ids.count)\n" + ids.map(event).joined(separator: "\n")
      )
    case 68..<74:
      guard let subject = known.randomElement(using: &world.random) else { fallthrough }
      let id = id()
      cluster.recorded.sent.insert(id)
      let body = event(subject).replacing(#""id":"\#(subject)","#, with: "")
      return (
        .append(id, isEvent: false),
        #"APPEND {"id":"\#(id)","type":"log.correct","corrects":"\#(subject)","supersedes":["\#(subject)"],"reason":"x","body":\#(body)}"#
      )
    case 74..<77:
      guard let subject = known.randomElement(using: &world.random) else { fallthrough }
      let id = id()
      cluster.recorded.sent.insert(id)
      return (
        .append(id, isEvent: false),
        #"APPEND {"id":"\#(id)","type":"log.retract","retracts":"\#(subject)","supersedes":["\#(subject)"],"reason":"x"}"#
      )
    case 77..<79:
      guard let subject = known.randomElement(using: &world.random) else { fallthrough }
      cluster.recorded.maybeErased.insert(subject)
      return (.erase(subject), #"ERASE {"id":"\#(subject)","reason":"x"}"#)
    case 79..<86:
      guard let subject = own.randomElement(using: &world.random) else { fallthrough }
      return (.get(subject), "GET \(subject)")
    case 86..<90: return (.other("COUNT"), "COUNT {}")
    case 90..<92: return (.other("QUERY"), #"QUERY {"limit":5}"#)
    case 92..<94: return (.other("VERIFY"), "VERIFY")
    case 94..<96: return (.other("STATE"), #"STATE {"parties":["USA","PRK"]}"#)
    case 96..<97: return (.other("SYNC"), "SYNC")
    case 97..<98: return (.other("REPAIR"), "REPAIR")
    case 98..<99: return (.other("STATUS"), "STATUS")
    default:
      let id = id()
      cluster.recorded.sent.insert(id)
      return (.append(id, isEvent: true), "APPEND " + event(id))
    }
  }

  // MARK: Replies

  func received(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { splitter.take($0) }
    while let piece = splitter.next() {
      guard case .line(let range) = piece else { continue }
      take(String(decoding: splitter.buffer[range], as: UTF8.self))
    }
  }

  private func take(_ line: String) {
    // Rows and events come before the end of their answer.
    if line.hasPrefix("EVENT ") || line.hasPrefix("ROW ") { return }
    guard !asked.isEmpty else {
      return cluster.fail("\(name): \(line.prefix(200)) answers nothing")
    }
    let (request, text) = asked.removeFirst()
    if line.hasPrefix("ERR ") { return refused(request, text, line) }
    let json = line.firstIndex(of: "{").flatMap { brace in
      Array(line[brace...].utf8).withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    }
    switch request {
    case .append(let id, let isEvent):
      guard line.hasPrefix("OK "), json?["id"]?.string == id.description else {
        return cluster.fail("\(name): \(line.prefix(200)) answers the append of \(id)")
      }
      acknowledge([id], areEvents: isEvent)
    case .appendMany(let ids):
      guard line.hasPrefix("OK "), json?["count"]?.int == ids.count else {
        return cluster.fail("\(name): \(line.prefix(200)) answers \(ids.count) appends")
      }
      acknowledge(ids, areEvents: true)
    case .erase(let id):
      guard line.hasPrefix("OK "), json?["seq"] != nil else {
        return cluster.fail("\(name): \(line.prefix(200)) answers the erasure of \(id)")
      }
      cluster.recorded.erased.insert(id)
    case .get:
      guard line.hasPrefix("END "), json?["versions"] != nil else {
        return cluster.fail("\(name): \(line.prefix(200)) answers a GET")
      }
    case .other(let verb):
      let isStream = ["QUERY", "VERIFY"].contains(verb)
      guard line.hasPrefix(isStream ? "END " : "OK ") else {
        return cluster.fail("\(name): \(line.prefix(200)) answers a \(verb)")
      }
    }
  }

  private func acknowledge(_ ids: [EventID], areEvents: Bool) {
    cluster.recorded.acknowledged.formUnion(ids)
    guard areEvents else { return }
    cluster.recorded.events += ids
    own += ids
  }

  private func refused(_ request: Asked, _ text: [UInt8], _ line: String) {
    let word = line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
    switch (request, word) {
    // The disk: it passes, or the machine is started again.
    case (_, "full"), (_, "read-only"), (_, "busy"): return
    // What it speaks of may have been erased, or not have come here yet.
    case (.append(_, isEvent: false), "not-found"), (.append(_, isEvent: false), "exists"),
      (.append(_, isEvent: false), "bad-event"), (.erase, "not-found"), (.erase, "exists"):
      return
    // The line that says it is damaged.
    case (.get(let id), "not-found") where cluster.hasDamaged:
      world.tell("\(name) does not find \(id)")
    case (.other("VERIFY"), _), (.other("STATE"), _): return
    default:
      cluster.fail(
        "\(name): \(line.prefix(300)) to \(String(decoding: text.prefix(200), as: UTF8.self))")
    }
  }

  func ended() { closed(nil) }

  func closed(_ reason: String?) {
    guard connection != nil else { return }
    connection?.close(0)
    connection = nil
    unsure = asked.filter {
      switch $0.0 {
      case .append, .appendMany, .erase: true
      case .get, .other: false
      }
    }
    asked = []
  }

  func blocked(_ isBlocked: Bool) {}
}

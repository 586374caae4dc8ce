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
  enum Asked {
    case open
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
  /// What it records is of this one.
  let timeline: String
  /// Whether the connection speaks of that, and what waits until then.
  private var isOpen = false
  private var waiting: [UInt8] = []
  private var recorded: Recorded {
    get { cluster.recorded[timeline]! }
    _modify { yield &cluster.recorded[timeline]! }
  }
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
    timeline = cluster.plan.timelines[number % cluster.plan.timelines.count]
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
      let connection = machine.accept(self, .owner(name: name))
      self.connection = connection
      splitter = LineSplitter(bytesMax: 8 << 20)
      isOpen = timeline == "main"
      if !isOpen {
        let text = Array("OPEN \(timeline)\n".utf8)
        asked.append((.open, text))
        connection.send(text, from: 0)
      }
      // What was not answered is sent again: the same event is recorded once.
      for (request, text) in unsure { ask(request, text) }
      unsure = []
    }
    for _ in 0..<min(left, world.chance(1, in: 3) ? world.number(2...10) : 1) {
      left -= 1
      let (request, text) = next()
      ask(request, text)
      say(request, text)
    }
  }

  /// Now and then the same is said again, here or to another machine: it is recorded once, or a copy of it
  /// there.
  private func say(_ request: Asked, _ text: [UInt8]) {
    switch request {
    case .append, .appendMany, .erase: break
    case .open, .get, .other: return
    }
    switch world.number(0...29) {
    case 0: ask(request, text)
    case 1: cluster.another(than: self)?.ask(request, text)
    default: break
    }
  }

  private func ask(_ request: Asked, _ text: [UInt8]) {
    guard let connection else { return }
    asked.append((request, text))
    if isOpen { connection.send(text, from: 0) } else { waiting += text }
  }

  private func newID() -> EventID {
    EventID(UUIDBytes(random: world.random.next(), world.random.next()))
  }

  /// A body, without its id.
  private func body() -> [UInt8] {
    count += 1
    let parties = ["USA", "PRK", "KOR", "CHN"]
    let actor = parties.randomElement(using: &world.random)!
    let target = parties.filter { $0 != actor }.randomElement(using: &world.random)!
    let type = ["test", "talks", "message", "exercise", "aid"].randomElement(using: &world.random)!
    let day = world.number(1...28)
    let length = world.number(0...cluster.plan.textMax)
    var body: [UInt8] = []
    body.reserveCapacity(length + 256)
    body +=
      #"{"type":"\#(type)","date":"20\#(world.number(10...19))-0\#(world.number(1...9))-"#.utf8
    body +=
      (#"\#(day < 10 ? "0" : "")\#(day)","actors":["\#(actor)"],"targets":["\#(target)"],"#
      + #""title":"\#(name) \#(count)","unsourced":true,"summary":""#).utf8
    body += repeatElement(UInt8(ascii: "x"), count: length)
    body += "\"}".utf8
    return body
  }

  private func event(_ id: EventID) -> [UInt8] {
    Array(#"{"id":"\#(id)","#.utf8) + body().dropFirst()
  }

  private func request(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }

  private func next() -> (Asked, [UInt8]) {
    let known = recorded.events
    let erasures = cluster.plan.erasures
    let draw = world.number(0...999)
    switch draw {
    case 600..<680:
      let ids = (0..<world.number(1...cluster.plan.batchMax)).map { _ in newID() }
      recorded.sent.formUnion(ids)
      var text = request("APPENDMANY \(ids.count)")
      for id in ids {
        text += event(id)
        text.append(0x0A)
      }
      return (.appendMany(ids), text)
    case 680..<740:
      guard let subject = known.randomElement(using: &world.random) else { break }
      let id = newID()
      recorded.sent.insert(id)
      var text = Array(
        (#"APPEND {"id":"\#(id)","type":"log.correct","corrects":"\#(subject)","#
          + #""supersedes":["\#(subject)"],"reason":"x","body":"#).utf8)
      text += body()
      text += "}\n".utf8
      return (.append(id, isEvent: false), text)
    case 740..<770:
      guard let subject = known.randomElement(using: &world.random) else { break }
      let id = newID()
      recorded.sent.insert(id)
      // By its id, so that a seed plays as it did: some join or part two events.
      let word = id.uuid.low % 8 < 3 ? "same" : "apart"
      if id.uuid.low % 8 < 5, let other = own.last, other != subject {
        return (
          .append(id, isEvent: false),
          request(
            #"APPEND {"id":"\#(id)","type":"log.\#(word)","events":["\#(subject)","\#(other)"],"#
              + #""shows":"\#(subject)"}"#)
        )
      }
      return (
        .append(id, isEvent: false),
        request(
          #"APPEND {"id":"\#(id)","type":"log.retract","retracts":"\#(subject)","supersedes":["\#(subject)"],"reason":"x"}"#
        )
      )
    case 770..<790 where draw - 770 < erasures:
      guard let subject = known.randomElement(using: &world.random) else { break }
      recorded.maybeErased.insert(subject)
      return (.erase(subject), request(#"ERASE {"id":"\#(subject)","reason":"x"}"#))
    case 790..<860:
      guard let subject = own.randomElement(using: &world.random) else { break }
      return (.get(subject), request("GET \(subject)"))
    case 860..<900: return (.other("COUNT"), request("COUNT {}"))
    case 900..<920: return (.other("QUERY"), request(#"QUERY {"limit":5}"#))
    case 920..<940: return (.other("VERIFY"), request("VERIFY"))
    case 940..<960: return (.other("STATE"), request(#"STATE {"parties":["USA","PRK"]}"#))
    case 960..<970: return (.other("SYNC"), request("SYNC"))
    case 970..<980: return (.other("REPAIR"), request("REPAIR"))
    case 980..<990: return (.other("STATUS"), request("STATUS"))
    default: break
    }
    let id = newID()
    recorded.sent.insert(id)
    var text = Array("APPEND ".utf8)
    text += event(id)
    text.append(0x0A)
    return (.append(id, isEvent: true), text)
  }

  // MARK: Replies

  func received(_ bytes: [UInt8]) {
    bytes.withUnsafeBufferPointer { splitter.take($0) }
    while let piece = splitter.next() {
      guard case .line(let range) = piece else { continue }
      // Rows and events come before the end of their answer.
      let line = splitter.buffer[range]
      if line.starts(with: "EVENT ".utf8) || line.starts(with: "ROW ".utf8) { continue }
      take(String(decoding: line, as: UTF8.self))
    }
  }

  private func take(_ line: String) {
    guard !asked.isEmpty else {
      return cluster.fail("\(name): \(line.prefix(200)) answers nothing")
    }
    let (request, text) = asked.removeFirst()
    if line.hasPrefix("ERR ") { return refused(request, text, line) }
    let json = line.utf8.firstIndex(of: UInt8(ascii: "{")).flatMap { brace in
      Array(line.utf8[brace...]).withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    }
    switch request {
    case .open:
      guard line.hasPrefix("OK ") else {
        return cluster.fail("\(name): \(line.prefix(200)) answers OPEN")
      }
      isOpen = true
      connection?.send(waiting, from: 0)
      waiting = []
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
      recorded.erased.insert(id)
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
    recorded.acknowledged.formUnion(ids)
    guard areEvents else { return }
    recorded.events += ids
    own += ids
  }

  private func refused(_ request: Asked, _ text: [UInt8], _ line: String) {
    let word = line.split(separator: " ").dropFirst().first.map(String.init) ?? ""
    switch (request, word) {
    // Nothing may be said before it is answered; it is tried again on another connection.
    case (.open, _): return closed(nil)
    // The disk: it passes, or the machine is started again.
    case (_, "full"), (_, "read-only"), (_, "busy"): return
    // What it speaks of may have been erased, or not have come here yet.
    case (.append(let id, isEvent: true), "exists") where recorded.maybeErased.contains(id): return
    case (.appendMany(let ids), "exists")
    where !recorded.maybeErased.isDisjoint(with: ids):
      return
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
    waiting = []
    unsure = asked.filter {
      switch $0.0 {
      case .append, .appendMany, .erase: true
      case .open, .get, .other: false
      }
    }
    asked = []
  }

  func blocked(_ isBlocked: Bool) {}
}

// A run: machines, clients, faults; then everything is healed, and what must hold is looked at.

import Access
import EventStore
import Support
import TimelineModel
import TimelineServer
import TimelineWire

public final class Cluster {
  let world: World
  let plan: Plan
  let seed: UInt64
  private(set) var machines: [Machine] = []
  private var clients: [SimulatedClient] = []
  var recorded = Recorded()
  private var edges: [(Int, Int)] = []
  private var connections: [(connection: SimulatedConnection, Machine, Machine)] = []
  /// Pairs of machines that do not reach each other, and how that shows.
  private var parted: [(Machine, Machine, isSilent: Bool)] = []
  private(set) var isHealed = false
  private(set) var hasDamaged = false
  /// What was found wrong first.
  public private(set) var failure: String?

  public init(seed: UInt64, trace: ((String) -> Void)? = nil) {
    self.seed = seed
    world = World(seed: seed, trace: trace)
    plan = Plan(using: &world.random)
    machines = (0..<plan.machines).map { Machine(self, $0, seed: world.random.next()) }
    edges = plan.edges(using: &world.random)
  }

  public var text: String { plan.text }

  func fail(_ text: String) {
    world.tell("FAILURE \(text)")
    if failure == nil { failure = text }
  }

  // MARK: The run

  /// Plays it; what is wrong, or nil.
  public func run() -> String? {
    world.tell(plan.text)
    for machine in machines { machine.boot() }
    guard found() else { return failure }
    for machine in machines {
      clients += (0..<plan.clientsEach).map {
        SimulatedClient(self, machine, $0, requests: plan.requests)
      }
    }
    for client in clients { client.begin() }
    for _ in 0..<plan.faults {
      world.after(world.time(0...plan.duration)) { [self] in if !isHealed { strike() } }
    }
    world.run(until: world.now + plan.duration)
    if failure == nil { heal() }
    if failure == nil { settle() }
    if failure == nil { check() }
    for client in clients { client.finish() }
    return failure
  }

  /// All follow the timeline of the first, and know their neighbours.
  private func found() -> Bool {
    for machine in machines.dropFirst() {
      let reply = ask(machine, "TIMELINE follow \(machines[0].address) {\"from\":\"main\"}")
      guard reply.last?.hasPrefix("OK ") ?? false else {
        fail("\(machine.name) does not follow: \(reply)")
        return false
      }
      _ = ask(machine, "PEER remove \(machines[0].address)")
    }
    for (first, second) in edges {
      _ = ask(machines[first], "PEER add \(machines[second].address)")
    }
    return failure == nil
  }

  // MARK: Faults

  enum Reach {
    case made, refused, silent
  }

  func reach(_ first: Machine, _ second: Machine?) -> Reach {
    guard let second else { return .refused }
    let way = parted.first {
      $0.0 === first && $0.1 === second || $0.0 === second && $0.1 === first
    }
    if let way { return way.isSilent ? .silent : .refused }
    return second.isUp ? .made : .refused
  }

  func note(_ connection: SimulatedConnection, _ first: Machine, _ second: Machine) {
    connections.removeAll { $0.connection.isGone }
    connections.append((connection, first, second))
    var audit = SyncAudit()
    connection.heard = { [unowned self] bytes, side in
      guard let wrong = audit.hear(bytes, from: side) else { return }
      fail("\((side == 0 ? first : second).name) to \((side == 0 ? second : first).name): \(wrong)")
    }
  }

  private func strike() {
    let machine = machines.randomElement(using: &world.random)!
    switch world.number(0...12) {
    case 0, 1: restart(machine) { machine.crash() }
    case 2:
      // In the middle of whatever it does with its disk.
      machine.fileSystem.fuse = world.number(0...30)
      restart(machine) { machine.crash() }
    case 3: restart(machine) { machine.stop() }
    case 4, 5:
      connections.removeAll { $0.connection.isGone }
      guard let one = connections.randomElement(using: &world.random) else { return }
      if world.chance(1, in: 2) {
        world.tell("\(one.1.name) – \(one.2.name) is cut")
        one.connection.cut("Connection reset by peer")
      } else {
        world.tell("\(one.1.name) – \(one.2.name) goes mute")
        one.connection.isMute = true
      }
    case 6, 7: part(machine)
    case 8:
      world.tell("\(machine.name): the disk is full")
      machine.fileSystem.isFull = true
      world.after(world.time(100_000...10_000_000)) { machine.fileSystem.isFull = false }
    case 9:
      world.tell("\(machine.name): a sync will fail")
      machine.fileSystem.failsSync = true
    case 10:
      machine.clockOffset += world.time(-63_000_000_000_000...63_000_000_000_000)
      world.tell("\(machine.name): the clock jumps")
    case 11:
      world.tell("\(machine.name): pages will be lost")
      machine.losesPages = true
    default: if plan.hasDamage { damage(machine) }
    }
  }

  /// It is down for a while.
  private func restart(_ machine: Machine, _ end: () -> Void) {
    end()
    world.after(world.time(10_000...15_000_000)) { if !machine.isUp { machine.boot() } }
  }

  private func part(_ machine: Machine) {
    let isSilent = world.chance(1, in: 2)
    for other in machines where other !== machine && world.chance(2, in: 3) {
      parted.append((machine, other, isSilent))
      for one in connections
      where one.1 === machine && one.2 === other || one.1 === other && one.2 === machine {
        if isSilent { one.connection.isMute = true } else { one.connection.cut("No route to host") }
      }
    }
    world.tell("\(machine.name) is parted from others" + (isSilent ? ", without a word" : ""))
    world.after(world.time(100_000...20_000_000)) { [self] in
      parted.removeAll { $0.0 === machine }
    }
  }

  /// A bit of a line turns that some other machine has whole: at most one machine is hurt at a time, and
  /// only while nothing is lost by it.
  private func damage(_ machine: Machine) {
    guard !hasDamaged, machine.isUp, !machine.fileSystem.isOff,
      let here = machine.timelines.first(where: { $0.name == "main" })
    else { return }
    let others = machines.filter { $0 !== machine && $0.isUp && !$0.isDamaged }
    guard
      let other = others.first(where: { other in
        // A line comes back by a proof under a head, so that has to be there too.
        other.timelines.contains { there in
          there.id == here.id
            && here.position.sizes.allSatisfy { there.lines.signedSize(of: $0.key) >= $0.value }
        }
      })
    else { return }
    hasDamaged = machine.fileSystem.damage("data/timelines/main/logs/")
    world.tell("\(machine.name): a bit turned, \(other.name) has it all")
  }

  // MARK: Healing

  private func heal() {
    world.tell("all is healed")
    isHealed = true
    parted = []
    for client in clients { client.finish() }
    for machine in machines {
      machine.fileSystem.fuse = nil
      machine.fileSystem.isFull = false
      machine.fileSystem.failsSync = false
      machine.losesPages = false
      if machine.isReadOnly || machine.fileSystem.isOff { machine.crash() }
    }
    world.run(until: world.now + 1_000_000)
    for machine in machines where !machine.isUp { machine.boot() }
    guard hasDamaged else { return }
    for machine in machines {
      _ = ask(machine, "VERIFY")
      _ = ask(machine, "REPAIR")
    }
  }

  /// Lets time go on until all have the same.
  private func settle() {
    let end = world.now + 1_800_000_000
    while world.now < end {
      world.run(until: world.now + 5_000_000)
      for machine in machines where !machine.isUp { machine.boot() }
      for machine in machines where machine.isReadOnly { machine.crash() }
      // As status tells its user to.
      for machine in machines where hasDamaged && machine.lacksLines { _ = ask(machine, "REPAIR") }
      if failure != nil || areSettled { return }
    }
    let standing = machines.map { machine in
      "\(machine.name) \(machine.timelines.map { $0.position.json.text }) "
        + "lacks \(machine.timelines.flatMap { $0.lines.missingLines }) "
        + "\(ask(machine, "PEERS").joined(separator: " "))"
    }
    fail("they stand still: \(standing.joined(separator: "; "))")
  }

  private var areSettled: Bool {
    func standing(_ machine: Machine) -> Position? {
      machine.timelines.first { $0.name == "main" }.flatMap {
        $0.hasStaged || $0.isCommitting || !$0.lines.missingLines.isEmpty ? nil : $0.position
      }
    }
    guard let first = standing(machines[0]) else { return false }
    return machines.allSatisfy { standing($0) == first }
  }

  // MARK: What must hold

  private func check() {
    var dumps: [[String]] = []
    for machine in machines {
      let verified = ask(machine, "VERIFY")
      guard let end = verified.last, end.contains(#""whole":true"#) else {
        return fail("\(machine.name) is not whole: \(verified)")
      }
      if let row = verified.first(where: {
        $0.contains(#""problem":"#) && !$0.contains("has no key yet")
      }) {
        return fail("\(machine.name) has a head to doubt: \(row)")
      }
      let roots = verified.filter { $0.contains(#""root""#) }.map { row in
        row.replacing(/"signed":[0-9]+,?/, with: "")
      }
      let events = ask(machine, "QUERY {}").filter { $0.hasPrefix("EVENT ") }
      let state = ask(machine, #"STATE {"parties":["USA","PRK"],"as_of":"2020-01-01"}"#)
      let lines = ask(machine, "BACKUP").filter { $0.hasPrefix("EVENT ") }
      dumps.append(lines.sorted())
      checkLines(lines, machine)
      if failure != nil { return }
      compare(machine, "roots", roots.sorted())
      compare(machine, "events", events)
      compare(machine, "states", state)
      compare(machine, "lines", dumps.last!)
      if failure != nil { return }
    }
  }

  private var first: [String: [String]] = [:]

  private func compare(_ machine: Machine, _ what: String, _ here: [String]) {
    guard let there = first[what] else {
      first[what] = here
      return
    }
    guard here != there else { return }
    let differing = zip(here, there).first { $0 != $1 }
    fail(
      "\(machines[0].name) and \(machine.name) have other \(what): \(there.count) and \(here.count), "
        + "\(differing.map { "\($0.1.prefix(400)) — \($0.0.prefix(400))" } ?? "")")
  }

  private func checkLines(_ lines: [String], _ machine: Machine) {
    var ids: Set<EventID> = []
    for line in lines {
      let json = Array(line.utf8.dropFirst(6)).withUnsafeBufferPointer {
        try? JSONValue(parsing: $0)
      }
      guard let json, let id = json["id"]?.string.flatMap({ EventID($0) }) else {
        return fail("\(machine.name): a line without an id: \(line)")
      }
      ids.insert(id)
      if let type = json["type"]?.string {
        guard
          recorded.sent.contains(id) || ["log.member", "log.timeline", "log.erase"].contains(type)
        else { return fail("\(machine.name): nobody recorded \(line)") }
        if recorded.erased.contains(id) { return fail("\(machine.name): erased is not \(line)") }
      } else {
        let subject = recorded.sent.contains(id)
        guard subject, !recorded.maybeErased.isEmpty else {
          return fail("\(machine.name): nobody erased \(line)")
        }
      }
    }
    if let lost = recorded.acknowledged.subtracting(ids).min() {
      fail("\(machine.name): \(lost) was acknowledged and is lost")
    }
  }

  // MARK: Asking

  private final class Asker: Endpoint {
    var splitter = LineSplitter(bytesMax: 64 << 20)
    var lines: [String] = []
    var isOver = false

    func received(_ bytes: [UInt8]) {
      bytes.withUnsafeBufferPointer { splitter.take($0) }
      while case .line(let range)? = splitter.next() {
        let line = String(decoding: splitter.buffer[range], as: UTF8.self)
        lines.append(line)
        if !line.hasPrefix("EVENT "), !line.hasPrefix("ROW ") { isOver = true }
      }
    }
    func ended() { isOver = true }
    func closed(_ reason: String?) { isOver = true }
    func blocked(_ isBlocked: Bool) {}
  }

  /// The lines of an answer; time goes on meanwhile.
  private func ask(_ machine: Machine, _ request: String) -> [String] {
    guard machine.isUp else { return [] }
    let asker = Asker()
    let connection = machine.accept(asker, .owner(name: "asker"), isWide: true)
    connection.send(Array((request + "\n").utf8), from: 0)
    let end = world.now + 300_000_000
    while !asker.isOver, world.now < end { world.run(until: world.now + 20_000) }
    connection.close(0)
    if !asker.isOver { fail("\(machine.name) does not answer \(request.prefix(80))") }
    return asker.lines
  }
}

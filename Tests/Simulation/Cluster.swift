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
  private var watchers: [SimulatedWatcher] = []
  /// By timeline.
  var recorded: [String: Recorded] = [:]
  private var edges: [(Int, Int)] = []
  private var connections: [(connection: SimulatedConnection, Machine, Machine)] = []
  private var audits: [ObjectIdentifier: SyncAudit] = [:]
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
    recorded = Dictionary(uniqueKeysWithValues: plan.timelines.map { ($0, Recorded()) })
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
    guard found() else {
      end()
      return failure
    }
    for machine in machines {
      clients += (0..<plan.clientsEach).map {
        SimulatedClient(self, machine, $0, requests: plan.requests)
      }
    }
    for machine in machines where world.chance(1, in: machines.count) {
      let timeline = plan.timelines.randomElement(using: &world.random)!
      watchers.append(SimulatedWatcher(self, machine, timeline))
    }
    for client in clients { client.begin() }
    for watcher in watchers { watcher.begin() }
    for _ in 0..<plan.faults {
      world.after(world.time(0...plan.duration)) { [self] in if !isHealed { strike() } }
    }
    world.run(until: world.now + plan.duration)
    if failure == nil { heal() }
    if failure == nil { settle() }
    for timeline in plan.timelines where failure == nil { probe(timeline) }
    for timeline in plan.timelines where failure == nil { check(timeline) }
    for client in clients { client.finish() }
    for watcher in watchers { watcher.finish() }
    end()
    return failure
  }

  /// Lets go of all: they hold each other, and the next run needs the memory.
  private func end() {
    for (connection, _, _) in connections { connection.heard = nil }
    for machine in machines { machine.end() }
    world.end()
    (machines, clients, watchers, connections, audits) = ([], [], [], [], [:])
    (parted, first, recorded) = ([], [:], [:])
  }

  /// A client of another machine that records in the same timeline.
  func another(than client: SimulatedClient) -> SimulatedClient? {
    guard let other = clients.randomElement(using: &world.random), other !== client,
      other.timeline == client.timeline
    else { return nil }
    return other
  }

  /// All follow the timelines of the first, and know their neighbours.
  private func found() -> Bool {
    let first = machines[0]
    for timeline in plan.timelines {
      if timeline != "main" { _ = ask(first, "TIMELINE create \(timeline)") }
      for machine in machines.dropFirst() {
        let reply =
          plan.hasMembers
          ? join(machine, timeline)
          : ask(machine, "TIMELINE follow \(first.address) {\"from\":\"\(timeline)\"}")
        guard reply.last?.hasPrefix("OK ") ?? false else {
          fail("\(machine.name) does not follow \(timeline): \(reply)")
          return false
        }
      }
      if plan.hasMembers { meet(timeline) }
      for machine in machines.dropFirst() {
        _ = ask(machine, "PEER remove \(first.address)", of: timeline)
      }
      for (first, second) in edges {
        call(machines[first], machines[second], at: machines[second].address, timeline)
        guard plan.hasDoubles else { continue }
        switch world.number(0...3) {
        case 0: call(machines[second], machines[first], at: machines[first].address, timeline)
        case 1:
          call(machines[first], machines[second], at: machines[second].secondAddress, timeline)
        default: break
        }
      }
    }
    return failure == nil
  }

  /// All are connected to the first machine, until each knows of the others.
  private func meet(_ timeline: String) {
    let end = world.now + 300_000_000
    func isKnown(_ machine: Machine) -> Bool {
      machine.timeline(timeline)?.membership?.members.count == machines.count
    }
    while !machines.allSatisfy(isKnown), world.now < end { world.run(until: world.now + 100_000) }
    if !machines.allSatisfy(isKnown) { fail("not all know who is a member of \(timeline)") }
  }

  /// By a code of the first machine's.
  private func join(_ machine: Machine, _ timeline: String) -> [String] {
    let wanted =
      #"{"role":"\#(world.chance(1, in: 3) ? "admin" : "write")","addresses":["\#(machines[0].address)"]}"#
    let answer = ask(machines[0], "INVITE \(wanted)", of: timeline).last ?? ""
    guard let code = answer.firstMatch(of: /"code":"([^"]+)"/)?.1 else { return [answer] }
    return ask(machine, #"JOIN {"code":"\#(code)","device_name":"\#(machine.name)"}"#)
  }

  private func call(_ caller: Machine, _ called: Machine, at address: String, _ timeline: String) {
    guard plan.hasMembers, let device = called.device else {
      _ = ask(caller, "PEER add \(address)", of: timeline)
      return
    }
    _ = ask(caller, #"PEER add {"addresses":["\#(address)"],"device":"\#(device)"}"#, of: timeline)
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
    forgetConnections()
    connections.append((connection, first, second))
    let id = ObjectIdentifier(connection)
    audits[id] = SyncAudit(now: world.now)
    connection.heard = { [unowned self] happening, side in
      let machine = side == 0 ? first : second
      let now = world.now
      let wrong =
        switch happening {
        case .sent(let bytes): audits[id]?.hear(bytes, from: side, now: now)
        case .reached: audits[id]?.reached(side, now: now)
        case .closed: audits[id]?.left(side, now: now, isByItself: true)
        case .lost: audits[id]?.left(side, now: now, isByItself: false)
        }
      guard let wrong = wrong ?? nil, !machine.isStopping else { return }
      fail("\(machine.name) to \((side == 0 ? second : first).name): \(wrong)")
    }
  }

  private func forgetConnections() {
    for (connection, _, _) in connections where connection.isGone {
      audits[ObjectIdentifier(connection)] = nil
    }
    connections.removeAll { $0.connection.isGone }
  }

  /// What a machine should have done by now, and has not.
  private func checkTimes() {
    for (connection, first, second) in connections where !connection.isGone {
      guard let audit = audits[ObjectIdentifier(connection)] else { continue }
      for (side, machine) in [first, second].enumerated() where !machine.isStopping {
        if let late = audit.isLate(side, now: world.now) { fail("\(machine.name): \(late)") }
      }
    }
    for machine in machines { if let late = machine.late { fail("\(machine.name): \(late)") } }
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
      forgetConnections()
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
      let here = machine.timeline("main")
    else { return }
    let others = machines.filter { $0 !== machine && $0.isUp && !$0.isDamaged }
    guard
      let other = others.first(where: { other in
        // A line comes back by a proof under a head, so that has to be there too.
        other.timelines.contains { there in
          there.id == here.id
            && here.position.sizes.allSatisfy { there.signedSize(of: $0.key) >= $0.value }
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

  /// Lets time go on until all have the same, and speak to each other.
  private func settle() {
    let end = world.now + 1_800_000_000
    while world.now < end {
      world.run(until: world.now + 5_000_000)
      for machine in machines where !machine.isUp { machine.boot() }
      for machine in machines where machine.isReadOnly { machine.crash() }
      // As status tells its user to.
      for machine in machines where hasDamaged && machine.lacksLines { _ = ask(machine, "REPAIR") }
      checkTimes()
      if failure != nil || areSettled && areJoined { return }
    }
    let standing = machines.map { machine in
      let timelines = machine.timelines.map { timeline in
        "\(timeline.name): \(timeline.position.json.text) under \(heads(timeline).map { $0.size })"
          + (timeline.wantsHead ? ", wants one" : "")
      }
      return
        "\(machine.name) \(timelines) lacks \(machine.timelines.flatMap { $0.lines.missingLines }) "
        + "\(ask(machine, "PEERS").joined(separator: " "))"
    }
    for (connection, first, second) in connections where connection.isMute {
      world.tell("\(first.name) – \(second.name) is mute")
    }
    fail("they stand still: \(standing.joined(separator: "; "))")
  }

  private struct Standing: Equatable {
    var position: Position
    var heads: [Head]
  }

  private struct Head: Equatable {
    var replica: ReplicaID
    var size: UInt64
    var note: [UInt8]
  }

  /// The signed heads of all logs.
  private func heads(_ timeline: Timeline) -> [Head] {
    timeline.position.sorted.map { replica, _ in
      let head = timeline.head(of: replica)
      return Head(replica: replica, size: head?.size ?? 0, note: head?.note ?? [])
    }
  }

  private func standing(_ machine: Machine, _ timeline: String) -> Standing? {
    guard let timeline = machine.timeline(timeline), !timeline.hasStaged, !timeline.isCommitting,
      timeline.lines.missingLines.isEmpty, !timeline.wantsHead
    else { return nil }
    let heads = heads(timeline)
    // They are made known first, and are on the disk soon after.
    let areKept = heads.allSatisfy { head in
      let path = "data/timelines/\(timeline.name)/logs/\(head.replica)/checkpoint"
      return head.note.isEmpty || (try? machine.fileSystem.read(path)) == head.note
    }
    return areKept ? Standing(position: timeline.position, heads: heads) : nil
  }

  /// Whether all have the same lines, under the same heads.
  private var areSettled: Bool {
    plan.timelines.allSatisfy { timeline in
      guard let first = standing(machines[0], timeline) else { return false }
      return machines.allSatisfy { standing($0, timeline) == first }
    }
  }

  /// Whether each is in sync with all whom it calls, and no connection is one that nobody hears.
  private var areJoined: Bool {
    forgetConnections()
    guard !connections.contains(where: \.connection.isMute) else { return false }
    return machines.allSatisfy { machine in
      plan.timelines.allSatisfy { timeline in
        ask(machine, "PEERS", of: timeline).allSatisfy {
          !$0.hasPrefix("ROW ") || $0.contains(#""in_sync":true"#)
        }
      }
    }
  }

  // MARK: How long it takes

  /// Two lines are recorded on one machine, and are soon everywhere: the second while the head over the first
  /// makes a pause, so that nothing but the line itself wakes anybody.
  private func probe(_ timeline: String) {
    let machine = machines.randomElement(using: &world.random)!
    var ids: [EventID] = []
    for number in 0..<2 {
      let id = EventID(UUIDBytes(random: world.random.next(), world.random.next()))
      ids.append(id)
      recorded[timeline]!.sent.insert(id)
      let reply = ask(
        machine,
        #"APPEND {"id":"\#(id)","type":"talks","date":"2019-01-01","actors":["USA"],"targets":["PRK"],"#
          + #""title":"probe \#(number)","unsourced":true}"#, of: timeline)
      guard reply.last?.hasPrefix("OK ") ?? false else {
        return fail("\(machine.name) does not record \(id): \(reply)")
      }
      if number == 0 { world.run(until: world.now + 100_000) }
    }
    recorded[timeline]!.acknowledged.formUnion(ids)
    guard let here = machine.timeline(timeline) else { return fail("\(timeline) is gone") }
    let (replica, size) = (here.replica, here.position[here.replica])
    let began = world.now
    // On its way, in a write that was under way, and in one of its own.
    let hop = 2 * plan.latency.upperBound + 2 * plan.writeTime + 60_000
    // Each of the two is sent under a head, which is signed behind what is being done with heads already.
    let signing = 4 * plan.headTime
    let steps = distances(from: machine)
    let end = began + signing + hop * Int64(steps.max()! + 1) + 1_100_000
    var lateWatchers: [ObjectIdentifier: Int64] = [:]
    var left = Set(machines.indices)
    while world.now < end {
      for index in left.sorted() {
        if machines[index].timeline(timeline)?.position[replica] ?? 0 >= size {
          left.remove(index)
        } else if world.now > began + signing + hop * Int64(steps[index]) {
          return fail(
            "\(machines[index].name) has no line \(size) of \(machine.name) after "
              + "\((world.now - began) / 1000) ms, \(steps[index]) machines away")
        }
      }
      for watcher in watchers where watcher.timeline == timeline && watcher.hasCaughtUp {
        let isThere =
          watcher.machine.timeline(timeline)?.position[replica] ?? 0 >= size
        guard isThere, watcher.position[replica] < size else { continue }
        let since = lateWatchers[ObjectIdentifier(watcher)] ?? world.now
        lateWatchers[ObjectIdentifier(watcher)] = since
        if world.now > since + 2 * plan.latency.upperBound + 60_000 {
          return fail(
            "\(watcher.machine.name): who watches has no line \(size) after "
              + "\((world.now - since) / 1000) ms")
        }
      }
      world.run(until: world.now + 5_000)
    }
    // A machine looks at the heads that its peers bring one after the other.
    let each = hop + Int64(machines.count + 1) * plan.headTime + 100_000
    let heads = world.now + Int64(steps.max()! + 1) * each + 2_000_000
    while !areSettled, world.now < heads { world.run(until: world.now + 100_000) }
    guard areSettled else {
      return fail("the head over line \(size) of \(machine.name) is not everywhere")
    }
    checkTimes()
  }

  /// Over how many connections each machine is reached.
  private func distances(from machine: Machine) -> [Int] {
    var distances = [Int?](repeating: nil, count: machines.count)
    var next = [machines.firstIndex { $0 === machine }!]
    distances[next[0]] = 0
    while !next.isEmpty {
      let index = next.removeFirst()
      for (first, second) in edges where first == index || second == index {
        let other = first == index ? second : first
        guard distances[other] == nil else { continue }
        distances[other] = distances[index]! + 1
        next.append(other)
      }
    }
    return distances.map { $0! }
  }

  // MARK: What must hold

  private func check(_ timeline: String) {
    first = [:]
    for machine in machines {
      let verified = ask(machine, "VERIFY", of: timeline)
      guard let end = verified.last, end.contains(#""whole":true"#) else {
        return fail("\(machine.name) is not whole: \(verified)")
      }
      if let row = verified.first(where: {
        $0.contains(#""problem":"#) && !$0.contains("has no key yet")
      }) {
        return fail("\(machine.name) has a head to doubt: \(row)")
      }
      compare(
        machine, "roots", verified.filter { $0.contains(#""root""#) }.sorted().map(Self.bytes))
      compare(machine, "events", Self.events(asked(machine, "QUERY {}", of: timeline)))
      let state = ask(
        machine, #"STATE {"parties":["USA","PRK"],"as_of":"2020-01-01"}"#, of: timeline)
      compare(machine, "states", state.map(Self.bytes))
      if plan.hasMembers {
        let members = machine.timeline(timeline)?.membership?.members ?? []
        compare(machine, "members", members.map { Self.bytes("\($0)") })
        if members.count != machines.count {
          return fail("\(machine.name) knows \(members.count) members")
        }
      }
      let lines = Self.events(asked(machine, "BACKUP", of: timeline))
      // Where they are those of the first machine, they were looked at.
      if machine === machines[0] { checkLines(lines, machine, recorded[timeline]!) }
      compare(machine, "lines", lines)
      if failure != nil { return }
    }
    guard !hasDamaged, let lines = first["lines"] else { return }
    for watcher in watchers where watcher.timeline == timeline { check(watcher, lines) }
  }

  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func events(_ answer: [[UInt8]]) -> [[UInt8]] {
    answer.filter { $0.starts(with: "EVENT ".utf8) }
  }

  /// It sees all that is for people, once what is under way has come.
  private func check(_ watcher: SimulatedWatcher, _ lines: [[UInt8]]) {
    let wanted = lines.compactMap { text in
      let bytes = Array(text.dropFirst(6)) + [0x0A]
      let line = bytes.withUnsafeBufferPointer { try? Line($0) }
      return Self.isForMachines(bytes) ? nil : line.map { LineAddress($0.replica, $0.seq) }
    }
    func lacking() -> LineAddress? {
      wanted.first { !(watcher.seen[$0.replica]?.contains($0.seq) ?? false) }
    }
    let end = world.now + 300_000_000
    while lacking() != nil, world.now < end { world.run(until: world.now + 5_000_000) }
    if let place = lacking() {
      fail("\(watcher.machine.name): a watch did not get line \(place.seq) of \(place.replica)")
    }
  }

  private static func isForMachines(_ line: [UInt8]) -> Bool {
    let type = line.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }?["type"]?.string
    return ["log.replica", "log.timeline", "log.member"].contains(type)
  }

  private var first: [String: [[UInt8]]] = [:]

  private func compare(_ machine: Machine, _ what: String, _ here: [[UInt8]]) {
    guard let there = first[what] else {
      first[what] = here
      return
    }
    guard here != there else { return }
    let differing = zip(here, there).first { $0 != $1 }
    fail(
      "\(machines[0].name) and \(machine.name) have other \(what): \(there.count) and \(here.count), "
        + "\(differing.map { "\(Self.text($0.1)) — \(Self.text($0.0))" } ?? "")")
  }

  private static func text(_ line: [UInt8]) -> String {
    String(decoding: line.prefix(400), as: UTF8.self)
  }

  private func checkLines(_ lines: [[UInt8]], _ machine: Machine, _ recorded: Recorded) {
    var ids: Set<EventID> = []
    for bytes in lines {
      let json = bytes.withUnsafeBufferPointer {
        try? JSONValue(parsing: UnsafeBufferPointer(rebasing: $0[6...]))
      }
      lazy var line = Self.text(bytes)
      guard let json, let id = json["id"]?.string.flatMap({ EventID($0) }) else {
        return fail("\(machine.name): a line without an id: \(line)")
      }
      ids.insert(id)
      if let type = json["type"]?.string {
        guard
          recorded.sent.contains(id)
            || ["log.replica", "log.timeline", "log.member", "log.erase"].contains(type)
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
    var lines: [[UInt8]] = []
    /// Answers that are to come.
    var left: Int
    var isOver: Bool { left <= 0 }

    init(_ answers: Int) { left = answers }

    func received(_ bytes: [UInt8]) {
      bytes.withUnsafeBufferPointer { splitter.take($0) }
      while case .line(let range)? = splitter.next() {
        let line = splitter.buffer[range]
        lines.append(Array(line))
        if !line.starts(with: "EVENT ".utf8), !line.starts(with: "ROW ".utf8) { left -= 1 }
      }
    }
    func ended() { left = 0 }
    func closed(_ reason: String?) { left = 0 }
    func blocked(_ isBlocked: Bool) {}
  }

  private func ask(_ machine: Machine, _ request: String, of timeline: String = "main") -> [String]
  {
    asked(machine, request, of: timeline).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The lines of an answer; time goes on meanwhile.
  private func asked(_ machine: Machine, _ request: String, of timeline: String) -> [[UInt8]] {
    guard machine.isUp else { return [] }
    let isMain = timeline == "main"
    let asker = Asker(isMain ? 1 : 2)
    let connection = machine.accept(asker, .owner(name: "asker"), isWide: true)
    let text = (isMain ? "" : "OPEN \(timeline)\n") + request + "\n"
    connection.send(Array(text.utf8), from: 0)
    let end = world.now + 300_000_000
    while !asker.isOver, world.now < end { world.run(until: world.now + 5_000) }
    connection.close(0)
    if !asker.isOver { fail("\(machine.name) does not answer \(request.prefix(80))") }
    return isMain ? asker.lines : Array(asker.lines.dropFirst())
  }
}

// Machines that become members by an invitation, and what they share: two engines over a connection of which both
// ends have shown their keys.

import Access
import Testing
import TimelineModel
import TransparencyLog

@testable import EventStore
@testable import Simulation
@testable import TimelineServer

@Suite("Members", .timeLimit(.minutes(2)))
struct JoinTests {
  @Test(
    "One command on each side, and both have the same lines; a third device with the code is refused"
  )
  func invitation() throws {
    let team = try Team(3)
    let (host, joiner, third) = (team.machines[0], team.machines[1], team.machines[2])
    for n in 0..<5 { _ = host.ask("APPEND \(event("host's \(n)"))") }
    let code = try host.invite()
    #expect(try joiner.join(code, host) == "OK")
    #expect(joiner.ask("COUNT {}") == [#"OK {"count":0}"#])
    let link = try joiner.link(to: host)
    link.run()
    #expect(joiner.ask("COUNT {}") == [#"OK {"count":5}"#])
    _ = joiner.ask("APPEND \(event("joiner's"))")
    link.run()
    #expect(host.ask("COUNT {}") == [#"OK {"count":6}"#])
    #expect(host.position == joiner.position)
    #expect(host.members == joiner.members && host.members.count == 2)
    // The same device is answered again, another one is not.
    #expect(try joiner.join(code, host) == "OK")
    #expect(try third.join(code, host).contains("another device has joined by this invitation"))
    #expect(host.members.count == 2)
  }

  @Test(
    "What a device recorded behind its end counts nowhere, whoever brings it and whenever the end comes"
  )
  func end() throws {
    let team = try Team(3)
    let (host, ended, relay) = (team.machines[0], team.machines[1], team.machines[2])
    _ = host.ask("APPEND \(event("host's"))")
    for machine in [ended, relay] { #expect(try machine.join(try host.invite(), host) == "OK") }
    let (one, two) = (try ended.link(to: host), try relay.link(to: host))
    one.run()
    two.run()
    _ = ended.ask("APPEND \(event("counts"))")
    one.run()
    two.run()
    #expect(relay.ask("COUNT {}") == [#"OK {"count":2}"#])
    #expect(
      host.ask(#"MEMBER {"device":"\#(ended.device)","end":true}"#).first?.hasPrefix("OK") ?? false)
    // It does not know of it, and goes on.
    _ = ended.ask("APPEND \(event("does not count"))")
    #expect(ended.ask("COUNT {}") == [#"OK {"count":3}"#])
    one.run()
    two.run()
    for machine in [host, relay] {
      #expect(machine.ask("COUNT {}") == [#"OK {"count":2}"#])
      #expect(machine.members.contains("\(ended.device) none"))
    }
    #expect(host.position == relay.position)
    // It is told, at the next attempt too.
    let again = try ended.link(to: host)
    again.run()
    #expect(
      ended.ask("PEERS").contains { $0.contains("no timeline here") || $0.contains("no more") })
  }

  @Test("Lines behind a device's own end count nowhere, and reach machines that it never met")
  func ownEnd() throws {
    let team = try Team(3)
    let (host, leaver, relay) = (team.machines[0], team.machines[1], team.machines[2])
    for machine in [leaver, relay] { #expect(try machine.join(try host.invite(), host) == "OK") }
    let (one, two) = (try leaver.link(to: host), try relay.link(to: host))
    one.run()
    two.run()
    // More than goes over in one run is recorded while the end is being written.
    let clients = [leaver.driven.open(), leaver.driven.open()]
    leaver.driven.holdsWrites = true
    leaver.driven.send(
      #"MEMBER {"device":"\#(leaver.device)","end":true}"# + "\n", on: clients[0])
    for n in 0..<20 {
      leaver.driven.send("APPEND \(event("\(n)", length: 60_000))\n", on: clients[1])
    }
    for client in clients {
      leaver.driven.finishWrites()
      #expect(leaver.driven.take(client).allSatisfy { $0.hasPrefix("OK") })
    }
    host.driven.holdsWrites = true
    one.run()
    for _ in 0..<2 { host.driven.finishWrites() }
    two.run()
    for machine in [host, relay] {
      #expect(machine.ask("COUNT {}") == [#"OK {"count":0}"#])
      #expect(machine.members.contains("\(leaver.device) none"))
      let timeline = machine.driven.engine.openTimelines[0]
      #expect(timeline.followedLogs.map(\.size) == [4, 22])
      #expect(timeline.followedLogs.map { timeline.signedSize(of: $0.replica) } == [4, 22])
    }
    #expect(relay.ask("PEERS").first?.contains(#""in_sync":true"#) ?? false)
  }

  @Test("A device that recorded nothing ends itself, and all learn it")
  func emptyEnd() throws {
    let team = try Team(3)
    let (host, leaver, relay) = (team.machines[0], team.machines[1], team.machines[2])
    for machine in [leaver, relay] { #expect(try machine.join(try host.invite(), host) == "OK") }
    let (one, two) = (try leaver.link(to: host), try relay.link(to: host))
    one.run()
    two.run()
    #expect(
      leaver.ask(#"MEMBER {"device":"\#(leaver.device)","end":true}"#).first?.hasPrefix("OK")
        ?? false)
    one.run()
    two.run()
    for machine in [host, relay] {
      #expect(machine.members.contains("\(leaver.device) none"))
      let timeline = machine.driven.engine.openTimelines[0]
      #expect(timeline.followedLogs.map { timeline.signedSize(of: $0.replica) } == [4, 2])
    }
  }

  @Test("An index saved before a line that does not count came does away with nothing it says")
  func savedIndex() throws {
    let team = try Team(4)
    let (host, leaver, relay, next) = (
      team.machines[0], team.machines[1], team.machines[2], team.machines[3]
    )
    for machine in [leaver, relay] { #expect(try machine.join(try host.invite(), host) == "OK") }
    let (one, two) = (try leaver.link(to: host), try relay.link(to: host))
    // So many that an index is saved.
    let events = (0..<1000).map { event("\($0)") + "\n" }.joined()
    #expect(host.ask("APPENDMANY 1000\n\(events.dropLast())").first?.hasPrefix("OK") ?? false)
    _ = leaver.ask("APPEND \(event("counts"))")
    one.run()
    two.run()
    // Two ends, the second behind the first, under a head each.
    leaver.driven.holdsWrites = true
    host.driven.holdsWrites = true
    let clients = [leaver.driven.open(), leaver.driven.open()]
    for client in clients {
      leaver.driven.send(
        #"MEMBER {"device":"\#(leaver.device)","end":true}"# + "\n", on: client)
    }
    for client in clients {
      leaver.driven.finishWrites()
      #expect(leaver.driven.take(client).first?.hasPrefix("OK") ?? false)
      one.run()
    }
    host.driven.finishWrites()
    two.run()
    let timeline = relay.driven.engine.openTimelines[0]
    #expect(timeline.followedLogs.map(\.size) == [1004, 3])
    let save = try #require(timeline.indexToSave(isQuiet: true))
    host.driven.finishWrites()
    two.run()
    #expect(timeline.followedLogs.map(\.size) == [1004, 4])
    try save.write()
    timeline.adopt(try #require(try save.readBack()))
    host.driven.holdsWrites = false
    #expect(try next.join(try host.invite(), host) == "OK")
    two.run()
    #expect(relay.members == host.members)
    #expect(relay.members.contains("\(next.device) write"))
  }

  @Test("The recovery code makes a device an admin, and others learn it from that device alone")
  func recovery() throws {
    let team = try Team(2)
    let (host, other) = (team.machines[0], team.machines[1])
    _ = host.ask("APPEND \(event("host's"))")
    let kept = host.ask("TIMELINE recovery main").first ?? ""
    let code = String(try #require(kept.firstMatch(of: /"code":"([^"]+)"/)?.1, "\(kept)"))
    #expect(host.ask("TIMELINE forget-recovery main").first?.hasPrefix("OK") ?? false)
    #expect(host.ask("TIMELINE recovery main").first?.hasPrefix("ERR not-found") ?? false)
    // It may only read until then.
    #expect(try other.join(try host.invite(#"{"role":"read"}"#), host) == "OK")
    let link = try other.link(to: host)
    link.run()
    func recover(_ code: String) -> String {
      other.ask(#"MEMBER {"recovery":"\#(code)","name":"the new one"}"#).first ?? ""
    }
    #expect(recover("TIMELINE-RECOVERY-1-AAAAAA").hasPrefix("ERR bad-request"))
    let foreign = RecoveryCode.text(of: SigningKey(seed: [UInt8](repeating: 3, count: 32))!)
    #expect(recover(foreign).hasPrefix("ERR denied"))
    #expect(recover(code.lowercased()).hasPrefix("OK"))
    #expect(other.members.contains("\(other.device) admin"))
    #expect(host.members.contains("\(other.device) read"))
    link.cut()
    try other.link(to: host).run()
    #expect(host.members.contains("\(other.device) admin"))
    // It counts from line 1 on, so what it recorded meanwhile has come too.
    #expect(host.position == other.position)
  }

  @Test("A member with many logs greets with more than a stranger may say")
  func manyLogs() throws {
    let team = try Team(2)
    let (host, joiner) = (team.machines[0], team.machines[1])
    #expect(try joiner.join(try host.invite(), host) == "OK")
    let link = try joiner.link(to: host)
    var have = joiner.driven.take(link.call)
    let id = host.driven.engine.openTimelines[0].id
    let heads = (1...1000).map { n in
      #""\#(ReplicaID(UUIDBytes(high: 1, low: UInt64(n))))":[7,"1a2b3c4d5e6f7a8b",7]"#
    }
    have.removeLast()
    for part in [heads[..<500], heads[500...]] {
      let more = part.endIndex < 1000 ? #","more":true"# : ""
      have.append(#"HAVE \#(id) {"heads":{\#(part.joined(separator: ","))}\#(more)}"#)
    }
    host.driven.step([.bytes(link.accepted, Array((have.joined(separator: "\n") + "\n").utf8))])
    #expect(!host.driven.closed.contains(link.accepted))
    #expect(host.driven.take(link.accepted).contains { $0.hasPrefix("HAVE ") })
  }

  @Test("A damaged line that brought a device in is put back by that very device")
  func damagedMember() throws {
    let team = try Team(2)
    let (host, joiner) = (team.machines[0], team.machines[1])
    _ = host.ask("APPEND \(event("host's"))")
    #expect(try joiner.join(try host.invite(), host) == "OK")
    let link = try joiner.link(to: host)
    link.run()
    let log = host.driven.engine.openTimelines[0].replica
    let segment = "data/timelines/main/logs/\(log)/00000000000000000001.jsonl"
    let text = String(
      decoding: try #require(try host.driven.fileSystem.read(segment)), as: UTF8.self)
    let place = try #require(text.range(of: #""type":"log.member""#))
    let offset = text.utf8.distance(from: text.startIndex, to: place.lowerBound)
    #expect(host.driven.fileSystem.damage(segment, at: offset + 12))
    #expect(host.ask("VERIFY").last?.contains(#""whole":false"#) ?? false)
    _ = host.ask("REPAIR")
    #expect(host.members.count == 1)
    link.cut()
    try joiner.link(to: host).run()
    #expect(host.ask("VERIFY").last?.contains(#""whole":true"#) ?? false)
    #expect(host.members.count == 2)
  }

  @Test("Lines of a log whose first line is damaged here are taken once that is back")
  func damagedFirstLine() throws {
    let team = try Team(2)
    let (host, joiner) = (team.machines[0], team.machines[1])
    #expect(try joiner.join(try host.invite(), host) == "OK")
    let link = try joiner.link(to: host)
    link.run()
    _ = joiner.ask("APPEND \(event("one"))")
    link.run()
    let log = joiner.driven.engine.openTimelines[0].replica
    let segment = "data/timelines/main/logs/\(log)/00000000000000000001.jsonl"
    #expect(host.driven.fileSystem.damage(segment, at: 300))
    #expect(host.ask("VERIFY").last?.contains(#""whole":false"#) ?? false)
    // The next line is on its way when the first is asked for.
    _ = joiner.ask("APPEND \(event("two"))")
    _ = host.ask("REPAIR")
    link.run()
    #expect(host.ask("VERIFY").last?.contains(#""whole":true"#) ?? false)
    try joiner.link(to: host).run()
    #expect(host.ask("COUNT {}") == [#"OK {"count":2}"#])
    #expect(host.position == joiner.position)
  }

  @Test("Who may read alone follows, and records nothing")
  func reader() throws {
    let team = try Team(2)
    let (host, reader) = (team.machines[0], team.machines[1])
    _ = host.ask("APPEND \(event("host's"))")
    #expect(try reader.join(try host.invite(#"{"role":"read"}"#), host) == "OK")
    let link = try reader.link(to: host)
    link.run()
    #expect(reader.ask("COUNT {}") == [#"OK {"count":1}"#])
    #expect(reader.ask("APPEND \(event("no"))").first?.hasPrefix("ERR denied") ?? false)
    #expect(reader.ask("INVITE {}").first?.hasPrefix("ERR denied") ?? false)
  }

  @Test("A peer that calls itself is in sync, whatever became of the way to it")
  func incoming() throws {
    let team = try Team(2)
    let (host, joiner) = (team.machines[0], team.machines[1])
    #expect(try joiner.join(try host.invite(), host) == "OK")
    let link = try joiner.link(to: host)
    link.run()
    let peer = #"{"addresses":["tls://192.0.2.1:7411"],"device":"\#(joiner.device)"}"#
    #expect(host.ask("PEER add \(peer)").first?.hasPrefix("OK") ?? false)
    host.driven.step([])
    host.driven.step([.closed(host.driven.dialed.last!.0, reason: "no way there")])
    #expect(host.ask("PEERS").first?.contains(#""in_sync":true"#) ?? false)
    link.cut()
    #expect(host.ask("PEERS").first?.contains("no way there") ?? false)
  }

  @Test("A peer called while its timeline was put aside is called again once it is back")
  func archived() throws {
    let team = try Team(2)
    let (host, joiner) = (team.machines[0], team.machines[1])
    #expect(try joiner.join(try host.invite(), host) == "OK")
    joiner.driven.time += 2_000_000
    joiner.driven.step([])
    let call = try #require(joiner.driven.dialed.last?.0)
    #expect(joiner.ask("TIMELINE archive main").first?.hasPrefix("OK") ?? false)
    joiner.driven.step([.dialed(call, nil)])
    #expect(joiner.driven.closed.contains(call))
    #expect(joiner.ask("TIMELINE restore main").first?.hasPrefix("OK") ?? false)
    try joiner.link(to: host).run()
    #expect(joiner.ask("PEERS").first?.contains(#""in_sync":true"#) ?? false)
  }

  @Test("A change of the network has the connected asked: a dead way is found in half a minute")
  func deadWay() throws {
    let team = try Team(2)
    let (host, joiner) = (team.machines[0], team.machines[1])
    #expect(try joiner.join(try host.invite(), host) == "OK")
    let link = try joiner.link(to: host)
    link.run()
    joiner.driven.step([.networkChanged, .networkChanged])
    #expect(joiner.driven.take(link.call) == ["PING"])
    joiner.driven.time += 31_000_000
    joiner.driven.step([])
    #expect(joiner.driven.closed.contains(link.call))
    #expect(joiner.ask("PEERS").first?.contains("no answer came within 30 seconds") ?? false)
  }

  @Test("A log of many runs comes whole, while more is recorded")
  func manyRuns() throws {
    let team = try Team(2)
    let (host, joiner) = (team.machines[0], team.machines[1])
    for n in 0..<40 {
      _ = host.ask("APPEND \(event("\(n)", length: 60_000))")
    }
    let code = try host.invite()
    #expect(try joiner.join(code, host) == "OK")
    let link = try joiner.link(to: host)
    // Line 1 is under way when the next run comes.
    joiner.driven.holdsWrites = true
    link.run()
    joiner.driven.holdsWrites = false
    joiner.driven.finishWrites()
    link.run()
    #expect(joiner.ask("COUNT {}") == [#"OK {"count":40}"#])
    #expect(host.position == joiner.position)
  }
}

/// Machines that have keys, and connections between them over which each knows the other.
final class Team {
  let machines: [Machine]

  init(_ count: Int) throws {
    machines = try (0..<count).map { try Machine(Driven(seed: UInt64($0) * 100 + 1)) }
  }

  final class Machine {
    let driven: Driven
    private let client: ConnectionID
    private var linked: UInt64 = 10_000

    init(_ driven: Driven) {
      self.driven = driven
      client = driven.open()
    }

    func ask(_ request: String) -> [String] { driven.ask(request, on: client) }

    var device: DeviceID { DeviceID(of: driven.keys.device.publicKey) }
    var position: Position { driven.engine.openTimelines[0].position }

    /// Devices with their roles.
    var members: [String] {
      ask("MEMBERS").filter { $0.hasPrefix("ROW") }.map { row in
        let device = row.firstMatch(of: /"device":"([^"]+)"/)?.1 ?? ""
        return device + " " + (row.firstMatch(of: /"role":"([a-z]+)"/)?.1 ?? "none")
      }
    }

    func invite(_ wanted: String = "{}") throws -> String {
      let reply = ask("INVITE \(wanted)").first ?? ""
      return String(
        try #require(reply.firstMatch(of: /"code":"([^"]+)"/)?.1, "\(reply)"))
    }

    /// Asks to join, and carries the talk; `OK`, or what was said instead.
    func join(_ code: String, _ host: Machine, _ more: String = "") throws -> String {
      let asker = driven.open()
      driven.send(
        #"JOIN {"code":"\#(code)","device_name":"it","via":"x"\#(more)}"# + "\n", on: asker)
      guard let call = driven.dialed.last?.0, driven.take(asker).isEmpty else { return "no call" }
      Link(self, call, host, accept(host, call)).run()
      let reply = driven.take(asker).first ?? "no answer"
      return reply.hasPrefix("OK") ? "OK" : reply
    }

    /// The connection that the engine asked for last, or asks for in time.
    func link(to host: Machine) throws -> Link {
      driven.time += 2_000_000
      driven.step([])
      let call = try #require(driven.dialed.last?.0)
      return Link(self, call, host, accept(host, call))
    }

    private func accept(_ host: Machine, _ call: ConnectionID) -> ConnectionID {
      let binding = [UInt8](repeating: UInt8(truncatingIfNeeded: call.number), count: 32)
      func shown(_ machine: Machine) -> DeviceHandshake {
        DeviceHandshake(device: machine.device.digest, channelBinding: binding, source: .local)
      }
      host.linked += 1
      let accepted = ConnectionID(host.linked)
      host.driven.step([.opened(accepted, .nobody, shown(self))])
      driven.step([.dialed(call, shown(host))])
      return accepted
    }
  }

  /// Both ends of a connection.
  struct Link {
    let caller: Machine
    let call: ConnectionID
    let called: Machine
    let accepted: ConnectionID

    init(_ caller: Machine, _ call: ConnectionID, _ called: Machine, _ accepted: ConnectionID) {
      (self.caller, self.call, self.called, self.accepted) = (caller, call, called, accepted)
    }

    func cut() {
      caller.driven.step([.closed(call, reason: "it was cut")])
      called.driven.step([.closed(accepted, reason: "it was cut")])
    }

    /// Until both have nothing more to say.
    func run() {
      while true {
        for driven in [caller.driven, called.driven] { driven.step([]) }
        let (there, here) = (caller.driven.take(call), called.driven.take(accepted))
        if there.isEmpty, here.isEmpty { return }
        for line in there { called.driven.send(line + "\n", on: accepted) }
        for line in here { caller.driven.send(line + "\n", on: call) }
      }
    }
  }
}

import Access
import EventStore
import Foundation
import Testing
import TimelineModel

@testable import Simulation
@testable import TimelineServer

@Suite("Engine", .timeLimit(.minutes(2)))
struct EngineTests {
  @Test("The appends of 300 connections share one write, and none is answered before it is back")
  func groupCommit() throws {
    let driven = try Driven()
    driven.holdsWrites = true
    let clients = (0..<300).map { _ in driven.open() }
    driven.step(
      clients.enumerated().map { .bytes($1, Array("APPEND \(event("by \($0)"))\n".utf8)) })
    #expect(driven.writes.count == 1)
    #expect(clients.allSatisfy { driven.take($0).isEmpty })
    driven.finishWrites()
    #expect(clients.allSatisfy { driven.take($0).first?.hasPrefix("OK ") ?? false })
    #expect(driven.ask("COUNT {}", on: clients[0]) == [#"OK {"count":300}"#])
  }

  @Test("While a write is under way the next is staged; replies come in the order of the requests")
  func pipeline() throws {
    let driven = try Driven()
    driven.holdsWrites = true
    let client = driven.open()
    driven.send("APPEND \(event("one"))\n", on: client)
    driven.send("APPEND \(event("two"))\nFROB\nAPPEND \(event("three"))\nCOUNT {}\n", on: client)
    #expect(driven.writes.count == 1)
    driven.finishWrites()
    #expect(driven.take(client).map { $0.prefix(3) } == ["OK "])
    #expect(driven.writes.count == 1)
    driven.finishWrites()
    let replies = driven.take(client)
    #expect(replies.map { $0.prefix(3) } == ["OK ", "ERR", "OK ", "OK "])
    #expect(replies.last == #"OK {"count":3}"#)
  }

  @Test("A write that fails refuses what it was to pay for, and what was staged behind it")
  func failedWrite() throws {
    let driven = try Driven()
    driven.holdsWrites = true
    let (first, second) = (driven.open(), driven.open())
    driven.send("APPEND \(event("one"))\n", on: first)
    driven.send("APPEND \(event("two"))\n", on: second)
    driven.fileSystem.failsSync = true
    driven.finishWrites()
    #expect(driven.take(first).first?.hasPrefix("ERR read-only ") ?? false)
    #expect(driven.take(second).first?.hasPrefix("ERR read-only ") ?? false)
    #expect(driven.ask("COUNT {}", on: first) == [#"OK {"count":0}"#])
  }

  @Test("Asked to stop it answers what is under way, and takes no more, however much comes")
  func stop() throws {
    let driven = try Driven()
    driven.holdsWrites = true
    let client = driven.open()
    driven.send("APPEND \(event("one"))\n", on: client)
    driven.send("APPEND \(event("two"))\n", on: client)
    driven.step([.stop])
    #expect(!driven.hasStopped)
    for number in 0..<3 {
      driven.send("APPEND \(event("late \(number)"))\n", on: client)
      driven.finishWrites()
    }
    #expect(driven.hasStopped)
    #expect(driven.writes.isEmpty)
    #expect(driven.take(client).filter { $0.hasPrefix("OK ") }.count == 2)
  }

  @Test("Over TCP the first word that is no greeting closes, and nothing behind it is obeyed")
  func strangers() throws {
    let driven = try Driven()
    let web = driven.open(.nobody)
    driven.send("POST / HTTP/1.1\r\nHost: x\r\n\r\nAPPEND \(event("by a page"))\n", on: web)
    #expect(driven.take(web) == ["ERR denied here machines sync alone: HELLO timeline-sync 1"])
    #expect(driven.closed.contains(web))
    let other = driven.open(.nobody)
    driven.send("APPEND \(event("by a neighbour"))\n", on: other)
    #expect(driven.closed.contains(other))
    #expect(driven.ask("COUNT {}", on: driven.open()) == [#"OK {"count":0}"#])
  }

  @Test("One who connects over TCP and says nothing has 10 seconds")
  func silentStranger() throws {
    let driven = try Driven()
    let silent = driven.open(.nobody)
    driven.time += 9_000_000
    driven.step([])
    #expect(!driven.closed.contains(silent))
    driven.time += 1_000_000
    driven.step([])
    #expect(driven.closed.contains(silent))
  }

  @Test("A peer that takes the connection and says nothing is let go and called again")
  func silentPeer() throws {
    let driven = try Driven()
    let client = driven.open()
    #expect(driven.ask("PEER add tcp://127.0.0.1:7001", on: client).first?.hasPrefix("OK") ?? false)
    driven.step([])
    let first = try #require(driven.dialed.first?.0)
    driven.step([.closed(first, reason: "Connection refused")])
    #expect(driven.ask("PEERS", on: client)[0].contains("Connection refused"))
    driven.time += 2_000_000
    driven.step([])
    let second = try #require(driven.dialed.last?.0)
    driven.step([.dialed(second)])
    // The reason of an older attempt is not shown while another is being made.
    #expect(
      driven.ask("PEERS", on: client)[0].contains(
        #""state":"greeting","connected":false,"in_sync":false}"#))
    driven.time += 10_000_000
    driven.step([])
    #expect(driven.closed.contains(second))
    #expect(driven.ask("PEERS", on: client)[0].contains("no greeting came within 10 seconds"))
    driven.time += 10_000_000
    driven.step([])
    #expect(driven.dialed.count == 3)
  }

  @Test("What answers with other words than a greeting is named with what it said")
  func noPeer() throws {
    let driven = try Driven()
    let client = driven.open()
    _ = driven.ask("PEER add tcp://127.0.0.1:7001", on: client)
    driven.step([])
    let call = try #require(driven.dialed.first?.0)
    driven.step([.dialed(call), .bytes(call, Array("SSH-2.0-OpenSSH_9.2\r\n".utf8))])
    #expect(
      driven.ask("PEERS", on: client)[0].contains(
        #"what answers there is no timelined: it said \"SSH-2.0-OpenSSH_9.2\""#))
  }

  @Test("A mute connection is asked after 60 seconds, and dead 30 seconds later")
  func mutePeer() throws {
    let (one, other) = (try Driven(seed: 1), try Driven(seed: 2))
    let pair = try Pair(other, follows: one)
    pair.run()
    let client = other.open()
    #expect(other.ask("PEERS", on: client)[0].contains(#""in_sync":true"#))
    other.time += 60_000_000
    other.step([])
    #expect(other.take(pair.call) == ["PING"])
    other.time += 30_000_000
    other.step([])
    #expect(other.closed.contains(pair.call))
    #expect(other.ask("PEERS", on: client)[0].contains("no answer came within 30 seconds"))
  }

  @Test("What was found damaged is read again between commits, whatever comes in the same step")
  func repairBesideAppend() throws {
    let driven = try Driven()
    let client = driven.open()
    for number in 0..<5 { _ = driven.ask("APPEND \(event("line \(number)"))", on: client) }
    #expect(driven.fileSystem.damage("data/timelines/main/logs/"))
    #expect(driven.ask("VERIFY", on: client).last?.contains(#""whole":false"#) ?? false)
    driven.holdsWrites = true
    let (first, second) = (driven.open(), driven.open())
    let other = event("names others").replacing("PRK", with: "MNG")
    driven.step([
      .bytes(first, Array("APPEND \(other)\n".utf8)), .bytes(second, Array("REPAIR\n".utf8)),
    ])
    driven.step([.bytes(client, Array("APPEND \(event("behind it"))\n".utf8))])
    driven.holdsWrites = false
    driven.finishWrites()
    #expect(driven.take(first).first?.hasPrefix("OK ") ?? false)
    #expect(driven.take(second).first?.hasPrefix("OK ") ?? false)
    #expect(driven.take(client).first?.hasPrefix("OK ") ?? false)
    #expect(driven.ask(#"COUNT {"actor":"MNG"}"#, on: client) == [#"OK {"count":1}"#])
  }

  @Test(
    "A damaged line that names a log's key is asked for, and lines that came meanwhile are there too"
  )
  func damagedKey() throws {
    let (one, other) = (try Driven(seed: 1), try Driven(seed: 2))
    let pair = try Pair(other, follows: one)
    let (there, here) = (one.open(), other.open())
    _ = one.ask("APPEND \(event("first"))", on: there)
    pair.run()
    let log = one.engine.openTimelines[0].replica
    let segment = "data/timelines/main/logs/\(log)/00000000000000000001.jsonl"
    #expect(other.fileSystem.damage(segment, at: 200))
    #expect(other.ask("VERIFY", on: here).last?.contains(#""whole":false"#) ?? false)
    // The line is asked for while another is on its way, which cannot be checked without it.
    _ = one.ask("APPEND \(event("second"))", on: there)
    _ = other.ask("REPAIR", on: here)
    pair.run()
    #expect(
      other.logged.contains { $0.contains("are damaged here, so new ones cannot be checked") })
    #expect(other.ask("VERIFY", on: here).last?.contains(#""whole":true"#) ?? false)
    // What was passed over comes with the next connection.
    try pair.reconnect()
    pair.run()
    #expect(other.ask("COUNT {}", on: here) == [#"OK {"count":2}"#])
  }

  @Test("A state that was being found when an event was erased is not kept with it")
  func stateBesideErasure() throws {
    let driven = try Driven()
    let client = driven.open()
    let id = try #require(
      driven.ask(
        "APPEND "
          + event("to be erased").replacing("\"title\"", with: "\"targets\":[\"USA\"],\"title\""),
        on: client
      ).first?.firstMatch(of: /"id":"([0-9a-f-]+)"/)?.1)
    let (asking, question) = (
      driven.open(), #"STATE {"parties":["PRK","USA"],"as_of":"2017-12-01"}"#
    )
    driven.holdsQuestions = true
    #expect(driven.ask(question, on: asking).isEmpty)
    driven.holdsQuestions = false
    #expect(
      driven.ask(#"ERASE {"id":"\#(id)","reason":"x"}"#, on: client).first?.hasPrefix("OK ")
        ?? false)
    driven.finishQuestions()
    #expect(driven.take(asking).first?.contains(#""events":1"#) ?? false)
    #expect(driven.ask(question, on: asking).first?.contains(#""events":0"#) ?? false)
  }

  @Test("A log that appears in the directory is taken in, and appends go on")
  func directoryAppears() throws {
    let driven = try Driven()
    let client = driven.open()
    let id = try #require(
      driven.ask("APPEND \(event("to be erased"))", on: client).first?.firstMatch(
        of: /"id":"([0-9a-f-]+)"/)?.1)
    let stray = "data/timelines/main/logs/01234567-89ab-4cde-8f01-23456789abcd/x"
    try driven.fileSystem.replace(stray, with: [1])
    #expect(
      driven.ask(#"ERASE {"id":"\#(id)","reason":"x"}"#, on: client).first?.hasPrefix("OK ")
        ?? false)
    #expect(driven.ask("APPEND \(event("after it"))", on: client).first?.hasPrefix("OK ") ?? false)
    #expect(driven.ask("COUNT {}", on: client) == [#"OK {"count":1}"#])
  }

  @Test("Nothing of one timeline shows in another")
  func manyTimelines() throws {
    let driven = try Driven()
    let client = driven.open()
    _ = driven.ask("APPEND \(event("in main"))", on: client)
    #expect(driven.ask("TIMELINE create iran", on: client).first?.hasPrefix("OK ") ?? false)
    let other = driven.open()
    #expect(driven.ask("OPEN iran", on: other).first?.hasPrefix("OK ") ?? false)
    #expect(driven.ask("COUNT {}", on: other) == [#"OK {"count":0}"#])
    _ = driven.ask("APPEND \(event("in iran"))", on: other)
    #expect(driven.ask("COUNT {}", on: other) == [#"OK {"count":1}"#])
    #expect(driven.ask("QUERY {}", on: client).count == 2)
    let ids = driven.ask("TIMELINES", on: client).compactMap {
      $0.firstMatch(of: /"timeline":"([0-9a-f-]+)"/)?.1
    }
    #expect(Set(ids).count == 2)
  }
}

/// Two engines, the second of which follows the first, with a connection between them.
final class Pair {
  private let first: Driven
  private let second: Driven
  /// The connection, as each has it.
  private var accepted: ConnectionID
  private(set) var call: ConnectionID

  init(_ second: Driven, follows first: Driven) throws {
    (self.first, self.second) = (first, second)
    let client = second.open()
    second.send("TIMELINE follow tcp://127.0.0.1:7000\n", on: client)
    let asking = try #require(second.dialed.last?.0)
    let asked = first.open(.nobody)
    second.step([.dialed(asking)])
    Self.exchange(first, asked, second, asking)
    #expect(second.take(client).first?.hasPrefix("OK ") ?? false)
    second.step([])
    call = try #require(second.dialed.last?.0)
    accepted = first.open(.nobody)
    second.step([.dialed(call)])
  }

  /// The next attempt, after an end.
  func reconnect() throws {
    second.time += 2_000_000
    second.step([])
    let next = try #require(second.dialed.last?.0)
    #expect(next != call, "there was no attempt")
    (call, accepted) = (next, first.open(.nobody))
    second.step([.dialed(call)])
  }

  /// Until both have nothing more to say.
  func run() { Self.exchange(first, accepted, second, call) }

  private static func exchange(
    _ first: Driven, _ accepted: ConnectionID, _ second: Driven, _ call: ConnectionID
  ) {
    while true {
      let (there, here) = (second.take(call), first.take(accepted))
      if there.isEmpty, here.isEmpty { return }
      for line in there { first.send(line + "\n", on: accepted) }
      for line in here { second.send(line + "\n", on: call) }
    }
  }
}

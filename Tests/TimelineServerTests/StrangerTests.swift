// Connections over TLS of machines that are no members: they may greet, and that is all.

import Access
import Testing
import TransparencyLog

@testable import TimelineServer

@Suite("Strangers")
struct StrangerTests {
  private static let greeted = [#"HELLO timeline-sync 1 {"features":[]}"#]

  private func handshake(_ number: Int, from source: PeerSource? = nil) -> DeviceHandshake {
    let digest = SHA256Digest([UInt8](repeating: UInt8(number % 256), count: 32))!
    return DeviceHandshake(
      device: digest, channelBinding: [UInt8](repeating: 1, count: 32),
      source: source ?? .network([10, 0, UInt8(number / 256), UInt8(number % 256)]))
  }

  private func open(_ driven: Driven, _ number: Int, from source: PeerSource? = nil) -> ConnectionID
  {
    let id = ConnectionID(UInt64(1000 + number))
    driven.step([.opened(id, .nobody, handshake(number, from: source))])
    return id
  }

  @Test("One is greeted, and is told of no timeline")
  func greeting() throws {
    let driven = try Driven()
    let owner = driven.open()
    let status = try #require(driven.ask("STATUS", on: owner).first)
    let timeline = try #require(status.split(separator: "\"").first { $0.count == 36 })
    for (number, words) in [
      "HAVE \(timeline) A {}", "FOLLOW main", "STATUS", "OPEN main", "TIMELINES", "QUERY {}",
    ].enumerated() {
      let id = open(driven, number)
      #expect(driven.ask("HELLO timeline-sync 1", on: id) == Self.greeted)
      let answer = driven.ask(words, on: id)
      #expect(answer.count == 1 && answer[0].hasPrefix("ERR "), "\(words): \(answer)")
      #expect(driven.closed.contains(id), "\(words)")
    }
    #expect(driven.ask("STATUS", on: open(driven, 50)).first?.hasPrefix("ERR denied") == true)
  }

  @Test("One has ten seconds, however it greets, and pings")
  func time() throws {
    let driven = try Driven()
    let (silent, greeting) = (open(driven, 1), open(driven, 2))
    #expect(driven.ask("HELLO timeline-sync 1", on: greeting) == Self.greeted)
    driven.time += 9_000_000
    #expect(driven.ask("PING", on: greeting) == ["PONG"])
    driven.time += 1_100_000
    driven.step([])
    #expect(driven.take(silent) == ["ERR denied no greeting came within 10 seconds"])
    #expect(driven.take(greeting) == ["ERR denied no member's word came within 10 seconds"])
    #expect(driven.closed.isSuperset(of: [silent, greeting]))
  }

  @Test("One may say 16 KiB")
  func bytes() throws {
    let driven = try Driven()
    let id = open(driven, 1)
    _ = driven.ask("HELLO timeline-sync 1", on: id)
    for _ in 0..<3 {
      driven.step([.bytes(id, Array(String(repeating: "PING\n", count: 1000).utf8))])
    }
    #expect(!driven.closed.contains(id))
    driven.step([.bytes(id, Array(String(repeating: "PING\n", count: 1000).utf8))])
    #expect(driven.closed.contains(id))
  }

  @Test("There are 64 at once, four from an address; their ends make room")
  func places() throws {
    let driven = try Driven()
    let source = PeerSource.network([1, 2, 3, 4])
    let first = (0..<4).map { open(driven, $0, from: source) }
    #expect(driven.take(open(driven, 4, from: source)).first?.hasPrefix("ERR busy") == true)
    driven.step([.closed(first[0], reason: nil)])
    #expect(driven.take(open(driven, 5, from: source)).isEmpty)
    for number in 6..<66 { #expect(driven.take(open(driven, number)).isEmpty) }
    #expect(driven.take(open(driven, 70)).first?.hasPrefix("ERR busy") == true)
    #expect(driven.take(open(driven, 71, from: .local)).first?.hasPrefix("ERR busy") == true)
    // Plain connections of this machine have nothing to do with it, nor has the owner.
    #expect(driven.take(driven.open(.nobody)).isEmpty)
    #expect(driven.ask("PING", on: driven.open()) == ["OK"])
    driven.time += 11_000_000
    driven.step([])
    #expect(driven.take(open(driven, 72)).isEmpty)
  }
}

@Suite("A network that comes back")
struct NetworkTests {
  @Test("Peers that wait are tried a second after it, and no more often than each five seconds")
  func network() throws {
    let driven = try Driven()
    let owner = driven.open()
    _ = driven.ask("PEER add tcp://127.0.0.1:7001", on: owner)
    driven.step([])
    func fail() { driven.step([.closed(driven.dialed.last!.0, reason: "no route")]) }
    // Some failures: the next attempt is far away.
    for _ in 0..<8 {
      fail()
      driven.time = max(driven.time, driven.wake ?? 0)
      driven.step([])
    }
    fail()
    let before = driven.dialed.count
    #expect((driven.wake ?? 0) > driven.time + 30_000_000)
    for _ in 0..<100 { driven.step([.networkChanged]) }
    #expect(driven.dialed.count == before)
    driven.time += 1_000_000
    driven.step([])
    #expect(driven.dialed.count == before + 1)
    // Another try fails: the waits are short again, so that a way which comes a little later is found.
    fail()
    #expect((driven.wake ?? .max) <= driven.time + 1_300_000)
    for _ in 0..<8 {
      driven.time = max(driven.time, driven.wake ?? 0)
      driven.step([])
      fail()
    }
    let again = driven.dialed.count
    driven.step([.networkChanged])
    driven.time += 1_000_000
    driven.step([])
    fail()
    #expect(driven.dialed.count == again + 1)
    driven.time = (driven.wake ?? 0)
    driven.step([])
    fail()
    driven.step([.networkChanged])
    #expect(driven.dialed.count == again + 2)
  }

  @Test("A peer at an address of TLS is added by an invitation, not by its address")
  func byAddress() throws {
    let driven = try Driven()
    let owner = driven.open()
    #expect(
      driven.ask("PEER add tls://lab:7411", on: owner).first?.hasPrefix("ERR bad-request") == true)
    #expect(driven.ask("PEER add via:ssh", on: owner).first?.hasPrefix("ERR bad-request") == true)
    #expect(driven.dialed.isEmpty)
  }
}

import EventStore
import Testing
import TimelineModel
import TransparencyLog

@testable import Simulation
@testable import TimelineServer

@Suite("Peers and their addresses")
struct PeersTests {
  private let fileSystem = SimulatedFileSystem(seed: 1)
  private let timeline = TimelineID(UUIDBytes(high: 1, low: 2))
  private let device = SHA256Digest([UInt8](repeating: 3, count: 32))!

  private func open() throws -> Peers {
    try Peers(try DataDirectory("data", fileSystem: fileSystem), main: nil)
  }

  private func moment(_ seconds: Int64) -> Moment {
    Moment(wall: RecordedTime(microseconds: 0), monotonic: seconds * 1_000_000)
  }

  @Test("All addresses of a peer are tried in a row, then it is waited; one that works is kept")
  func severalAddresses() throws {
    let peers = try open()
    let texts = ["tls://lab:1", "tls://[2001:db8::7]:2", "via:ssh lab 'timelinectl relay'"]
    let addresses = try texts.map { (text) throws(PeerAddress.Invalid) in
      try PeerAddress(owner: text)
    }
    #expect(try peers.add(Peer(addresses, timeline, device: device)))
    #expect(try !peers.add(Peer([addresses[1]], timeline, device: device)))
    var calls: UInt64 = 0
    func call(_ seconds: Int64) -> (PeerAddress, ConnectionID)? {
      guard let peer = peers.due(seconds * 1_000_000).first else { return nil }
      calls += 1
      peers.dialing(peer, ConnectionID(calls))
      return (peer.address, ConnectionID(calls))
    }
    for address in addresses {
      let (called, id) = try #require(call(10))
      #expect(called == address)
      peers.ended(id, "nobody", moment(10), random: 0)
    }
    #expect(call(10) == nil)
    #expect(call(12)?.0 == addresses[0])
    peers.ended(ConnectionID(calls), "nobody", moment(12), random: 0)
    let (called, id) = try #require(call(12))
    #expect(called == addresses[1])
    peers.note(id, .inSync)
    peers.ended(id, "the network is gone", moment(100), random: 0)
    #expect(call(100) == nil)
    #expect(call(102)?.0 == addresses[1])
  }

  @Test("What was added is there again")
  func kept() throws {
    let addresses = [try PeerAddress("tls://lab:1"), try PeerAddress("tls://lab:2")]
    let directory = try DataDirectory("data", fileSystem: fileSystem)
    var peers = try Peers(directory, main: nil)
    _ = try peers.add(Peer(addresses, timeline, device: device))
    _ = try peers.add(try PeerAddress("tcp://127.0.0.1:3"), timeline)
    peers = try Peers(directory, main: nil)
    #expect(peers.all.map(\.addresses) == [addresses, [.loopback(port: 3)]])
    #expect(peers.all.map(\.device) == [device, nil])
    #expect(try peers.remove(addresses[1], timeline)?.addresses == addresses)
    #expect(try Peers(directory, main: nil).all.count == 1)
  }
}

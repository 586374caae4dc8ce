import CLibSSL
import Support
import Testing
import TransparencyLog

@testable import TransportSecurity

@Suite("Sessions between two devices")
struct SessionTests {
  private let one = device(1)
  private let other = device(2)

  private func pair() -> (TLSSession, TLSSession) {
    (
      TLSSession(.client, one, expected: other.publicKey.deviceID),
      TLSSession(.server, other, expected: one.publicKey.deviceID)
    )
  }

  @Test("Both know each other after a handshake whose bytes come one by one")
  func byteByByte() {
    let (client, server) = pair()
    talk(client, server) { 1 }
    #expect(client.state == .open(peer: other.publicKey))
    #expect(server.state == .open(peer: one.publicKey))
    #expect(client.send(Array("question".utf8)) == 8)
    #expect(server.send(Array("answer".utf8)) == 6)
    let heard = talk(client, server) { 1 }
    #expect(heard.one == Array("answer".utf8))
    #expect(heard.other == Array("question".utf8))
  }

  @Test(
    "Whatever pieces the bytes come in, the same is heard", arguments: 1...12 as ClosedRange<UInt64>
  )
  func pieces(seed: UInt64) {
    var chance = SplitMix(seed: seed)
    let (client, server) = pair()
    var (toServer, toClient): ([UInt8], [UInt8]) = ([], [])
    var (atServer, atClient): ([UInt8], [UInt8]) = ([], [])
    for _ in 0..<8 {
      for (session, isClient) in [(client, true), (server, false)] where session.isOpen {
        let count = Int.random(in: 0...40_000, using: &chance)
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &chance) }
        #expect(session.send(bytes) == count)
        if isClient { toServer += bytes } else { toClient += bytes }
      }
      let heard = talk(client, server) { Int.random(in: 1...20_000, using: &chance) }
      atClient += heard.one
      atServer += heard.other
    }
    #expect(atServer == toServer && atClient == toClient, "seed \(seed)")
    #expect(client.isOpen && server.isOpen, "seed \(seed)")
  }

  @Test("What the client says with its last word of the handshake is heard")
  func firstWords() {
    let (client, server) = pair()
    while !client.isOpen {
      _ = server.receive(client.takeOutput())
      _ = client.receive(server.takeOutput())
    }
    #expect(server.state == .handshaking)
    #expect(client.send(Array("first".utf8)) == 5)
    #expect(server.receive(client.takeOutput()) == Array("first".utf8))
    #expect(server.isOpen)
  }

  @Test("Nothing is taken to be sent before a session is open, nor after it is closed")
  func unready() {
    let (client, server) = pair()
    #expect(client.send([1]) == 0)
    #expect(client.exportKeyingMaterial(label: "EXPORTER-x") == nil)
    talk(client, server)
    client.close()
    #expect(client.send([1]) == 0)
    #expect(client.exportKeyingMaterial(label: "EXPORTER-x") == nil)
  }

  @Test("A server that is not the device that was to be there hears nothing")
  func wrongServer() {
    let client = TLSSession(.client, one, expected: device(3).publicKey.deviceID)
    let server = TLSSession(.server, other)
    let heard = talk(client, server)
    #expect(client.failure == .otherDevice(id: other.publicKey.deviceID))
    #expect(server.failure == .refused(alert: "bad certificate"))
    #expect(heard.one.isEmpty && heard.other.isEmpty)
  }

  @Test("A client that is not the device that was to be there is not heard")
  func wrongClient() {
    let client = TLSSession(.client, one)
    let server = TLSSession(.server, other, expected: device(3).publicKey.deviceID)
    _ = server.receive(client.takeOutput())
    _ = client.receive(server.takeOutput())
    // It believes that it is welcome, and says something at once.
    #expect(client.send(Array("APPEND".utf8)) == 6)
    #expect(server.receive(client.takeOutput()).isEmpty)
    #expect(server.failure == .otherDevice(id: one.publicKey.deviceID))
    _ = client.receive(server.takeOutput())
    #expect(client.failure == .refused(alert: "bad certificate"))
  }

  @Test("Key material is the same at both ends, other for each label and session")
  func exporter() throws {
    var seen: Set<[UInt8]> = []
    for _ in 0..<3 {
      let (client, server) = pair()
      talk(client, server)
      for label in [TLSSession.channelBinding, "EXPORTER-timeline-pairing"] {
        let material = try #require(client.exportKeyingMaterial(label: label))
        #expect(material == server.exportKeyingMaterial(label: label))
        #expect(material.count == 32)
        #expect(seen.insert(material).inserted)
      }
    }
  }

  @Test("A farewell is told from an end that is none")
  func farewell() {
    var (client, server) = pair()
    talk(client, server)
    #expect(client.send(Array("last".utf8)) == 4)
    client.close()
    #expect(server.receive(client.takeOutput()) == Array("last".utf8))
    #expect(server.hasInputEnded && server.isOpen)
    server.receiveEnd()
    #expect(server.isOpen)
    server.close()
    #expect(server.state == .closed(nil))

    (client, server) = pair()
    talk(client, server)
    server.receiveEnd()
    #expect(server.failure == .cutOff)

    (client, server) = pair()
    _ = server.receive(client.takeOutput())
    server.receiveEnd()
    #expect(server.failure == .endedInHandshake)
  }

  @Test("Who was bidden farewell may still answer")
  func halfClosed() {
    let peer = AnyPeer(.client) { Make.identity($0, "ED25519") }
    let server = TLSSession(.server, other)
    talk(peer, server)
    SSL_shutdown(peer.ssl)
    _ = server.receive(peer.takeOutput())
    #expect(server.hasInputEnded)
    #expect(server.send(Array("still".utf8)) == 5)
    #expect(peer.receive(server.takeOutput()) == Array("still".utf8))
  }

  @Test("Keys change on the way, and nothing is lost")
  func keysChange() {
    let client = TLSSession(.client, one, expected: nil, recordsPerKey: 3)
    let server = TLSSession(.server, other, expected: nil, recordsPerKey: 2)
    talk(client, server)
    for number in 0..<200 {
      let line = Array("line \(number)".utf8)
      #expect(client.send(line) == line.count)
      #expect(server.send(line) == line.count)
      let heard = talk(client, server)
      #expect(heard.one == line && heard.other == line)
    }
  }

  @Test("64 MiB pass while no more than a window is held")
  func much() {
    let (client, server) = pair()
    talk(client, server)
    let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    var largest = 0
    let clock = ContinuousClock()
    let time = clock.measure {
      for _ in 0..<64 {
        var sent = 0
        var heard: [UInt8] = []
        while sent < bytes.count {
          sent += bytes[sent...].withUnsafeBytes { client.send($0) }
          let output = client.takeOutput()
          largest = max(largest, output.count)
          heard += server.receive(output)
        }
        #expect(heard == bytes)
      }
    }
    #expect(largest <= TLSSession.outputBytesMax + (17 << 10))
    print("TLS: 64 MiB through two sessions in \(time)")
  }

  @Test("Handshakes, measured")
  func handshakes() {
    let count = 100
    let time = ContinuousClock().measure {
      for _ in 0..<count {
        let (client, server) = pair()
        talk(client, server)
        #expect(client.isOpen && server.isOpen)
      }
    }
    print("TLS: a handshake, both ends: \(time / count)")
  }

  @Test("Ten thousand words of one byte are heard")
  func tiny() {
    let (client, server) = pair()
    talk(client, server)
    var heard = 0
    for _ in 0..<10 {
      for _ in 0..<1000 { #expect(client.send([7]) == 1) }
      heard += server.receive(client.takeOutput()).count
    }
    #expect(heard == 10_000)
  }
}

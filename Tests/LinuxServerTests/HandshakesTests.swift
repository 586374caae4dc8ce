import Testing
import TimelineServer

@testable import LinuxServer

@Suite("Who is in the middle of a handshake")
struct HandshakesTests {
  private func id(_ number: Int) -> ConnectionID { ConnectionID(UInt64(number)) }
  private func source(_ number: Int) -> PeerSource { .network([10, 0, 0, UInt8(number)]) }

  @Test("One address has four places")
  func each() {
    var handshakes = Handshakes()
    for number in 1...4 { #expect(handshakes.begin(id(number), source(1), now: 0) == .begun) }
    #expect(handshakes.begin(id(5), source(1), now: 0) == .refused)
    #expect(handshakes.begin(id(6), source(2), now: 0) == .begun)
    handshakes.end(id(2))
    handshakes.end(id(2))
    #expect(handshakes.begin(id(7), source(1), now: 0) == .begun)
    #expect(handshakes.begin(id(8), source(1), now: 0) == .refused)
  }

  @Test("Where all places are taken, the oldest gives way")
  func total() {
    var handshakes = Handshakes()
    for number in 0..<64 {
      #expect(handshakes.begin(id(number), source(number / 4), now: 0) == .begun)
    }
    #expect(handshakes.begin(id(100), source(200), now: 0) == .begunFor(id(0)))
    #expect(handshakes.begin(id(101), source(201), now: 0) == .begunFor(id(1)))
    // An address that has all it may have pushes nobody out.
    #expect(handshakes.begin(id(102), source(15), now: 0) == .refused)
  }

  @Test("Those that come through the owner's own socket are not counted against him")
  func local() {
    var handshakes = Handshakes()
    for number in 0..<64 { #expect(handshakes.begin(id(number), .local, now: 0) == .begun) }
    #expect(handshakes.begin(id(64), .local, now: 0) == .begunFor(id(0)))
  }

  @Test("Each has ten seconds")
  func time() {
    var handshakes = Handshakes()
    #expect(handshakes.deadline == nil)
    _ = handshakes.begin(id(1), source(1), now: 5)
    _ = handshakes.begin(id(2), source(1), now: 7)
    #expect(handshakes.deadline == 10_000_005)
    #expect(handshakes.overdue(10_000_004).isEmpty)
    #expect(handshakes.overdue(10_000_006) == [id(1)])
    #expect(handshakes.overdue(10_000_007) == [id(1), id(2)])
    handshakes.end(id(1))
    #expect(handshakes.deadline == 10_000_007)
  }
}

import Testing
import TimelineServer

@testable import LinuxServer

@Suite("Who is in the middle of a handshake")
struct HandshakesTests {
  private func id(_ number: Int) -> ConnectionID { ConnectionID(UInt64(number)) }
  private func source(_ number: Int) -> PeerSource { .network([10, 0, 0, UInt8(number)]) }

  @Test("One address has four places, and begins no more than four a second")
  func each() {
    var handshakes = Handshakes()
    for number in 1...4 { #expect(handshakes.begin(id(number), source(1), now: 0) == .begun) }
    #expect(handshakes.begin(id(5), source(1), now: 5_000_000) == .refused)
    #expect(handshakes.begin(id(6), source(2), now: 5_000_000) == .begun)
    handshakes.end(id(2))
    handshakes.end(id(2))
    #expect(handshakes.begin(id(7), source(1), now: 5_000_000) == .begun)
    #expect(handshakes.begin(id(8), source(1), now: 5_000_000) == .refused)
    // It is over at once, and its place is taken for a second all the same.
    handshakes.end(id(7))
    #expect(handshakes.begin(id(9), source(1), now: 5_999_999) == .refused)
    #expect(handshakes.begin(id(9), source(1), now: 6_000_000) == .begun)
  }

  @Test("Where all places are taken, the oldest gives way, once it had its second")
  func total() {
    var handshakes = Handshakes()
    for number in 0..<64 {
      let answer = handshakes.begin(id(number), source(number / 4), now: Int64(number))
      #expect(answer == .begun)
    }
    #expect(handshakes.begin(id(99), source(199), now: 999_999) == .refused)
    #expect(handshakes.begin(id(100), source(200), now: 1_000_000) == .begunFor(id(0)))
    #expect(handshakes.begin(id(101), source(201), now: 1_000_000) == .refused)
    #expect(handshakes.begin(id(101), source(201), now: 1_000_001) == .begunFor(id(1)))
    // An address that has all it may have pushes nobody out.
    #expect(handshakes.begin(id(102), source(15), now: 2_000_000) == .refused)
    // One that is over goes before one that is not.
    handshakes.end(id(50))
    #expect(handshakes.begin(id(103), source(203), now: 2_000_000) == .begun)
    #expect(handshakes.begin(id(104), source(204), now: 2_000_000) == .begunFor(id(2)))
  }

  @Test("However many knock, and whatever they do, 64 begin in a second")
  func rate() {
    var handshakes = Handshakes()
    var begun = 0
    for number in 0..<100_000 {
      let now = Int64(number) * 100
      switch handshakes.begin(id(number), source(number % 250), now: now) {
      case .begun, .begunFor: begun += 1
      case .refused: continue
      }
      if number.isMultiple(of: 2) { handshakes.end(id(number)) }
    }
    #expect(begun <= 64 * 11 && begun >= 64 * 9)
  }

  @Test("Those that come through the owner's own socket are not counted against him")
  func local() {
    var handshakes = Handshakes()
    for number in 0..<64 { #expect(handshakes.begin(id(number), .local, now: 0) == .begun) }
    #expect(handshakes.begin(id(64), .local, now: 1_000_000) == .begunFor(id(0)))
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

import Testing
import TimelineModel
import TimelineWire
import TransparencyLog

@Suite("Proofs of joiners")
struct JoinProofTests {
  private static func bytes(_ byte: UInt8, _ count: Int = 32) -> [UInt8] {
    .init(repeating: byte, count: count)
  }

  private func proof(
    _ secret: UInt8 = 1, binding: UInt8 = 2, host: UInt8 = 3, joiner: UInt8 = 4
  ) -> JoinProof {
    JoinProof(
      secret: Self.bytes(secret, 16), channelBinding: Self.bytes(binding),
      host: DeviceID(SHA256Digest(Self.bytes(host))!),
      joiner: DeviceID(SHA256Digest(Self.bytes(joiner))!))
  }

  @Test("J-5: the proof is the HMAC over the session and both devices, in this order")
  func content() {
    let message = Self.bytes(2) + Self.bytes(3) + Self.bytes(4)
    #expect(proof().bytes == HMACSHA256(key: Self.bytes(1, 16), message: message).bytes)
  }

  @Test("J-5: another secret, session, host or joiner, or the two exchanged, makes another proof")
  func others() {
    #expect(proof().matches(proof().bytes))
    for other in [
      proof(9), proof(binding: 9), proof(host: 9), proof(joiner: 9), proof(host: 4, joiner: 3),
    ] {
      #expect(!proof().matches(other.bytes))
    }
    #expect(!proof().matches([]))
  }
}

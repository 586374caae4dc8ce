import Foundation
import Testing
import TransparencyLog

@testable import TimelineModel

private func line(_ body: String, seq: UInt64 = 7) -> [UInt8] {
  var bytes: [UInt8] = []
  Array(body.utf8).withUnsafeBufferPointer { body in
    Line.append(
      to: &bytes, replica: ReplicaID("00000000-0000-4000-8000-000000000001")!, seq: seq,
      recorded: RecordedTime("2026-11-23T22:20:00.123456Z")!,
      id: EventID("00000000-0000-4000-8000-000000000002")!, author: "ann \"a\"", body: body,
      salt: (0x0001_0203_0405_0607, 0x0809_0A0B_0C0D_0E0F))
  }
  return bytes
}

@Test("a line is written in the published form, to the byte")
func published() {
  let text = String(decoding: line(#""type":"report""#), as: UTF8.self)
  #expect(
    text
      == #"{"v":1,"replica":"00000000-0000-4000-8000-000000000001","seq":7,"#
      + #""recorded":"2026-11-23T22:20:00.123456Z","id":"00000000-0000-4000-8000-000000000002","#
      + #""author":"ann \"a\"","type":"report","salt":"AAECAwQFBgcICQoLDA0ODw==","#
      + #""crc32c":"92c6de6f"}"# + "\n")
}

@Test("what is written is read back, and any flipped bit is noticed")
func flips() throws {
  let bytes = line(#""type":"report""#)
  let read = try bytes.withUnsafeBufferPointer { try Line($0) }
  #expect(read.seq == 7)
  #expect(read.recorded.description == "2026-11-23T22:20:00.123456Z")
  for index in bytes.indices {
    for bit in 0..<8 {
      var damaged = bytes
      damaged[index] ^= 1 << UInt8(bit)
      let isRefused = damaged.withUnsafeBufferPointer { damaged in
        do {
          _ = try Line(damaged)
          return false
        } catch {
          return true
        }
      }
      #expect(isRefused, "byte \(index), bit \(bit)")
    }
  }
}

@Test("CRC-32C has the value of RFC 3720 by instruction and by table")
func check() {
  Array("123456789".utf8).withUnsafeBufferPointer { bytes in
    #expect(CRC32C.of(bytes) == 0xE306_9283)
    #expect(CRC32C.end(CRC32C.byTable(CRC32C.begin, UnsafeRawBufferPointer(bytes))) == 0xE306_9283)
  }
}

@Test("a line and its stub are one leaf, and the stub is a line that lacks the words")
func stub() throws {
  let bytes = line(#""type":"report","title":"a name that must go""#)
  var hasher = SHA256()
  let stub = try bytes.withUnsafeBufferPointer { try Line($0).stub(of: $0, using: &hasher) }
  let text = String(decoding: stub, as: UTF8.self)
  #expect(!text.contains("must go") && !text.contains("salt"))
  #expect(try stub.withUnsafeBufferPointer { try Line($0).isStub })
  let leaves = try [bytes, stub].map { bytes in
    try bytes.withUnsafeBufferPointer { try Line($0).leaf(of: $0, using: &hasher) }
  }
  #expect(leaves[0] == leaves[1])
  // The leaf's own words: the stub up to its check, closed.
  let entry = Array(text[..<text.range(of: ",\"crc32c\"")!.lowerBound].utf8) + Array("}".utf8)
  #expect(entry.withUnsafeBufferPointer { hasher.leaf($0) } == leaves[0])
  // What only looks like one is a body like others.
  let other = line(#""body_sha256":"\#(String(repeating: "G", count: 64))""#)
  #expect(try other.withUnsafeBufferPointer { try !Line($0).isStub })
}

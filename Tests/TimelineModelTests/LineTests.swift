import Testing

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

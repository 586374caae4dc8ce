// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the check that ends every line. By the processor's
// own instruction where it has one, else by a table.

import CLinux

/// The check of a run of bytes.
public enum CRC32C {
  private static let hasInstruction = clinux_has_crc32c() != 0

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { crc, _ in
      crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1
    }
  }

  /// CRC-32C of the bytes; of "123456789" it is e3069283.
  public static func of(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    end(go(on: begin, UnsafeRawBufferPointer(bytes)))
  }

  /// The same as four bytes, the highest first, as they stand in codes that people type.
  public static func bytes(of bytes: [UInt8]) -> [UInt8] {
    let check = bytes.withUnsafeBufferPointer { of($0) }
    return withUnsafeBytes(of: check.bigEndian) { Array($0) }
  }

  // The same piece by piece: `end(go(on: go(on: begin, first), second))`.

  public static let begin = ~UInt32(0)

  public static func go(on state: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    guard let start = bytes.baseAddress else { return state }
    if hasInstruction {
      return clinux_crc32c(state, start.assumingMemoryBound(to: UInt8.self), bytes.count)
    }
    return byTable(state, bytes)
  }

  public static func end(_ state: UInt32) -> UInt32 { ~state }

  static func byTable(_ state: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    bytes.reduce(state) { crc, byte in table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8 }
  }
}

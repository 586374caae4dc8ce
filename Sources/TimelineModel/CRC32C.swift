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
    guard !bytes.isEmpty else { return 0 }
    if hasInstruction { return ~clinux_crc32c(~0, bytes.baseAddress!, bytes.count) }
    return byTable(bytes)
  }

  static func byTable(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    ~bytes.reduce(~UInt32(0)) { crc, byte in
      table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8
    }
  }
}

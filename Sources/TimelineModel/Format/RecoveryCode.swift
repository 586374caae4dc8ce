// The recovery code of a timeline, as its founder keeps it on paper: the seed of the key that has rank 0.
//
//     TIMELINE-RECOVERY-1-NBSWY3-DPEHPK-3PXP5H-…      base32 of 32 bytes and their CRC-32C, in groups of six
//
// Whoever has it can bring devices in and end them, founder included. To change the form, raise the number in it.

import TransparencyLog

public enum RecoveryCode {
  private static let prefix = "TIMELINE-RECOVERY-1-"
  private static let seedByteCount = 32
  private static let group = 6

  /// The text that is written down.
  public static func text(of key: SigningKey) -> String {
    let seed = key.seed
    let letters = Array(Base32.encode(seed + CRC32C.bytes(of: seed)))
    let groups = stride(from: 0, to: letters.count, by: group).map {
      String(letters[$0..<min($0 + group, letters.count)])
    }
    return prefix + groups.joined(separator: "-")
  }

  /// Reads it, however it is grouped and in small letters too; nil where it is mistyped, cut off or something else.
  public static func key(_ text: String) -> SigningKey? {
    let code = text.uppercased().filter { !$0.isWhitespace }
    guard code.hasPrefix(prefix),
      let bytes = Base32.decode(code.dropFirst(prefix.count).filter { $0 != "-" }.utf8),
      bytes.count == seedByteCount + 4, case let seed = Array(bytes.prefix(seedByteCount)),
      bytes == seed + CRC32C.bytes(of: seed)
    else { return nil }
    return SigningKey(seed: seed)
  }
}

// An invitation to timelines, and the one text by which it goes from the host to the joiner: by clipboard, mail
// or as a QR code.
//
//     TIMELINE-JOIN-1-P56IOI7MZJNU2IQGDREYDM2MGTMGL3BXNPQ6W5TBBZ4TJXZWICQAAEBAGBAFAY…
//     └ what it is  │ └ base32 in capitals, which QR codes have a dense mode for, of the bytes
//                   └ version
//
//     device id 32 │ secret 16 │ expires 5 │ n, n × timeline 32 │ m, m × (length, address) │ check 4
//
// The check is CRC-32C over all that stands before it, prefix included, in every version. So a typo or a lost
// end is told apart from a code that is right and does not hold any more. Addresses are written without their
// `tls://`: there is no code that names a command. docs/reference/invitations.md has it to the byte.
//
// Whoever reads the code can join: it is shown to the person who asked for it, and stands in no log. To add a
// field, raise `version`: what reads version 1 says of all later ones that they are newer.

import TimelineModel
import TransparencyLog

/// What a host lets a joiner do, as far as the joiner has to know it.
public struct Invitation: Sendable, Hashable {
  /// Where the host answers, `tls://…`; none where the joiner knows a way.
  public let addresses: [String]
  /// The host.
  public let device: DeviceID
  /// The whole hashes of the timelines.
  public let timelines: [SHA256Digest]
  /// What only the host and who has the code know.
  public let secret: [UInt8]
  /// Seconds since 1970 by the host's clock.
  public let expires: Int

  // What keeps a code small enough for a QR code: of the most of everything it has 4,130 characters of 4,296.
  public static let addressCountMax = 8
  public static let addressBytesMax = 255
  public static let timelineCountMax = 16
  public static let secretByteCount = 16
  private static let expiresByteCount = 5

  public init(
    addresses: [String], device: DeviceID, timelines: [SHA256Digest], secret: [UInt8], expires: Int
  ) throws(InvitationError) {
    if let wrong = addresses.first(where: { !Self.isAddress($0) }) { throw .address(wrong) }
    guard addresses.count <= Self.addressCountMax else { throw .addressCount(addresses.count) }
    guard (1...Self.timelineCountMax).contains(timelines.count) else {
      throw .timelineCount(timelines.count)
    }
    guard secret.count == Self.secretByteCount else { throw .secret(byteCount: secret.count) }
    guard (0..<1 << (8 * Self.expiresByteCount)).contains(expires) else { throw .expiry(expires) }
    self.addresses = addresses
    self.device = device
    self.timelines = timelines
    self.secret = secret
    self.expires = expires
  }

  /// What a member record keeps of the secret (M-5).
  public var codeHash: SHA256Digest { SHA256Digest(of: secret) }

  /// Visible ASCII behind `tls://`. Whether it leads anywhere is for who goes there to find.
  private static func isAddress(_ text: String) -> Bool {
    text.hasPrefix(scheme) && (scheme.utf8.count + 1...addressBytesMax).contains(text.utf8.count)
      && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }

  // MARK: As a code

  private static let prefix = "TIMELINE-JOIN-"
  private static let version = 1
  private static let scheme = "tls://"
  private static let checkByteCount = 4

  /// The one text that is written for it.
  public var code: String {
    var bytes = device.digest.bytes + secret
    bytes += Self.bigEndian(expires, Self.expiresByteCount)
    bytes.append(UInt8(timelines.count))
    for timeline in timelines { bytes += timeline.bytes }
    bytes.append(UInt8(addresses.count))
    for address in addresses {
      let rest = address.utf8.dropFirst(Self.scheme.utf8.count)
      bytes.append(UInt8(rest.count))
      bytes += rest
    }
    let head = "\(Self.prefix)\(Self.version)-"
    return head + Base32.encode(bytes + CRC32C.bytes(of: Array(head.utf8) + bytes))
  }

  /// Reads a code, also in small letters and with white space in it: mail wraps lines.
  public init(code text: String) throws(InvitationError) {
    let code = text.utf8.filter { !" \t\r\n".utf8.contains($0) }.map(Self.capital)
    guard code.starts(with: Self.prefix.utf8) else { throw .notCode }
    let rest = code.dropFirst(Self.prefix.utf8.count)
    guard let hyphen = rest.firstIndex(of: UInt8(ascii: "-")),
      let version = Self.number(rest[..<hyphen]),
      let sealed = Base32.decode(rest[hyphen...].dropFirst()), sealed.count >= Self.checkByteCount
    else { throw .damaged }
    let bytes = Array(sealed.dropLast(Self.checkByteCount))
    guard CRC32C.bytes(of: code[...hyphen] + bytes) == sealed.suffix(Self.checkByteCount) else {
      throw .damaged
    }
    guard version == Self.version else { throw .newer(version) }
    try self.init(bytes: bytes)
  }

  private init(bytes: [UInt8]) throws(InvitationError) {
    var rest = bytes[...]
    func take(_ count: Int) throws(InvitationError) -> [UInt8] {
      guard count <= rest.count else { throw .malformed }
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
    func digest() throws(InvitationError) -> SHA256Digest {
      SHA256Digest(try take(SHA256Digest.byteCount))!
    }
    func number(_ byteCount: Int) throws(InvitationError) -> Int {
      try take(byteCount).reduce(0) { $0 << 8 | Int($1) }
    }
    let device = DeviceID(try digest())
    let secret = try take(Self.secretByteCount)
    let expires = try number(Self.expiresByteCount)
    var timelines: [SHA256Digest] = []
    for _ in 0..<(try number(1)) { timelines.append(try digest()) }
    var addresses: [String] = []
    for _ in 0..<(try number(1)) {
      addresses.append(Self.scheme + String(decoding: try take(try number(1)), as: UTF8.self))
    }
    guard rest.isEmpty else { throw .malformed }
    try self.init(
      addresses: addresses, device: device, timelines: timelines, secret: secret, expires: expires)
  }

  private static func bigEndian(_ value: Int, _ byteCount: Int) -> [UInt8] {
    (1...byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * (byteCount - $0))) }
  }

  /// A version: from 1, in decimal, without a leading zero.
  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    guard digits.first != UInt8(ascii: "0"), (1...9).contains(digits.count),
      digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 })
    else { return nil }
    return Int(String(decoding: digits, as: UTF8.self))
  }

  private static func capital(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte & 0xDF : byte
  }
}

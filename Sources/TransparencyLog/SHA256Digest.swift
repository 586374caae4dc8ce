// 32 bytes that name other bytes: a leaf, a node or a root of the tree, or the hash of a body.
//
//     for people             5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
//     in notes and proofs    XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=
//
// In memory it is those 32 bytes and nothing else, so a mapped file of leaf hashes can be read in
// place as a buffer of digests.

/// A SHA-256 hash. Equal where all 32 bytes are.
public struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
  public static let byteCount = 32

  // The bytes in their order, eight to a word, as they lie in memory.
  private var a: UInt64 = 0
  private var b: UInt64 = 0
  private var c: UInt64 = 0
  private var d: UInt64 = 0

  /// Reads the 32 bytes at `address`, aligned or not.
  public init(at address: UnsafeRawPointer) {
    a = address.loadUnaligned(as: UInt64.self)
    b = address.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    c = address.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    d = address.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
  }

  /// Nil unless there are exactly 32 bytes.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == Self.byteCount else { return nil }
    self = bytes.withUnsafeBytes { Self(at: $0.baseAddress!) }
  }

  /// Nil unless it is the canonical base64 (44 characters) of exactly 32 bytes.
  public init?(base64 text: String) {
    guard let bytes = Base64.decode(text.utf8) else { return nil }
    self.init(bytes)
  }

  /// Calls with the 32 bytes, without a copy on the heap.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    Swift.withUnsafeBytes(of: self, body)
  }

  public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

  public var base64: String { Base64.encode(bytes) }

  /// 64 lowercase hexadecimal digits.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}

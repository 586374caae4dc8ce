// SHA-256 by OpenSSL, and the three ways in which RFC 6962 (2.1) uses it:
//
//     empty tree  SHA-256()                        e3b0c442…b855
//     leaf        SHA-256(00 entry)                of no bytes: 6e340b9c…a01d, so no empty tree
//     node        SHA-256(01 left right)           left and right are 32 bytes each
//
// The first byte keeps a leaf from passing as a node: an entry of 64 bytes is no pair of hashes.
// Starting OpenSSL's context costs about as much as a hash of a short line, so one is kept and used
// again and again: one `SHA256` to a thread.

import COpenSSL

/// Makes hashes, one after another. Owns an OpenSSL context; a new one costs under a microsecond.
public struct SHA256: ~Copyable, @unchecked Sendable {
  // Sendable: its owner alone has the context, which belongs to no thread.
  private let context: OpaquePointer
  /// 00, which begins a leaf, and after it a node on its way to the hash: 01, left, right.
  private let prefixes: UnsafeMutableRawPointer

  /// Looked up once: a look-up by name costs more than a hash.
  nonisolated(unsafe) private static let algorithm: OpaquePointer = {
    guard let found = EVP_MD_fetch(nil, "SHA256", nil) else { stop("OpenSSL offers no SHA-256") }
    return found
  }()

  private static let nodeByteCount = 1 + 2 * SHA256Digest.byteCount

  public init() {
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, Self.algorithm, nil) == 1
    else { stop("OpenSSL began no SHA-256: out of memory") }
    self.context = context
    prefixes = .allocate(byteCount: 1 + Self.nodeByteCount, alignment: 8)
    prefixes.storeBytes(of: 0, as: UInt8.self)
    prefixes.storeBytes(of: 1, toByteOffset: 1, as: UInt8.self)
  }

  deinit {
    EVP_MD_CTX_free(context)
    prefixes.deallocate()
  }

  /// The hash of the bytes as they are.
  public mutating func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> SHA256Digest {
    update(bytes.baseAddress, bytes.count)
    return finish()
  }

  /// Takes bytes that come in pieces; `finish` gives the hash of all of them.
  public mutating func update(_ bytes: UnsafeBufferPointer<UInt8>) {
    update(bytes.baseAddress, bytes.count)
  }

  /// The hash of what came so far, which may go on.
  public func soFar() -> SHA256Digest {
    let copy = SHA256()
    guard EVP_MD_CTX_copy_ex(copy.context, context) == 1 else { stop("SHA-256 was not copied") }
    return copy.take()
  }

  /// The leaf hash of an entry.
  public mutating func leaf(_ entry: UnsafeBufferPointer<UInt8>) -> SHA256Digest {
    update(prefixes, 1)
    return hash(entry)
  }

  /// The leaf hash of an entry that lies in two pieces.
  public mutating func leaf(
    _ first: UnsafeBufferPointer<UInt8>, _ second: UnsafeBufferPointer<UInt8>
  ) -> SHA256Digest {
    update(prefixes, 1)
    update(first.baseAddress, first.count)
    return hash(second)
  }

  /// The hash of a node over its two children.
  public mutating func node(_ left: SHA256Digest, _ right: SHA256Digest) -> SHA256Digest {
    (prefixes + 2).copyMemory(from: left)
    (prefixes + 2 + SHA256Digest.byteCount).copyMemory(from: right)
    update(prefixes + 1, Self.nodeByteCount)
    return finish()
  }

  private func update(_ bytes: UnsafeRawPointer?, _ count: Int) {
    guard EVP_DigestUpdate(context, bytes, count) == 1 else { stop("SHA-256 took no bytes") }
  }

  /// Takes the hash, and begins the next one.
  public mutating func finish() -> SHA256Digest { take() }

  private func take() -> SHA256Digest {
    withUnsafeTemporaryAllocation(byteCount: SHA256Digest.byteCount, alignment: 8) { space in
      let bytes = space.baseAddress!
      guard
        EVP_DigestFinal_ex(context, bytes.assumingMemoryBound(to: UInt8.self), nil) == 1,
        EVP_DigestInit_ex(context, nil, nil) == 1
      else { stop("SHA-256 gave no hash") }
      return SHA256Digest(at: bytes)
    }
  }
}

extension SHA256Digest {
  /// The hash of the bytes as they are.
  public init(of bytes: [UInt8]) {
    var hasher = SHA256()
    self = bytes.withUnsafeBufferPointer { hasher.hash($0) }
  }

  /// The root of a tree without leaves: the hash of no bytes.
  public static let emptyRoot = SHA256Digest(of: [])
}

extension UnsafeMutableRawPointer {
  fileprivate func copyMemory(from digest: SHA256Digest) {
    digest.withUnsafeBytes { copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
  }
}

// Bytes to a zstd frame (RFC 8878) with its checksum, and back, a piece at a time.

import CZstd

/// Makes one frame.
struct Compressor: ~Copyable {
  /// What zstd's own tool takes: more costs much time for a few per cent.
  private static let level: Int32 = 3

  private let context: OpaquePointer

  init() {
    guard let context = ZSTD_createCCtx() else { fatalError("zstd has no memory") }
    self.context = context
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.level)
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Takes bytes, and appends what there is of the frame; all of it where these are the last ones.
  mutating func take(_ bytes: UnsafeBufferPointer<UInt8>, isLast: Bool, into out: inout [UInt8]) {
    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    var left = 0
    repeat {
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: ZSTD_CStreamOutSize()) { space in
        var output = ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
        left = ZSTD_compressStream2(
          context, &output, &input, isLast ? ZSTD_e_end : ZSTD_e_continue)
        // With these parameters memory alone can fail.
        guard ZSTD_isError(left) == 0 else {
          fatalError("zstd: \(String(cString: ZSTD_getErrorName(left)))")
        }
        out.append(contentsOf: space[..<output.pos])
      }
    } while input.pos < input.size || (isLast && left > 0)
  }
}

/// Reads one frame, and nothing behind it.
struct Decompressor: ~Copyable {
  private let context: OpaquePointer
  /// Whether the frame has ended.
  private(set) var isDone = false

  init() {
    guard let context = ZSTD_createDCtx() else { fatalError("zstd has no memory") }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Takes bytes, and hands on what they hold.
  mutating func take(
    _ bytes: UnsafeBufferPointer<UInt8>,
    _ body: (UnsafeBufferPointer<UInt8>) throws(BackupError) -> Void
  ) throws(BackupError) {
    guard !isDone || bytes.isEmpty else { throw .extraData }
    let space = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: ZSTD_DStreamOutSize())
    defer { space.deallocate() }
    var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    // A full piece may not have been all that there is.
    var isFull = false
    while input.pos < input.size || isFull {
      var output = ZSTD_outBuffer(dst: space.baseAddress, size: space.count, pos: 0)
      let left = ZSTD_decompressStream(context, &output, &input)
      guard ZSTD_isError(left) == 0 else {
        if ZSTD_getErrorCode(left) == ZSTD_error_prefix_unknown { throw .notABackup }
        throw .compression(String(cString: ZSTD_getErrorName(left)))
      }
      try body(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(space)[..<output.pos]))
      isFull = output.pos == output.size
      guard left == 0 else { continue }
      isDone = true
      guard input.pos == input.size else { throw .extraData }
      return
    }
  }
}

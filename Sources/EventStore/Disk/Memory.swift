// Memory that several values share, let go with the last of them: of our own, or a file's.

public final class Memory: @unchecked Sendable {
  public let bytes: UnsafeRawBufferPointer
  private let release: @Sendable (UnsafeRawBufferPointer) -> Void

  /// Memory that somebody else got, and how to give it back.
  public init(
    _ bytes: UnsafeRawBufferPointer, release: @escaping @Sendable (UnsafeRawBufferPointer) -> Void
  ) {
    self.bytes = bytes
    self.release = release
  }

  convenience init(allocating count: Int) {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
    self.init(UnsafeRawBufferPointer(bytes)) { $0.deallocate() }
  }

  deinit { release(bytes) }
}

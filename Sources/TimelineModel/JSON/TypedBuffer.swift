// The way from bytes to a pointer for code that throws typed errors.

extension Array where Element == UInt8 {
  /// `withUnsafeBufferPointer` that keeps the type of what is thrown.
  public func withTypedBuffer<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let outcome = withUnsafeBufferPointer { buffer in
      do throws(Failure) {
        return Swift.Result<Result, Failure>.success(try body(buffer))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }
}

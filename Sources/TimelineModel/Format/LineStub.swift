// What remains of a line when its body is erased, and what every line counts as in its log's tree:
//
//     {"v":1,…,"author":"ann","body_sha256":"<64 hex>"}       the stub, without a check
//     leaf = SHA-256(00 ‖ stub)                              RFC 6962, 2.1
//
// The leaf is made over the stub of every line, erased or not: so an erased line proves what is left
// of it, and no proof of another line changes.

import TransparencyLog

extension Line {
  private static let stubBodyLength = 80  // "body_sha256":"<64 hex>"

  /// The hash that the line is in its log's tree.
  public func leaf(
    of line: UnsafeBufferPointer<UInt8>, using hasher: inout SHA256
  ) -> SHA256Digest {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.stubBodyLength + 1) { space in
      var writer = ByteWriter(space)
      putStubBody(of: line, to: &writer, using: &hasher)
      writer.put(UInt8(ascii: "}"))
      let envelope = UnsafeBufferPointer(rebasing: line[..<body.lowerBound])
      return hasher.leaf(envelope, writer.written)
    }
  }

  /// The line that stands in its place once its body is erased, check and LF included.
  public func stub(
    of line: UnsafeBufferPointer<UInt8>, using hasher: inout SHA256
  ) -> [UInt8] {
    var bytes = Array(line[..<body.lowerBound])
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.stubBodyLength) { space in
      var writer = ByteWriter(space)
      putStubBody(of: line, to: &writer, using: &hasher)
      bytes.append(contentsOf: writer.written)
    }
    Self.appendTail(to: &bytes, from: 0)
    return bytes
  }

  private func putStubBody(
    of line: UnsafeBufferPointer<UInt8>, to writer: inout ByteWriter, using hasher: inout SHA256
  ) {
    let text = UnsafeBufferPointer(rebasing: line[body])
    guard !isStub else { return writer.put(text) }
    writer.put(Self.stubBodyStart)
    hasher.hash(text).withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: 4) {
        let word = bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self)
        writer.put(hex: UInt32(bigEndian: word))
      }
    }
    writer.put(UInt8(ascii: "\""))
  }
}

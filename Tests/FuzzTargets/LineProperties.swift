// A line of a log. Mutation never meets a CRC, so the input is also sealed: its check is put behind it.

import TimelineModel
import TransparencyLog

enum LineProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    try read(input)
    var sealed = Array(input)
    sealed += Array(",\"crc32c\":\"\(Line.text(CRC32C.of(input)))\"}\n".utf8)
    try sealed.lend(read)
  }

  private static func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let line: Line
    do { line = try Line(bytes) } catch {
      try hold(!error.message.isEmpty, "an error without words")
      return
    }
    try hold(Line.isWhole(bytes), "a line was read that is not whole")
    try hold(bytes.count <= LineLimits.lineBytesMax, "a line was read that is too long")
    try hold(
      0 < line.author.lowerBound && line.author.upperBound < line.body.lowerBound
        && line.body.upperBound < bytes.count, "ranges \(line.author), \(line.body)")
    try pieces(of: line, bytes)
    try stub(of: line, bytes)
    try again(line, bytes)
  }

  /// The envelope has one spelling: what was read of it says every byte.
  private static func pieces(
    of line: Line, _ bytes: UnsafeBufferPointer<UInt8>
  ) throws(Broken) {
    var pieces = Array(
      """
      {"v":1,"replica":"\(line.replica)","seq":\(line.seq),"recorded":"\(line.recorded)",\
      "id":"\(line.id)","author":"
      """.utf8)
    pieces += bytes[line.author]
    pieces += "\",".utf8
    pieces += bytes[line.body]
    try hold(
      line.crc == pieces.withUnsafeBufferPointer { CRC32C.of($0) }, "the check is of other bytes")
    pieces += ",\"crc32c\":\"\(Line.text(line.crc))\"}\n".utf8
    try hold(bytes.elementsEqual(pieces), "put together again: \(pieces)")
    let hash = bytes[line.body].dropFirst(15).dropLast()
    let isStub =
      bytes[line.body].elementsEqual(Array("\"body_sha256\":\"".utf8) + hash + [0x22])
      && hash.count == 64 && hash.allSatisfy { "0123456789abcdef".utf8.contains($0) }
    try hold(line.isStub == isStub, "isStub is \(line.isStub)")
  }

  /// Erased, a line is a stub with the same envelope, whose leaf is the line's own; a stub stays as it is.
  private static func stub(of line: Line, _ bytes: UnsafeBufferPointer<UInt8>) throws(Broken) {
    var hasher = SHA256()
    let leaf = line.leaf(of: bytes, using: &hasher)
    var stub = Array(bytes[..<line.body.lowerBound])
    if line.isStub {
      stub += bytes[line.body]
    } else {
      stub += "\"body_sha256\":\"\(hasher.hash(bytes[part: line.body]))\"".utf8
    }
    let proven = [0] + stub + [UInt8(ascii: "}")]
    try hold(proven.withUnsafeBufferPointer { hasher.hash($0) } == leaf, "another leaf: \(leaf)")
    stub += ",\"crc32c\":\"\(Line.text(stub.withUnsafeBufferPointer { CRC32C.of($0) }))\"}\n".utf8
    let written = line.stub(of: bytes, using: &hasher)
    try hold(written == stub, "erased, it is: \(written)")
    // A short body leaves no room for its hash where the author fills the line.
    guard written.count <= LineLimits.lineBytesMax else { return }
    try written.lend { (text) throws(Broken) in
      guard let second = try? Line(text) else { throw Broken("the stub is no line") }
      try hold(second.isStub && second.body.count == 80, "the stub is no stub: \(second)")
      try hold(second.leaf(of: text, using: &hasher) == leaf, "the stub has another leaf")
      try hold(second.stub(of: text, using: &hasher) == written, "erased twice, it is another")
    }
  }

  /// What was read is written, and read again.
  private static func again(_ line: Line, _ bytes: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let quoted = bytes[part: line.author.lowerBound - 1..<line.author.upperBound + 1]
    guard let author = try? JSONValue(parsing: quoted).string,
      author.utf8.count <= LineLimits.authorBytesMax,
      bytes.count + 1500 <= LineLimits.lineBytesMax
    else { return }
    let body = bytes[part: line.body]
    var written: [UInt8] = []
    Line.append(
      to: &written, replica: line.replica, seq: line.seq, recorded: line.recorded, id: line.id,
      author: author, body: body, salt: (line.seq, 1))
    try written.lend { (bytes) throws(Broken) in
      guard let second = try? Line(bytes) else { throw Broken("what was written cannot be read") }
      try hold(
        second.replica == line.replica && second.seq == line.seq && second.id == line.id
          && second.recorded == line.recorded && !second.isStub, "read again: \(second)")
      let quoted = bytes[part: second.author.lowerBound - 1..<second.author.upperBound + 1]
      try hold(
        (try? JSONValue(parsing: quoted).string).map { $0.utf8.elementsEqual(author.utf8) } == true,
        "the author is another")
      try hold(
        bytes[second.body].dropLast(Line.saltLength).elementsEqual(body), "the body is another")
    }
  }
}

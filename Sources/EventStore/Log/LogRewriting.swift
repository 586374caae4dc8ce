// Other bytes in the place of lines: stubs where words are to go, and what was damaged here. A segment is
// written anew next to the old one and takes its name; the log has to be opened again behind that.

import TimelineModel

extension ReplicaLog {
  /// Writes segments anew with other bytes for some lines: all of a segment or none of it, whatever
  /// crashes. Where lines of a damaged run are given, what stood there is kept next to the segment. The
  /// log has to be opened anew, also after an error.
  ///
  /// - Parameters:
  ///   - erased: lines whose words are to go; of what stood there, or speaks of `ids`, nothing is kept.
  ///   - signed: lines under the newest head.
  func rewrite(
    _ lines: [UInt64: [UInt8]], forgetting erased: Set<UInt64>, _ ids: [EventID], signed: UInt64,
    _ fileSystem: some FileSystem
  ) throws(FileError) {
    for index in segments.indices {
      let end = index + 1 < segments.count ? segments[index + 1].first : size + 1
      let seqs = segments[index].first..<end
      guard lines.keys.contains(where: seqs.contains) else { continue }
      let hasNext = index + 1 < segments.count
      let (bytes, aside, lost) = rewritten(
        seqs, of: segments[index], hasNext: hasNext, lines, erased, signed: signed)
      if let lost {
        try fileSystem.replace(
          LogSegment.path(ofFirst: lost.first, in: directory), with: lost.bytes)
      }
      for piece in aside where !Self.speaks(piece, of: ids) {
        let path = try LogTail.unusedName(
          segments[index].path + ".damaged", in: directory, fileSystem)
        try fileSystem.replace(path, with: piece)
      }
      try fileSystem.replace(segments[index].path, with: bytes)
    }
  }

  /// Empties what was kept next to segments and speaks of these ids.
  func emptyAside(naming ids: [EventID], _ fileSystem: some FileSystem) throws(FileError) {
    for name in try fileSystem.list(directory)
    where name.contains(".torn") || name.contains(".damaged") {
      let path = directory + "/" + name
      if Self.speaks(try fileSystem.read(path) ?? [], of: ids) {
        try fileSystem.replace(path, with: [])
      }
    }
  }

  private static func speaks(_ bytes: [UInt8], of ids: [EventID]) -> Bool {
    guard !ids.isEmpty else { return false }
    let text = String(decoding: bytes, as: UTF8.self)
    return ids.contains { text.contains($0.description) }
  }

  func syncDirectory(_ fileSystem: some FileSystem) throws(FileError) {
    try fileSystem.sync(directory: directory)
  }

  private func rewritten(
    _ seqs: Range<UInt64>, of segment: LogSegment, hasNext: Bool, _ lines: [UInt64: [UInt8]],
    _ erased: Set<UInt64>, signed: UInt64
  ) -> (bytes: [UInt8], aside: [[UInt8]], lost: (first: UInt64, bytes: [UInt8])?) {
    var lost: (first: UInt64, bytes: [UInt8])?
    var bytes: [UInt8] = []
    bytes.reserveCapacity(segment.size)
    var aside: [[UInt8]] = []
    var seq = seqs.lowerBound
    while seq < seqs.upperBound {
      if let text = line(seq) {
        if let other = lines[seq] { bytes += other } else { bytes += text }
        let strays = Int(starts[Int(seq - 1)]) + text.count..<end(of: seq, in: segment)
        if !strays.isEmpty { aside.append(Array(segment.file.bytes(strays))) }
        seq += 1
        continue
      }
      // A run of damaged lines: their bytes reach up to the next good one.
      let run = seq..<((seq..<seqs.upperBound).first { line($0) != nil } ?? seqs.upperBound)
      let start = Int(starts[Int(seq - 1)] & ~Self.damagedBit)
      let end =
        run.upperBound < seqs.upperBound ? Int(starts[Int(run.upperBound - 1)]) : segment.size
      let raw = start < end ? Array(segment.file.bytes(start..<end)) : []
      // Of a run at the end of a log that no head covers, only the bytes tell how many lines it had.
      let isKnown = run.upperBound <= size || run.upperBound <= signed + 1
      let found = run.flatMap { lines[$0] ?? [] }
      if !found.isEmpty, isKnown || run.allSatisfy({ lines[$0] != nil }) {
        // Of a segment that is gone nothing is left here: it gets its own file again.
        if raw.isEmpty, hasNext, run.upperBound == seqs.upperBound, !bytes.isEmpty {
          lost = (run.lowerBound, found)
        } else {
          bytes += found
        }
        if !raw.isEmpty, erased.isDisjoint(with: run) { aside.append(raw) }
      } else {
        bytes += raw
      }
      seq = run.upperBound
    }
    return (bytes, aside, lost)
  }
}

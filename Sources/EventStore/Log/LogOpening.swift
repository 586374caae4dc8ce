// Reading a log at a start: from where an index on disk knows it, up to what a crash may have left behind
// its last good line (Recovery).

import TimelineModel

extension ReplicaLog {
  /// Reads what is not known yet: every line's check is compared with its bytes, and `found` is called
  /// with what each good line says, and with the log up to that line. Returns what is wrong with what
  /// follows the last one; `finishRecovery` is called next.
  mutating func readOn(
    _ reader: LogReader, fileSystem: some FileSystem, damage: inout [LogDamage],
    _ found: (IndexEntry, () -> ReplicaLog) -> Void
  ) throws(FileError) -> String? {
    var reason: String?
    var names = try Self.segmentNames(in: directory, fileSystem)
    // The newest of those that are known may have grown.
    var index = max(0, segments.count - 1)
    dropStrangers(&names, from: index, &damage)
    while index < names.count {
      let (first, path) = names[index]
      if index == segments.count {
        let file = try fileSystem.openSegment(path, capacity: Self.segmentBytesMax)
        if first > size + 1 {
          noteDamage(
            upTo: first, at: segments.last?.size ?? 0, in: segments.last?.path ?? path,
            "a segment is missing", &damage)
        }
        segments.append(LogSegment(first: first, file: file, path: path, size: 0))
      }
      reason = scan(reader, damage: &damage, found)
      index += 1
      dropStrangers(&names, from: index, &damage)
      if index < names.count, endOfClosed(segments[index - 1]) == .brokenBeforeNext {
        noteDamage(
          upTo: names[index].first, at: segments[index - 1].size, in: path,
          "the segment ends within a line", &damage)
      }
    }
    return reason
  }

  private func endOfClosed(_ segment: LogSegment) -> SegmentEnd {
    let rest = SegmentRest(behind: segment)
    return SegmentEnd(.init(file: .closed, hasWrongLines: rest.lines > 0, tail: rest.tail))
  }

  /// Ends the reading: a torn tail is cut, unless a signed head says that its lines were durable.
  ///
  /// - Parameters:
  ///   - reason: what `readOn` says is wrong with what follows the last good line.
  ///   - signed: the number of lines of the newest signed head.
  mutating func finishRecovery(
    _ reason: String?, signed: UInt64, fileSystem: some FileSystem, damage: inout [LogDamage]
  ) throws(FileError) {
    let newest = segments.last
    let (good, path) = (newest?.size ?? 0, newest?.path ?? directory)
    let rest = newest.map { SegmentRest(behind: $0) } ?? SegmentRest()
    var facts = SegmentEnd.Facts(
      file: newest == nil ? .none : .newest, hasWrongLines: rest.lines > 0, tail: rest.tail,
      isUnderHead: size + rest.lines < signed)
    switch SegmentEnd(facts) {
    case .absent: return
    case .clean, .brokenBeforeNext, .lostUnderHead: break
    case .wrongLines: segments[segments.count - 1].size = good + rest.lineBytes
    case .torn, .tornBehindWrongLines, .tornWithoutRoom:
      segments[segments.count - 1].size = good + rest.lineBytes
      facts.hasRoom = try cutsTail(fileSystem)
      let isCut = SegmentEnd(facts) != .tornWithoutRoom
      damage.append(
        LogDamage(
          replica: id, file: path, offset: good + rest.lineBytes,
          kind: .tornTail(bytes: rest.tailBytes, isCut: isCut)))
    case .brokenUnderHead:
      // The next line is written behind it, and found there.
      segments[segments.count - 1].size = good + rest.lineBytes + rest.tailBytes
    }
    let wrong = reason ?? "whole lines with wrong bytes"
    noteDamage(upTo: size + rest.lines + 1, at: good, in: path, wrong, &damage)
    let lost = "a signed head says that they were there, the files do not have them"
    noteDamage(upTo: signed + 1, at: good, in: path, lost, &damage)
    // Lines that a killed process wrote may be in memory alone. They are served from here on, and sent
    // again they count as duplicates: they have to be durable.
    try newest?.file.sync()
  }

  /// Cuts the tail off; false where there is no room to keep it. What is there can be read on a full disk
  /// too.
  private func cutsTail(_ fileSystem: some FileSystem) throws(FileError) -> Bool {
    do throws(FileError) {
      try tail.truncateTornTail(fileSystem)
      return true
    } catch {
      guard error.cause == .full else { throw error }
      return false
    }
  }

  /// Passes over files whose name is so far from the last line that they are no segment of this log.
  private func dropStrangers(
    _ names: inout [(first: UInt64, path: String)], from index: Int, _ damage: inout [LogDamage]
  ) {
    while index < names.count, names[index].first > size + Self.gapMax {
      damage.append(LogDamage(replica: id, file: names[index].path, offset: 0, kind: .stranger))
      names.remove(at: index)
    }
  }

  /// Reads the newest segment on from where it is known, up to its last good line. Pieces that are no
  /// lines stand between good ones: they are damage. Whatever follows the last good line is left to
  /// the caller; returns what is wrong with it.
  private mutating func scan(
    _ reader: LogReader, damage: inout [LogDamage], _ found: (IndexEntry, () -> ReplicaLog) -> Void
  ) -> String? {
    let newest = segments.count - 1
    let (file, path) = (segments[newest].file, segments[newest].path)
    let bytes = file.bytes(0..<file.size)
    var reason: String?
    var previous = lastRecorded ?? RecordedTime(microseconds: .min)
    reader.read(bytes, from: segments[newest].size) { piece in
      guard let entry = piece.entry else {
        do throws(LineError) {
          _ = try Line(UnsafeBufferPointer(rebasing: bytes[piece.range]))
        } catch { reason = error.message }
        return
      }
      guard entry.replica == id, entry.ref.seq > size, entry.ref.seq <= size + Self.gapMax else {
        reason = "a line of another place"
        return
      }
      // The blocks behind a write that a power cut tore may hold lines of a batch that was cut off
      // before: whole, with numbers that are due, and refused.
      guard entry.recorded > previous else {
        reason = "recorded before the line ahead of it"
        return
      }
      let strays = piece.range.lowerBound - segments[newest].size
      if strays > 0, entry.ref.seq == size + 1 {
        hasDamage = true
        hasStrays = true
        damage.append(
          LogDamage(
            replica: id, file: path, offset: segments[newest].size, kind: .stray(bytes: strays)))
      }
      if entry.ref.seq > size + 1 {
        noteDamage(
          upTo: entry.ref.seq, at: segments[newest].size, in: path, reason ?? "lines are missing",
          &damage)
      }
      starts.append(UInt32(piece.range.lowerBound))
      segments[newest].size = piece.range.upperBound
      previous = entry.recorded
      reason = nil
      found(entry) { self }
    }
    return reason
  }

  /// Marks the lines before `next` that are not there as damaged.
  private mutating func noteDamage(
    upTo next: UInt64, at offset: Int, in path: String, _ reason: String,
    _ damage: inout [LogDamage]
  ) {
    let first = size + 1
    guard next > first else { return }
    hasDamage = true
    while size + 1 < next { starts.append(UInt32(offset) | Self.damagedBit) }
    damage.append(
      LogDamage(
        replica: id, file: path, offset: offset,
        kind: .lines(first: first, last: next - 1, reason: reason)))
  }
}

// Lines by their numbers: one, runs for a peer, and many for a scan. Memory is the file's own: nothing is
// copied, and callers that serve a line check it (`Line.isWhole`).

import TimelineModel

import func Glibc.memchr

extension ReplicaLog {
  /// The number of lines recorded up to a moment.
  func size(recordedBy time: RecordedTime) -> UInt64 {
    var low: UInt64 = 0
    var high = size
    while low < high {
      let middle = (low + high + 1) / 2
      // A damaged line says nothing; its good predecessor stands for it.
      var seq = middle
      while seq > low, line(seq) == nil { seq -= 1 }
      if seq == low || recorded(seq).map({ $0 <= time }) ?? false {
        low = middle
      } else {
        high = seq - 1
      }
    }
    return low
  }

  /// When a line was recorded; nil where it is damaged or not there.
  func recorded(_ seq: UInt64) -> RecordedTime? {
    line(seq).flatMap { try? Line($0).recorded }
  }

  /// When the last line that is not damaged was recorded.
  var lastRecorded: RecordedTime? {
    var seq = size
    while seq > 0 {
      if let recorded = recorded(seq) { return recorded }
      seq -= 1
    }
    return nil
  }

  /// A line with its LF; nil where it is damaged or not there.
  func line(_ seq: UInt64) -> UnsafeBufferPointer<UInt8>? {
    guard seq >= 1, seq <= size else { return nil }
    let start = starts[Int(seq - 1)]
    guard start & Self.damagedBit == 0 else { return nil }
    let segment = segments[segmentIndex(of: seq)]
    return trimmed(segment.file.bytes(Int(start)..<end(of: seq, in: segment)))
  }

  /// Where what follows a line begins.
  func end(of seq: UInt64, in segment: LogSegment) -> Int {
    let isLast = seq == size || self.segment(startsAt: seq + 1)
    return isLast ? segment.size : start(of: seq + 1)
  }

  private func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    guard hasStrays, let newline = text.firstIndexOfNewline else { return text }
    return UnsafeBufferPointer(rebasing: text[...newline])
  }

  /// Whole lines in a row from `first`, as they stand, at most `linesMax` and about `bytesMax`, and within
  /// one segment; stops before a damaged line. Empty where the first one is damaged.
  func run(
    from first: UInt64, linesMax: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
    guard let line = line(first) else { return (0, UnsafeBufferPointer(start: nil, count: 0)) }
    var count: UInt64 = 1
    var length = line.count
    while count < linesMax, let next = self.line(first + count),
      next.baseAddress == line.baseAddress! + length,
      length + next.count <= bytesMax
    {
      length += next.count
      count += 1
    }
    return (count, UnsafeBufferPointer(start: line.baseAddress, count: length))
  }

  /// Calls for each good line of a range of numbers, in their order: for reading many, from many
  /// threads.
  func visit(_ seqs: Range<UInt64>, _ body: (UInt64, UnsafeBufferPointer<UInt8>) -> Void) {
    visit(seqs, where: { bytes, at in at < bytes.count ? at : nil }, body)
  }

  /// The same for those lines alone that have a byte which is looked for: `next` finds it, in the bytes of
  /// many lines and from an offset on.
  func visit(
    _ seqs: Range<UInt64>, where next: (UnsafeBufferPointer<UInt8>, Int) -> Int?,
    _ body: (UInt64, UnsafeBufferPointer<UInt8>) -> Void
  ) {
    var seq = seqs.lowerBound
    let last = min(seqs.upperBound, size + 1)
    while seq < last {
      let index = segmentIndex(of: seq)
      let segment = segments[index]
      let end = index + 1 < segments.count ? min(last, segments[index + 1].first) : last
      let bytes = segment.file.bytes(0..<self.end(of: end - 1, in: segment))
      var at = start(of: seq)
      while let found = next(bytes, at) {
        seq = line(at: found, among: seq..<end)
        let isGood = starts[Int(seq - 1)] & Self.damagedBit == 0
        let range = start(of: seq)..<(seq + 1 < end ? start(of: seq + 1) : bytes.count)
        if isGood { body(seq, trimmed(UnsafeBufferPointer(rebasing: bytes[range]))) }
        at = range.upperBound
      }
      seq = end
    }
  }

  /// Where a line begins in its segment, or the damaged ones that it is among.
  private func start(of seq: UInt64) -> Int { Int(starts[Int(seq - 1)] & ~Self.damagedBit) }

  /// The line that a byte of a segment is in, among lines of that segment.
  private func line(at offset: Int, among seqs: Range<UInt64>) -> UInt64 {
    var (low, high) = (seqs.lowerBound, seqs.upperBound - 1)
    // Most often it is one of the first.
    var step: UInt64 = 1
    while low + step <= high, start(of: low + step) <= offset {
      low += step
      step *= 2
    }
    high = min(high, low + step - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if start(of: middle) <= offset { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// Whether every line up to a number that is not known to be damaged is what was written.
  func isWhole(upTo last: UInt64) -> Bool {
    var seqs: UInt64 = 0
    var good: UInt64 = 0
    visit(1..<last + 1) { seq, text in
      seqs += 1
      if let line = try? Line(text), line.replica == id, line.seq == seq { good += 1 }
    }
    setAside()
    return seqs == good
  }

  /// Says that its bytes are not needed for now.
  func setAside() { for segment in segments { segment.file.setAside() } }

  private func segment(startsAt seq: UInt64) -> Bool {
    segments[segmentIndex(of: seq)].first == seq
  }

  private func segmentIndex(of seq: UInt64) -> Int {
    var low = 0
    var high = segments.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if segments[middle].first <= seq { low = middle } else { high = middle - 1 }
    }
    return low
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// The first LF, by the library's own scan.
  var firstIndexOfNewline: Int? {
    guard let base = baseAddress, let found = memchr(base, 0x0A, count) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }
}

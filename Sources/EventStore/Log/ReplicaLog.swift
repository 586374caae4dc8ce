// One replica's log: its lines in segments, each found by its number.
//
//     logs/REPLICA/00000000000000000001.jsonl     lines 1 … 118,000
//     logs/REPLICA/00000000000000118001.jsonl     lines 118,001 …
//
// The one place where log files are opened, read, appended to and cut. It is a value: a copy made by
// a snapshot reads on while the owner appends.

import TimelineModel

import func Glibc.memchr

/// What a start found wrong in a log.
public struct LogDamage: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// The end of the newest segment held no whole line: a write that was never acknowledged.
    /// It was cut off, and its bytes kept beside the segment; or, on a full disk, it will be, with the
    /// next append for which there is room.
    case tornTail(bytes: Int, isCut: Bool = true)
    /// Lines that are no lines any more. They stay where they are, and are served by no one.
    case lines(first: UInt64, last: UInt64, reason: String)
    /// Bytes between two good lines in a row: no line is lacking, these are too many.
    case stray(bytes: Int)
    /// A file among the segments that cannot be one.
    case stranger
  }

  public var replica: ReplicaID
  public var file: String
  public var offset: Int
  public var kind: Kind

  public var message: String {
    switch kind {
    case .tornTail(let bytes, isCut: false):
      "\(file): \(bytes) bytes at \(offset) are the unfinished end of a write that was never "
        + "acknowledged; the disk is too full to keep them aside, so they stay until an append finds room"
    case .tornTail(let bytes, isCut: true):
      "\(file): cut \(bytes) bytes at \(offset), the unfinished end of a write that was never "
        + "acknowledged, and kept them beside it as .torn"
    case .lines(let first, let last, let reason):
      "\(file): lines \(first) to \(last) of replica \(replica) at byte \(offset) are damaged "
        + "(\(reason)); they are left as they are, everything else is served"
    case .stray(let bytes):
      "\(file): \(bytes) bytes at \(offset) stand between two lines and are none; they are passed over"
    case .stranger:
      "\(file): no segment of this log, by its name; it is left alone, move it away"
    }
  }
}

struct ReplicaLog: Sendable {
  /// A segment is closed before it would grow past this: small enough to copy and to check, large
  /// enough that a decade of work is a handful of files.
  static let segmentBytesMax = 64 << 20

  let id: ReplicaID
  private let directory: String
  private var segments: [Segment] = []
  /// For each line, by its number - 1: where it begins in its segment; the top bit says damaged.
  /// A line ends where the next one begins, or its segment ends.
  private var starts = Column<UInt32>()

  private static let damagedBit: UInt32 = 1 << 31
  /// Lines that segments in a row may lack and still be those of one log.
  private static let gapMax: UInt64 = 100_000_000
  /// Whether some line is known to be damaged.
  private(set) var hasDamage = false
  /// Whether bytes that are no line may follow one, so that it ends with its LF, not where the next
  /// one begins.
  private var hasStrays = false

  private struct Segment: Sendable {
    let first: UInt64
    let file: any SegmentFile
    let path: String
    /// Bytes that are durable and indexed; the file may be longer while a batch is being written.
    var size: Int
  }

  /// How far an index on disk has read a log.
  struct Cover: Sendable {
    var segments: [(first: UInt64, bytes: Int)]
    /// The `crc32c` of the last line.
    var check: UInt32
    var starts: Column<UInt32>
  }

  /// Opens the log of a replica, or begins one, as far as `cover` knows it, which `fits`; `readOn`
  /// does the rest. Its directory is made with its first segment.
  init(
    _ id: ReplicaID, in directory: String, cover: Cover?, fileSystem: some FileSystem
  ) throws(FileError) {
    self.id = id
    self.directory = directory
    guard let cover else { return }
    starts = cover.starts
    let names = try Self.segmentNames(in: directory, fileSystem)
    for ((first, bytes), name) in zip(cover.segments, names) {
      let file = try fileSystem.openSegment(name.path, capacity: Self.segmentBytesMax)
      segments.append(Segment(first: first, file: file, path: name.path, size: bytes))
    }
  }

  /// Reads what is not known yet: every line's check is compared with its bytes, and `found` is called
  /// with what each good line says, and with the log up to that line. Returns what is wrong with what
  /// follows the last one; `settle` is called next.
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
        segments.append(Segment(first: first, file: file, path: path, size: 0))
      }
      reason = scan(reader, damage: &damage, found)
      index += 1
      dropStrangers(&names, from: index, &damage)
      if index < names.count, segments[index - 1].size < segments[index - 1].file.size {
        noteDamage(
          upTo: names[index].first, at: segments[index - 1].size, in: path,
          "the segment ends within a line", &damage)
      }
    }
    return reason
  }

  /// Ends the reading: a torn tail is cut, unless a signed head says that its lines were durable.
  ///
  /// - Parameter signed: the number of lines of the newest signed head.
  mutating func settle(
    _ reason: String?, signed: UInt64, fileSystem: some FileSystem, damage: inout [LogDamage]
  ) throws(FileError) {
    guard let newest = segments.last else {
      guard signed > 0 else { return }
      return noteDamage(upTo: signed + 1, at: 0, in: directory, Self.lost, &damage)
    }
    try mendTail(fileSystem, reason ?? "whole lines with wrong bytes", signed, &damage)
    noteDamage(upTo: signed + 1, at: newest.size, in: newest.path, Self.lost, &damage)
    // Lines that a killed process wrote may be in memory alone. They are served from here on, and sent
    // again they count as duplicates: they have to be durable.
    try newest.file.sync()
  }

  private static let lost = "a signed head says that they were there, the files do not have them"

  /// Passes over files whose name is so far from the last line that they are no segment of this log.
  private func dropStrangers(
    _ names: inout [(first: UInt64, path: String)], from index: Int, _ damage: inout [LogDamage]
  ) {
    while index < names.count, names[index].first > size + Self.gapMax {
      damage.append(LogDamage(replica: id, file: names[index].path, offset: 0, kind: .stranger))
      names.remove(at: index)
    }
  }

  /// What follows the last good line of the newest segment. A write that a crash cut short ends
  /// without LF, or holds blocks that were never written, which read as zeros: it was not acknowledged,
  /// and is cut off. Whole lines that are wrong are damage, and stay.
  private mutating func mendTail(
    _ fileSystem: some FileSystem, _ reason: String, _ signed: UInt64, _ damage: inout [LogDamage]
  ) throws(FileError) {
    let newest = segments.count - 1
    let (file, path, good) = (segments[newest].file, segments[newest].path, segments[newest].size)
    let rest = file.bytes(good..<file.size)
    guard !rest.isEmpty else { return }
    var whole = 0
    var lines: UInt64 = 0
    for (offset, byte) in rest.enumerated() {
      if byte == 0 { break }
      if byte == 0x0A {
        whole = offset + 1
        lines += 1
      }
    }
    segments[newest].size = good + whole
    if size + lines < signed {
      // The next line is written behind it, and found there.
      segments[newest].size = file.size
    } else if whole < rest.count {
      var isCut = true
      do throws(FileError) { try cutTail(fileSystem) } catch {
        // What is there can be read on a full disk too.
        guard error.cause == .full else { throw error }
        isCut = false
      }
      let kind = LogDamage.Kind.tornTail(bytes: rest.count - whole, isCut: isCut)
      damage.append(LogDamage(replica: id, file: path, offset: good + whole, kind: kind))
    }
    noteDamage(upTo: size + lines + 1, at: good, in: path, reason, &damage)
  }

  /// Keeps what stands behind the newest segment's last line beside it, and cuts it off.
  private func cutTail(_ fileSystem: some FileSystem) throws(FileError) {
    guard let newest = segments.last, newest.size < newest.file.size else { return }
    let torn = Array(newest.file.bytes(newest.size..<newest.file.size))
    try fileSystem.replace(try unusedName(newest.path + ".torn", fileSystem), with: torn)
    do throws(FileError) { try newest.file.truncate(to: newest.size) } catch {
      throw FileError(error.operation, error.path, .unsynced(error.cause.text))
    }
  }

  /// The name, or the name with a number behind it: what is kept is never written over.
  private func unusedName(
    _ path: String, _ fileSystem: some FileSystem
  ) throws(FileError) -> String {
    let names = Set(try fileSystem.list(directory).map { directory + "/" + $0 })
    var name = path
    var number = 1
    while names.contains(name) {
      number += 1
      name = "\(path)-\(number)"
    }
    return name
  }

  private static func segmentNames(
    in directory: String, _ fileSystem: some FileSystem
  ) throws(FileError) -> [(first: UInt64, path: String)] {
    try fileSystem.list(directory).compactMap { name in
      guard name.hasSuffix(".jsonl"), let first = UInt64(name.dropLast(6)), first > 0 else {
        return nil
      }
      return (first, directory + "/" + name)
    }
  }

  /// Whether the files in a directory are those that an index on disk has read, grown at most: by their
  /// names and sizes, and the last line that it knows.
  static func fits(
    _ cover: Cover, _ id: ReplicaID, in directory: String, _ fileSystem: some FileSystem
  ) throws(FileError) -> Bool {
    let names = try segmentNames(in: directory, fileSystem)
    guard cover.segments.count <= names.count else { return false }
    for (index, (known, name)) in zip(cover.segments, names).enumerated() {
      guard known.first == name.first else { return false }
      let file = try fileSystem.openSegment(name.path, capacity: segmentBytesMax)
      guard index + 1 == cover.segments.count else {
        guard file.size == known.bytes else { return false }
        continue
      }
      let size = cover.starts.count
      guard size > 0, file.size >= known.bytes, case let start = Int(cover.starts[size - 1]),
        start < known.bytes, let line = try? Line(file.bytes(start..<known.bytes)),
        line.replica == id, line.seq == UInt64(size), line.crc == cover.check
      else { return false }
    }
    return true
  }

  /// Goes on with what is known of the log in the memory of the index on disk, made of a copy of this log.
  mutating func adopt(_ cover: Cover, madeOf old: ReplicaLog) {
    starts.adopt(cover.starts, madeOf: old.starts)
  }

  /// What an index on disk has to know of this log; nil where there is nothing to know.
  var cover: Cover? {
    guard size > 0, let check = line(size).flatMap({ try? Line($0).crc }) else { return nil }
    return Cover(
      segments: segments.map { ($0.first, $0.size) }, check: check, starts: starts)
  }

  /// Lines that are known to be damaged, in ranges.
  var damaged: [Range<UInt64>] {
    guard hasDamage else { return [] }
    var ranges: [Range<UInt64>] = []
    for seq in 1..<size + 1 where starts[Int(seq - 1)] & Self.damagedBit != 0 {
      if let last = ranges.last, last.upperBound == seq {
        ranges[ranges.count - 1] = last.lowerBound..<seq + 1
      } else {
        ranges.append(seq..<seq + 1)
      }
    }
    return ranges
  }

  /// Number of lines, damaged ones included.
  var size: UInt64 { UInt64(starts.count) }

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

  /// Bytes on disk.
  var bytes: Int { segments.reduce(0) { $0 + $1.size } }

  /// A line with its LF; nil where it is damaged or not there.
  func line(_ seq: UInt64) -> UnsafeBufferPointer<UInt8>? {
    guard seq >= 1, seq <= size else { return nil }
    let start = starts[Int(seq - 1)]
    guard start & Self.damagedBit == 0 else { return nil }
    let segment = segments[segmentIndex(of: seq)]
    return trimmed(segment.file.bytes(Int(start)..<end(of: seq, in: segment)))
  }

  /// Where what follows a line begins.
  private func end(of seq: UInt64, in segment: Segment) -> Int {
    let isLast = seq == size || self.segment(startsAt: seq + 1)
    return isLast ? segment.size : start(of: seq + 1)
  }

  private func trimmed(_ text: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    guard hasStrays, let newline = text.firstIndexOfNewline else { return text }
    return UnsafeBufferPointer(rebasing: text[...newline])
  }

  /// Whole lines in a row from `first`, as they stand, at most about `bytesMax` and within one
  /// segment; stops before a damaged line. Empty where the first one is damaged.
  func run(
    from first: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
    guard let line = line(first) else { return (0, UnsafeBufferPointer(start: nil, count: 0)) }
    var count: UInt64 = 1
    var length = line.count
    while let next = self.line(first + count), next.baseAddress == line.baseAddress! + length,
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

  // MARK: Appending

  /// Writes whole lines after the last one and makes them durable. `lengths` are the lines' sizes.
  /// Returns how many are in the log, the first ones of the batch; fewer than all with an error.
  mutating func append(
    _ bytes: UnsafeBufferPointer<UInt8>, lengths: [Int], fileSystem: some FileSystem
  ) -> (lines: Int, error: FileError?) {
    var done = 0
    var offset = 0
    do throws(FileError) {
      // A start on a full disk could not.
      try cutTail(fileSystem)
      while done < lengths.count {
        let space = Self.segmentBytesMax - (segments.last?.size ?? Self.segmentBytesMax)
        if space < lengths[done] { try openNext(fileSystem) }
        let last = segments.count - 1
        let before = segments[last].size
        var count = 0
        var end = before
        while done + count < lengths.count, end + lengths[done + count] <= Self.segmentBytesMax {
          end += lengths[done + count]
          count += 1
        }
        try write(UnsafeBufferPointer(rebasing: bytes[offset..<offset + end - before]))
        var start = before
        for length in lengths[done..<done + count] {
          starts.append(UInt32(start))
          start += length
        }
        segments[last].size = end
        offset += end - before
        done += count
      }
    } catch {
      return (done, error)
    }
    return (done, nil)
  }

  /// Writes and syncs at the end of the newest segment, or leaves it as it was.
  private func write(_ bytes: UnsafeBufferPointer<UInt8>) throws(FileError) {
    let segment = segments[segments.count - 1]
    do throws(FileError) {
      try segment.file.append(bytes)
    } catch {
      // What the write left is no line that was ever acknowledged. Where it cannot be cut off, the
      // next line would stand behind it: no disk that is merely full has that.
      do throws(FileError) { try segment.file.truncate(to: segment.size) } catch {
        throw FileError(error.operation, error.path, .unsynced(error.cause.text))
      }
      throw error
    }
    do throws(FileError) {
      try segment.file.sync()
    } catch {
      // What is on the disk now nobody knows, and asking again may be answered with a lie. The lines
      // were not acknowledged: they should not be there after a restart, if that can be helped.
      try? segment.file.truncate(to: segment.size)
      throw FileError(error.operation, error.path, .unsynced(error.cause.text))
    }
  }

  private mutating func openNext(_ fileSystem: some FileSystem) throws(FileError) {
    let first = size + 1
    let path = path(ofFirst: first)
    try fileSystem.createDirectory(String(directory[..<directory.lastIndex(of: "/")!]))
    try fileSystem.createDirectory(directory)
    let file = try fileSystem.openSegment(path, capacity: Self.segmentBytesMax)
    segments.append(Segment(first: first, file: file, path: path, size: file.size))
  }

  // MARK: Other bytes in the place of lines

  /// Writes segments anew with other bytes for some lines: all of a segment or none of it, whatever
  /// crashes. Where lines of a damaged run are given, what stood there is kept beside the segment. The
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
      if let lost { try fileSystem.replace(path(ofFirst: lost.first), with: lost.bytes) }
      for piece in aside where !Self.speaks(piece, of: ids) {
        let path = try unusedName(segments[index].path + ".damaged", fileSystem)
        try fileSystem.replace(path, with: piece)
      }
      try fileSystem.replace(segments[index].path, with: bytes)
    }
  }

  /// Empties what was kept beside segments and speaks of these ids.
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
    _ seqs: Range<UInt64>, of segment: Segment, hasNext: Bool, _ lines: [UInt64: [UInt8]],
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

  /// The file of the segment that begins with a line.
  private func path(ofFirst seq: UInt64) -> String {
    let digits = String(seq)
    return directory + "/" + String(repeating: "0", count: 20 - digits.count) + digits + ".jsonl"
  }

  // MARK: Recovery

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

extension UnsafeBufferPointer<UInt8> {
  /// The first LF, by the library's own scan.
  var firstIndexOfNewline: Int? {
    guard let base = baseAddress, let found = memchr(base, 0x0A, count) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }
}

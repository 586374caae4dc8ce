// One replica's log: its lines in segments, each found by its number.
//
//     logs/REPLICA/00000000000000000001.jsonl     lines 1 … 118,000
//     logs/REPLICA/00000000000000118001.jsonl     lines 118,001 …
//
// It is a value: the copy in a read view reads on while the owner appends. Here is what it holds; how it is
// opened stands in LogOpening and Recovery, read in LogReading, written in LogTail, rewritten in
// LogRewriting. No other file opens, writes or cuts a segment.

import TimelineModel

/// A file of a log.
struct LogSegment: Sendable {
  let first: UInt64
  let file: any SegmentFile
  let path: String
  /// Bytes that are durable and indexed; the file may be longer while a batch is being written.
  var size: Int

  /// The file of the segment that begins with a line.
  static func path(ofFirst seq: UInt64, in directory: String) -> String {
    let digits = String(seq)
    return directory + "/" + String(repeating: "0", count: 20 - digits.count) + digits + ".jsonl"
  }
}

struct ReplicaLog: Sendable {
  /// A segment is closed before it would grow past this: small enough to copy and to check, large
  /// enough that a decade of work is a handful of files.
  static let segmentBytesMax = 64 << 20
  /// Set in `starts` for a damaged line.
  static let damagedBit: UInt32 = 1 << 31
  /// Lines that segments in a row may lack and still be those of one log.
  static let gapMax: UInt64 = 100_000_000

  let id: ReplicaID
  let directory: String
  /// By their first lines, which rise; those up to `size` stand in them.
  var segments: [LogSegment] = []
  /// For each line, by its number - 1: where it begins in its segment; the top bit says damaged.
  /// A line ends where the next one begins, or its segment ends.
  var starts = Column<UInt32>()
  /// Whether some line is known to be damaged: where a start has the top bit.
  var hasDamage = false
  /// Whether bytes that are no line may follow one, so that it ends with its LF, not where the next
  /// one begins.
  var hasStrays = false

  /// How far an index on disk has read a log.
  struct Cover: Sendable {
    var segments: [(first: UInt64, bytes: Int)]
    /// The `crc32c` of the last line.
    var check: UInt32
    var starts: Column<UInt32>
  }

  /// The log of a replica of which nothing is known yet; `readOn` reads what is there. Its directory is made
  /// with its first segment.
  init(_ id: ReplicaID, in directory: String) {
    self.id = id
    self.directory = directory
  }

  /// Opens a log as far as `cover` knows it, which `fits`; `readOn` does the rest.
  init(
    _ id: ReplicaID, in directory: String, cover: Cover?, _ fileSystem: some FileSystem
  ) throws(FileError) {
    self.init(id, in: directory)
    guard let cover else { return }
    starts = cover.starts
    let names = try Self.segmentNames(in: directory, fileSystem)
    for ((first, bytes), name) in zip(cover.segments, names) {
      let file = try fileSystem.openSegment(name.path, capacity: Self.segmentBytesMax)
      segments.append(LogSegment(first: first, file: file, path: name.path, size: bytes))
    }
  }

  /// Number of lines, damaged ones included.
  var size: UInt64 { UInt64(starts.count) }

  /// Bytes on disk.
  var bytes: Int { segments.reduce(0) { $0 + $1.size } }

  static func segmentNames(
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
}

// The end of a log: all that writing behind its last line takes. It is taken from a log, written to on any
// thread while the log goes on being read, and given back (`ReplicaLog.take`):
//
//     log.tail ─▶ append: write → fdatasync ─▶ log.take(tail)
//
// So the lines of a batch become part of the log where it is owned, and nothing else of it is copied.

import TimelineModel

struct LogTail: Sendable {
  /// Lines that were written in a row, in one segment.
  struct Run: Sendable {
    /// Where the first one begins.
    let start: Int
    let lines: Int
  }

  private let directory: String
  fileprivate private(set) var segments: [LogSegment]
  /// Number of lines, those of `runs` included.
  private(set) var size: UInt64
  /// What was written since it was taken from its log.
  fileprivate private(set) var runs: [Run] = []

  /// The log that it was taken from.
  fileprivate struct Begin: Equatable, Sendable {
    let size: UInt64
    let bytes: Int
  }

  fileprivate let begin: Begin

  fileprivate init(of log: ReplicaLog) {
    begin = Begin(size: log.size, bytes: log.bytes)
    directory = log.directory
    segments = log.segments
    size = log.size
  }

  /// Writes whole lines after the last one and makes them durable; returns how many, the first ones of
  /// the batch: fewer than all with an error.
  ///
  /// - Parameter lengths: the lines' sizes, in bytes.
  mutating func append(
    _ bytes: UnsafeBufferPointer<UInt8>, lengths: [Int], _ fileSystem: some FileSystem
  ) -> (lines: Int, error: FileError?) {
    var done = 0
    var offset = 0
    do throws(FileError) {
      // A start on a full disk could not.
      try truncateTornTail(fileSystem)
      while done < lengths.count {
        let space =
          ReplicaLog.segmentBytesMax - (segments.last?.size ?? ReplicaLog.segmentBytesMax)
        if space < lengths[done] { try openNext(fileSystem) }
        let last = segments.count - 1
        let before = segments[last].size
        var count = 0
        var end = before
        while done + count < lengths.count,
          end + lengths[done + count] <= ReplicaLog.segmentBytesMax
        {
          end += lengths[done + count]
          count += 1
        }
        try write(UnsafeBufferPointer(rebasing: bytes[offset..<offset + end - before]))
        runs.append(Run(start: before, lines: count))
        size += UInt64(count)
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
    let path = LogSegment.path(ofFirst: size + 1, in: directory)
    try fileSystem.createDirectory(String(directory[..<directory.lastIndex(of: "/")!]))
    try fileSystem.createDirectory(directory)
    let file = try fileSystem.openSegment(path, capacity: ReplicaLog.segmentBytesMax)
    segments.append(LogSegment(first: size + 1, file: file, path: path, size: file.size))
  }

  /// Keeps what stands behind the newest segment's last line in a file next to it, and cuts it off.
  func truncateTornTail(_ fileSystem: some FileSystem) throws(FileError) {
    guard let newest = segments.last, newest.size < newest.file.size else { return }
    let torn = Array(newest.file.bytes(newest.size..<newest.file.size))
    let path = try Self.unusedName(newest.path + ".torn", in: directory, fileSystem)
    try fileSystem.replace(path, with: torn)
    do throws(FileError) { try newest.file.truncate(to: newest.size) } catch {
      throw FileError(error.operation, error.path, .unsynced(error.cause.text))
    }
  }

  /// The name, or the name with a number behind it: what is kept is never written over.
  static func unusedName(
    _ path: String, in directory: String, _ fileSystem: some FileSystem
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
}

extension ReplicaLog {
  var tail: LogTail { LogTail(of: self) }

  /// Goes on with what was written at the end that was taken from this log; nothing else may have changed
  /// it meanwhile.
  ///
  /// - Parameter lengths: the sizes of the lines of the batch, in bytes, written or not.
  mutating func take(_ tail: LogTail, lengths: [Int]) {
    let lines = tail.runs.reduce(0) { $0 + $1.lines }
    require(
      "a log is as it was when its end was taken",
      tail.begin == LogTail.Begin(size: size, bytes: bytes) && lines <= lengths.count,
      [
        "log": id, "lines": size, "bytes": bytes, "lines then": tail.begin.size,
        "bytes then": tail.begin.bytes, "written": lines,
      ])
    var done = 0
    for run in tail.runs {
      var start = run.start
      for length in lengths[done..<done + run.lines] {
        starts.append(UInt32(start))
        start += length
      }
      done += run.lines
    }
    segments = tail.segments
  }
}

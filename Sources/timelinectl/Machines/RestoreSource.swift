// The lines of a backup as a sync session asks for them: log after log, each from its beginning. They
// are read again from the file, and checked again, since nobody holds a file still between two readings.

import Backup
import TimelineModel
import TimelineWire

final class RestoreSource: LogSource {
  /// What is to be restored of each log.
  let position: Position
  /// The logs whose signed heads are to be sent.
  var offered: Set<ReplicaID> = []
  /// Why there are no more lines; nil in health.
  private(set) var failure: Failure?

  private let input: BackupInput
  /// The heads that were found in the lines.
  private let heads: [ReplicaID: BackupLog]
  private var reader: BackupFileReader? = BackupFileReader()
  private var ready: [Run] = []
  /// The run that was handed out last: it has to stay where it is for a while.
  private var given = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: runBytesMax)

  /// Less than a session sends at a time.
  private static let runBytesMax = 900 << 10

  /// Lines in a row.
  private struct Run {
    let replica: ReplicaID
    let first: UInt64
    var count: UInt64 = 0
    var bytes: [UInt8] = []
  }

  init(_ input: BackupInput, _ contents: BackupContents) {
    self.input = input
    position = contents.restorable
    heads = Dictionary(
      uniqueKeysWithValues: contents.logs.filter(\.isHeadChecked).map { ($0.replica, $0) })
    input.rewind()
  }

  deinit { given.deallocate() }

  /// Whether all of the file was read, and was what it was when it was checked.
  var isDone: Bool { reader == nil && ready.isEmpty && failure == nil }

  func run(
    of replica: ReplicaID, from first: UInt64, linesMax: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
    let none: (UInt64, UnsafeBufferPointer<UInt8>) = (0, UnsafeBufferPointer(start: nil, count: 0))
    guard failure == nil, bytesMax >= Self.runBytesMax else { return none }
    do throws(Failure) {
      // The last of them may still grow.
      while reader != nil, ready.count < 2 { try readOn() }
    } catch {
      failure = error
      return none
    }
    guard let run = ready.first, run.replica == replica, run.first == first else {
      failure = Failure(
        .verificationFailed, code: "damaged", "\(input.path) changed while it was read")
      return none
    }
    ready.removeFirst()
    _ = given.update(fromContentsOf: run.bytes)
    return (run.count, UnsafeBufferPointer(rebasing: given[..<run.bytes.count]))
  }

  /// How many lines each head is of.
  var signed: Position { Position(heads.mapValues { $0.headSize ?? 0 }) }

  func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? {
    guard offered.contains(replica), let log = heads[replica], let size = log.headSize,
      let head = log.head
    else { return nil }
    return (size, Array(head.utf8))
  }

  /// Reads the rest of the file, which has no more lines that are wanted.
  func finish() throws(Failure) {
    while reader != nil { try readOn() }
  }

  private func readOn() throws(Failure) {
    let (position, runBytesMax) = (position, Self.runBytesMax)
    var ready = ready
    self.ready = []
    defer { self.ready = ready }
    let hasMore = try input.read { (bytes) throws(BackupError) in
      try reader!.take(bytes) { replica, seq, line in
        guard seq <= position[replica] else { return }
        if ready.last.map({ $0.replica != replica || $0.bytes.count + line.count > runBytesMax })
          ?? true
        {
          ready.append(Run(replica: replica, first: seq))
        }
        ready[ready.count - 1].bytes.append(contentsOf: line)
        ready[ready.count - 1].count += 1
      }
    }
    guard !hasMore, let reader = reader.take() else { return }
    do throws(BackupError) { _ = try reader.end() } catch { throw input.failure(error) }
  }
}

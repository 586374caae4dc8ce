// All lines of a timeline as it stood at one moment, log after log in the order of their ids: what a
// backup is made of. It holds the logs alone, so that an index that goes on growing is not kept twice.

import TimelineModel
import TransparencyLog

public struct LogWalk: Sendable {
  public enum Step {
    /// A log begins that has so many lines, damaged ones included.
    case log(ReplicaID, lines: UInt64)
    /// Its next line, as it stands on disk. One that is not what was written is left out: its number
    /// is missing.
    case line(UnsafeBufferPointer<UInt8>)
    /// The same of a line whose words are to go, and could not be taken off the disk yet: without them.
    case erased([UInt8])
  }

  private let logs: [ReplicaLog]
  private let due: [ReplicaID: Set<UInt64>]
  private var current = -1
  private var seq: UInt64 = 0
  private var recorded: RecordedTime?
  /// Bytes of the log that were read since its memory was last set aside.
  private var read = 0
  /// Lines that came.
  public private(set) var lines = 0
  /// Lines that were left out.
  public private(set) var missing = 0

  private static let bytesAtATime = 16 << 20

  public init(_ view: ReadView) {
    due = Dictionary(
      uniqueKeysWithValues: view.index.linesToErase(view.logs).map { logIndex, seqs in
        (view.logs[logIndex].id, seqs)
      })
    logs = view.logs.filter { $0.size > 0 }.sorted { $0.id < $1.id }
  }

  public var position: Position { Position(Dictionary(logs.map { ($0.id, $0.size) }) { $1 }) }

  /// Nil at the end.
  public mutating func next() -> Step? {
    while current >= 0, seq < logs[current].size {
      seq += 1
      if let (line, text) = take(logs[current]) {
        guard due[line.replica]?.contains(seq) ?? false else { return .line(text) }
        var hasher = SHA256()
        return .erased(line.stub(of: text, using: &hasher))
      }
      missing += 1
    }
    if current >= 0, current < logs.count { logs[current].setAside() }
    guard current + 1 < logs.count else { return nil }
    current += 1
    seq = 0
    recorded = nil
    return .log(logs[current].id, lines: logs[current].size)
  }

  /// The line of that number, where every machine would take it as that.
  private mutating func take(_ log: ReplicaLog) -> (line: Line, text: UnsafeBufferPointer<UInt8>)? {
    if read > Self.bytesAtATime {
      log.setAside()
      read = 0
    }
    guard let text = log.line(seq), let line = try? Line(text), line.replica == log.id,
      line.seq == seq, recorded.map({ $0 < line.recorded }) ?? true
    else { return nil }
    recorded = line.recorded
    read += text.count
    lines += 1
    return (line, text)
  }
}

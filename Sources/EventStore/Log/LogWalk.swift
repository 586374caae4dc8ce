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
  private var place = -1
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
      uniqueKeysWithValues: view.index.linesToErase(view.logs).map { place, seqs in
        (view.logs[place].id, seqs)
      })
    logs = view.logs.filter { $0.size > 0 }.sorted { $0.id < $1.id }
  }

  public var position: Position { Position(Dictionary(logs.map { ($0.id, $0.size) }) { $1 }) }

  /// Nil at the end.
  public mutating func next() -> Step? {
    while place >= 0, seq < logs[place].size {
      seq += 1
      if let (line, text) = take(logs[place]) {
        guard due[line.replica]?.contains(seq) ?? false else { return .line(text) }
        var hasher = SHA256()
        return .erased(line.stub(of: text, using: &hasher))
      }
      missing += 1
    }
    if place >= 0, place < logs.count { logs[place].setAside() }
    guard place + 1 < logs.count else { return nil }
    place += 1
    seq = 0
    recorded = nil
    return .log(logs[place].id, lines: logs[place].size)
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

// Free text over a whole log: all lines read in a row, on all processors, at the speed of memory. It
// finds the lines that may hold the words; the few that remain are then read with care.

import Dispatch
import Synchronization
import TimelineModel

struct TextScan: Sendable {
  /// For each log, a bit for each line, by its number - 1.
  private let marks: [[UInt64]]

  /// Lines of one task: a whole number of words of marks.
  private static let portion = 16_384

  init(for needles: [TextNeedle], in logs: [ReplicaLog]) {
    marks = logs.map { log in
      let portions = (Int(log.size) + Self.portion - 1) / Self.portion
      let found = Mutex([[UInt64]](repeating: [], count: portions))
      DispatchQueue.concurrentPerform(iterations: portions) { number in
        let first = number * Self.portion
        let count = min(Self.portion, Int(log.size) - first)
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        for offset in 0..<count {
          guard let line = log.line(UInt64(first + offset + 1)) else { continue }
          if needles.allSatisfy({ $0.mayStand(in: line) }) {
            words[offset / 64] |= 1 << UInt64(offset % 64)
          }
        }
        found.withLock { $0[number] = words }
      }
      return found.withLock { $0.flatMap { $0 } }
    }
  }

  /// Whether a line may hold all of the words; false is certain.
  func mayHold(_ ref: LineRef) -> Bool {
    let place = Int(ref.seq - 1)
    return marks[ref.replica][place / 64] >> UInt64(place % 64) & 1 == 1
  }
}

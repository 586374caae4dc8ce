// Reading a whole log at a start: the lines are taken apart on all processors, and handed on in their
// order by one.

import Dispatch
import Synchronization
import TimelineModel

enum LogReader {
  private static let portion: UInt64 = 2048

  /// Calls for what each good line says, in the order of the log.
  static func read(_ log: ReplicaLog, place: Int, _ body: (IndexEntry) -> Void) {
    guard log.size > 0 else { return }
    let portions = Int((log.size - 1) / portion + 1)
    // As many at a time as keep every processor busy, and no more in memory than that.
    let group = 32
    var next = entries(log, place, 0..<min(group, portions))
    var first = min(group, portions)
    while !next.isEmpty {
      let ready = next
      let range = first..<min(first + group, portions)
      first = range.upperBound
      let following = Mutex<[[IndexEntry]]>([])
      let reading = DispatchGroup()
      if !range.isEmpty {
        DispatchQueue.global().async(group: reading) {
          let read = entries(log, place, range)
          following.withLock { $0 = read }
        }
      }
      for entry in ready.joined() { body(entry) }
      reading.wait()
      next = following.withLock { $0 }
    }
  }

  /// What the lines of some portions say.
  private static func entries(
    _ log: ReplicaLog, _ place: Int, _ portions: Range<Int>
  ) -> [[IndexEntry]] {
    Parallel.map(Array(portions), portion: 1) { numbers in
      numbers.map { number in
        let first = UInt64(number) * portion + 1
        var document = JSONDocument()
        var entries: [IndexEntry] = []
        entries.reserveCapacity(Int(portion))
        log.visit(first..<first + portion) { seq, text in
          guard let line = try? Line(text) else { return }
          let ref = LineRef(replica: place, seq: seq)
          entries.append(IndexEntry(line, text, ref: ref, document: &document))
        }
        return entries
      }
    }
  }
}

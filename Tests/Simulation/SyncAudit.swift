// Reads along what two machines say to each other: of the lines that a side has sent, no more than the
// window and one run may wait for the other's TOOK, however long its disk takes.

import TimelineModel
import TimelineWire

struct SyncAudit {
  private struct Side {
    var splitter = LineSplitter()
    /// Lines that follow a message, and are none themselves.
    var following: UInt64 = 0
    var unacknowledged: [(replica: ReplicaID, last: UInt64, bytes: Int)] = []
  }

  private static let runBytesMax = 1 << 20
  private var sides = [Side(), Side()]

  /// What is wrong with what a side says, or nil.
  mutating func hear(_ bytes: [UInt8], from side: Int) -> String? {
    bytes.withUnsafeBufferPointer { sides[side].splitter.take($0) }
    while case .line(let range)? = sides[side].splitter.next() {
      guard sides[side].following == 0 else {
        sides[side].following -= 1
        continue
      }
      let message = sides[side].splitter.buffer.withUnsafeBufferPointer {
        try? SyncMessage(UnsafeBufferPointer(rebasing: $0[range]))
      }
      switch message {
      case .lines(_, let run, let bytes, _):
        sides[side].following = run.count
        sides[side].unacknowledged.append((run.replica, run.first + run.count - 1, bytes))
        let sum = sides[side].unacknowledged.reduce(0) { $0 + $1.bytes }
        guard sum <= SyncSession.windowBytes + Self.runBytesMax else {
          return "\(sum) bytes of lines wait for TOOK"
        }
      case .proof: sides[side].following = 1
      case .took(_, let replica, let last):
        sides[1 - side].unacknowledged.removeAll { $0.replica == replica && $0.last <= last }
      default: break
      }
    }
    return nil
  }
}

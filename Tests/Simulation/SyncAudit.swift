// Reads along what two machines say to each other, and looks at the clock meanwhile:
//
// * of the lines that a side has sent, no more than the window and one run may wait for the other's TOOK,
//   however long its disk takes;
// * no line is sent that the other side has said to have;
// * a side that hears nothing asks in time, and lets the other go in time. A wake that comes too late
//   shows here.

import TimelineModel
import TimelineWire

struct SyncAudit {
  private struct Side {
    var splitter = LineSplitter()
    /// Lines that follow a message, and are none themselves.
    var following: UInt64 = 0
    /// What it said that it has, when the connection began.
    var has: [ReplicaID: UInt64] = [:]
    var unacknowledged: [(replica: ReplicaID, last: UInt64, bytes: Int)] = []
    /// When something came to this side last.
    var heard: Int64
    /// When it asked whether the other is there, where it heard nothing since.
    var asked: Int64?
    var isGone = false
  }

  private static let runBytesMax = 1 << 20
  private static let quietTime: Int64 = 60_000_000
  private static let answerTime: Int64 = 30_000_000
  /// For the machine to come to it.
  static let slack: Int64 = 50_000
  private var sides: [Side]

  init(now: Int64) { sides = [Side(heard: now), Side(heard: now)] }

  /// What is wrong with what a side says, or nil.
  mutating func hear(_ bytes: [UInt8], from side: Int, now: Int64) -> String? {
    bytes.withUnsafeBufferPointer { sides[side].splitter.take($0) }
    while case .line(let range)? = sides[side].splitter.next() {
      guard sides[side].following == 0 else {
        sides[side].following -= 1
        continue
      }
      let message = sides[side].splitter.buffer.withUnsafeBufferPointer {
        Self.message(UnsafeBufferPointer(rebasing: $0[range]))
      }
      switch message {
      case .have(let have):
        for head in have.heads { sides[side].has[head.replica] = head.size }
      case .lines(_, let run, let bytes, _):
        guard run.first > sides[1 - side].has[run.replica] ?? 0 else {
          return "line \(run.first) of \(run.replica) is sent, which the other side has"
        }
        sides[side].following = run.count
        sides[side].unacknowledged.append((run.replica, run.first + run.count - 1, bytes))
        let sum = sides[side].unacknowledged.reduce(0) { $0 + $1.bytes }
        guard sum <= SyncSession.windowBytes + Self.runBytesMax else {
          return "\(sum) bytes of lines wait for TOOK"
        }
      case .proof: sides[side].following = 1
      case .took(_, let replica, let last):
        sides[1 - side].unacknowledged.removeAll { $0.replica == replica && $0.last <= last }
      case .ping:
        if let late = isLate(side, now: now) { return late }
        sides[side].asked = sides[side].asked ?? now
      default: break
      }
    }
    return nil
  }

  /// Those that are looked at here: a note in a head costs more to read than all others together.
  private static func message(_ line: UnsafeBufferPointer<UInt8>) -> SyncMessage? {
    let first = line.first
    guard first == 0x4C || first == 0x50 || first == 0x54 || line.starts(with: "HAVE ".utf8) else {
      return nil
    }
    if line.starts(with: "PROOF ".utf8) {
      // Which line it is of does not matter.
      return .proof(
        TimelineID(UUIDBytes(high: 0, low: 0)), ReplicaID(UUIDBytes(high: 0, low: 0)), seq: 0,
        text: [])
    }
    return try? SyncMessage(line)
  }

  /// Bytes came to a side.
  mutating func reached(_ side: Int, now: Int64) -> String? {
    let late = isLate(side, now: now)
    sides[side].heard = now
    sides[side].asked = nil
    return late
  }

  /// A side ends the connection, or its machine is gone.
  mutating func left(_ side: Int, now: Int64, isByItself: Bool) -> String? {
    let late = isByItself ? isLate(side, now: now) : nil
    sides[side].isGone = true
    return late
  }

  /// What a side should have done by now.
  func isLate(_ side: Int, now: Int64) -> String? {
    let side = sides[side]
    guard !side.isGone else { return nil }
    if let asked = side.asked {
      return now > asked + Self.answerTime + Self.slack
        ? "got no answer for \((now - asked) / 1000) ms, and does not let go" : nil
    }
    return now > side.heard + Self.quietTime + Self.slack
      ? "heard nothing for \((now - side.heard) / 1000) ms, and does not ask" : nil
  }
}

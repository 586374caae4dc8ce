// How far long work is, on stderr: a line that is written over on a terminal, else JSON lines for
// programs. It begins late enough that short work says nothing.

import Foundation
import TimelineModel

struct Progress {
  private static let longWork = 20_000

  private let total: Int
  private let verb: String
  private let start = Date()
  private let isTerminal = isatty(STDERR_FILENO) == 1
  /// The least count at which a program is told again.
  private var next = 0

  init(_ verb: String, total: Int) {
    self.verb = verb
    self.total = total
  }

  mutating func advance(to done: Int) {
    guard total > Self.longWork else { return }
    let rate = Double(done) / max(0.001, Date().timeIntervalSince(start))
    let left = Int(Double(total - done) / max(1, rate))
    if isTerminal {
      Terminal.note("\r\(verb): \(done) of \(total), \(Int(rate))/s, \(left) s left ")
      if done == total { Terminal.say("") }
    } else if done >= next {
      next = min(total, done + max(Self.longWork, total / 20))
      Terminal.say(
        JSONValue.object([
          "progress": .string(verb), "done": .int(done), "total": .int(total),
          "per_second": .int(Int(rate)), "seconds_left": .int(left),
        ]).text)
    }
  }
}

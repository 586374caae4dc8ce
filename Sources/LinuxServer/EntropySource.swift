// Randomness for the log, from the system's generator, a page at a time: ids and salts are drawn for
// every event, and a system call for each would take longer than to write them.

import CLinux
import TimelineModel

/// It belongs to one thread.
public final class EntropySource {
  private var words = [UInt64](repeating: 0, count: 512)
  private var used = 512

  public init() {}

  public func word() -> UInt64 {
    if used == words.count { fill() }
    // A word is used once: it is not left behind in memory.
    defer {
      words[used] = 0
      used += 1
    }
    return words[used]
  }

  public func id() -> EventID { EventID(UUIDBytes(random: word(), word())) }

  private func fill() {
    let count = clinux_random(&words, words.count * 8)
    var generator = SystemRandomNumberGenerator()
    for index in (count / 8)..<words.count { words[index] = generator.next() }
    used = 0
  }
}

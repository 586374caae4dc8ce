// Randomness for the log, fetched ahead: salts from the system's generator a page at a time, ids from
// libuuid, which asks the system five questions for each one, on a thread beside the loop.

import CLinux
import Dispatch
import Synchronization
import TimelineModel

/// Salts. It belongs to the loop.
final class SaltSupply {
  private var words = [UInt64](repeating: 0, count: 512)
  private var used = 512

  func next() -> UInt64 {
    if used == words.count {
      var generator = SystemRandomNumberGenerator()
      let count = clinux_random(&words, words.count * 8)
      for index in (count / 8)..<words.count { words[index] = generator.next() }
      used = 0
    }
    // A salt is used once: it is not left behind in memory.
    defer {
      words[used] = 0
      used += 1
    }
    return words[used]
  }
}

/// Random ids.
final class IDSupply: Sendable {
  private static let size = 16_384
  private static let portion = 512

  private let ready = Mutex<[EventID]>([])
  private let isFilling = Atomic(false)
  private let queue = DispatchQueue(label: "ids")

  func next() -> EventID {
    let (id, left) = ready.withLock { ids in
      let id = ids.popLast()
      return (id, ids.count)
    }
    if left < Self.size / 2, !isFilling.exchange(true, ordering: .relaxed) {
      queue.async { [self] in fill() }
    }
    return id ?? EventID(.random())
  }

  private func fill() {
    while ready.withLock({ $0.count }) < Self.size {
      let portion = (0..<Self.portion).map { _ in EventID(.random()) }
      ready.withLock { $0 += portion }
    }
    isFilling.store(false, ordering: .relaxed)
  }
}

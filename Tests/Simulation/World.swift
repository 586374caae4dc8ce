// Simulated time, and what is to happen in it: one queue, one source of chance, so that a seed is a run.

import Support

public final class World {
  private struct Event {
    var time: Int64
    var number: Int
    var act: () -> Void

    func precedes(_ other: Event) -> Bool { (time, number) < (other.time, other.number) }
  }

  var random: SplitMix
  /// Microseconds since the beginning.
  private(set) var now: Int64 = 0
  private var heap: [Event] = []
  private var numbers = 0
  /// Takes what happens, where somebody wants to read it.
  let trace: ((String) -> Void)?

  init(seed: UInt64, trace: ((String) -> Void)?) {
    random = SplitMix(seed: seed)
    self.trace = trace
  }

  func tell(_ text: @autoclosure () -> String) {
    trace?("\(now / 1000).\(String(now % 1000 + 1000).dropFirst()) \(text())")
  }

  func after(_ delay: Int64, _ act: @escaping () -> Void) { at(now + delay, act) }

  func at(_ time: Int64, _ act: @escaping () -> Void) {
    numbers += 1
    heap.append(Event(time: max(time, now), number: numbers, act: act))
    var child = heap.count - 1
    while child > 0, case let parent = (child - 1) / 2, heap[child].precedes(heap[parent]) {
      heap.swapAt(child, parent)
      child = parent
    }
  }

  /// Lets time go on until then; false where nothing more is to happen at all.
  func run(until end: Int64) {
    while let next = heap.first, next.time <= end {
      now = next.time
      pop()
      next.act()
    }
    now = max(now, end)
  }

  /// Forgets what was to happen, and whom that holds.
  func end() { heap = [] }

  private func pop() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while case let left = 2 * parent + 1, left < heap.count {
      let right = left + 1
      let child = right < heap.count && heap[right].precedes(heap[left]) ? right : left
      guard heap[child].precedes(heap[parent]) else { return }
      heap.swapAt(child, parent)
      parent = child
    }
  }

  func chance(_ one: Int, in all: Int) -> Bool { Int.random(in: 0..<all, using: &random) < one }

  func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

  func time(_ range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
}

// Work on many elements, on all processors; the results come in the order of the elements, so that
// nothing depends on which was done first.

import Dispatch
import Synchronization

enum Parallel {
  /// Maps portions of the elements, each on one processor; few elements are done where the caller is.
  static func map<Element: Sendable, Result: Sendable>(
    _ elements: [Element], portion: Int,
    _ body: @Sendable (ArraySlice<Element>) -> [Result]
  ) -> [Result] {
    let portions = (elements.count + portion - 1) / portion
    guard portions > 1 else { return body(elements[...]) }
    let done = Mutex([[Result]](repeating: [], count: portions))
    DispatchQueue.concurrentPerform(iterations: portions) { number in
      let end = min((number + 1) * portion, elements.count)
      let results = body(elements[number * portion..<end])
      done.withLock { $0[number] = results }
    }
    return done.withLock { $0.flatMap { $0 } }
  }

  /// Changes two values, each on one processor where that is worthwhile.
  static func both<First, Second>(
    worthwhile: Bool, _ first: inout First, _ second: inout Second,
    _ changeFirst: @Sendable (inout First) -> Void,
    _ changeSecond: @Sendable (inout Second) -> Void
  ) {
    guard worthwhile else {
      changeFirst(&first)
      return changeSecond(&second)
    }
    withUnsafeMutablePointer(to: &first) { first in
      withUnsafeMutablePointer(to: &second) { second in
        nonisolated(unsafe) let (first, second) = (first, second)
        DispatchQueue.concurrentPerform(iterations: 2) { number in
          if number == 0 { changeFirst(&first.pointee) } else { changeSecond(&second.pointee) }
        }
      }
    }
  }
}

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
}

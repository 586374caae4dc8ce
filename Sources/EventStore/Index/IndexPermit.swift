// Whether an index that was handed out to be written may still be: once it is ended, what is being written
// is waited for, and nothing of that index is written or gone on with any more.

import Synchronization

final class IndexPermit: Sendable {
  private let isValid = Mutex(true)

  func end() { isValid.withLock { $0 = false } }

  /// Does it unless the permit has ended; the end waits until it is done.
  func whileValid<Failure: Error>(_ body: () throws(Failure) -> Void) throws(Failure) {
    try isValid.withLock { (isValid) throws(Failure) in
      if isValid { try body() }
    }
  }
}

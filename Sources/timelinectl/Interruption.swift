// Ctrl-C and its like while something is being made that is put away again if it does not get done.

import Glibc
import Synchronization

private let asked = Atomic(false)

enum Interruption {
  /// From now on a signal to stop is noted, and ends no call for good: `check` says it.
  static func note() {
    asked.store(false, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in asked.store(true, ordering: .relaxed) }
    // Without SA_RESTART: whoever waits is woken.
    for number in [SIGINT, SIGTERM, SIGHUP] { sigaction(number, &action, nil) }
  }

  static func check() throws(Failure) {
    guard asked.load(ordering: .relaxed) else { return }
    throw Failure(.interrupted, code: "interrupted", "interrupted; nothing was left behind")
  }
}

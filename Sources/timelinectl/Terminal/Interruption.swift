// Ctrl-C and its like while something is being made that is put away again if it does not get done.

import CLinux
import Glibc

/// Can be read once a signal has come; -1 while nobody minds. Written by the main thread alone, before
/// there is a handler.
nonisolated(unsafe) private var asked: Int32 = -1

enum Interruption {
  /// From now on a signal to stop is noted, and told by `check` and `wait`.
  static func note() {
    asked = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      var one: UInt64 = 1
      let before = errno
      _ = write(asked, &one, 8)
      errno = before
    }
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var before = sigaction()
      sigaction(number, nil, &before)
      // Where it was ignored when we started, as nohup does, that was meant.
      if clinux_is_ignored(&before) == 0 { sigaction(number, &action, nil) }
    }
  }

  /// Readable once a signal has come; -1 while nobody minds.
  static var descriptor: Int32 { asked }

  static func check() throws(Failure) {
    guard asked >= 0 else { return }
    var signal = pollfd(fd: asked, events: Int16(POLLIN), revents: 0)
    _ = poll(&signal, 1, 0)
    if signal.revents != 0 { throw Self.failure }
  }

  /// Waits until a descriptor has something to read. A signal that comes just before is not missed, as
  /// it would be by a call that only a signal in the middle of it ends.
  static func wait(toRead descriptor: Int32) throws(Failure) {
    guard asked >= 0 else { return }
    var waiting = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
    while waiting[0].revents == 0 { try wait(&waiting, milliseconds: -1) }
  }

  /// Waits until one of these has what it waits for, or the time is over.
  static func wait(_ waiting: inout [pollfd], milliseconds: Int32) throws(Failure) {
    waiting.append(pollfd(fd: asked, events: Int16(POLLIN), revents: 0))
    let count = poll(&waiting, nfds_t(waiting.count), milliseconds)
    let signal = waiting.removeLast()
    if signal.revents != 0 { throw Self.failure }
    // Interrupted by something else: what is there is not known.
    if count < 0 { for index in waiting.indices { waiting[index].revents = 0 } }
  }

  static var failure: Failure {
    Failure(.interrupted, code: "interrupted", "interrupted; nothing was left behind")
  }
}

// epoll, level-triggered: what is to be told of which descriptor.

import CLinux
import Glibc

final class Poller {
  private let descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
  private var events = [epoll_event](repeating: epoll_event(), count: 256)

  deinit { close(descriptor) }

  func add(_ descriptor: Int32, _ interest: UInt32 = EPOLLIN.rawValue) {
    control(EPOLL_CTL_ADD, descriptor, interest)
  }

  func change(_ descriptor: Int32, _ interest: UInt32) {
    control(EPOLL_CTL_MOD, descriptor, interest)
  }

  func remove(_ descriptor: Int32) { control(EPOLL_CTL_DEL, descriptor, 0) }

  private func control(_ operation: Int32, _ descriptor: Int32, _ interest: UInt32) {
    var event = epoll_event()
    event.events = interest
    event.data.fd = descriptor
    epoll_ctl(self.descriptor, operation, descriptor, &event)
  }

  /// What has happened, after so many milliseconds at most; nil where a signal came instead.
  func wait(_ patience: Int32) -> ArraySlice<epoll_event>? {
    let count = epoll_wait(descriptor, &events, Int32(events.count), patience)
    return count < 0 ? nil : events[..<Int(count)]
  }
}

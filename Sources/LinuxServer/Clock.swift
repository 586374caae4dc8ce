// The two clocks of a step.

import Glibc
import TimelineModel
import TimelineServer

extension Moment {
  /// As the system's clocks have it.
  public static var now: Moment {
    Moment(
      wall: RecordedTime(microseconds: microseconds(CLOCK_REALTIME)),
      monotonic: microseconds(CLOCK_MONOTONIC))
  }

  private static func microseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
  }
}

// The time of a step, handed in: the wall clock for what is recorded, a clock that never jumps for
// what is waited for.

import TimelineModel

public struct Moment: Sendable {
  public var wall: RecordedTime
  /// Microseconds of a clock that only goes forward.
  public var monotonic: Int64

  public init(wall: RecordedTime, monotonic: Int64) {
    self.wall = wall
    self.monotonic = monotonic
  }
}

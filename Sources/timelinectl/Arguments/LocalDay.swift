// The day at the place where the tool runs: what a user means by today, whatever the daemon's clock says.

import Foundation
import TimelineModel

extension Day {
  /// The day at the place where this program runs.
  static var today: Day {
    let parts = Calendar.current.dateComponents([.year, .month, .day], from: Date())
    return Day(year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1)!
  }

  /// The time until the next one begins.
  static var rest: Duration {
    let parts = Calendar.current.dateComponents([.hour, .minute, .second], from: Date())
    let seconds = (parts.hour ?? 0) * 3600 + (parts.minute ?? 0) * 60 + (parts.second ?? 0)
    return .seconds(max(1, 86_400 - seconds))
  }
}

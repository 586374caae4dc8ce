// The client's own day.

import Foundation
import TimelineModel

enum Today {
  static var text: String {
    let parts = Calendar.current.dateComponents([.year, .month, .day], from: Date())
    return Day(year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1)!.description
  }
}

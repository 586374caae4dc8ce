// How long a command is told to wait.

import TimelineModel

enum Wait {
  /// `30`, `30s`, `1.5m`, `2h`.
  static func duration(_ text: String, _ flag: String) throws(Failure) -> Duration {
    let unit = ["s": 1.0, "m": 60, "h": 3600][text.suffix(1)]
    guard let number = Double(unit == nil ? text[...] : text.dropLast()), number >= 0,
      number < 1e9
    else { throw Failure(.usage, "\(flag) takes a time such as 30s, 5m or 1h; not \(text)") }
    return .milliseconds(Int64(number * (unit ?? 1) * 1000))
  }
}

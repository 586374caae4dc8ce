// Lines on stderr; the number in front is the priority that the journal reads (sd-daemon(3)).

import CLinux
import Glibc
import TimelineServer

public enum Journal {
  public static func write(_ level: LogLevel, _ text: String) {
    say("<\(level.priority)>timelined: \(text)")
  }

  /// A daemon goes on when nobody reads what it says.
  public static func say(_ text: String) {
    _ = clinux_write_all(STDERR_FILENO, text + "\n", text.utf8.count + 1)
  }
}

extension LogLevel {
  fileprivate var priority: Int {
    switch self {
    case .error: 3
    case .warning: 4
    case .info: 6
    }
  }
}

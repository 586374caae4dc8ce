// A moment of the log, as --known-at and --after take it: a day, a time, or a position.

import TimelineModel

enum Moment {
  static let forms =
    "give a day (2026-11-01, its end in UTC), a time (2026-11-23T22:20:00Z) or a position"
    + " ('{\"REPLICA\":10}', as timelinectl status --json has it)"

  /// What is sent: a position as an object, all else as it was written.
  static func json(_ text: String, _ flag: String) throws(Failure) -> JSONValue {
    let word = text.trimmed
    if word.hasPrefix("{") {
      var copy = word
      let json = copy.withUTF8 { try? JSONValue(parsing: $0) }
      guard let json, Position(json: json) != nil else {
        throw Failure(.usage, "\(flag): \(word) is no position; \(forms)")
      }
      return json
    }
    guard let first = word.first, first.isASCII, first.isNumber else {
      throw Failure(.usage, "\(flag): \"\(text)\" is no moment; \(forms)")
    }
    // A day that does not exist is told with what would be right; a time is the daemon's to read.
    if !word.contains("T") {
      do throws(DateError) { _ = try EventDate(word) } catch {
        throw Failure(.usage, "\(flag): \(error.message)")
      }
    }
    return .string(word)
  }
}

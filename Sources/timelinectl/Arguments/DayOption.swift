// The day that an option names: a whole day, or a month or year, of which it is the first day where
// something begins with it and the last where something ends with it.

import TimelineModel

enum DayOption {
  enum Edge { case first, last }

  /// The edge of a period that each option means.
  static func edge(_ flag: String) -> Edge {
    ["--from", "--since"].contains(flag) ? .first : .last
  }

  /// Nil where the option is not given.
  static func day(_ words: Words, _ flag: String) throws(Failure) -> Day? {
    guard let text = words[flag] else { return nil }
    let date: EventDate
    do throws(DateError) { date = try EventDate(text) } catch {
      throw Failure(.usage, "\(flag): \(error.message)")
    }
    let isPlain = !date.isInterval && !date.isApproximate && !date.isUncertain
    let day = edge(flag) == .first ? date.first : date.last
    // A question has no way to write a day of the year 12000.
    guard isPlain, [.day, .month, .year].contains(date.precision), Day(day.description) != nil
    else {
      throw Failure(
        .usage,
        "\(flag) takes a day, such as 2017-11-30, or a month or year (its \(edge(flag)) day)")
    }
    return day
  }

  /// As a member of a question.
  static func members(
    _ words: Words, _ flag: String, _ key: String
  ) throws(Failure) -> [JSONValue.Member] {
    try day(words, flag).map { [JSONValue.Member(key, .string($0.description))] } ?? []
  }

  /// What is wrong with these is said before there is a daemon.
  static func check(_ words: Words, _ flags: [String]) throws(Failure) {
    for flag in flags { _ = try day(words, flag) }
  }
}

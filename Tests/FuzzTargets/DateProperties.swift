// Dates and moments.

import TimelineModel

enum DateProperties {
  static func check(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    try date(input)
    try moment(input)
  }

  private static func date(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let date: EventDate
    do { date = try EventDate(utf8: input) } catch {
      try hold(!error.message.isEmpty, "an error without words")
      try hold((try? EventDate.bounds(utf8: input)) == nil, "its bounds are taken")
      return
    }
    try hold(date.text.utf8.elementsEqual(input), "the text is another")
    try hold(input.allSatisfy { $0 < 0x80 }, "beyond ASCII")
    try hold((try? EventDate(date.text)) == date, "read again, it is another")
    guard let bounds = try? EventDate.bounds(utf8: input) else { throw Broken("no bounds") }
    try hold(bounds.first == date.first && bounds.last == date.last, "bounds: \(bounds)")
    try hold(date.first <= date.last, "\(date.first) comes after \(date.last)")
    try hold(
      date.isOpenStart == (date.first == .distantPast)
        && date.isOpenEnd == (date.last == .distantFuture), "open ends")
    try hold(date.isInterval || !date.isOpenStart && !date.isOpenEnd, "open, but no interval")
    for day in [date.first, date.last] { try self.day(day) }
    guard !date.isInterval else { return }
    try interval(date)
    if date.precision != .time, !date.isApproximate, !date.isUncertain {
      let about = try? EventDate(date.text + "~")
      try hold(
        about?.isApproximate == true && about?.first == date.first && about?.last == date.last,
        "about then: \(about as Any)")
    }
  }

  /// A day that four digits can name is read as it is shown.
  private static func day(_ day: Day) throws(Broken) {
    guard day != .distantPast, day != .distantFuture else { return }
    let (year, month, dayOfMonth) = day.civil
    try hold(Day(year: year, month: month, day: dayOfMonth) == day, "\(day) is another day")
    if (0...9999).contains(year) {
      try hold(Day(day.description) == day, "\(day) is not read as it is shown")
    }
  }

  private static func interval(_ date: EventDate) throws(Broken) {
    for (text, first, last) in [
      (date.text + "/" + date.text, date.first, date.last),
      (date.text + "/..", date.first, Day.distantFuture),
      ("../" + date.text, .distantPast, date.last), (date.text + "/", date.first, date.last),
    ] {
      let interval = try? EventDate(text)
      try hold(
        interval?.first == first && interval?.last == last && interval?.isInterval == true
          && interval?.precision == date.precision, "\(text): \(interval as Any)")
    }
  }

  /// When a line was recorded.
  private static func moment(_ input: UnsafeBufferPointer<UInt8>) throws(Broken) {
    let strict = RecordedTime(utf8: input)
    let lenient = RecordedTime(input.text)
    if let strict {
      try hold(strict.description.utf8.elementsEqual(input), "the moment is shown as \(strict)")
      try hold(lenient == strict, "people read it as \(lenient as Any)")
    }
    if let time = lenient, (0...9999).contains(time.day.civil.year) {
      let again = Array(time.description.utf8).withUnsafeBufferPointer { RecordedTime(utf8: $0) }
      try hold(again == time, "\(time) is read as \(again as Any)")
    }
  }
}

// When something happened: EDTF level 1 (ISO 8601-2:2019, Library of Congress specification), with
// the first and the last day that it may cover. docs/guide/dates.md lists what is accepted, and where we
// differ from others.
//
//     2017-11-29   2014-07   2002-11-01~   2016-03-07/2016-04-30   2019-06/..   201X   2001-21
//
// One parser serves both ways in: `EventDate(_:)` keeps the text, `bounds` allocates nothing.

/// Why a text is no date, and what to write instead.
public struct DateError: Error, Sendable, Hashable {
  public enum Problem: Sendable, Hashable {
    case empty
    case notADate
    case dayFirst
    case month(Int)
    case day(day: Int, month: Int, year: Int)
    case time
    case noZone
    case endBeforeStart
    case yearOutOfRange
    case bothEndsOpen
  }

  public var text: String
  public var problem: Problem

  private static let monthNames = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]

  public var message: String {
    let why: String =
      switch problem {
      case .empty: "a date is missing; write a day, month or year such as 2017-11-29"
      case .notADate:
        "not an EDTF date; write 2017-11-29, 2017-11, 2017, 2002-11-01~ or 2016-03-07/2016-04-30"
      case .dayFirst: "write the year first: 2017-11-29"
      case .month(let month): "month \(month): months are 01 to 12 (21 to 24 are seasons)"
      case .day(let day, let month, let year):
        day == 0
          ? "days begin at 01"
          : "\(Self.monthNames[month - 1]) \(year) has \(Day.daysIn(month: month, year: year)) days"
      case .time: "a time is written 2017-11-29T03:17:00+09:00"
      case .noZone: "a time needs its zone: end it with Z or an offset such as +09:00"
      case .endBeforeStart: "the interval ends before it begins"
      case .yearOutOfRange: "years go from Y-5000000 to Y5000000"
      case .bothEndsOpen: "an interval needs at least one end"
      }
    return "\"\(text)\": \(why)"
  }
}

/// An EDTF level 1 date or interval.
public struct EventDate: Sendable, Hashable {
  public enum Precision: UInt8, Sendable, Hashable, Comparable {
    case time, day, month, season, year, decade, century
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  /// As it was written.
  public let text: String
  /// The first and the last day that it may cover. An open start is `Day.distantPast`, an open end
  /// `Day.distantFuture`; an unknown end counts as the known one (nothing says that it went on).
  public let first: Day
  public let last: Day
  public let isInterval: Bool
  public let isOpenStart: Bool
  public let isOpenEnd: Bool
  /// `~` or `%` stands somewhere.
  public let isApproximate: Bool
  /// `?` or `%` stands somewhere.
  public let isUncertain: Bool
  /// Of the start, or of the only end that is known.
  public let precision: Precision

  public init(_ text: some StringProtocol) throws(DateError) {
    let bytes = Array(text.utf8)
    let result = bytes.withUnsafeBufferPointer { bytes in
      Result { () throws(DateError) in try Self.parse(bytes) }
    }
    self.init(text: String(text), parsed: try result.get())
  }

  public init(utf8: UnsafeBufferPointer<UInt8>) throws(DateError) {
    let parsed = try Self.parse(utf8)
    self.init(text: String(decoding: utf8, as: UTF8.self), parsed: parsed)
  }

  /// The bounds alone, without allocating.
  public static func bounds(
    utf8: UnsafeBufferPointer<UInt8>
  ) throws(DateError) -> (first: Day, last: Day) {
    let parsed = try parse(utf8)
    return (parsed.first, parsed.last)
  }

  private init(text: String, parsed: Parsed) {
    self.text = text
    first = parsed.first
    last = parsed.last
    isInterval = parsed.isInterval
    isOpenStart = parsed.first == .distantPast
    isOpenEnd = parsed.last == .distantFuture
    isApproximate = parsed.isApproximate
    isUncertain = parsed.isUncertain
    precision = parsed.precision
  }

  // MARK: The parser

  private struct Parsed {
    var first: Day
    var last: Day
    var isInterval = false
    var isApproximate = false
    var isUncertain = false
    var precision = Precision.day
  }

  private typealias Text = UnsafeBufferPointer<UInt8>

  private static func parse(_ text: Text) throws(DateError) -> Parsed {
    func fail(_ problem: DateError.Problem) -> DateError {
      DateError(text: String(decoding: text, as: UTF8.self), problem: problem)
    }
    do throws(Failure) {
      guard !text.isEmpty else { throw Failure(.empty) }
      guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else { return try date(text) }
      return try interval(
        Text(rebasing: text[..<slash]), Text(rebasing: text[(slash + 1)...]))
    } catch {
      throw fail(error.problem)
    }
  }

  /// The reason alone; the whole text is added where it is thrown to the caller.
  private struct Failure: Error {
    let problem: DateError.Problem
    init(_ problem: DateError.Problem) { self.problem = problem }
  }

  private static func interval(_ left: Text, _ right: Text) throws(Failure) -> Parsed {
    func isOpen(_ end: Text) -> Bool {
      end.count == 2 && end[0] == UInt8(ascii: ".") && end[1] == UInt8(ascii: ".")
    }
    let start: Parsed? = left.isEmpty || isOpen(left) ? nil : try date(left)
    let end: Parsed? = right.isEmpty || isOpen(right) ? nil : try date(right)
    guard let known = start ?? end else {
      if isDateless(left), isDateless(right) { throw Failure(.bothEndsOpen) }
      throw Failure(.notADate)
    }
    var result = known
    result.isInterval = true
    if let start { result.first = start.first } else if isOpen(left) { result.first = .distantPast }
    if let end { result.last = end.last } else if isOpen(right) { result.last = .distantFuture }
    if let start, let end {
      guard start.first <= end.last, start.last <= end.last else { throw Failure(.endBeforeStart) }
      result.isApproximate = start.isApproximate || end.isApproximate
      result.isUncertain = start.isUncertain || end.isUncertain
    }
    return result
  }

  private static func isDateless(_ end: Text) -> Bool {
    end.isEmpty || (end.count == 2 && end.allSatisfy { $0 == UInt8(ascii: ".") })
  }

  private static func date(_ whole: Text) throws(Failure) -> Parsed {
    var text = whole
    var isApproximate = false
    var isUncertain = false
    switch text.last {
    case UInt8(ascii: "~"): isApproximate = true
    case UInt8(ascii: "?"): isUncertain = true
    case UInt8(ascii: "%"):
      isApproximate = true
      isUncertain = true
    default: break
    }
    if isApproximate || isUncertain { text = Text(rebasing: text.dropLast()) }
    var parsed = try unqualified(text)
    if parsed.precision == .time, isApproximate || isUncertain { throw Failure(.time) }
    parsed.isApproximate = isApproximate
    parsed.isUncertain = isUncertain
    return parsed
  }

  private static func unqualified(_ text: Text) throws(Failure) -> Parsed {
    if text.first == UInt8(ascii: "Y") { return try longYear(Text(rebasing: text.dropFirst())) }
    let isNegative = text.first == UInt8(ascii: "-")
    let body = isNegative ? Text(rebasing: text.dropFirst()) : text
    if looksDayFirst(text) { throw Failure(.dayFirst) }
    guard body.count >= 4 else { throw Failure(.notADate) }
    let unspecified = body[..<4].reversed().prefix { $0 == UInt8(ascii: "X") }.count
    if unspecified > 0 { return try unspecifiedYear(body, unspecified, isNegative: isNegative) }
    guard let magnitude = number(body, 0..<4) else { throw Failure(.notADate) }
    let year = isNegative ? -magnitude : magnitude
    if isNegative, magnitude == 0 { throw Failure(.notADate) }
    switch body.count {
    case 4: return span(year, 1, year, 12, .year)
    case 7: return try monthOrSeason(body, year)
    case 10...: return try dayOrTime(body, year)
    default: throw Failure(.notADate)
    }
  }

  /// `Y` and a year of more than four digits.
  private static func longYear(_ text: Text) throws(Failure) -> Parsed {
    let isNegative = text.first == UInt8(ascii: "-")
    let digits = isNegative ? Text(rebasing: text.dropFirst()) : text
    guard digits.count > 4, digits[0] != UInt8(ascii: "0"),
      digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { throw Failure(.notADate) }
    guard digits.count <= 7, let magnitude = number(digits, 0..<digits.count),
      magnitude <= 5_000_000
    else { throw Failure(.yearOutOfRange) }
    let year = isNegative ? -magnitude : magnitude
    return span(year, 1, year, 12, .year)
  }

  /// `201X`, `20XX`.
  private static func unspecifiedYear(
    _ body: Text, _ unspecified: Int, isNegative: Bool
  ) throws(Failure) -> Parsed {
    guard body.count == 4, unspecified <= 2, let lead = number(body, 0..<4 - unspecified) else {
      throw Failure(.notADate)
    }
    let width = unspecified == 1 ? 10 : 100
    let low = lead * width
    let high = low + width - 1
    let precision: Precision = unspecified == 1 ? .decade : .century
    return isNegative ? span(-high, 1, -low, 12, precision) : span(low, 1, high, 12, precision)
  }

  private static func monthOrSeason(_ body: Text, _ year: Int) throws(Failure) -> Parsed {
    guard body[4] == UInt8(ascii: "-") else { throw Failure(.notADate) }
    if isUnspecified(body, 5) { return span(year, 1, year, 12, .year) }
    guard let month = number(body, 5..<7) else { throw Failure(.notADate) }
    switch month {
    case 1...12: return span(year, month, year, month, .month)
    // Seasons of the northern hemisphere, by whole months.
    case 21: return span(year, 3, year, 5, .season)
    case 22: return span(year, 6, year, 8, .season)
    case 23: return span(year, 9, year, 11, .season)
    case 24: return span(year, 12, year + 1, 2, .season)
    default: throw Failure(.month(month))
    }
  }

  private static func dayOrTime(_ body: Text, _ year: Int) throws(Failure) -> Parsed {
    guard body[4] == UInt8(ascii: "-"), body[7] == UInt8(ascii: "-") else {
      throw Failure(.notADate)
    }
    if body.count == 10, isUnspecified(body, 8) {
      if isUnspecified(body, 5) { return span(year, 1, year, 12, .year) }
      guard let month = number(body, 5..<7) else { throw Failure(.notADate) }
      guard (1...12).contains(month) else { throw Failure(.month(month)) }
      return span(year, month, year, month, .month)
    }
    guard let month = number(body, 5..<7), let dayOfMonth = number(body, 8..<10) else {
      throw Failure(.notADate)
    }
    guard (1...12).contains(month) else { throw Failure(.month(month)) }
    guard let day = Day(year: year, month: month, day: dayOfMonth) else {
      throw Failure(.day(day: dayOfMonth, month: month, year: year))
    }
    var parsed = Parsed(first: day, last: day)
    if body.count > 10 {
      try time(Text(rebasing: body[10...]))
      parsed.precision = .time
    }
    return parsed
  }

  /// `T03:17:00` and its zone; the day is the one written, at the place.
  private static func time(_ text: Text) throws(Failure) {
    guard text.count >= 9, text[0] == UInt8(ascii: "T"), text[3] == UInt8(ascii: ":"),
      text[6] == UInt8(ascii: ":"), let hour = number(text, 1..<3), hour < 24,
      let minute = number(text, 4..<6), minute < 60, let second = number(text, 7..<9), second < 60
    else { throw Failure(.time) }
    let zone = Text(rebasing: text[9...])
    guard !zone.isEmpty else { throw Failure(.noZone) }
    if zone.count == 1, zone[0] == UInt8(ascii: "Z") { return }
    guard zone[0] == UInt8(ascii: "+") || zone[0] == UInt8(ascii: "-") else { throw Failure(.time) }
    guard zone.count == 3 || (zone.count == 6 && zone[3] == UInt8(ascii: ":")),
      let hours = number(zone, 1..<3), hours <= 14
    else { throw Failure(.time) }
    if zone.count == 6 {
      guard let minutes = number(zone, 4..<6), minutes < 60 else { throw Failure(.time) }
    }
  }

  private static func span(
    _ year: Int, _ month: Int, _ lastYear: Int, _ lastMonth: Int, _ precision: Precision
  ) -> Parsed {
    let end = Day.daysIn(month: lastMonth, year: lastYear)
    return Parsed(
      first: Day(year: year, month: month, day: 1)!,
      last: Day(year: lastYear, month: lastMonth, day: end)!, precision: precision)
  }

  private static func isUnspecified(_ text: Text, _ at: Int) -> Bool {
    text[at] == UInt8(ascii: "X") && text[at + 1] == UInt8(ascii: "X")
  }

  private static func number(_ text: Text, _ range: Range<Int>) -> Int? {
    var value = 0
    for index in range {
      let digit = text[index] &- UInt8(ascii: "0")
      guard digit < 10 else { return nil }
      value = value * 10 + Int(digit)
    }
    return value
  }

  /// `29.11.2017`, `11/29/2017` (the slash is gone by then) and the like.
  private static func looksDayFirst(_ text: Text) -> Bool {
    guard text.count >= 6, text.count <= 10, number(text, text.count - 4..<text.count) != nil
    else { return false }
    return text.dropLast(4).last.map { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") } == true
      && text[0] != UInt8(ascii: "-") && number(text, 0..<4) == nil
  }
}

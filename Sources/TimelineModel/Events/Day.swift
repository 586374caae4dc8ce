// A day: a whole number, from file to screen. No time zone, no instant.

/// A day of the proleptic Gregorian calendar, as the number of days since 1970-01-01.
public struct Day: Sendable, Hashable, Comparable, CustomStringConvertible, BitwiseCopyable {
  public var number: Int32

  public init(number: Int32) { self.number = number }

  /// Before and after every day that can be written: the ends of open intervals.
  public static let distantPast = Day(number: .min)
  public static let distantFuture = Day(number: .max)

  /// Nil where the calendar has no such day. Year 0 is 1 BC, as in EDTF.
  public init?(year: Int, month: Int, day: Int) {
    guard (1...12).contains(month), day >= 1, day <= Self.daysIn(month: month, year: year),
      (-5_000_000...5_000_000).contains(year)
    else { return nil }
    // H. Hinnant, "chrono-compatible low-level date algorithms", days_from_civil.
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    number = Int32(era * 146_097 + dayOfEra - 719_468)
  }

  public var civil: (year: Int, month: Int, day: Int) {
    // Hinnant, civil_from_days.
    let shifted = Int(number) + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (
      yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
      dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    )
  }

  public static func isLeap(_ year: Int) -> Bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
  }

  public static func daysIn(month: Int, year: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  public static func < (left: Day, right: Day) -> Bool { left.number < right.number }
  public static func - (left: Day, right: Day) -> Int { Int(left.number) - Int(right.number) }

  /// The day so many days later; the open ends stay where they are.
  public func advanced(by days: Int) -> Day {
    self == .distantPast || self == .distantFuture ? self : Day(number: number + Int32(days))
  }

  /// Exactly `YYYY-MM-DD`, of a day that exists.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 10, let date = try? EventDate(text), date.precision == .day,
      !date.isInterval, !date.isApproximate, !date.isUncertain
    else { return nil }
    self = date.first
  }

  /// `YYYY-MM-DD`; beyond four digits `Y`-prefixed; the open ends as `..`.
  public var description: String {
    guard self != .distantPast, self != .distantFuture else { return ".." }
    let (year, month, day) = civil
    func padded(_ value: Int, _ width: Int) -> String {
      let digits = String(value)
      return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    let sign = year < 0 ? "-" : ""
    let prefix = abs(year) > 9999 ? "Y" : ""
    return prefix + sign + padded(abs(year), 4) + "-" + padded(month, 2) + "-" + padded(day, 2)
  }
}

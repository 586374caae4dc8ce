import Testing

@testable import TimelineModel

@Test(
  "the bounds of a date are the first and last day it may cover",
  arguments: [
    ("2017-11-29", "2017-11-29", "2017-11-29"),
    ("2014-07", "2014-07-01", "2014-07-31"),
    ("2016", "2016-01-01", "2016-12-31"),
    ("2002-11-01~", "2002-11-01", "2002-11-01"),
    ("2016-03-07/2016-04-30", "2016-03-07", "2016-04-30"),
    ("2019-06/..", "2019-06-01", ".."),
    ("../2019-06", "..", "2019-06-30"),
    ("/1989-03-23", "1989-03-23", "1989-03-23"),
    ("201X", "2010-01-01", "2019-12-31"),
    ("2001-24", "2001-12-01", "2002-02-28"),
    ("2004-02-XX", "2004-02-01", "2004-02-29"),
    ("2017-11-29T03:17:00+09:00", "2017-11-29", "2017-11-29"),
    ("-0043-03-15", "-0043-03-15", "-0043-03-15"),
  ])
func bounds(text: String, first: String, last: String) throws {
  let date = try EventDate(text)
  #expect(date.first.description == first)
  #expect(date.last.description == last)
}

@Test(
  "what is no date is refused",
  arguments: [
    "", "2017-02-30", "2017-13", "2017-11-29T03:17:00", "17-11-29", "2017-11-9", "2016/2015",
    "../..",
    "2017-11-29 ", "2017-11-29~~", "abcd", "2X17", "20170101", "Y2017", "-0000",
  ])
func refused(text: String) {
  #expect(throws: DateError.self) { try EventDate(text) }
}

@Test("days and civil dates agree over 800,000 days to either side")
func civil() {
  var expected = (year: 1970, month: 1, day: 1)
  for number in Int32(0)...800_000 {
    let civil = Day(number: number).civil
    #expect(civil == expected)
    expected.day += 1
    if expected.day > Day.daysIn(month: expected.month, year: expected.year) {
      expected =
        expected.month == 12 ? (expected.year + 1, 1, 1) : (expected.year, expected.month + 1, 1)
    }
    if number % 997 == 0 {
      let back = Day(number: -number)
      let parts = back.civil
      #expect(Day(year: parts.year, month: parts.month, day: parts.day) == back)
    }
  }
}

// When a line was recorded: a hybrid logical clock (Kulkarni et al. 2014) in whole microseconds of
// UTC. The physical clock is handed in; this file never asks for the time.

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z.
public struct RecordedTime: Sendable, Hashable, Comparable, CustomStringConvertible {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public static let textLength = 27
  static let perDay: Int64 = 86_400_000_000

  public static func < (left: Self, right: Self) -> Bool {
    left.microseconds < right.microseconds
  }

  /// The day in UTC.
  public var day: Day { Day(number: Int32(floorDivide(microseconds, Self.perDay))) }

  /// Appends `2026-11-23T22:20:00.123456Z`. Years are 0000 to 9999.
  public func append(to bytes: inout [UInt8]) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.textLength) { space in
      var writer = ByteWriter(space)
      writer.put(self)
      bytes.append(contentsOf: writer.written)
    }
  }

  public var description: String {
    var bytes: [UInt8] = []
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads exactly the form that `append` writes.
  public init?(utf8 text: UnsafeBufferPointer<UInt8>) {
    guard text.count == Self.textLength else { return nil }
    func digits(_ range: Range<Int>) -> Int? {
      var value = 0
      for index in range {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value * 10 + Int(digit)
      }
      return value
    }
    guard text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
      text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"),
      text[16] == UInt8(ascii: ":"), text[19] == UInt8(ascii: "."), text[26] == UInt8(ascii: "Z"),
      let year = digits(0..<4), let month = digits(5..<7), let dayOfMonth = digits(8..<10),
      let day = Day(year: year, month: month, day: dayOfMonth),
      let hour = digits(11..<13), hour < 24, let minute = digits(14..<16), minute < 60,
      let second = digits(17..<19), second < 60, let fraction = digits(20..<26)
    else { return nil }
    let seconds = Int64(hour * 3600 + minute * 60 + second)
    microseconds = Int64(day.number) * Self.perDay + seconds * 1_000_000 + Int64(fraction)
  }

  /// Reads a moment as people write it: `2026-11-23T22:20Z`, `2026-11-23T22:20:00+09:00`, with or
  /// without a fraction of a second, of which six digits count.
  public init?(_ text: some StringProtocol) {
    guard let mark = text.firstIndex(where: { $0 == "T" || $0 == " " }),
      let zoneStart = text[mark...].firstIndex(where: { "Zz+-".contains($0) }),
      let day = Day(text[..<mark])
    else { return nil }
    let clock = text[text.index(after: mark)..<zoneStart].split(
      separator: ":", omittingEmptySubsequences: false)
    guard (2...3).contains(clock.count), let hour = Self.number(clock[0], below: 24),
      let minute = Self.number(clock[1], below: 60), let zone = Self.zone(text[zoneStart...])
    else { return nil }
    var micros: Int64 = 0
    if clock.count == 3 {
      let parts = clock[2].split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count <= 2, let second = Self.number(parts[0], below: 60) else { return nil }
      micros = second * 1_000_000
      if parts.count == 2 {
        let digits = parts[1].prefix(6)
        guard !digits.isEmpty, parts[1].utf8.allSatisfy(Self.isDigit),
          let fraction = Int64(digits + String(repeating: "0", count: 6 - digits.count))
        else { return nil }
        micros += fraction
      }
    }
    let minutes = hour * 60 + minute - zone
    microseconds = Int64(day.number) * Self.perDay + minutes * 60_000_000 + micros
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// A number of two digits.
  private static func number(_ digits: some StringProtocol, below limit: Int64) -> Int64? {
    guard digits.utf8.count == 2, digits.utf8.allSatisfy(isDigit),
      let value = Int64(digits), value < limit
    else { return nil }
    return value
  }

  /// Minutes ahead of UTC: `Z`, `+09:00`, `-0330`, `+09`.
  private static func zone(_ text: some StringProtocol) -> Int64? {
    if text == "Z" || text == "z" { return 0 }
    let digits = String(text.dropFirst().filter { $0 != ":" })
    guard digits.count == 2 || digits.count == 4, let hours = number(digits.prefix(2), below: 24),
      let minutes = digits.count == 2 ? 0 : number(digits.suffix(2), below: 60)
    else { return nil }
    return (text.first == "-" ? -1 : 1) * (hours * 60 + minutes)
  }
}

func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
  let quotient = value / by
  return value % by < 0 ? quotient - 1 : quotient
}

/// The clock of one timeline on one machine: strictly rising, later than every line accepted.
public struct HybridClock: Sendable {
  /// How far ahead a remote clock may be and still be followed.
  public static let followLimitMicroseconds: Int64 = 3_600_000_000

  /// The latest moment given out or followed.
  public private(set) var latest: RecordedTime

  public init(latest: RecordedTime = RecordedTime(microseconds: 0)) { self.latest = latest }

  /// The moment for a line recorded here.
  public mutating func stamp(now: RecordedTime) -> RecordedTime {
    latest = max(now, RecordedTime(microseconds: latest.microseconds + 1))
    return latest
  }

  /// Notes a line from another machine; false where its clock is too far ahead to be followed.
  public mutating func follow(_ remote: RecordedTime, now: RecordedTime) -> Bool {
    guard remote.microseconds - now.microseconds <= Self.followLimitMicroseconds else {
      return false
    }
    latest = max(latest, remote)
    return true
  }

  /// Notes a line that stands in our own log already: it is never doubted.
  public mutating func resume(after time: RecordedTime) { latest = max(latest, time) }
}

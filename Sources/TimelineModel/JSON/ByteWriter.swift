// Writing what lines are made of into memory whose size is known to be enough: one check of space for
// a whole envelope instead of one for each of its parts.

import func Glibc.memcpy

struct ByteWriter {
  private let start: UnsafeMutablePointer<UInt8>
  private let capacity: Int
  private(set) var count = 0

  init(_ space: UnsafeMutableBufferPointer<UInt8>) {
    start = space.baseAddress!
    capacity = space.count
  }

  var written: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  private mutating func room(_ bytes: Int) -> UnsafeMutablePointer<UInt8> {
    precondition(count + bytes <= capacity)
    defer { count += bytes }
    return start + count
  }

  mutating func put(_ text: StaticString) {
    memcpy(room(text.utf8CodeUnitCount), text.utf8Start, text.utf8CodeUnitCount)
  }

  mutating func put(_ byte: UInt8) { room(1).pointee = byte }

  mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
    if let base = bytes.baseAddress { memcpy(room(bytes.count), base, bytes.count) }
  }

  mutating func put(decimal value: UInt64) {
    var rest = value
    var digits = 1
    while rest >= 10 {
      rest /= 10
      digits += 1
    }
    let target = room(digits)
    rest = value
    for index in stride(from: digits - 1, through: 0, by: -1) {
      target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }

  /// The eight digits of a word.
  mutating func put(hex word: UInt32) {
    UnsafeMutableRawPointer(room(8)).storeBytes(of: Self.hex(word), as: UInt64.self)
  }

  /// The canonical text of a UUID: 36 characters.
  mutating func put(_ uuid: UUIDBytes) {
    let target = UnsafeMutableRawPointer(room(UUIDBytes.textLength))
    let first = Self.hex(UInt32(truncatingIfNeeded: uuid.high >> 32))
    let second = Self.hex(UInt32(truncatingIfNeeded: uuid.high))
    let third = Self.hex(UInt32(truncatingIfNeeded: uuid.low >> 32))
    let fourth = Self.hex(UInt32(truncatingIfNeeded: uuid.low))
    let hyphen = UInt8(ascii: "-")
    target.storeBytes(of: first, as: UInt64.self)
    target.storeBytes(of: hyphen, toByteOffset: 8, as: UInt8.self)
    target.storeBytes(of: UInt32(truncatingIfNeeded: second), toByteOffset: 9, as: UInt32.self)
    target.storeBytes(of: hyphen, toByteOffset: 13, as: UInt8.self)
    target.storeBytes(of: UInt32(second >> 32), toByteOffset: 14, as: UInt32.self)
    target.storeBytes(of: hyphen, toByteOffset: 18, as: UInt8.self)
    target.storeBytes(of: UInt32(truncatingIfNeeded: third), toByteOffset: 19, as: UInt32.self)
    target.storeBytes(of: hyphen, toByteOffset: 23, as: UInt8.self)
    target.storeBytes(of: UInt32(third >> 32), toByteOffset: 24, as: UInt32.self)
    target.storeBytes(of: fourth, toByteOffset: 28, as: UInt64.self)
  }

  /// `2026-11-23T22:20:00.123456Z`; years are 0000 to 9999.
  mutating func put(_ time: RecordedTime) {
    let (year, month, dayOfMonth) = time.day.civil
    let micros = time.microseconds - Int64(time.day.number) * RecordedTime.perDay
    put(year, digits: 4, then: "-")
    put(month, digits: 2, then: "-")
    put(dayOfMonth, digits: 2, then: "T")
    put(Int(micros / 3_600_000_000), digits: 2, then: ":")
    put(Int(micros / 60_000_000 % 60), digits: 2, then: ":")
    put(Int(micros / 1_000_000 % 60), digits: 2, then: ".")
    put(Int(micros % 1_000_000), digits: 6, then: "Z")
  }

  private mutating func put(_ value: Int, digits: Int, then mark: Unicode.Scalar) {
    let target = room(digits + 1)
    var rest = UInt32(truncatingIfNeeded: value)
    for index in stride(from: digits - 1, through: 0, by: -1) {
      target[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    target[digits] = UInt8(ascii: mark)
  }

  /// A string in its quotes.
  mutating func put(json text: String) {
    var escaped: [UInt8] = []
    JSONText.append(text, to: &escaped)
    escaped.withUnsafeBufferPointer { put($0) }
  }

  /// Sixteen bytes as 24 characters of base64 (RFC 4648 section 4).
  mutating func put(base64 bytes: (UInt64, UInt64)) {
    let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    let letters = alphabet.utf8Start
    let target = room(24)
    for index in 0..<10 { target[index] = letters[Int(bytes.0 >> UInt64(58 - index * 6) & 63)] }
    target[10] = letters[Int((bytes.0 << 2 | bytes.1 >> 62) & 63)]
    for index in 11..<21 {
      target[index] = letters[Int(bytes.1 >> UInt64(56 - (index - 11) * 6) & 63)]
    }
    target[21] = letters[Int(bytes.1 << 4 & 63)]
    target[22] = UInt8(ascii: "=")
    target[23] = UInt8(ascii: "=")
  }

  /// Eight digits as they stand in memory, all at once: the nibbles are spread over eight bytes, and
  /// those above nine moved up to the letters.
  private static func hex(_ word: UInt32) -> UInt64 {
    var spread = UInt64(word)
    spread = (spread << 16 | spread) & 0x0000_FFFF_0000_FFFF
    spread = (spread << 8 | spread) & 0x00FF_00FF_00FF_00FF
    spread = (spread << 4 | spread) & 0x0F0F_0F0F_0F0F_0F0F
    // spread now holds the nibbles, the highest in the highest byte.
    let isLetter = ((spread &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
    let digits = spread &+ 0x3030_3030_3030_3030 &+ isLetter &* 39
    return digits.byteSwapped
  }
}

// How near two titles are: the words that they have in common, twice, over the words of both (Dice's
// coefficient, 1945). Words are runs of letters and digits, case and diacritics folded. From a half on two
// titles are alike, unless each has a number that the other has not: "Two Hwasong-11A" and "Five
// Hwasong-11D" are two launches of one day.

import TimelineModel

public struct TitleWords: Sendable, Hashable {
  /// Hashes, rising, each once.
  let words: [UInt64]
  /// Those with a digit.
  private let numbers: [UInt64]

  public init(_ title: String) {
    var title = title
    self = title.withUTF8 { TitleWords(utf8: $0) }
  }

  /// Of the bytes of a JSON string that has no escapes.
  init(utf8: UnsafeBufferPointer<UInt8>) {
    guard utf8.allSatisfy({ $0 < 0x80 }) else {
      self.init(folding: String(decoding: utf8, as: UTF8.self))
      return
    }
    var builder = Builder()
    for byte in utf8 {
      let isCapital = (0x41...0x5A).contains(byte)
      let letter = isCapital ? byte | 0x20 : byte
      if (0x61...0x7A).contains(letter) {
        builder.add(letter)
      } else if (0x30...0x39).contains(letter) {
        builder.add(letter, isDigit: true)
      } else {
        builder.end()
      }
    }
    self.init(builder)
  }

  private init(folding title: String) {
    var builder = Builder()
    for scalar in TextNeedle.fold(title).unicodeScalars {
      let isDigit = scalar.properties.numericType != nil
      if isDigit || scalar.properties.isAlphabetic {
        for byte in UTF8.encode(scalar)! { builder.add(byte, isDigit: isDigit) }
      } else {
        builder.end()
      }
    }
    self.init(builder)
  }

  private init(_ builder: Builder) {
    var builder = builder
    builder.end()
    words = Set(builder.words).sorted()
    numbers = builder.numbers.isEmpty ? [] : Set(builder.numbers).sorted()
  }

  /// FNV-1a of each word.
  fileprivate struct Builder {
    var words: [UInt64] = []
    var numbers: [UInt64] = []
    private var hash = Self.start
    private var isNumber = false
    static let start: UInt64 = 0xCBF2_9CE4_8422_2325

    static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
      (hash ^ UInt64(byte)) &* 0x100_0000_01B3
    }

    mutating func add(_ byte: UInt8, isDigit: Bool = false) {
      hash = Self.step(hash, byte)
      isNumber = isNumber || isDigit
    }

    mutating func end() {
      guard hash != Self.start else { return }
      words.append(hash)
      if isNumber { numbers.append(hash) }
      (hash, isNumber) = (Self.start, false)
    }
  }

  /// FNV-1a of any bytes.
  static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(Builder.start, Builder.step)
  }

  public func isAlike(_ other: TitleWords) -> Bool {
    let common = Self.common(words, other.words)
    guard common > 0, 4 * common >= words.count + other.words.count else { return false }
    return !speaksOfAnotherNumber(than: other)
  }

  /// Whether each has a number that the other has not.
  func speaksOfAnotherNumber(than other: TitleWords) -> Bool {
    Self.common(numbers, other.numbers) < min(numbers.count, other.numbers.count)
  }

  /// How many words both have.
  public func inCommon(_ other: TitleWords) -> Int { Self.common(words, other.words) }

  private static func common(_ left: [UInt64], _ right: [UInt64]) -> Int {
    var (count, at, other) = (0, 0, 0)
    while at < left.count, other < right.count {
      if left[at] == right[other] {
        count += 1
        at += 1
        other += 1
      } else if left[at] < right[other] {
        at += 1
      } else {
        other += 1
      }
    }
    return count
  }
}

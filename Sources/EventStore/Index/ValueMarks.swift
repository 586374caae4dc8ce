// Which blocks of 1,024 rows may hold an event of a type, subtype, author or with a tag: a bit for each
// value in each block, by a hash. It costs half a byte an event, and spares a question for something
// rare nearly all rows. What a block no longer holds may stay marked: rows are looked at in any case.

struct ValueMarks: Sendable {
  /// 4,096 bits for each block, one block after the other.
  private(set) var words = Column<UInt64>()

  static let rowsOfBlock = Column<EventRow>.size
  private static let wordsOfBlock = 64

  /// What a bit stands for; two values may share one.
  struct Mark: Sendable, Equatable {
    fileprivate let word: Int
    fileprivate let bit: UInt64

    private init(_ kind: UInt64, _ number: some BinaryInteger) {
      let mixed = (kind << 32 | UInt64(number)) &* 0x9E37_79B9_7F4A_7C15
      word = Int(mixed >> 58)
      bit = 1 << (mixed >> 52 & 63)
    }

    static func type(_ number: UInt8) -> Mark { Mark(1, number) }
    static func subtype(_ number: UInt32) -> Mark { Mark(2, number) }
    static func tags(_ number: UInt32) -> Mark { Mark(3, number) }
    static func author(_ number: UInt16) -> Mark { Mark(4, number) }
  }

  init() {}

  /// Those that an index on disk had.
  init(_ words: Column<UInt64>) { self.words = words }

  mutating func adopt(_ saved: Self, madeOf old: Self) {
    words.adopt(saved.words, madeOf: old.words)
  }

  mutating func add(_ row: EventRow, at slot: UInt32) {
    let start = Int(slot) / Self.rowsOfBlock * Self.wordsOfBlock
    while words.count < start + Self.wordsOfBlock { words.append(0) }
    func set(_ mark: Mark) {
      let known = words[start + mark.word]
      // Most are there already; what is not written is not copied.
      if known & mark.bit == 0 { words[start + mark.word] = known | mark.bit }
    }
    set(.type(row.typeCode))
    set(.subtype(row.subtype))
    set(.tags(row.tags))
    set(.author(row.author))
  }

  /// The blocks that have one mark of each list.
  func blocks(_ lists: [[Mark]]) -> [Int] {
    (0..<words.count / Self.wordsOfBlock).filter { block in
      lists.allSatisfy { marks in
        marks.contains { words[block * Self.wordsOfBlock + $0.word] & $0.bit != 0 }
      }
    }
  }
}

// What a start may find behind the last good line of a segment, and what it does about it: one table, in
// which each combination of facts has one row (RecoveryTableTests). To add a case: a fact or a value of one,
// a row, and its action in `ReplicaLog.finishRecovery`.
//
//     … good line\n  wrong line\n wrong line\n  {"v":1,"repl            unfinished
//                    whole lines                00000000000000          never written
//                                               the tail

/// What stands at the end of a segment.
enum SegmentEnd: CaseIterable {
  /// Nothing follows the last good line.
  case clean
  /// The log has no file, and nobody says that it should have one.
  case absent
  /// Whole lines that are wrong: they may have been acknowledged. They are named, and stay.
  case wrongLines
  /// A write that a crash cut short: never acknowledged. It is kept aside and cut off.
  case torn
  /// The same behind whole lines that are wrong, which stay.
  case tornBehindWrongLines
  /// There is no room to keep a torn tail aside: it stays until an append finds room.
  case tornWithoutRoom
  /// A signed head says that more lines were durable than stand here: nothing is cut, all that stands here
  /// is part of what is damaged.
  case brokenUnderHead
  /// The same where nothing stands in their place.
  case lostUnderHead
  /// Another segment follows: what stands here and is no line stays, as damage up to that one's first line.
  case brokenBeforeNext

  /// What is observed.
  struct Facts: Hashable {
    enum File: CaseIterable {
      /// The log has no segment.
      case none
      /// Another segment follows.
      case closed
      /// The one that is written to.
      case newest
    }

    enum Tail: CaseIterable {
      case none
      /// Bytes without an LF at their end.
      case unfinished
      /// Blocks that were never written read as zeros; whatever stands behind them is part of the tail.
      case zeros
    }

    var file: File
    /// Whether whole lines follow that are wrong.
    var hasWrongLines = false
    var tail: Tail = .none
    /// Whether a signed head covers more lines than can be counted here, wrong ones included.
    var isUnderHead = false
    /// Whether the disk has room to keep the tail aside; only a try tells.
    var hasRoom = true
  }

  struct Row {
    let end: SegmentEnd
    let file: [Facts.File]
    let wrongLines: [Bool]
    let tail: [Facts.Tail]
    let underHead: [Bool]
    let room: [Bool]

    func fits(_ facts: Facts) -> Bool {
      file.contains(facts.file) && wrongLines.contains(facts.hasWrongLines)
        && tail.contains(facts.tail) && underHead.contains(facts.isUnderHead)
        && room.contains(facts.hasRoom)
    }
  }

  private static let any = [false, true]
  private static let anyTail = Facts.Tail.allCases
  private static let someTail: [Facts.Tail] = [.unfinished, .zeros]

  static let rows = [
    // A log without a file has neither lines nor a tail.
    row(.absent, [.none], any, anyTail, [false], any),
    row(.lostUnderHead, [.none], any, anyTail, [true], any),
    row(.clean, [.closed], [false], [.none], any, any),
    row(.brokenBeforeNext, [.closed], [true], [.none], any, any),
    row(.brokenBeforeNext, [.closed], any, someTail, any, any),
    row(.clean, [.newest], [false], [.none], [false], any),
    row(.lostUnderHead, [.newest], [false], [.none], [true], any),
    row(.wrongLines, [.newest], [true], [.none], [false], any),
    row(.brokenUnderHead, [.newest], [true], [.none], [true], any),
    row(.brokenUnderHead, [.newest], any, someTail, [true], any),
    row(.torn, [.newest], [false], someTail, [false], [true]),
    row(.tornBehindWrongLines, [.newest], [true], someTail, [false], [true]),
    row(.tornWithoutRoom, [.newest], any, someTail, [false], [false]),
  ]

  private static func row(
    _ end: SegmentEnd, _ file: [Facts.File], _ wrongLines: [Bool], _ tail: [Facts.Tail],
    _ underHead: [Bool], _ room: [Bool]
  ) -> Row {
    Row(
      end: end, file: file, wrongLines: wrongLines, tail: tail, underHead: underHead, room: room)
  }

  init(_ facts: Facts) {
    guard let row = Self.rows.first(where: { $0.fits(facts) }) else {
      fatalError("no row for the end of a segment: \(facts)")
    }
    self = row.end
  }
}

/// What stands behind the last good line of a segment, measured.
struct SegmentRest {
  /// Whole lines that are wrong.
  private(set) var lines: UInt64 = 0
  /// Bytes of these.
  private(set) var lineBytes = 0
  /// Bytes of the tail.
  private(set) var tailBytes = 0
  private(set) var tail = SegmentEnd.Facts.Tail.none

  init() {}

  init(behind segment: LogSegment) {
    let rest = segment.file.bytes(segment.size..<segment.file.size)
    var hasZeros = false
    for (offset, byte) in rest.enumerated() {
      if byte == 0 {
        hasZeros = true
        break
      }
      if byte == 0x0A {
        lineBytes = offset + 1
        lines += 1
      }
    }
    tailBytes = rest.count - lineBytes
    if tailBytes > 0 { tail = hasZeros ? .zeros : .unfinished }
  }
}

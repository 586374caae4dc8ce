// Free text over a whole log: its bytes looked through in a row, on all processors, at the speed of memory;
// the few lines that may hold the words are then read with care.

import TimelineModel

struct TextScan: Sendable {
  /// For each log, a bit for each line, by its number - 1.
  private let marks: [[UInt64]]
  /// Number of lines that fit.
  let count: Int
  /// Of the lines that were to be compared with their checks, the first that is not what was written.
  let damaged: LineRef?

  /// Lines of one task: a whole number of words of marks.
  private static let portion = 16_384

  /// - Parameter checked: of each log, how many lines are also compared with their checks: a damaged one
  ///   may no longer hold the words that it held.
  init(_ matcher: Matcher, in logs: [ReplicaLog], checked: [UInt64]?) {
    let pieces = logs.enumerated().map { logIndex, log in
      let portions = (Int(log.size) + Self.portion - 1) / Self.portion
      return Parallel.map(Array(0..<portions), portion: 1) { numbers in
        numbers.map { number in
          let first = number * Self.portion
          return Piece(
            matcher, log, first: first, count: min(Self.portion, Int(log.size) - first),
            checked: checked?[logIndex] ?? 0)
        }
      }
    }
    marks = pieces.map { $0.flatMap(\.words) }
    count = marks.joined().reduce(0) { $0 + $1.nonzeroBitCount }
    damaged =
      pieces.enumerated().lazy.compactMap { logIndex, pieces in
        pieces.lazy.compactMap(\.damaged).first.map { LineRef(replica: logIndex, seq: $0) }
      }.first
  }

  /// Some lines of a log in a row.
  private struct Piece: Sendable {
    var words: [UInt64]
    var damaged: UInt64?

    init(_ matcher: Matcher, _ log: ReplicaLog, first: Int, count: Int, checked: UInt64) {
      words = [UInt64](repeating: 0, count: (count + 63) / 64)
      let seqs = UInt64(first + 1)..<UInt64(first + count + 1)
      if UInt64(first) < checked {
        log.visit(seqs.clamped(to: 1..<checked + 1)) { seq, text in
          if damaged == nil, !Line.isWhole(text) { damaged = seq }
        }
      }
      var document = JSONDocument()
      for needle in matcher.needles {
        log.visit(seqs, where: needle.next) { seq, text in
          let offset = Int(seq) - first - 1
          guard words[offset / 64] >> UInt64(offset % 64) & 1 == 0, let line = try? Line(text),
            matcher.fits(line, text, &document)
          else { return }
          words[offset / 64] |= 1 << UInt64(offset % 64)
        }
      }
    }
  }

  /// Whether a line fits.
  func holds(_ ref: LineRef) -> Bool {
    let bit = Int(ref.seq - 1)
    return marks[ref.replica][bit / 64] >> UInt64(bit % 64) & 1 == 1
  }

  /// The lines that fit.
  var lines: [LineRef] {
    var lines: [LineRef] = []
    for (replica, words) in marks.enumerated() {
      for (offset, word) in words.enumerated() where word != 0 {
        for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
          lines.append(LineRef(replica: replica, seq: UInt64(offset * 64 + bit + 1)))
        }
      }
    }
    return lines
  }
}

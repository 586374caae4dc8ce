// Free text over a whole log: all lines read in a row, on all processors, at the speed of memory; the
// few that may hold the words are then read with care.

import TimelineModel

struct TextScan: Sendable {
  /// For each log, a bit for each line, by its number - 1.
  private let marks: [[UInt64]]
  /// Number of lines that fit.
  let count: Int

  /// Lines of one task: a whole number of words of marks.
  private static let portion = 16_384

  init(_ matcher: Matcher, in logs: [ReplicaLog]) {
    marks = logs.map { log in
      let portions = (Int(log.size) + Self.portion - 1) / Self.portion
      return Parallel.map(Array(0..<portions), portion: 1) { numbers in
        numbers.flatMap { number -> [UInt64] in
          let first = number * Self.portion
          let count = min(Self.portion, Int(log.size) - first)
          var words = [UInt64](repeating: 0, count: (count + 63) / 64)
          var document = JSONDocument()
          log.visit(UInt64(first + 1)..<UInt64(first + count + 1)) { seq, text in
            guard matcher.mayHold(text), let line = try? Line(text),
              matcher.fits(line, text, &document)
            else { return }
            let offset = Int(seq) - first - 1
            words[offset / 64] |= 1 << UInt64(offset % 64)
          }
          return words
        }
      }
    }
    count = marks.joined().reduce(0) { $0 + $1.nonzeroBitCount }
  }

  /// Whether a line fits.
  func holds(_ ref: LineRef) -> Bool {
    let place = Int(ref.seq - 1)
    return marks[ref.replica][place / 64] >> UInt64(place % 64) & 1 == 1
  }

  /// The lines that fit.
  var lines: [LineRef] {
    var lines: [LineRef] = []
    for (replica, words) in marks.enumerated() {
      for (place, word) in words.enumerated() where word != 0 {
        for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 {
          lines.append(LineRef(replica: replica, seq: UInt64(place * 64 + bit + 1)))
        }
      }
    }
    return lines
  }
}

// Words that were mistyped, and what was meant.

/// How far two words are apart: insertions, deletions, substitutions and swaps of neighbours
/// (optimal string alignment).
public enum EditDistance {
  /// Beyond this nobody mistyped a word, and comparing costs the square of its length.
  static let wordBytesMax = 64

  public static func between(_ left: String, _ right: String) -> Int {
    between(scalars(left), scalars(right), atMost: .max)
  }

  /// By scalars: they compare at once, where characters take a call each.
  private static func scalars(_ word: String) -> [UInt32] { word.unicodeScalars.map(\.value) }

  /// Where it is more than `limit`, some number beyond it.
  private static func between(_ left: [UInt32], _ right: [UInt32], atMost limit: Int) -> Int {
    // The row that is made, and the two before it.
    var row = Array(0...right.count)
    var above = row
    var aboveThat = row
    for i in left.indices {
      (aboveThat, above, row) = (above, row, aboveThat)
      row[0] = i + 1
      var least = i + 1
      for j in right.indices {
        var best = min(above[j] + (left[i] == right[j] ? 0 : 1), above[j + 1] + 1, row[j] + 1)
        if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
          best = min(best, aboveThat[j - 1] + 1)
        }
        row[j + 1] = best
        least = min(least, best)
      }
      // Later rows have nothing less, not even by a swap: that costs one more than two rows before.
      guard least <= limit else { return least }
    }
    return row[right.count]
  }

  /// The words of a list that may have been meant.
  public static func nearest(to word: String, in words: [String]) -> [String] {
    guard word.utf8.count <= wordBytesMax else { return [] }
    let limit = max(1, word.count / 3)
    let letters = scalars(word.lowercased())
    return words.compactMap { other -> (Int, String)? in
      // No fewer than so many insertions.
      guard abs(other.unicodeScalars.count - letters.count) <= limit else { return nil }
      let distance = between(letters, scalars(other.lowercased()), atMost: limit)
      return distance <= limit ? (distance, other) : nil
    }.sorted { $0 < $1 }.prefix(3).map(\.1)
  }

  /// Advice on a word that is none of these: which may have been meant, else `other`.
  public static func advice(
    on word: String, in known: [String], else other: @autoclosure () -> String
  ) -> String {
    let near = nearest(to: word, in: known)
    return near.isEmpty ? other() : "did you mean \(near.joined(separator: ", "))?"
  }
}

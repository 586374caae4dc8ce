// Text laid out in lines of a width, broken at spaces. Lines that it has of its own, and so its
// paragraphs, stay.

struct Wrapped {
  let lines: [String]

  /// - Parameter width: columns of a line; nil leaves the lines as they are.
  init(_ text: String, to width: Int?) {
    let paragraphs = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let width else {
      lines = paragraphs
      return
    }
    lines = paragraphs.flatMap { Self.wrap($0, to: max(8, width)) }
  }

  private static func wrap(_ text: String, to width: Int) -> [String] {
    guard Terminal.width(text) > width else { return [text] }
    var lines: [String] = []
    var line = ""
    var used = 0
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    for word in words.flatMap({ pieces($0, of: width) }) {
      let wordWidth = Terminal.width(word)
      if used > 0, used + 1 + wordWidth > width {
        lines.append(line.trimmedEnd)
        (line, used) = ("", 0)
      }
      line += used > 0 ? " " + word : word
      used += wordWidth + (used > 0 ? 1 : 0)
    }
    return lines + [line]
  }

  /// A word that is wider than a line is cut, but for an address, which is to be copied whole.
  private static func pieces(_ word: Substring, of width: Int) -> [String] {
    guard Terminal.width(String(word)) > width, !word.contains("://") else { return [String(word)] }
    var pieces = [""]
    var used = 0
    for character in word {
      let more = Terminal.width(String(character))
      if used + more > width {
        pieces.append("")
        used = 0
      }
      pieces[pieces.count - 1].append(character)
      used += more
    }
    return pieces
  }
}

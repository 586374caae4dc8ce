// A moment of the log, as --known-at and --after take it: a day, a time, or a position; or, for --at, a
// snapshot that was recorded to be cited.

import TimelineModel

enum Moment {
  static let forms =
    "give a day (2026-11-01, its end in UTC), a time (2026-11-23T22:20:00Z) or a position"
    + " ('{\"REPLICA\":10}', as timelinectl status --json has it)"

  static let flags = [
    Flag(name: "--known-at", value: "WHEN", help: "only what was recorded by then"),
    Flag(name: "--at", value: "SNAPSHOT", help: "as a snapshot has it: the same on every machine"),
  ]

  /// How the log stood that is asked about, as members of the question; none for now.
  static func members(_ words: Words) throws(Failure) -> [JSONValue.Member] {
    guard let name = words["--at"] else {
      guard let known = words["--known-at"] else { return [] }
      return [JSONValue.Member("known_at", try json(known, "--known-at"))]
    }
    guard !words.has("--known-at") else {
      throw Failure(.usage, "--at and --known-at each say how the log stood: give one of them")
    }
    return [JSONValue.Member("at", .string(name))]
  }

  /// The same as words behind another command, which is to see the log as this one does.
  static func words(_ words: Words) -> String {
    ["--at", "--known-at"].compactMap { flag in
      words[flag].map { value in
        let isPlain = value.utf8.allSatisfy { byte in
          (0x61...0x7A).contains(byte | 0x20) || (0x2B...0x3A).contains(byte) || byte == 0x5F
        }
        return " \(flag) " + (isPlain ? value : "'" + value.replacing("'", with: "'\\''") + "'")
      }
    }.joined()
  }

  /// Says what an answer that cites a snapshot can no longer hold.
  static func tell(_ answer: JSONValue) {
    guard let erased = answer["snapshot"]?["erased"]?.int else { return }
    let name = answer["snapshot"]?["name"]?.string ?? ""
    Terminal.say(
      "\(erased == 1 ? "1 line" : "\(erased) lines") of snapshot \(name) were erased since, by"
        + " timelinectl erase: without them")
  }

  /// What is sent: a position as an object, all else as it was written.
  static func json(_ text: String, _ flag: String) throws(Failure) -> JSONValue {
    let word = text.trimmed
    if word.hasPrefix("{") {
      var copy = word
      let json = copy.withUTF8 { try? JSONValue(parsing: $0) }
      guard let json, Position(json: json) != nil else {
        throw Failure(.usage, "\(flag): \(word) is no position; \(forms)")
      }
      return json
    }
    guard let first = word.first, first.isASCII, first.isNumber else {
      throw Failure(.usage, "\(flag): \"\(text)\" is no moment; \(forms)")
    }
    // A day that does not exist is told with what would be right; a time is the daemon's to read.
    if !word.contains("T") {
      do throws(DateError) { _ = try EventDate(word) } catch {
        throw Failure(.usage, "\(flag): \(error.message)")
      }
    }
    return .string(word)
  }
}

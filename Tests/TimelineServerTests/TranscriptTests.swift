// Sessions as text: `>` lines go to the engine, `<` lines are what it answers. Read them as one reads a
// play. TRANSCRIPTS=write swift test --filter Transcript writes the answers anew, for the review to read.

import Access
import Foundation
import Testing
import TimelineModel

@testable import TimelineServer

@Suite("Transcripts", .timeLimit(.minutes(1)))
struct TranscriptTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(
    path: "../Fixtures/transcripts")

  @Test(
    "A session is answered as its transcript says",
    arguments: ["client.txt", "stranger.txt", "sync.txt"])
  func session(_ name: String) throws {
    let file = Self.folder.appending(path: name)
    let text = try String(contentsOf: file, encoding: .utf8)
    let driven = try Driven()
    var connection = driven.open()
    var lines: [String] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("< ") { continue }
      lines.append(String(line))
      if line == "# over TCP" { connection = driven.open(.nobody) }
      guard line.hasPrefix("> ") else { continue }
      driven.send(line.dropFirst(2) + "\n", on: connection)
      lines += driven.take(connection).map { "< " + $0 }
      if driven.closed.contains(connection) { lines.append("# closed") }
    }
    // What closed it stands in the file too.
    var played: [String] = []
    for line in lines where !(line == "# closed" && played.last == line) { played.append(line) }
    let answered = played.joined(separator: "\n")
    if ProcessInfo.processInfo.environment["TRANSCRIPTS"] == "write" {
      try answered.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(answered == text)
  }
}

import Support
import Testing
import TimelineModel
import TransparencyLog

@testable import Backup

@Suite("The text of a backup")
struct BackupReaderTests {
  let logs = [SampleLog(1, lines: 5), SampleLog(2, lines: 1), SampleLog(3, lines: 300)]

  @Test("Whatever pieces it comes in, it is the same", arguments: [1, 2, 7, 100, 4096, 1 << 20])
  func pieces(size: Int) throws {
    let heads = try [logs[0].replica: logs[0].head(3), logs[2].replica: logs[2].head(300)]
    let text = SampleText(logs, heads: heads, key: "a key\n").text
    let (contents, lines) = try read(text, pieces: size)
    #expect(lines == logs.flatMap(\.lines))
    #expect(contents.key == "a key\n")
    #expect(contents.missing == 0)
    #expect(contents.logs.map(\.replica) == logs.map(\.replica))
    #expect(try contents.logs.map(\.root) == logs.map { try $0.root(of: $0.lines.count) })
    #expect(contents.logs.map(\.headSize) == [3, nil, 300])
    #expect(contents.logs.map(\.isHeadChecked) == [true, false, true])
  }

  @Test("A timeline without lines has a backup")
  func empty() throws {
    #expect(try read(SampleText([]).text).contents.lines == 0)
  }

  @Test("Lines that are missing are named, and the log is good up to them")
  func gaps() throws {
    var sample = SampleText(logs)
    // Lines 2 and 3 of the first log, and the last one of the third.
    sample.lines.removeSubrange(3...4)
    sample.lines.removeLast()
    let contents = try read(sample.text).contents
    #expect(contents.logs.map(\.gaps) == [[2...3], [], [300...300]])
    #expect(contents.logs.map(\.usable) == [1, 1, 299])
    #expect(contents.missing == 3)
    #expect(contents.logs.map { $0.root == nil } == [true, false, true])
  }

  @Test("A head over lines that are missing cannot be checked, one before them can")
  func headsAndGaps() throws {
    for (size, isChecked) in [(1, true), (2, false), (5, false)] {
      var sample = SampleText(logs, heads: [logs[0].replica: try logs[0].head(size)])
      sample.lines.remove(at: 3)
      #expect(try read(sample.text).contents.logs[0].isHeadChecked == isChecked)
    }
  }

  @Test("A head of other lines, or of more lines than there are, is refused")
  func heads() throws {
    let other = try logs[2].root(of: 3)
    let longer = try SampleLog(1, lines: 6).head(6)
    for head in [try logs[0].head(3, root: other), try logs[0].head(5, root: other), longer] {
      #expect(throws: BackupError.self) {
        try read(SampleText(logs, heads: [logs[0].replica: head]).text)
      }
    }
    // By a key that the log does not name, or as another log's.
    let strangers = [logs[0].signer(8), logs[0].signer(of: logs[1].replica)]
    for head in try strangers.map({ try logs[0].head(3, by: $0) }) {
      #expect(throws: BackupError.self) {
        try read(SampleText(logs, heads: [logs[0].replica: head]).text)
      }
    }
    for head in ["", "no note", "a\n1\nAAAA\n"] {
      #expect(throws: BackupError.self) {
        try read(SampleText(logs, heads: [logs[0].replica: head]).text)
      }
    }
  }

  @Test("Without a line that names the key a head is none, unless that line is missing")
  func noKey() throws {
    var log = logs[0]
    log.lines[0] = log.line(1)
    #expect(throws: BackupError.self) {
      try read(SampleText([log], heads: [log.replica: log.head(3)]).text)
    }
    // A log speaks for itself alone.
    log.lines[0] = log.line(1, body: logs[1].member)
    #expect(throws: BackupError.self) {
      try read(SampleText([log], heads: [log.replica: log.head(3)]).text)
    }
    var sample = SampleText([logs[0]], heads: [logs[0].replica: try logs[0].head(3)])
    sample.lines.remove(at: 2)
    #expect(try read(sample.text).contents.logs[0].isHeadChecked == false)
  }

  @Test("Every line that is left out, comes twice or changes places is noticed, but a damaged one")
  func lines() throws {
    let sample = SampleText([logs[0], logs[1]], key: "k")
    for index in sample.lines.indices {
      let isEvent = sample.lines[index].hasPrefix("{")
      var changed = sample
      changed.lines.remove(at: index)
      if isEvent {
        // What is missing is reported.
        #expect(try read(changed.text).contents.missing == 1)
      } else if index != sample.lines.count - 1 {
        #expect(throws: BackupError.self) { try read(changed.text) }
      }
      changed = sample
      changed.lines.insert(sample.lines[index], at: index)
      #expect(throws: BackupError.self) { try read(changed.text) }
      for other in sample.lines.indices where other > index {
        changed = sample
        changed.lines.swapAt(index, other)
        #expect(throws: BackupError.self, "\(index) and \(other)") { try read(changed.text) }
      }
    }
  }

  @Test("A line of another log, one of too high a number, and times that do not rise are refused")
  func events() throws {
    let log = logs[0]
    for line in [
      logs[1].line(4), log.line(6), log.line(4, recorded: 3), Array(log.line(4).dropFirst()),
    ] {
      var sample = SampleText([log])
      sample.lines[5] = String(decoding: line, as: UTF8.self)
      #expect(throws: BackupError.self) { try read(sample.text) }
    }
  }

  @Test("A line that stands behind a later one is refused, whenever it was recorded")
  func order() throws {
    var sample = SampleText([logs[0]])
    sample.lines[6] = String(decoding: logs[0].line(3, recorded: 9), as: UTF8.self)
    #expect(throws: BackupError.order(logs[0].replica, after: 4, found: 3)) {
      try read(sample.text)
    }
  }

  @Test("What END says is compared")
  func end() throws {
    let text = String(decoding: SampleText([logs[0]]).text, as: UTF8.self)
    for (old, new) in [
      ("END {\"lines\":5,", "END {\"lines\":4,"), ("END {\"lines\":5,", "END {"),
      ("\"sha256\":\"", "\"sha256\":\"0"), ("\"sha256\"", "\"sha512\""),
    ] {
      #expect(throws: BackupError.self) { try read(Array(text.replacing(old, with: new).utf8)) }
    }
  }

  @Test("A line whose body is no JSON is refused here too: the daemon would not take it")
  func notJSON() throws {
    var line: [UInt8] = []
    let body = Array("\"title\":nonsense".utf8)
    body.withUnsafeBufferPointer {
      Line.append(
        to: &line, replica: logs[0].replica, seq: 5, recorded: RecordedTime(microseconds: 5),
        id: EventID(importedName: "x"), author: "ann", body: $0, salt: (1, 2))
    }
    var sample = SampleText([logs[0]])
    sample.lines[6] = String(decoding: line, as: UTF8.self)
    #expect(throws: BackupError.self) { try read(sample.text) }
  }

  @Test("What is cut anywhere, or goes on, is refused")
  func cut() throws {
    let text = SampleText([logs[0]]).text
    for count in 0..<text.count {
      #expect(throws: BackupError.self, "\(count)") { try read(Array(text.prefix(count))) }
    }
    for more in ["\n", "x", "END {}\n"] {
      #expect(throws: BackupError.extraData) { try read(text + Array(more.utf8)) }
    }
  }

  @Test("Every bit of it is noticed")
  func bits() throws {
    let logs = [SampleLog(1, lines: 2)]
    let heads = try [logs[0].replica: logs[0].head(2)]
    let text = SampleText(logs, heads: heads, key: "k").text
    let end = text.count - 90
    for index in 0..<text.count * 8 {
      var flipped = text
      flipped[index / 8] ^= 1 << UInt8(index % 8)
      // END itself is under the compression's checksum alone: a space in its JSON is another spelling.
      guard let (_, lines) = try? read(flipped) else { continue }
      #expect(index / 8 >= end && lines == logs[0].lines, "bit \(index)")
    }
  }

  @Test("Another version, and what is no backup, is said to be that")
  func others() {
    func error(_ text: String) -> BackupError? {
      do throws(BackupError) {
        _ = try read(Array(text.utf8))
        return nil
      } catch { return error }
    }
    #expect(error("timeline-backup 2 {}\n") == .version("2"))
    for text in ["", "x", "{\"v\":1}\n", String(repeating: "x", count: 3 << 20)] {
      #expect(error(text) == .notABackup)
    }
  }

  @Test("A line that never ends does not fill memory")
  func endless() {
    let text = SampleText(logs).lines[0] + String(repeating: "x", count: 2 << 20)
    #expect(throws: BackupError.tooLong(line: 2)) { try read(Array(text.utf8), pieces: 4096) }
  }
}

@Suite("The file of a backup")
struct BackupFileTests {
  @Test("What is written is read, whatever pieces it comes in", arguments: [1, 3, 1000, 1 << 20])
  func roundTrip(size: Int) throws {
    let logs = [SampleLog(1, lines: 5), SampleLog(2, lines: 2000)]
    let (contents, lines) = try readFile(try write(logs, key: "k"), pieces: size)
    #expect(lines == logs.flatMap(\.lines))
    #expect(contents.key == "k")
    #expect(try contents.logs[1].root == logs[1].root(of: 2000))
  }

  @Test("Every bit of a small file and many of a large one are noticed, or change nothing")
  func bits() throws {
    var harmless = 0
    let seed = UInt64.random(in: 0...UInt64.max)
    print("backup bit flips: seed \(seed)")
    var chance = SplitMix(seed: seed)
    let large = [SampleLog(1, lines: 5), SampleLog(2, lines: 2000)]
    for (logs, count) in [([SampleLog(1, lines: 2)], nil), (large, 500)] {
      let bytes = try write(logs)
      let header = SampleText(logs).header
      let indices =
        count.map { (0..<$0).map { _ in Int(chance.next() % UInt64(bytes.count * 8)) } }
        ?? Array(0..<bytes.count * 8)
      for index in indices {
        var flipped = bytes
        flipped[index / 8] ^= 1 << UInt8(index % 8)
        guard let (contents, lines) = try? readFile(flipped) else { continue }
        // Of a frame not every bit has a say in what it holds.
        #expect(
          contents.header == header && contents.key == nil && lines == logs.flatMap(\.lines),
          "bit \(index), seed \(seed)")
        harmless += 1
      }
    }
    print("backup bit flips: \(harmless) changed nothing that was read")
  }

  @Test("What is cut anywhere, or goes on, is refused")
  func cut() throws {
    let bytes = try write([SampleLog(1, lines: 3)])
    for count in 0..<bytes.count {
      #expect(throws: BackupError.self, "\(count)") { try readFile(Array(bytes.prefix(count))) }
    }
    for more in [[0], bytes] {
      #expect(throws: BackupError.self) { try readFile(bytes + more) }
      // Also where it comes later.
      #expect(throws: BackupError.self) { try readFile(bytes + more, pieces: bytes.count) }
    }
  }

  @Test("What cannot be restored is not written")
  func refused() throws {
    let (log, other) = (SampleLog(1, lines: 3), SampleLog(2, lines: 3))
    var writer = try BackupWriter(SampleText([log]).header)
    try writer.log(log.replica, lines: 3, head: nil)
    try writer.line(other.lines[0].dropLast())
    do throws(BackupError) {
      _ = try writer.end()
      Issue.record("it was written")
    } catch {
      #expect(error == .otherLog(expected: log.replica, found: other.replica))
    }
  }
}

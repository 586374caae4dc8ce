import Support
import Testing
import TimelineModel

@testable import Backup

@Suite("A backup that somebody changed, with its sums computed again")
struct BackupPropertyTests {
  private static let rounds = 3000

  @Test(
    "Whatever is changed: it is refused, or its lines are those that were recorded, in their order")
  func changed() throws {
    let seed = UInt64.random(in: 0...UInt64.max)
    print("changed backups: seed \(seed)")
    var chance = SplitMix(seed: seed)
    let logs = [SampleLog(1, lines: 5), SampleLog(2, lines: 1), SampleLog(3, lines: 12)]
    let heads = try [logs[0].replica: logs[0].head(3), logs[2].replica: logs[2].head(12)]
    let whole = SampleText(logs, heads: heads, key: "a key\n")
    var taken = 0
    for round in 0..<Self.rounds {
      var sample = whole
      for _ in 0...chance.next() % 3 { Self.change(&sample.lines, whole.lines, &chance) }
      guard let (contents, lines) = try? read(sample.text, pieces: 100) else { continue }
      taken += 1
      let why: Comment = "round \(round), seed \(seed)"
      #expect(lines.count == contents.lines, why)
      var rest = lines[...]
      for log in contents.logs {
        let original = try #require(logs.first { $0.replica == log.replica }, why)
        #expect(log.lines == UInt64(original.lines.count), why)
        let present = rest.prefix(Int(log.present))
        rest = rest.dropFirst(present.count)
        let kept = original.lines.indices.filter { seq in
          !log.gaps.contains { $0.contains(UInt64(seq + 1)) }
        }
        #expect(Array(present) == kept.map { original.lines[$0] }, why)
        // Where a line is missing it may be the one that names the key.
        #expect(log.head == heads[log.replica] || !log.isHeadChecked, why)
        #expect(log.isHeadChecked || log.missing > 0 || heads[log.replica] == nil, why)
      }
      #expect(rest.isEmpty, why)
    }
    // Lines that are missing are reported, and not refused.
    #expect(taken > 0 && taken < Self.rounds)
    print("changed backups: \(taken) of \(Self.rounds) were taken")
  }

  private static func change(_ lines: inout [String], _ whole: [String], _ chance: inout SplitMix) {
    guard !lines.isEmpty else { return }
    let (one, other) = (chance.next(below: lines.count), chance.next(below: lines.count))
    switch chance.next(below: 6) {
    case 0: lines.remove(at: one)
    case 1: lines.swapAt(one, other)
    case 2: lines.insert(whole[chance.next(below: whole.count)], at: one)
    case 3: lines[one] = whole[chance.next(below: whole.count)]
    case 4:
      var bytes = Array(lines[one].utf8)
      bytes[chance.next(below: bytes.count)] = UInt8(0x20 + chance.next(below: 0x5F))
      lines[one] = String(decoding: bytes, as: UTF8.self)
    default:
      // A number or a name of the header that is another.
      lines[one] = lines[one].replacing(
        ["1", "2", "5", "main", "LOG", "KEY"].randomElement(&chance), with: "3")
    }
  }
}

extension SplitMix {
  mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

extension Array {
  fileprivate func randomElement(_ chance: inout SplitMix) -> Element {
    self[chance.next(below: count)]
  }
}

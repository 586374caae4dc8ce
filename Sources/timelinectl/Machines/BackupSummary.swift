// What a backup holds, for people and programs.

import Backup
import TimelineModel

struct BackupSummary {
  let contents: BackupContents

  init(_ contents: BackupContents) { self.contents = contents }

  var lines: String {
    let logs = contents.logs.count
    return "\(contents.lines) lines of \(logs == 1 ? "1 log" : "\(logs) logs")"
  }

  var json: [JSONValue.Member] {
    [
      JSONValue.Member("backup", contents.header.json),
      JSONValue.Member("lines", .int(contents.lines)),
      JSONValue.Member("missing", .int(contents.missing)),
      JSONValue.Member("key", .bool(contents.key != nil)),
      JSONValue.Member("logs", .array(contents.logs.map(Self.json))),
    ]
  }

  private static func json(_ log: BackupLog) -> JSONValue {
    .object([
      "replica": .string(log.replica.description), "lines": .int(Int(log.lines)),
      "erased": .int(log.stubs), "root": log.root.map { .string($0.base64) },
      "signed": log.headSize.map { .int(Int($0)) }, "checked": .bool(log.isHeadChecked),
      "head": log.head.map { .string($0) }, "vkey": log.key.map { .string($0.vkey) },
      "missing": .array(
        log.gaps.map { .array([.int(Int($0.lowerBound)), .int(Int($0.upperBound))]) }),
    ])
  }

  /// The logs as `verify` shows them.
  func table(_ terminal: Terminal) -> String {
    let rows = contents.logs.map { log in
      [
        log.replica.description, "\(log.lines)", "\(log.stubs)",
        Self.signed(log), log.root?.base64 ?? "unknown: lines are missing",
      ]
    }
    return terminal.table(rows, header: ["LOG", "LINES", "ERASED", "SIGNED", "ROOT"])
  }

  private static func signed(_ log: BackupLog) -> String {
    guard let size = log.headSize else { return "none" }
    return log.isHeadChecked ? "\(size)" : "\(size), unknown"
  }

  /// What is missing; nothing where nothing is.
  var warnings: String {
    contents.logs.filter { $0.missing > 0 }.map { log in
      let gaps = log.gaps.prefix(10).map { gap in
        gap.count == 1 ? "\(gap.lowerBound)" : "\(gap.lowerBound) to \(gap.upperBound)"
      }
      return
        "missing: \(log.missing) of the \(log.lines) lines of \(log.replica) were damaged when "
        + "the backup was made (\(gaps.joined(separator: ", "))"
        + (log.gaps.count > 10 ? ", …" : "") + "); keep what still has them\n"
    }.joined()
  }
}

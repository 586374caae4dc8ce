// `verify`: everything that is stored, read again and compared with what it says of itself.

import TimelineModel

extension Command {
  static let verify = Command(
    name: "verify", arguments: "", summary: "read all that is stored again, and check it",
    examples: ["verify", "verify --json"], flags: [],
    notes: """
      Each line's check, its place and its time are compared, and the root of each log's Merkle tree \
      is made (RFC 6962) and compared with its signed head. Two machines that show the same size and root for a log hold the same lines \
      of it, to the bit.

      Exit code 7 where something is not what was written; what is damaged is named.
      """,
    plain: 0...0
  ) { (context) throws(Failure) in
    let client = try context.connect()
    var logs: [JSONValue] = []
    var progress: Progress?
    let end = try client.stream(.verify) { _, row in
      let row = Client.json(row)
      guard let done = row["done"]?.int, let total = row["total"]?.int else {
        logs.append(row)
        return
      }
      if progress == nil { progress = Progress("verifying", total: total) }
      progress?.advance(to: done)
    }
    let isWhole = end["whole"]?.bool ?? false
    context.finish(
      .object((end.members ?? []) + [JSONValue.Member("logs", .array(logs))]),
      text(logs, end, isWhole: isWhole, context.terminal))
    return isWhole ? .done : .verificationFailed
  }

  private static func text(
    _ logs: [JSONValue], _ end: JSONValue, isWhole: Bool, _ terminal: Terminal
  ) -> String {
    guard !logs.isEmpty else { return "nothing is stored yet\n" }
    let rows = logs.map { log in
      [
        log["replica"]?.string ?? "", "\(log["lines"]?.int ?? 0)", "\(log["erased"]?.int ?? 0)",
        log["signed"]?.int.map(String.init) ?? "none",
        log["root"]?.string ?? "unknown: lines are damaged",
      ]
    }
    let damage = logs.flatMap { log in
      (log["damage"]?.array ?? []).map { damage in
        let (first, last) = (damage["first"]?.int ?? 0, damage["last"]?.int ?? 0)
        return (first == last ? "line \(first)" : "lines \(first) to \(last)")
          + " of \(log["replica"]?.string ?? ""): \(damage["reason"]?.string ?? "")\n"
      }
    }
    let problems = logs.compactMap { $0["problem"]?.string.map { $0 + "\n" } }
    let lines = end["lines"]?.int ?? 0
    return terminal.table(rows, header: ["LOG", "LINES", "ERASED", "SIGNED", "ROOT"]) + "\n"
      + (isWhole
        ? "all \(lines) lines are what was written\n"
        : (damage + problems).joined()
          + "these are not what was written; nothing was changed, and all else is "
          + "served. Keep what still has them: a copy of the data directory, or a peer.\n")
  }
}

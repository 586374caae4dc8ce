// `verify`: everything that is stored, read again and compared with what it says of itself.

import TimelineModel

extension Command {
  static let verify = Command(
    name: "verify", arguments: "", summary: "read all that is stored again, and check it",
    examples: ["verify", "verify --json"], flags: [],
    notes: """
      Each line's check, its place and its time are compared, and the root of each log's Merkle tree \
      is made (RFC 6962). Two machines that show the same size and root for a log hold the same lines \
      of it, to the bit.

      Exit code 7 where something is not what was written; what is damaged is named.
      """,
    plain: 0...0
  ) { (context) throws(Failure) in
    let client = try context.connect()
    var logs: [JSONValue] = []
    var progress: Progress?
    let end = try client.stream("VERIFY") { _, row in
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
    let lines = end["lines"]?.int ?? 0
    return terminal.table(rows, header: ["LOG", "LINES", "ERASED", "ROOT"]) + "\n"
      + (isWhole
        ? "all \(lines) lines are what was written\n"
        : damage.joined() + "not everything is what was written; nothing was changed, the rest is "
          + "served. A copy or a peer that has these lines still has them: keep it.\n")
  }
}

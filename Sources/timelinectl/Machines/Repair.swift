// `repair`: lines that are damaged here are fetched again from peers.

import Foundation
import TimelineModel

extension Command {
  static let repair = Command(
    name: "repair", arguments: "", summary: "fetch damaged lines again from peers",
    examples: ["repair", "repair --timeout 5m"],
    flags: [
      Flag(name: "--timeout", value: "TIME", help: "wait so long for peers: 30s, 5m, 1h (30s)")
    ],
    notes: """
      First everything is read, as verify does. Then each peer that is connected is asked for what is \
      damaged, and a line is put back where its proof leads to a head that its machine signed; what \
      stood there is kept beside the segment, as .damaged. Peers are also asked whenever they connect.

      Exit code 7 where something is damaged still, 8 where no peer was reached.
      """,
    plain: 0...0
  ) { (context) throws(Failure) in
    let client = try context.connect()
    let end =
      ContinuousClock.now + (try Wait.duration(context.words["--timeout"] ?? "30s", "--timeout"))
    var progress: Progress?
    _ = try client.stream(.verify) { _, row in
      let row = Client.json(row)
      guard let done = row["done"]?.int, let total = row["total"]?.int else { return }
      if progress == nil { progress = Progress("verifying", total: total) }
      progress?.advance(to: done)
    }
    let before = try client.ask(.repair)["wanted"]?.int ?? 0
    var (left, peers) = (before, 0)
    while left > 0 {
      left = try client.ask(.status)["wanted"]?.int ?? 0
      peers = 0
      _ = try client.stream(.peers) { _, row in
        if Client.json(row)["connected"]?.bool ?? false { peers += 1 }
      }
      if left == 0 || ContinuousClock.now >= end { break }
      usleep(50_000)
    }
    let json = JSONValue.object([
      "damaged": .int(before), "repaired": .int(before - left), "left": .int(left),
    ])
    guard left > 0 else {
      context.finish(json, before == 0 ? "nothing is damaged\n" : "\(lines(before)) put back\n")
      return .done
    }
    var failure = Failure(
      peers == 0 ? .timedOut : .verificationFailed, code: peers == 0 ? "timeout" : "damaged",
      peers == 0
        ? "\(lines(left)) damaged, and no peer is connected to ask; timelinectl peer add ADDRESS"
        : "\(lines(before - left)) put back, \(lines(left)) damaged still: no peer that is connected has "
          + "them under a signed head; \(Again.timelinectl) status names them")
    failure.more = json.members ?? []
    throw failure
  }

  private static func lines(_ count: Int) -> String {
    count == 1 ? "1 line is" : "\(count) lines are"
  }
}

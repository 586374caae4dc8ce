// `peer`, `sync`: the machines that share the timeline.

import Foundation
import TimelineModel

extension Command {
  static let peer = Command(
    name: "peer", arguments: "list | add ADDRESS | remove ADDRESS",
    summary: "the machines that this one syncs with",
    examples: ["peer add tcp://127.0.0.1:7411", "peer list"], flags: []
  ) { (context) throws(Failure) in
    var words = context.words.plain
    if words.count == 2 { words[1] = try Peer.address(words[1]) }
    let client = try context.connect()
    switch (words.first ?? "list", words.count) {
    case ("list", 0...1):
      let peers = try Peer.list(client)
      let rows = peers.map { [$0["address"]?.string ?? "", Peer.standing($0)] }
      context.finish(
        .array(peers),
        peers.isEmpty
          ? "no peers; timelinectl peer add tcp://127.0.0.1:PORT adds one\n"
          : context.terminal.table(rows, header: ["ADDRESS", "STATE"]))
    case ("add", 2), ("remove", 2):
      let reply = try client.ask(
        words[0] == "add" ? .addPeer(words[1]) : .removePeer(words[1]))
      context.finish(
        reply,
        words[0] == "add"
          ? "added \(words[1]); \(Again.timelinectl) sync waits until both agree\n"
          : "removed \(words[1])\n"
      )
    default: throw Failure(.usage, "peer list, peer add ADDRESS or peer remove ADDRESS")
    }
    return .done
  }

  static let sync = Command(
    name: "sync", arguments: "", summary: "sync with all peers now, and wait until all agree",
    examples: ["sync", "sync --timeout 5s", "sync --wait"],
    flags: [
      Flag(name: "--wait", value: nil, help: "as long as it takes, unless --timeout says how long"),
      Flag(name: "--timeout", value: "TIME", help: "how long to wait: 30s (as it is), 5m, 1h"),
    ], plain: 0...0
  ) { (context) throws(Failure) in
    let stated = context.words["--timeout"] ?? (context.words.has("--wait") ? nil : "30s")
    let end = try stated.map { (text) throws(Failure) in
      ContinuousClock.now + (try Wait.duration(text, "--timeout"))
    }
    let client = try context.connect()
    guard try client.ask(.sync)["peers"]?.int ?? 0 > 0 else {
      throw Failure(.failed, "there are no peers; timelinectl peer add ADDRESS adds one")
    }
    while true {
      let peers = try Peer.list(client)
      if peers.allSatisfy({ $0["in_sync"]?.bool ?? false }) {
        context.finish(
          .array(peers), "in sync with \(peers.count == 1 ? "1 peer" : "\(peers.count) peers")\n")
        return .done
      }
      if let end, ContinuousClock.now >= end {
        let missing = peers.filter { $0["in_sync"]?.bool != true }
          .map { "\($0["address"]?.string ?? ""): \(Peer.standing($0))" }
        throw Failure(.timedOut, code: "timeout", missing.joined(separator: "; "))
      }
      usleep(20_000)
    }
  }
}

extension Peer {
  static func list(_ client: Client) throws(Failure) -> [JSONValue] {
    var peers: [JSONValue] = []
    _ = try client.stream(.peers) { _, json in peers.append(Client.json(json)) }
    return peers
  }

  /// How a machine stands now; why not in sync is of the last attempt, and said until the next.
  static func standing(_ peer: JSONValue) -> String {
    switch peer["state"]?.string {
    case "in-sync": "in sync"
    case "syncing": "syncing"
    case "greeting": "connected, no greeting yet"
    case "connecting": "not connected (connecting)"
    default: "not connected" + (peer["error"]?.string.map { " (\($0))" } ?? "")
    }
  }
}

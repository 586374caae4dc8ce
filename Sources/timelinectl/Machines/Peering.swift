// `peer`, `sync`: the machines that share the timeline.

import Foundation
import TimelineModel

extension Command {
  static let peer = Command(
    name: "peer", arguments: "list | invite | join CODE | remove ADDRESS | add ADDRESS",
    summary: "the machines that this one syncs with",
    examples: [
      "peer invite", "peer join TIMELINE-JOIN-1-…",
      "peer join CODE --via 'ssh lab timelinectl relay'",
      "peer list",
    ],
    flags: [
      Flag(name: "--role", value: "ROLE", help: "invite: read, write (as it is) or admin"),
      Flag(name: "--expires", value: "TIME", help: "invite: how long the code holds (24h)"),
      Flag(
        name: "--address", value: "ADDRESS",
        help: "invite: where this machine is called, tls://HOST:PORT; may be given more than once"),
      Flag(name: "--yes", value: nil, help: "invite: an admin, without asking"),
      Flag(name: "--as", value: "NAME", help: "join: what the timeline is called here (as there)"),
      Flag(
        name: "--name", value: "NAME",
        help: "join: what this machine is called there (its host name)"),
      Flag(
        name: "--via", value: "COMMAND",
        help: "join, add: a command whose input and output lead to the other daemon"),
      Flag(name: "--device", value: "DEVICE", help: "add: the device that answers there"),
    ],
    notes: """
      An invitation is for one device, once, and for the timeline that is chosen. From then on both \
      machines know each other by their keys, wherever they are.
      """
  ) { (context) throws(Failure) in
    var words = context.words.plain
    switch (words.first, words.count) {
    case ("invite", 1):
      try Inviting.invite(context)
      return .done
    case ("join", 2...):
      try Inviting.join(Array(words.dropFirst()), context)
      return .done
    case ("add", _) where context.words.has("--via") || context.words.has("--device"):
      try addDevice(words.dropFirst(), context)
      return .done
    default: break
    }
    if words.count == 2 { words[1] = try Peer.address(words[1]) }
    let client = try context.connect()
    switch (words.first ?? "list", words.count) {
    case ("list", 0...1):
      let peers = try Peer.list(client)
      let rows = peers.map { [$0["address"]?.string ?? "", Peer.standing($0)] }
      context.finish(
        .array(peers),
        peers.isEmpty
          ? "no peers; timelinectl peer invite makes a code for another machine\n"
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
    default:
      throw Failure(
        .usage, "peer list, peer invite, peer join CODE, peer remove ADDRESS or peer add ADDRESS")
    }
    return .done
  }

  /// A member's machine, where it can be reached besides.
  private static func addDevice(
    _ words: ArraySlice<String>, _ context: Context
  ) throws(Failure) {
    let (via, device) = (context.words["--via"], context.words["--device"])
    guard let id = device ?? (via == nil ? nil : words.last),
      words.count == (via == nil ? 1 : device == nil ? 1 : 0)
    else {
      throw Failure(
        .usage, "peer add tls://HOST:PORT --device DEVICE, or peer add --via COMMAND DEVICE")
    }
    let address = via.map { "via:" + $0 } ?? words.last!
    let reply = try context.connect().ask(
      .addPeer(.object(["addresses": .strings([address]), "device": .string(id)])))
    context.finish(
      reply, "added \(address); \(Again.timelinectl) sync waits until both agree\n")
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
      throw Failure(
        .failed, "there are no peers; timelinectl peer invite makes a code for another machine")
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

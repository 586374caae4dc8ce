// `peer`, `sync`: the machines that share the timeline.

import Foundation
import TimelineModel

extension Command {
  static let peer = Command(
    name: "peer", arguments: "list | invite | join CODE | remove ADDRESS | add ADDRESS",
    summary: "invite a machine, join another one's timeline, list those that this one calls",
    examples: [
      "peer invite", "peer join TIMELINE-JOIN-1-… --name anns-laptop",
      "peer join CODE --via 'ssh lab timelinectl relay'", "peer invite --role read --expires 1h",
      "peer list",
    ],
    flags: [
      Flag(name: "--role", value: "ROLE", help: "invite: read, write (the default) or admin"),
      Flag(
        name: "--expires", value: "TIME",
        help: "invite: how long the code is valid (24h; at most 720h)"),
      Flag(
        name: "--address", value: "ADDRESS",
        help: "invite: where others reach this machine, tls://HOST:PORT; may be repeated"),
      Flag(name: "--yes", value: nil, help: "invite: do not ask before inviting an admin"),
      Flag(
        name: "--as", value: "NAME", help: "join: another name for the timeline on this machine"),
      Flag(
        name: "--name", value: "NAME",
        help: "join: what the members call this machine (its host name)"),
      Flag(
        name: "--via", value: "COMMAND",
        help: "join, add: reach the other daemon through this command, such as ssh"),
      Flag(name: "--device", value: "DEVICE", help: "add: the device that answers there"),
    ],
    notes: """
      `peer invite` prints a code, `peer join` on the other machine uses it. A code is for one machine, \
      once, and for the chosen timeline. From then on both machines know each other by their keys and sync \
      by themselves; `member list` shows everybody who has joined.

      The machine that joins has to reach the one that invites: start timelined there with \
      --listen tls://[::]:PORT, or name a command that leads there with --via. `peer list` shows the machines \
      that this one calls. `peer add tls://HOST:PORT --device DEVICE` adds another member's machine to them.
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
    // A command may have spaces.
    if words.count == 2, !words[1].hasPrefix("via:") { words[1] = try Peer.address(words[1]) }
    let client = try context.connect()
    switch (words.first ?? "list", words.count) {
    case ("list", 0...1):
      let peers = try Peer.list(client)
      let rows = peers.map { [$0["address"]?.string ?? "", Peer.standing($0)] }
      context.finish(
        .array(peers),
        peers.isEmpty
          ? Peer.none + "\n"
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
      words.count == (via != nil && device != nil ? 0 : 1)
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
      Flag(name: "--timeout", value: "TIME", help: "how long to wait: 30s (the default), 5m, 1h"),
    ], plain: 0...0
  ) { (context) throws(Failure) in
    let stated = context.words["--timeout"] ?? (context.words.has("--wait") ? nil : "30s")
    let end = try stated.map { (text) throws(Failure) in
      ContinuousClock.now + (try Wait.duration(text, "--timeout"))
    }
    let client = try context.connect()
    guard try client.ask(.sync)["peers"]?.int ?? 0 > 0 else {
      throw Failure(.failed, Peer.none)
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
  /// Machines that call this one are no peers of it: they sync all the same.
  static let none =
    "no peers: this machine calls no other; those that call it are in timelinectl member list; "
    + "timelinectl peer invite makes a code for another machine"

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

// `member`: the devices of a timeline, and what each may.

import TimelineModel

extension Command {
  static let member = Command(
    name: "member", arguments: "list | role DEVICE ROLE | end DEVICE | recover CODE",
    summary: "list, lower and end the machines that may use the timeline",
    examples: ["member list", "member role anns-laptop read", "member end AXX46ZR"], flags: [],
    notes: """
      DEVICE is the name of a machine, its id, or the first group of its id, as `member list` shows them. \
      `peer invite` brings in a machine. `member role` only lowers. Both `member role` and `member end` are \
      final: what the machine recorded until then counts, later lines do not. With a new key it can be \
      invited again.

        read   reads and syncs
        write  records events too
        admin  also invites and ends machines, and erases what others wrote
      """,
    plain: 0...3
  ) { (context) throws(Failure) in
    let words = context.words.plain
    switch (words.first ?? "list", words.count) {
    case ("list", 0...1): try listMembers(context)
    case ("end", 2):
      let reply = try context.connect().ask(
        .member(.object(["device": .string(words[1]), "end": .bool(true)])))
      context.finish(
        reply, "\(words[1]) is no longer a member; what it recorded until now counts\n")
    case ("role", 3):
      let reply = try context.connect().ask(
        .member(.object(["device": .string(words[1]), "role": .string(words[2])])))
      context.finish(
        reply,
        "\(words[1]) has the role \(words[2]) from now on; what it recorded until now counts\n")
    case ("recover", 2):
      let reply = try context.connect().ask(
        .member(
          .object(["recovery": .string(words[1]), "name": .string(Inviting.hostName)])))
      context.finish(
        reply, "this machine is an admin of the timeline; the others learn it as they sync\n")
    default:
      throw Failure(
        .usage, "member list, member recover CODE, member role DEVICE ROLE or member end DEVICE")
    }
    return .done
  }

  private static func listMembers(_ context: Context) throws(Failure) {
    var members: [JSONValue] = []
    let end = try context.connect().stream(.members) { _, row in members.append(Client.json(row)) }
    let rows = members.map { member in
      let lines = member["logs"]?.array?.reduce(0) { $0 + ($1["lines"]?.int ?? 0) } ?? 0
      let isConnected = member["connected"]?.bool ?? false
      return [
        member["name"]?.string ?? (member["by"]?.string == "founding" ? "the founder" : ""),
        member["role"]?.string ?? "ended",
        member["own"]?.bool ?? false ? "this machine" : isConnected ? "connected" : "",
        "\(lines)", member["device"]?.string ?? "",
      ]
    }
    let doubt =
      end["in_doubt"]?.bool ?? false
      ? "The log of an admin has forked: who is a member is in doubt.\n" : ""
    context.finish(
      .array(members),
      context.terminal.table(rows, header: ["NAME", "ROLE", "", "LINES", "DEVICE"]) + doubt)
  }
}

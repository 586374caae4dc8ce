// `member`: the devices of a timeline, and what each may.

import TimelineModel

extension Command {
  static let member = Command(
    name: "member", arguments: "list | role DEVICE ROLE | end DEVICE",
    summary: "the devices of the timeline, and what each may do",
    examples: ["member list", "member role anns-laptop read", "member end anns-laptop"], flags: [],
    notes: """
      A device is named as it was when it joined, by its id, or by the first group of its id. \
      `peer invite` brings one in. Ends and lower roles are final: what the device recorded until then \
      counts, later lines do not. With a new key it can be invited anew.

        read   follows the timeline and asks
        write  records events too
        admin  invites and ends devices, and erases what others wrote
      """,
    plain: 0...3
  ) { (context) throws(Failure) in
    let words = context.words.plain
    switch (words.first ?? "list", words.count) {
    case ("list", 0...1): try listMembers(context)
    case ("end", 2):
      let reply = try context.connect().ask(
        .member(.object(["device": .string(words[1]), "end": .bool(true)])))
      context.finish(reply, "\(words[1]) is a member no more; what it recorded until now counts\n")
    case ("role", 3):
      let reply = try context.connect().ask(
        .member(.object(["device": .string(words[1]), "role": .string(words[2])])))
      context.finish(reply, "\(words[1]) has the role \(words[2]) from now on\n")
    default:
      throw Failure(.usage, "member list, member role DEVICE ROLE or member end DEVICE")
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
      ? "The log of an admin was written twice: who is a member is in doubt.\n" : ""
    context.finish(
      .array(members),
      context.terminal.table(rows, header: ["NAME", "ROLE", "", "LINES", "DEVICE"]) + doubt)
  }
}

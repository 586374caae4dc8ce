// A line of the log as `watch` tells it: always by the event that it is about.

import TimelineModel

enum WatchText {
  static func line(_ line: JSONValue, _ context: Context) throws(Failure) -> String {
    let author = line["author"]?.string ?? "?"
    let reason = line["reason"]?.string.map { ": \($0)" } ?? ""
    switch line["type"]?.string {
    case "log.correct":
      return text(
        line["body"] ?? .null, id: line["corrects"], "corrected by \(author)\(reason)")
    case "log.retract":
      // The line holds the id alone. It is asked for on a connection of its own, since a request on
      // a watching one ends the watch.
      let id = line["retracts"]?.string ?? ""
      let body = try EventVersions(id, try context.connect()).body
      return text(body.json, id: .string(id), "retracted by \(author)\(reason)")
    case "log.actor":
      let (code, name) = (line["code"]?.string ?? "", line["name"]?.string ?? "")
      return SafeText.line("actor \(code) (\(name)) added by \(author)")
    case "log.rules":
      let (table, name) = (line["table"]?.string ?? "", line["name"]?.string ?? "")
      return SafeText.line("\(table) \(name) recorded by \(author)\(reason)")
    case "log.same", "log.apart":
      let ids = (line["events"]?.array ?? []).compactMap { $0.string?.prefix(8) }
      let said =
        line["shows"]?.string.map { "joined: \($0.prefix(8)) shows" } ?? "said to be two happenings"
      return SafeText.line("\(ids.joined(separator: " and ")) \(said), by \(author)\(reason)")
    case "log.snapshot":
      return SafeText.line("snapshot \(line["name"]?.string ?? "") recorded by \(author)")
    default:
      return text(line, id: line["id"], nil)
    }
  }

  private static func text(_ event: JSONValue, id: JSONValue?, _ said: String?) -> String {
    SafeText.line(
      [
        event["date"]?.string ?? "", EventText.kind(event), EventText.parties(event),
        String((id?.string ?? "").prefix(8)),
        (event["title"]?.string ?? "") + (said.map { " (\($0))" } ?? ""),
      ].filter { !$0.isEmpty }.joined(separator: "  "))
  }
}

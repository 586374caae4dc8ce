// The events that were recorded, corrected or brought here by a sync after a position, as they show
// now: what a script asks for that comes back every hour.

import TimelineClient
import TimelineModel

enum Recent {
  /// Beginnings of ids that fit into one question.
  private static let idsMax = 1_000

  static func lines(
    after cursor: JSONValue, _ terms: FilterTerms, _ more: [JSONValue.Member], _ client: Client,
    _ context: Context
  ) throws(Failure) -> [[UInt8]] {
    // The filter may ask for ids itself: those are looked for among them.
    let ids = try changed(after: cursor, client, context).filter { id in
      terms.ids.isEmpty || terms.ids.contains { id.hasPrefix($0) }
    }
    let others = terms.members(without: "id") + more
    var found: [(day: Day, id: String, line: [UInt8])] = []
    var rest = ids[...]
    while !rest.isEmpty {
      let some = rest.prefix(idsMax)
      rest = rest.dropFirst(idsMax)
      let question = JSONValue.object(others + [JSONValue.Member("id", .strings(some))])
      _ = try client.stream(.query(question)) { _, json in
        let event = Client.json(json)
        // What the daemon shows has a date.
        guard let date = try? EventDate(event["date"]?.string ?? "") else { return }
        found.append((date.first, event["id"]?.string ?? "", Array(json)))
      }
    }
    return found.sorted { ($0.day, $0.id) < ($1.day, $1.id) }.map(\.line)
  }

  /// The events that lines after the position speak of, each once: a watch sends every line after it.
  private static func changed(
    after cursor: JSONValue, _ client: Client, _ context: Context
  ) throws(Failure) -> [String] {
    let here = try context.open(client).position
    var watching = try Watching(context, after: cursor)
    var ids: [String] = []
    var seen: Set<String> = []
    func note(_ line: Watch.Line) {
      let subject = line.json["corrects"] ?? line.json["retracts"] ?? line.json["id"]
      let isOfSame =
        line.json["type"]?.string.map { ["log.same", "log.apart"].contains($0) } ?? false
      let subjects = (isOfSame ? line.json["events"]?.array : nil) ?? [subject ?? .null]
      for id in subjects.compactMap(\.string) where seen.insert(id).inserted { ids.append(id) }
    }
    while !watching.position.covers(here) {
      // A line that is damaged is passed over without a word: after a while of silence the daemon is asked
      // how far it came.
      if let line = try watching.next(until: ContinuousClock.now + .seconds(1)) {
        note(line)
      } else {
        try watching.catchUp(note)
      }
    }
    return ids
  }
}

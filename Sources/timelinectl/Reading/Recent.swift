// The events that were recorded, corrected or brought here by a sync after a position, as they show
// now: what a script asks for that comes back every hour.

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
      _ = try client.stream("QUERY \(question.text)") { _, json in
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
    func position(_ json: JSONValue) -> Position {
      json["position"].flatMap { Position(json: $0) } ?? Position()
    }
    let here = position(try context.open(client))
    var at = position(try client.ask("WATCH {\"after\":\(cursor.text)}"))
    var ids: [String] = []
    var seen: Set<String> = []
    func note(_ line: JSONValue) {
      if let replica = line["replica"]?.string.flatMap({ ReplicaID($0) }),
        let seq = line["seq"]?.int
      {
        at[replica] = UInt64(seq)
      }
      let subject = line["corrects"] ?? line["retracts"] ?? line["id"]
      guard let id = subject?.string, seen.insert(id).inserted else { return }
      ids.append(id)
    }
    while true {
      // A line that is damaged is passed over without a word: after a while of silence the end of the
      // watch tells how far it came.
      let patience = ContinuousClock.now + .seconds(1)
      if !at.covers(here), let line = try client.line(until: patience) {
        guard line.starts(with: "EVENT ".utf8) else { throw Client.failure(line) }
        note(Client.json(line.dropFirst(6)))
        continue
      }
      try client.send(Array("PING\n".utf8))
      let end = try client.rest { _, json in note(Client.json(json)) }
      _ = try client.reply()
      at = position(end)
      if at.covers(here) { return ids }
      _ = try client.ask("WATCH {\"after\":\(at.json.text)}")
    }
  }
}

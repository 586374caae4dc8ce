// Asks the daemon what it would say of every event of a file, before the first one is sent: so all or
// nothing holds for the whole file, and `--dry-run` tells the truth.

import TimelineModel

struct ImportCheck {
  private(set) var new = 0
  /// Events that the timeline has already, word for word.
  private(set) var duplicates = 0
  /// Events of which it says something else.
  private(set) var conflicts = 0

  private let client: Client
  /// Items that are not to be sent.
  private var dropped: [Int: Set<Int>] = [:]
  /// Where the ids of the file stand; made where a correction asks for it.
  private var ids: Set<EventID>?

  /// Takes out of the reader what is there already and what would be refused.
  static func run(_ reader: inout ImportReader, _ client: Client) throws(Failure) -> ImportCheck {
    var check = ImportCheck(client)
    try check.ask(&reader)
    for (batch, places) in check.dropped { reader.remove(places, from: batch) }
    reader.sortProblems()
    return check
  }

  private init(_ client: Client) { self.client = client }

  private mutating func ask(_ reader: inout ImportReader) throws(Failure) {
    var waiting: [ImportGroup] = []
    var refused: [(place: ImportIDs.Place, code: String, text: String)] = []
    var progress = Progress("checking", total: reader.count)
    var done = 0
    func collect() throws(Failure) {
      let group = waiting.removeFirst()
      let end = try client.rest { _, row in
        let row = Client.json(row)
        let place = group.place(ofLine: row["line"]?.int ?? 1, reader.batches)
        refused.append((place, row["error"]?.string ?? "", row["text"]?.string ?? ""))
      }
      done += group.count
      new += end["new"]?.int ?? 0
      duplicates += end["duplicates"]?.int ?? 0
      progress.advance(to: done)
      // All of it is there: it need not travel once more.
      guard end["duplicates"]?.int == group.count else { return }
      for batch in group.batches { dropped[batch] = Set(reader.batches[batch].items.indices) }
    }
    for group in ImportGroup.all(of: reader.batches) {
      try group.send("CHECKMANY", reader.batches, client)
      waiting.append(group)
      if waiting.count == 2 { try collect() }
    }
    while !waiting.isEmpty { try collect() }
    for (place, code, text) in refused { try judge(place, code, text, &reader) }
    new += reader.actors.count
  }

  private mutating func judge(
    _ place: ImportIDs.Place, _ code: String, _ text: String, _ reader: inout ImportReader
  ) throws(Failure) {
    let batch = reader.batches[place.batch]
    let event = ImportedEvent(batch.text(place.item))
    func refuse(_ message: String) {
      dropped[place.batch, default: []].insert(place.item)
      reader.refuse(message, line: batch.line(place.item))
    }
    switch code {
    case "exists":
      let id = batch.items[place.item].id
      let there = try shown(id)
      let differences = there.map { event.differences(from: $0) } ?? []
      // What was corrected here, and exported after that, says what shows here.
      if there != nil, differences.isEmpty {
        duplicates += 1
        dropped[place.batch, default: []].insert(place.item)
        return
      }
      conflicts += 1
      let short = id.description.prefix(8)
      refuse(
        there == nil
          ? "\"\(event.name)\" is recorded already, says something else there, and was retracted"
            + " (\(Again.timelinectl) show \(short))"
          : "\"\(event.name)\" is recorded already and says something else"
            + " (\(differences.joined(separator: ", "))); \(Again.timelinectl) show \(short) shows it,"
            + " \(Again.timelinectl) correct \(short) changes it")
    case "not-found":
      // What a correction speaks of may stand further up in the file.
      let known = ids ?? Set(reader.batches.flatMap { batch in batch.items.map(\.id) })
      ids = known
      if event.subjects.allSatisfy({ known.contains($0) }) { new += 1 } else { refuse(text) }
    // The reader has judged by the same rules, with the actors that the file adds.
    case "bad-event" where !reader.newActors.isEmpty && text.contains("unknown actor"): new += 1
    case "bad-event", "too-large", "bad-request": refuse(text)
    // Not the line's fault.
    default: throw Failure(.failed, code: code, text)
    }
  }

  /// The event of that id as it shows; nil where it was retracted.
  private func shown(_ id: EventID) throws(Failure) -> JSONValue? {
    var event: JSONValue?
    _ = try client.stream("GET \(id)") { word, json in
      if word == "EVENT" { event = Client.json(json) }
    }
    return event
  }
}

/// Neighbouring batches that go to the daemon in one request: each is one sync of the disk.
struct ImportGroup {
  let batches: Range<Int>
  let count: Int

  private static let linesMax = 2_000
  private static let bytesMax = 1 << 20

  static func all(of batches: [ImportBatch]) -> [ImportGroup] {
    var groups: [ImportGroup] = []
    var at = 0
    while at < batches.count {
      var (end, count, bytes) = (at + 1, batches[at].count, batches[at].bytes.count)
      while end < batches.count, count + batches[end].count <= linesMax,
        bytes + batches[end].bytes.count <= bytesMax
      {
        count += batches[end].count
        bytes += batches[end].bytes.count
        end += 1
      }
      if count > 0 { groups.append(ImportGroup(batches: at..<end, count: count)) }
      at = end
    }
    return groups
  }

  func send(_ verb: String, _ all: [ImportBatch], _ client: Client) throws(Failure) {
    try client.send(Array("\(verb) \(count)\n".utf8))
    for batch in batches { try client.send(all[batch].bytes) }
  }

  /// Where the line of the request, from 1, stood.
  func place(ofLine line: Int, _ all: [ImportBatch]) -> ImportIDs.Place {
    var rest = line - 1
    for batch in batches {
      if rest < all[batch].count { return ImportIDs.Place(batch: batch, item: rest) }
      rest -= all[batch].count
    }
    return ImportIDs.Place(batch: batches.lowerBound, item: 0)
  }
}

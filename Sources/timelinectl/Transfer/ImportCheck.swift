// Asks the daemon what it would say of every event of a file, before the first one is sent: so all or
// nothing holds for the whole file, and `--dry-run` tells the truth.

import TimelineClient
import TimelineModel
import TimelineWire

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
    for (batch, indices) in check.dropped { reader.remove(indices, from: batch) }
    reader.sortProblems()
    return check
  }

  private init(_ client: Client) { self.client = client }

  private mutating func ask(_ reader: inout ImportReader) throws(Failure) {
    var waiting: [ImportGroup] = []
    var refused: [(index: ImportIDs.ItemIndex, reply: ErrorReply)] = []
    var progress = Progress("checking", total: reader.count)
    var done = 0
    func collect() throws(Failure) {
      let group = waiting.removeFirst()
      let end = try client.rest { (_, json) throws(Failure) in
        guard var reply = ErrorReply(row: Client.json(json)), let line = reply.line else {
          throw Failure(.failed, "timelined answered: \(String(decoding: json, as: UTF8.self))")
        }
        reply.line = nil
        refused.append((group.index(ofLine: line, reader.batches), reply))
      }
      let checked = CheckedMany(end)
      done += group.count
      new += checked?.new ?? 0
      duplicates += checked?.duplicates ?? 0
      progress.advance(to: done)
      // All of it is there: it need not travel once more.
      guard checked?.duplicates == group.count else { return }
      for batch in group.batches { dropped[batch] = Set(reader.batches[batch].items.indices) }
    }
    for group in ImportGroup.all(of: reader.batches) {
      try client.send(.checkMany(group.count), group.lines(reader.batches))
      waiting.append(group)
      if waiting.count == 2 { try collect() }
    }
    while !waiting.isEmpty { try collect() }
    for (index, reply) in refused { try classify(index, reply, &reader) }
    new += reader.actors.count
  }

  private mutating func classify(
    _ index: ImportIDs.ItemIndex, _ reply: ErrorReply, _ reader: inout ImportReader
  ) throws(Failure) {
    let batch = reader.batches[index.batch]
    let event = ImportedEvent(batch.text(index.item))
    func refuse(_ message: String) {
      dropped[index.batch, default: []].insert(index.item)
      reader.refuse(message, line: batch.line(index.item))
    }
    let text = MessageTranslation.text(reply, reader.form)
    switch reply.code {
    case .exists:
      let id = batch.items[index.item].id
      let there = try shown(id)
      let differences = there.map { event.differences(from: $0) } ?? []
      // What was corrected here, and exported after that, says what shows here.
      if there != nil, differences.isEmpty {
        duplicates += 1
        dropped[index.batch, default: []].insert(index.item)
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
    case .notFound:
      // What a correction speaks of may stand further up in the file.
      let known = ids ?? Set(reader.batches.flatMap { batch in batch.items.map(\.id) })
      ids = known
      if event.subjects.allSatisfy({ known.contains($0) }) { new += 1 } else { refuse(text) }
    // The reader has judged by the same rules, with the actors that the file adds.
    case .badEvent
    where !reader.newActors.isEmpty
      && (reply.hint == .unknownActor || reply.hint == .similarActor):
      new += 1
    case .badEvent, .tooLarge, .badRequest: refuse(text)
    // Not the line's fault.
    case .wrongPosition, .full, .readOnly, .denied, .busy, .damaged, .unsupported, .internal:
      throw Failure(.failed, code: reply.code.rawValue, text)
    }
  }

  /// The event of that id as it shows; nil where it was retracted.
  private func shown(_ id: EventID) throws(Failure) -> JSONValue? {
    var event: JSONValue?
    _ = try client.stream(.get(id.description)) { word, json in
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

  /// Its lines, a batch of them at a time.
  func lines(_ all: [ImportBatch]) -> some Sequence<[UInt8]> { all[batches].lazy.map(\.bytes) }

  /// Where the line of the request, from 1, stood.
  func index(ofLine line: Int, _ all: [ImportBatch]) -> ImportIDs.ItemIndex {
    var rest = line - 1
    for batch in batches {
      if rest < all[batch].count { return ImportIDs.ItemIndex(batch: batch, item: rest) }
      rest -= all[batch].count
    }
    return ImportIDs.ItemIndex(batch: batches.lowerBound, item: 0)
  }
}

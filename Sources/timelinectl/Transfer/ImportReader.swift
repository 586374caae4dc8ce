// Reads a file into events that the daemon will take, each checked by the rules of the daemon itself
// and against all others of the file. What the timeline holds already, ImportCheck asks.

import Dispatch
import Foundation
import Synchronization
import TimelineModel

struct ImportReader {
  struct Problem: Sendable {
    /// From 1.
    var line: Int
    var message: String
  }

  /// What a file may be.
  enum Format: String, CaseIterable {
    case jsonl, json, csv

    init(path: String) {
      let name = path.lowercased()
      self = [".csv", ".tsv"].contains { name.hasSuffix($0) } ? .csv : .jsonl
    }
  }

  private(set) var batches: [ImportBatch] = []
  /// By line.
  private(set) var problems: [Problem] = []
  /// Why nothing of the file can be read at all.
  private(set) var faults: [Problem] = []
  /// The lines that add actors: they are recorded before the events that name these.
  private(set) var actors: ImportBatch
  private(set) var newActors: [Actor] = []
  /// Lines that say once more what one before them said.
  private(set) var repeated = 0
  /// How its events are given.
  private(set) var form = MessageTranslation.Form.json
  private var registry: ActorRegistry
  private let author: String?
  private let vocabulary = Vocabulary()

  /// Bytes of a file that become one batch. No event is so short that they are more than the daemon
  /// takes at once.
  private static let batchBytes = 256 << 10

  init(registry: ActorRegistry, author: String?) {
    self.registry = registry
    self.author = author
    actors = ImportBatch(registry, author)
  }

  var count: Int { batches.reduce(actors.count) { $0 + $1.count } }

  mutating func read(_ data: Data, _ format: Format) {
    let known = registry
    readOnce(data, format)
    // Lines that name an actor whom another line of the file adds are right once he is known.
    let added = batches.flatMap { batch in batch.actors.map(\.actor) }
      .filter { !registry.contains($0.code) }
    if !added.isEmpty {
      for actor in added { registry.add(actor) }
      if !problems.isEmpty { readOnce(data, format) }
    }
    resolveActors(known)
    resolveDuplicates()
    problems.sort { $0.line < $1.line }
  }

  private mutating func readOnce(_ data: Data, _ format: Format) {
    form = format == .csv ? .columns : .json
    (batches, problems, faults) = ([], [], [])
    let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let data = data.starts(with: mark) ? data.dropFirst(mark.count) : data
    switch format {
    case .csv: readCSV(data)
    case .json, .jsonl:
      // An array is what `log --json` writes.
      let first = data.first { $0 > 0x20 }
      if first == UInt8(ascii: "[") { readArray(data) } else { readLines(data) }
    }
    guard
      format == .csv || batches.allSatisfy(\.problems.isEmpty)
        || batches.contains(where: \.hasObjects)
    else {
      faults = [Problem(line: 1, message: Self.noEvents(data))]
      batches = []
      return
    }
    for batch in batches {
      problems += batch.problems.map {
        Problem(line: $0.line + batch.linesBefore, message: $0.message)
      }
    }
  }

  /// Nothing in it is an object: one message says so, not one for each line.
  private static func noEvents(_ data: Data) -> String {
    let header = EventTableHeader(
      CSVTable(utf8: data.prefix { $0 != 0x0A }, separator: EventTableHeader.separator(of: data))
        .header)
    return
      "no line of it is a JSON object {…}, so there are no events in it; import takes JSON Lines, a"
      + " JSON array, or CSV"
      + (header.faults.isEmpty ? "; it looks like CSV: --format csv" : "")
  }

  private mutating func readCSV(_ data: Data) {
    let table = CSVTable(utf8: data, separator: EventTableHeader.separator(of: data))
    let header = EventTableHeader(table.header)
    guard header.faults.isEmpty else {
      faults = header.faults.map { Problem(line: 1, message: $0) }
      return
    }
    let reader = BodyReader(vocabulary)
    var batch = ImportBatch(registry, author, .columns)
    for problem in table.problems { batch.note(problem.message, line: problem.line) }
    // The empty rows that spreadsheets leave at the end say nothing.
    for row in table.rows where row.fields.contains(where: { !$0.value.trimmed.isEmpty }) {
      do throws(EventTable.CellError) {
        let event = try header.event(row)
        Array(event.text.utf8).withUnsafeBufferPointer { batch.take($0, line: row.line, reader) }
      } catch {
        batch.note(error.message, line: row.line)
      }
      if batch.bytes.count > Self.batchBytes {
        batches.append(batch)
        batch = ImportBatch(registry, author, .columns)
      }
    }
    batches.append(batch)
  }

  private mutating func readArray(_ data: Data) {
    let reader = BodyReader(vocabulary)
    var batch = ImportBatch(registry, author)
    data.withUnsafeBytes { bytes in
      let text = bytes.bindMemory(to: UInt8.self)
      var items = JSONArrayItems(text)
      while let item = items.next() {
        batch.take(UnsafeBufferPointer(rebasing: text[item.range]), line: item.line, reader)
        if batch.bytes.count > Self.batchBytes {
          batches.append(batch)
          batch = ImportBatch(registry, author)
        }
      }
      if let fault = items.fault { batch.note(fault.message, line: fault.line) }
    }
    batches.append(batch)
  }

  /// On all processors: each takes the next piece of the file that is left.
  private mutating func readLines(_ data: Data) {
    let (registry, author, vocabulary) = (registry, author, vocabulary)
    batches = data.withUnsafeBytes { bytes in
      nonisolated(unsafe) let text = bytes.bindMemory(to: UInt8.self)
      let pieces = Self.pieces(text)
      let done = Mutex<[Int: ImportBatch]>([:])
      DispatchQueue.concurrentPerform(iterations: pieces.count) { index in
        var batch = ImportBatch(registry, author)
        let piece = UnsafeBufferPointer(rebasing: text[pieces[index]])
        vocabulary.withPooledReader { batch.readLines(piece, $0) }
        done.withLock { $0[index] = batch }
      }
      return done.withLock { done in pieces.indices.map { done[$0]! } }
    }
    var lines = 0
    for index in batches.indices {
      batches[index].linesBefore = lines
      lines += batches[index].lines
    }
  }

  /// Whole lines, about a batch each.
  private static func pieces(_ text: UnsafeBufferPointer<UInt8>) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var start = 0
    while start < text.count {
      let rest = text[min(start + batchBytes, text.count)...]
      let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? text.count
      pieces.append(start..<end)
      start = end
    }
    return pieces
  }

  // MARK: Lines compared with each other

  /// Whether a line corrects or retracts, so that others have to be there before it.
  var hasVersions: Bool { batches.contains { $0.hasVersions } }

  /// Puts the lines that add actors apart. One that the timeline has already is passed over.
  private mutating func resolveActors(_ known: ActorRegistry) {
    var seen = known
    for (number, batch) in batches.enumerated() where !batch.actors.isEmpty {
      for (index, actor) in batch.actors {
        guard let old = seen[actor.code] else {
          seen.add(actor)
          newActors.append(actor)
          actors.append(batch.text(index), batch.items[index].id, line: batch.line(index))
          continue
        }
        if (old.name, old.kind, old.aliases) == (actor.name, actor.kind, actor.aliases) {
          repeated += 1
        } else {
          refuse(
            "code: \(actor.code) is taken already, by \(old.name) (\(old.kind.rawValue));"
              + " \(Again.timelinectl) actor list shows all", line: batch.line(index))
        }
      }
      batches[number].remove(Set(batch.actors.map(\.index)))
    }
  }

  /// The same id twice: the same words are one event, other words are a mistake.
  private mutating func resolveDuplicates() {
    var ids = ImportIDs(count: count)
    var dropped: [Int: Set<Int>] = [:]
    for number in batches.indices {
      for index in batches[number].items.indices {
        let new = ImportIDs.ItemIndex(batch: number, item: index)
        guard let old = ids.insert(new, batches) else { continue }
        dropped[number, default: []].insert(index)
        let (one, other) = (batches[old.batch], batches[number])
        if ImportedEvent(one.text(old.item)).says(other.text(index)) {
          repeated += 1
        } else {
          refuse(
            "id \"\(ImportedEvent(other.text(index)).name)\": line \(one.line(old.item)) has the same"
              + " id and says something else; one of the two needs an id of its own",
            line: other.line(index))
        }
      }
    }
    // Only now: until here items are found by their indices.
    for (number, indices) in dropped { batches[number].remove(indices) }
  }

  mutating func refuse(_ message: String, line: Int) {
    problems.append(Problem(line: line, message: message))
  }

  /// Takes items of a batch out.
  mutating func remove(_ indices: Set<Int>, from batch: Int) { batches[batch].remove(indices) }

  mutating func sortProblems() { problems.sort { $0.line < $1.line } }

  /// Members that nobody knows but that look like known ones.
  var warnings: [Problem] {
    var lines: [String: (line: Int, count: Int)] = [:]
    for batch in batches {
      for (name, found) in batch.strangeMembers {
        let old = lines[name]
        lines[name] = (
          old?.line ?? batch.linesBefore + found.line, (old?.count ?? 0) + found.count
        )
      }
    }
    return lines.compactMap { name, found in
      let near = EditDistance.nearest(to: name, in: Self.fields)
      guard let meant = near.first, name.count > 2 else { return nil }
      return Problem(
        line: found.line,
        message: "\"\(name)\" is no known field, did you mean \(meant)? It is kept as it is"
          + (found.count > 1 ? " (\(found.count) lines have it)" : ""))
    }.sorted { ($0.line, $0.message) < ($1.line, $1.message) }
  }

  private static let fields = (BodyMember.ofEvents + [.author]).map(\.name)
}

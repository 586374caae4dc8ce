// Links between the lines of a file, held to the same rules as those to what is recorded: the daemon gets
// the lines some at a time, and an event that its link names may be among the next. What a correction in
// the file says is judged by the daemon alone.

import TimelineModel

struct ImportLinks {
  private struct Entry {
    var index: ImportIDs.ItemIndex
    var event: LinkedEvent
  }

  /// Lines with links, in the order of the file.
  private var linking: [Entry] = []
  /// Every line that one of these names, or that is one of these.
  private var byID: [EventID: Entry] = [:]
  private var document = JSONDocument()

  private static let links = TextNeedle("links")

  /// Takes out of the reader the lines whose links say nothing; which others lead out of the file.
  static func check(_ reader: inout ImportReader) -> OutsideLinks {
    var check = ImportLinks()
    check.read(reader.batches)
    guard !check.linking.isEmpty else { return OutsideLinks() }
    let outside = check.outside(reader.batches)
    check.checkLinks(&reader)
    return outside
  }

  private func outside(_ batches: [ImportBatch]) -> OutsideLinks {
    var outside = OutsideLinks()
    for entry in linking {
      for link in entry.event.links where byID[link.id] == nil {
        outside.add(link, line: batches[entry.index.batch].line(entry.index.item))
      }
    }
    return outside
  }

  private mutating func read(_ batches: [ImportBatch]) {
    for (number, batch) in batches.enumerated() {
      for item in batch.items.indices {
        let mayHave = batch.text(item).withUnsafeBufferPointer {
          Self.links.look(at: $0) != .holdsNot
        }
        guard mayHave, let event = event(batch, item), !event.links.isEmpty else { continue }
        let entry = Entry(index: ImportIDs.ItemIndex(batch: number, item: item), event: event)
        linking.append(entry)
        byID[batch.items[item].id] = entry
      }
    }
    let named = Set(linking.lazy.flatMap { $0.event.links.map(\.id) })
    guard !named.isEmpty else { return }
    for (number, batch) in batches.enumerated() {
      for item in batch.items.indices
      where byID[batch.items[item].id] == nil && named.contains(batch.items[item].id) {
        byID[batch.items[item].id] = event(batch, item).map {
          Entry(index: ImportIDs.ItemIndex(batch: number, item: item), event: $0)
        }
      }
    }
  }

  private mutating func event(_ batch: ImportBatch, _ item: Int) -> LinkedEvent? {
    batch.text(item).withUnsafeBufferPointer { text in
      guard (try? document.parse(text)) != nil else { return nil }
      return LinkedEvent(id: batch.items[item].id, document, in: text)
    }
  }

  private func checkLinks(_ reader: inout ImportReader) {
    var bad: [Int: Set<Int>] = [:]
    // In the file they have names.
    func name(_ id: EventID) -> String {
      guard let index = byID[id]?.index else { return id.short }
      return ImportedEvent(reader.batches[index.batch].text(index.item)).name
    }
    func refuse(_ entry: Entry, _ error: EventError) {
      guard bad[entry.index.batch, default: []].insert(entry.index.item).inserted else { return }
      let batch = reader.batches[entry.index.batch]
      reader.refuse(error.text, line: batch.line(entry.index.item))
    }
    for entry in linking {
      for (index, link) in entry.event.links.enumerated() {
        guard let target = byID[link.id]?.event,
          let fault = LinkFault.of(link, from: entry.event, to: target)
        else { continue }
        refuse(entry, fault.error(index, link, from: entry.event, to: target, name: name))
      }
    }
    for circle in circles {
      for number in circle {
        refuse(linking[number], error(linking[number].event, in: circle, name))
      }
    }
    for (batch, indices) in bad { reader.remove(indices, from: batch) }
    reader.sortProblems()
  }

  /// Which way leads back is reported where somebody may still want to follow it.
  private static let toldMax = 100

  private func error(_ event: LinkedEvent, in circle: [Int], _ name: (EventID) -> String)
    -> EventError
  {
    var walk = LinkWalk()
    if circle.count <= Self.toldMax, let id = event.id,
      let (index, way) = walk.circle(
        of: id, isNew: true, event.links, { byID[$0]?.event.links.map(\.id) }),
      let target = byID[event.links[index].id]?.event
    {
      return LinkFault.circle(way).error(
        index, event.links[index], from: event, to: target, name: name)
    }
    return EventError(
      "links",
      "it is one of \(circle.count) events of the file whose links lead round in a circle; one of"
        + " these links must go")
  }

  private var circles: [[Int]] {
    let indices = Dictionary(
      linking.enumerated().compactMap { index, entry in entry.event.id.map { ($0, index) } }
    ) { first, _ in first }
    return LinkCircles.all(linking.map { $0.event.links.compactMap { indices[$0.id] } })
  }
}

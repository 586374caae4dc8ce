// All events of a list read from their lines, some at a time on all processors: what looks at a million of
// them keeps only what it makes of each.

import TimelineModel

extension EventList {
  private static let atATime = 16_384
  private static let portion = 1_024

  /// Makes something of each event that can be read, and hands it on in the order of the list, until it is
  /// enough. Returns a line that is damaged.
  ///
  /// - Parameter make: gets the event, and its body as a node of the document.
  public func read<Result: Sendable>(
    _ make: @Sendable (ShownEvent, JSONDocument, Int, UnsafeBufferPointer<UInt8>) -> Result?,
    _ take: ([Result]) -> Bool
  ) -> DamagedLine? {
    var start = 0
    var damaged: DamagedLine?
    while start < count {
      let indices = Array(start..<min(start + Self.atATime, count))
      start += Self.atATime
      let made = Parallel.map(indices, portion: Self.portion) { indices in
        var document = JSONDocument()
        return indices.map { index in
          self[index].flatMap { event in view.body(of: event, &document, make) }
        }
      }
      if damaged == nil, let index = made.firstIndex(where: { $0 == nil }) {
        damaged = line(of: indices[index])
      }
      guard take(made.compactMap { $0 }) else { break }
    }
    return damaged
  }
}

extension ReadView {
  /// Hands on an event's body as a node of a document; nil where its line is damaged.
  fileprivate func body<Result>(
    of shown: ShownEvent, _ document: inout JSONDocument,
    _ make: (ShownEvent, JSONDocument, Int, UnsafeBufferPointer<UInt8>) -> Result?
  ) -> Result? {
    guard let text = line(shown.ref), (try? document.parse(text)) != nil else { return nil }
    let node = shown.version == nil ? 0 : document.member("body", of: 0, in: text) ?? 0
    return make(shown, document, node, text)
  }

  /// The lines that are kept and in no answer, since this version cannot read them, and why; at most
  /// `max` of them.
  public func unreadableLines(
    knownAt position: Position?, max: Int
  ) -> [(id: EventID, why: String)] {
    guard unreadable > 0 else { return [] }
    let reader = BodyReader(index.vocabulary)
    var found: [(id: EventID, why: String)] = []
    for slot in 0..<UInt32(index.rows.count) where found.count < max {
      let row = index[slot]
      // They are noted so, see EventIndex.apply.
      guard row.flags.contains(.unlisted), row.type == .report,
        position.map({ $0.contains(logs[row.ref.replica].id, row.ref.seq) }) ?? true,
        let text = line(row.ref), let line = try? Line(text), !line.isStub
      else { continue }
      do {
        try reader.parse(text)
        _ = try reader.validate(text, registry: nil, isStored: true)
      } catch {
        switch error {
        case let error as EventError: found.append((EventID(row.id), error.text))
        case let error as JSONError: found.append((EventID(row.id), error.message))
        default: continue
        }
      }
    }
    return found.sorted { $0.id < $1.id }
  }
}

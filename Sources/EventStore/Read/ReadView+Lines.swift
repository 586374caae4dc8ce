// Lines as they stand on disk: the text of an event, runs for a peer, and what came behind a position.

import TimelineModel
import TransparencyLog

extension ReadView {
  /// The line as it stands on disk, with its LF; nil where its bytes are not those that were written.
  func line(_ ref: LineRef) -> UnsafeBufferPointer<UInt8>? {
    logs[ref.replica].line(ref.seq).flatMap { Line.isWhole($0) ? $0 : nil }
  }

  /// The text of an event: its line as it stands, or, where a correction shows, the same envelope
  /// with the correction's body and `version`; `contested` where versions are in conflict. No LF.
  /// False where the line has been damaged since it was read.
  public func append(_ event: ShownEvent, to bytes: inout [UInt8]) -> Bool {
    guard let text = line(event.ref) else { return false }
    guard event.version != nil || !event.contested.isEmpty, let line = try? Line(text) else {
      bytes.append(contentsOf: text.dropLast())
      return true
    }
    // Up to the id, then the event's own id, author and what it is marked with.
    let replica = JSONValue.string(line.replica.description).text
    bytes.append(contentsOf: "{\"v\":1,\"replica\":\(replica),\"seq\":\(line.seq)".utf8)
    bytes.append(contentsOf: ",\"recorded\":\"\(line.recorded)\",\"id\":\"\(event.id)\"".utf8)
    bytes.append(contentsOf: ",\"author\":\"".utf8)
    bytes.append(contentsOf: text[line.author])
    bytes.append(UInt8(ascii: "\""))
    if let version = event.version { bytes.append(contentsOf: ",\"version\":\"\(version)\"".utf8) }
    if !event.contested.isEmpty {
      bytes.append(contentsOf: ",\"contested\":".utf8)
      JSONValue.strings(event.contested).append(to: &bytes)
      if event.contestedCount > event.contested.count {
        bytes.append(contentsOf: ",\"standing\":\(event.contestedCount)".utf8)
      }
    }
    bytes.append(UInt8(ascii: ","))
    bytes.append(contentsOf: text[bodyRange(of: event, line, text)])
    bytes.append(UInt8(ascii: "}"))
    return true
  }

  /// The members of the body that shows.
  private func bodyRange(
    of event: ShownEvent, _ line: Line, _ text: UnsafeBufferPointer<UInt8>
  ) -> Range<Int> {
    guard event.version != nil else { return line.body }
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil, let body = document.member("body", of: 0, in: text)
    else { return line.body }
    let range = document.rawRange(body)
    return range.lowerBound + 1..<range.upperBound - 1
  }

  /// The event as projections take it; its links as it has them, whichever event shows.
  public func event(_ shown: ShownEvent) -> Event? {
    guard let text = line(shown.ref) else { return nil }
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil else { return nil }
    let node = shown.version == nil ? 0 : document.member("body", of: 0, in: text) ?? 0
    return Event(
      id: shown.id, document: document, node: node, in: text,
      isContested: !shown.contested.isEmpty)
  }

  /// An event that shows, as its links and those to it see it; nil where there is none of that id.
  ///
  /// - Parameter isItself: the event of that very id is wanted, also where another one shows in its place.
  public func linked(
    _ id: EventID, knownAt: Position? = nil, isItself: Bool = false
  ) -> LinkedEvent? {
    let id = isItself ? id : shownID(of: id, knownAt: knownAt)
    guard case .shown(let shown) = find(id, knownAt: knownAt), let text = line(shown.ref) else {
      return nil
    }
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil else { return nil }
    let node = shown.version == nil ? 0 : document.member("body", of: 0, in: text) ?? 0
    return LinkedEvent(id: id, document, node: node, in: text)
  }

  private static let links = TextNeedle("links")

  /// Whether an event's line may have links; false only where it surely has none.
  public func mayHaveLinks(_ shown: ShownEvent) -> Bool {
    line(shown.ref).map { Self.links.look(at: $0) != .holdsNot } ?? true
  }

  /// The text of a line that is no event, without its LF; nil where it is damaged.
  public func line(of id: EventID) -> UnsafeBufferPointer<UInt8>? {
    index.slot(of: id).flatMap { line(index[$0].ref) }.map {
      UnsafeBufferPointer(rebasing: $0.dropLast())
    }
  }

  /// Whole lines of a replica in a row, as they stand, for a peer.
  public func run(
    of replica: ReplicaID, from first: UInt64, linesMax: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
    logs.first { $0.id == replica }?.run(from: first, linesMax: linesMax, bytesMax: bytesMax)
      ?? (0, UnsafeBufferPointer(start: nil, count: 0))
  }

  /// The newest head of a log that was found in its lines.
  public func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? {
    heads[replica].map { ($0.size, $0.note.bytes) }
  }

  /// Lines under that head; 0 where there is none.
  public func signedSize(of replica: ReplicaID) -> UInt64 { heads[replica]?.size ?? 0 }

  /// The events that the lines after a position are, or speak of; nil where those are more than
  /// `max` lines.
  public func subjects(after position: Position, max: Int) -> Set<EventID>? {
    let new = logs.indices.reduce(0) {
      $0 + Swift.max(0, Int(counted($1)) - Int(position[logs[$1].id]))
    }
    guard new <= max else { return nil }
    let reader = BodyReader(index.vocabulary)
    var found: Set<EventID> = []
    for (logIndex, log) in logs.enumerated() where position[log.id] < counted(logIndex) {
      for seq in position[log.id] + 1...counted(logIndex) {
        guard let text = log.line(seq), let line = try? Line(text) else { continue }
        found.formUnion(subjects(of: line, text, logIndex, reader))
      }
    }
    return found
  }

  /// The events that a line is, or speaks of.
  func subjects(
    of line: Line, _ text: UnsafeBufferPointer<UInt8>, _ logIndex: Int, _ reader: BodyReader
  ) -> [EventID] {
    IndexEntry(line, text, ref: LineRef(replica: logIndex, seq: line.seq), reader).subjects
  }

  /// Whether a line is for machines alone.
  private func isForMachines(_ line: Line) -> Bool {
    index.slot(of: line.id).map {
      [.logMember, .logMemberEnd, .logTimeline, .logReplica].contains(index[$0].type)
    } ?? false
  }

  /// Goes on from a position through at most so many lines, calling for those that a filter wants (an
  /// event by what it says, a control record about an event by what that event is now), until the body says
  /// that it is enough. True where lines are left.
  public func follow(
    _ filter: Filter, from position: inout Position, linesMax: Int,
    _ body: (UnsafeBufferPointer<UInt8>) -> Bool
  ) -> Bool {
    var left = linesMax
    // Made once they are needed: most of the time nothing has come.
    lazy var matcher = Matcher(filter, index.vocabulary.values)
    let reader = BodyReader(index.vocabulary)
    var document = JSONDocument()
    for (logIndex, log) in logs.enumerated() {
      while position[log.id] < counted(logIndex) {
        guard left > 0 else { return true }
        left -= 1
        position[log.id] += 1
        guard let text = log.line(position[log.id]), let line = try? Line(text),
          !isForMachines(line)
        else { continue }
        if !filter.isEmpty {
          let subjects = subjects(of: line, text, logIndex, reader)
          // The author is that of the line.
          guard
            subjects.contains(where: { subject in
              index.slot(of: subject).map { matcher.fitsButAuthor(index[$0]) } ?? false
            }),
            !(matcher.readsLines || matcher.asksForAuthors) || matcher.fits(line, text, &document)
          else { continue }
        }
        guard body(text) else { return true }
      }
    }
    return false
  }
}

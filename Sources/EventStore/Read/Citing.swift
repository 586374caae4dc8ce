// What a snapshot to cite stands for here: found by its name or its id, and compared with what this machine
// has. An answer from it is the same on every machine that has its lines; so there is none where a line of
// it is missing or damaged, and none where two may be meant.

import TimelineModel
import TransparencyLog

/// A line that is not what was written.
public struct DamagedLine: Error, Sendable, Hashable {
  public var replica: ReplicaID
  public var seq: UInt64

  public var message: String {
    "line \(seq) of replica \(replica) is damaged here"
  }
}

/// A snapshot to cite, and the line that names it.
public struct RecordedSnapshot: Sendable, Hashable {
  public let named: NamedSnapshot
  public let id: EventID
  public let replica: ReplicaID
  public let seq: UInt64
  public let recorded: RecordedTime
  /// Nil where its line has been damaged since.
  public let author: String?
  /// Lines of it whose words are gone, by an erasure.
  public fileprivate(set) var erased = 0

  public var name: SnapshotName { named.name }
  public var position: Position { named.position }

  fileprivate var said: String { "\(id) by \(author ?? "?") at \(recorded)" }
}

/// Why nothing can be said of a snapshot here.
public enum CitationError: Error, Sendable {
  case unknown(String)
  case ambiguous(String, [RecordedSnapshot])
  case missing(RecordedSnapshot, [LineSpan])
  case damaged(RecordedSnapshot, DamagedLine)

  public var message: String {
    switch self {
    case .unknown(let word):
      "no snapshot \(JSONValue.string(String(word.prefix(SnapshotName.lengthMax))).text) is recorded"
        + " here"
    case .ambiguous(let word, let found):
      Set(found.map(\.id)).count > 1
        ? "\(word) is more than one snapshot, name one by its id: "
          + found.map(\.said).joined(separator: "; ")
        : "\(word) is the id of more than one snapshot, so none of them can be cited: "
          + found.map { "\($0.said), line \($0.seq) of replica \($0.replica)" }.joined(
            separator: "; ")
    case .missing(let snapshot, let spans):
      "snapshot \(snapshot.name) cannot be cited here: this machine lacks "
        + spans.map(\.description).joined(separator: ", ") + "; sync with a machine that has them"
    case .damaged(let snapshot, let line):
      "snapshot \(snapshot.name) cannot be cited here: \(line.message)"
    }
  }
}

extension ReadView {
  /// The snapshots to cite, in the order of their recording.
  public var recordedSnapshots: [RecordedSnapshot] { recordedSnapshots { _ in true } }

  private func recordedSnapshots(
    where isMeant: (EventIndex.SnapshotEvent) -> Bool
  ) -> [RecordedSnapshot] {
    index.snapshots.filter(isMeant).map(recordedSnapshot).sorted {
      ($0.recorded, $0.id, $0.replica) < ($1.recorded, $1.id, $1.replica)
    }
  }

  /// The one that a name, an id or the beginning of an id stands for.
  public func recordedSnapshot(_ word: String) throws(CitationError) -> RecordedSnapshot {
    let beginning = word.utf8.count < EventID.shownLengthMin ? nil : word.lowercased()
    let found = recordedSnapshots { event in
      event.named.name.text == word
        || beginning.map { event.id.description.hasPrefix($0) } ?? false
    }
    guard let one = found.first else { throw .unknown(word) }
    guard found.count == 1 else { throw .ambiguous(word, found) }
    return one
  }

  /// The same, with all of its lines here, as far as is known.
  public func cited(_ word: String) throws(CitationError) -> RecordedSnapshot {
    var snapshot = try recordedSnapshot(word)
    let missing = missing(snapshot.position)
    guard missing.isEmpty else { throw .missing(snapshot, missing) }
    if let line = firstDamaged(upTo: snapshot.position) { throw .damaged(snapshot, line) }
    snapshot.erased = stubs(upTo: snapshot.position).count
    return snapshot
  }

  /// The lines of a position that are not here: not at all, or without their words, of which no erasure
  /// is here.
  public func missing(_ position: Position) -> [LineSpan] {
    let missingBodies = stubs(upTo: position).isEmpty ? [] : missingBodies
    return self.position.missing(position)
      + missingBodies.filter { position.contains($0.replica, $0.seq) }.map {
        LineSpan(replica: $0.replica, first: $0.seq, last: $0.seq)
      }
  }

  private func stubs(upTo position: Position) -> [LineRef] {
    index.erasures.stubs.filter { position.contains(logs[$0.replica].id, $0.seq) }
  }

  /// A line up to a position that is known to be damaged.
  public func firstDamaged(upTo position: Position) -> DamagedLine? {
    logs.sorted { $0.id < $1.id }.lazy.compactMap { log in
      log.damaged.first.flatMap { range in
        position.contains(log.id, range.lowerBound)
          ? DamagedLine(replica: log.id, seq: range.lowerBound) : nil
      }
    }.first
  }

  /// The root of the tree over a log's first lines, which must be here.
  public func root(of size: UInt64, _ replica: ReplicaID) throws(DamagedLine) -> SHA256Digest {
    guard let log = log(replica), size <= log.size else {
      fatalError("the root of \(size) lines of \(replica) was asked for, which are not here")
    }
    var tree = LogTree()
    do throws(LogTree.Damaged) { try tree.advance(to: size, of: log) } catch {
      throw DamagedLine(replica: replica, seq: error.seq)
    }
    return tree.root
  }

  /// All that is here, by a name.
  public func named(_ name: SnapshotName, note: String?) throws(DamagedLine) -> NamedSnapshot {
    var roots: [ReplicaID: SHA256Digest] = [:]
    for (replica, size) in position.sorted { roots[replica] = try root(of: size, replica) }
    return NamedSnapshot(name: name, position: position, roots: roots, note: note)
  }

  private func recordedSnapshot(_ event: EventIndex.SnapshotEvent) -> RecordedSnapshot {
    let text = line(event.ref)
    let author = text.flatMap { text in
      (try? Line(text)).flatMap { line in
        // With its quotes.
        let range = line.author.lowerBound - 1..<line.author.upperBound + 1
        return try? JSONValue(parsing: UnsafeBufferPointer(rebasing: text[range])).string
      }
    }
    return RecordedSnapshot(
      named: event.named, id: event.id, replica: logs[event.ref.replica].id, seq: event.ref.seq,
      recorded: event.recorded, author: author)
  }
}

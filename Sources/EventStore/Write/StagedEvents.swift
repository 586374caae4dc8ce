// What is staged to be recorded here, by what it is named: lines behind it may speak of it before it is
// durable.

import TimelineModel

struct StagedEvents: Sendable {
  /// A line with an id that the recorder gave it. Nobody can name a new id before its append was answered.
  struct Named: Sendable {
    /// Where it stands in the own batch.
    var bytes: Range<Int>
    /// The event that the line is, or is a version of; nil where it is neither.
    var subject: EventID?
  }

  private var named: [EventID: Named] = [:]
  /// What is to be said of an event, the last behind the others: the line of a correction, nothing for a
  /// retraction.
  private var versions: [EventID: [Range<Int>]] = [:]
  /// Those that staged lines add.
  private(set) var actors: [Actor] = []

  subscript(id: EventID) -> Named? { named[id] }

  func lastVersion(of id: EventID) -> Range<Int>? { versions[id]?.last }

  var changesEvents: Bool { !versions.isEmpty }

  mutating func add(_ body: ValidBody, _ id: EventID, isNamed: Bool, at bytes: Range<Int>) {
    if isNamed { named[id] = Named(bytes: bytes, subject: body.subject(of: id)) }
    guard case .controlRecord(_, let record) = body else { return }
    switch record {
    case .actor(let actor): actors.append(actor)
    case .correct(let subject, _, _, _): versions[subject, default: []].append(bytes)
    case .retract(let subject, _):
      versions[subject, default: []].append(bytes.lowerBound..<bytes.lowerBound)
    default: break
    }
  }

  /// Forgets the last lines, which begin at an index of the own batch.
  mutating func remove(_ entries: ArraySlice<IndexEntry>, from start: Int) {
    for entry in entries {
      named[entry.id] = nil
      versions[entry.subject]?.removeAll { $0.lowerBound >= start }
      if case .controlRecord(_, .actor) = entry.body { actors.removeLast() }
    }
  }

  mutating func removeAll() {
    named.removeAll(keepingCapacity: true)
    versions = [:]
    actors = []
  }
}

extension ValidBody {
  /// The event that a line of this body is, or is a version of; nil where it is neither.
  fileprivate func subject(of id: EventID) -> EventID? {
    switch self {
    case .event: id
    case .controlRecord(_, .correct(let target, _, _, _)),
      .controlRecord(_, .retract(let target, _)):
      target
    case .controlRecord: nil
    }
  }
}

// The timelines of this machine: which there are, and those that are open. One is opened when it is first
// asked for, and stays open.

import EventStore
import TimelineModel
import TimelineWire
import TransparencyLog

final class Timelines {
  private let service: Service
  private(set) var hosted: HostedTimelines
  /// Those that are open, in the order in which they were opened.
  private(set) var open: [Host] = []

  init(_ service: Service) throws(OpenError) {
    self.service = service
    hosted = try service.directory.timelines(by: service.maker)
    if hosted.timelines.isEmpty, let (_, error) = hosted.unreadable.first { throw error }
    for (_, error) in hosted.unreadable { service.log(.warning, error.message) }
  }

  /// The one that a client means that names none: `main`, or the only one. One that cannot be told may
  /// have been it.
  var standard: HostedTimeline? {
    let isAlone = hosted.timelines.count == 1 && hosted.unreadable.isEmpty
    return hosted["main"] ?? (isAlone ? hosted.timelines[0] : nil)
  }

  /// Opens it where it is not open yet; nil where it is not here, or put aside.
  func host(_ id: TimelineID) throws(OpenError) -> Host? {
    if let host = open.first(where: { $0.id == id }) { return host }
    guard let hosted = hosted[id], !hosted.isArchived else { return nil }
    let timeline = try service.directory.openTimeline(hosted, by: service.maker)
    if timeline.replica != hosted.replica { try lookAgain() }
    if let left = timeline.leftLog {
      service.log(
        .warning,
        "this machine goes on in replica \(timeline.replica): its replica \(left) is damaged, or was signed "
          + "with a key that is not here; all that can be read of it is served as before")
    }
    for damage in timeline.damage { service.log(.warning, damage.message) }
    let host = Host(timeline, hosted, service)
    open.append(host)
    host.begin()
    return host
  }

  // MARK: Changes

  func create(_ name: String) throws(OpenError) -> HostedTimeline {
    let made = try service.directory.createTimeline(name, by: service.maker)
    try lookAgain()
    return made
  }

  /// Joins a timeline of another machine. An own one of that name without a line gives way.
  ///
  /// - Parameters: `hash` and `founding` where they are known.
  func join(
    _ id: TimelineID, hash: SHA256Digest?, founding: TimelineFounding?, as name: String
  ) throws(OpenError) -> HostedTimeline {
    if let own = hosted[name], let host = open.first(where: { $0.id == own.id }) {
      guard host.timeline.lines.lineCount == 0, host.isIdle else { throw .timelineExists(name) }
      let joined = try service.directory.joinTimeline(
        id, hash: hash, founding: founding, name: name, by: service.maker)
      open.removeAll { $0 === host }
      try lookAgain()
      gone(host)
      return joined
    }
    let joined = try service.directory.joinTimeline(
      id, hash: hash, founding: founding, name: name, by: service.maker)
    try lookAgain()
    return joined
  }

  /// Called for a timeline that is served no more: its connections end.
  var gone: (Host) -> Void = { _ in }

  func rename(_ id: TimelineID, to name: String) throws(OpenError) -> HostedTimeline {
    let renamed = try service.directory.renameTimeline(id, to: name)
    try lookAgain()
    open.first { $0.id == id }?.timeline.name = name
    return renamed
  }

  /// Puts one aside, which must be idle where it is open, or takes it back.
  func setArchived(_ id: TimelineID, _ isArchived: Bool) throws(OpenError) -> HostedTimeline {
    let changed = try service.directory.setArchived(id, isArchived)
    try lookAgain()
    if isArchived, let host = open.first(where: { $0.id == id }) {
      open.removeAll { $0 === host }
      gone(host)
    }
    return changed
  }

  private func lookAgain() throws(OpenError) { hosted = try service.directory.timelines() }
}

// A timeline that a data directory holds, as its timeline.json tells it:
//
//     {"timeline":ID,"name":"main","replica":REPLICA,"record":"{\"type\":\"log.replica\",…}",
//      "founding":"{\"type\":\"log.timeline\",…}"}                             (one line in fact)
//
// `record` is line 1 of this machine's log, which its id is made from; a log from before there were devices has
// none. `founding` is what the id is made from, where that is known; `"archived":true` is there where it was put
// aside. The directory's name says nothing: a timeline is called what `name` says, so that renaming it
// changes this file alone.

import TimelineModel
import TransparencyLog

public struct HostedTimeline: Sendable, Hashable {
  public let id: TimelineID
  public internal(set) var name: String
  /// Its name under `timelines`.
  public let directory: String
  /// The log that this machine writes.
  public private(set) var replica: ReplicaID
  /// What that log begins with.
  public private(set) var record: ReplicaRecord?
  public internal(set) var isArchived: Bool
  /// What the id is made from, where that is known.
  public let founding: TimelineFounding?

  init(
    id: TimelineID, name: String, directory: String, log: (id: ReplicaID, record: ReplicaRecord?),
    founding: TimelineFounding? = nil
  ) {
    self.id = id
    self.name = name
    self.directory = directory
    (replica, record) = log
    self.founding = founding
    isArchived = false
  }

  /// The whole hash that the id is the beginning of, where it is known.
  public var hash: SHA256Digest? { founding?.hash ?? record?.timeline }

  /// The same with another log of this machine.
  func with(log: (id: ReplicaID, record: ReplicaRecord?)) -> Self {
    var hosted = self
    (hosted.replica, hosted.record) = log
    return hosted
  }

  /// Whether it began on this machine. Those of directories of version 1 had no founding, and where there were no keys
  /// it names none.
  var isOwn: Bool { isFoundedHere || id == .main }

  var isFoundedHere: Bool {
    founding.map { $0.key == nil || record == nil || $0.key == record?.device } ?? false
  }

  /// The text of timeline.json.
  var bytes: [UInt8] {
    let json = JSONValue.object([
      "timeline": .string(id.description), "name": .string(name),
      "replica": .string(replica.description),
      "record": record.map { .string(MembershipRecord.replica($0).bodyText) },
      "founding": founding.map { .string($0.bodyText) },
      "archived": isArchived ? .bool(true) : nil,
    ])
    return Array((json.text + "\n").utf8)
  }

  enum Fault: Error {
    case form, name, founding, record

    var reason: String {
      switch self {
      case .form: "no timeline and replica in it"
      case .name: "no name in it that a timeline can have"
      case .founding: "what the timeline's id is made from makes another id"
      case .record: "what the log's id is made from makes another id, or is of another timeline"
      }
    }
  }

  /// Reads a timeline.json.
  init(_ bytes: [UInt8], directory: String) throws(Fault) {
    let json = bytes.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let id = json?["timeline"]?.string.flatMap({ TimelineID($0) }),
      let replica = json?["replica"]?.string.flatMap({ ReplicaID($0) })
    else { throw .form }
    guard let name = json?["name"]?.string, TimelineFounding.isName(name) else { throw .name }
    let founding = json?["founding"]?.string.flatMap { TimelineFounding(parsing: $0) }
    guard json?["founding"] == nil || founding?.id == id else { throw .founding }
    var record: ReplicaRecord?
    if let text = json?["record"]?.string {
      guard case .replica(let read) = MembershipRecord(body: text), read.id == replica,
        read.timelineID == id
      else { throw .record }
      record = read
    }
    self.init(
      id: id, name: name, directory: directory, log: (replica, record), founding: founding)
    isArchived = json?["archived"]?.bool ?? false
  }
}

/// What a data directory holds.
public struct HostedTimelines: Sendable {
  /// By name.
  public internal(set) var timelines: [HostedTimeline] = []
  /// Those that cannot be told, by directory, and why; they keep no other from being served.
  public internal(set) var unreadable: [(directory: String, error: OpenError)] = []

  public subscript(name: String) -> HostedTimeline? { timelines.first { $0.name == name } }
  public subscript(id: TimelineID) -> HostedTimeline? { timelines.first { $0.id == id } }
}

// What the first line of a backup says: of which timeline it is, from which machine, and where that
// stood.
//
//     timeline-backup 1 {"timeline":"<36>","name":"main","replica":"<36>","made":"2026-11-25T…Z","position":{…}}

import TimelineModel

public struct BackupHeader: Sendable, Hashable {
  public static let version = 1
  /// No log has more lines: what the store can number.
  private static let seqMax = 1 << 47

  static let keys = ["timeline", "name", "replica", "made", "position"]

  public let timeline: TimelineID
  public let name: String
  /// The log of the machine that it was made from.
  public let replica: ReplicaID
  public let made: RecordedTime
  /// What it holds, or would hold where lines were damaged.
  public let position: Position

  public init(
    timeline: TimelineID, name: String, replica: ReplicaID, made: RecordedTime, position: Position
  ) {
    self.timeline = timeline
    self.name = name
    self.replica = replica
    self.made = made
    self.position = position
  }

  /// Nil where something is missing or wrong.
  public init?(json: JSONValue) {
    guard let timeline = json["timeline"]?.string.flatMap({ TimelineID($0) }),
      let name = json["name"]?.string,
      let replica = json["replica"]?.string.flatMap({ ReplicaID($0) }),
      let made = json["made"]?.string.flatMap(RecordedTime.init(exactly:)),
      let position = json["position"].flatMap({ Position(json: $0) }),
      position.sizes.values.allSatisfy({ $0 <= Self.seqMax })
    else { return nil }
    self.init(timeline: timeline, name: name, replica: replica, made: made, position: position)
  }

  public var json: JSONValue {
    .object([
      "timeline": .string(timeline.description), "name": .string(name),
      "replica": .string(replica.description), "made": .string(made.description),
      "position": position.json,
    ])
  }
}

extension RecordedTime {
  fileprivate init?(exactly text: String) {
    var text = text
    guard let time = text.withUTF8({ RecordedTime(utf8: $0) }) else { return nil }
    self = time
  }
}

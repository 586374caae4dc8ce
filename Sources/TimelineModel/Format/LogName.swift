// What a log is called where it is signed: in the origin of its heads, and as the name of its machine's
// key.
//
//     timeline/595960da-…/4336013d-…        timeline, replica

import TransparencyLog

extension KeyName {
  public init(log replica: ReplicaID, of timeline: TimelineID) {
    guard let name = KeyName("timeline/\(timeline)/\(replica)") else {
      fatalError("a log's name is none: timeline/\(timeline)/\(replica)")
    }
    self = name
  }
}

// The logs of a timeline as a link reads them: among members those that are followed, up to their reach; else, where
// the owner puts back what he kept or tests sync without members, all of them.

import Access
import EventStore
import TimelineModel
import TimelineWire

struct SharedLogs: LogSource {
  let timeline: Timeline
  let isAmongMembers: Bool

  var position: Position {
    isAmongMembers
      ? Position(Dictionary(logsInOrder.map { ($0.replica, $0.size) }) { $1 }) : timeline.position
  }

  var logsInOrder: [(replica: ReplicaID, size: UInt64)] {
    isAmongMembers ? timeline.followedLogs : timeline.position.sorted
  }

  func run(
    of replica: ReplicaID, from first: UInt64, linesMax: UInt64, bytesMax: Int
  ) -> (count: UInt64, bytes: UnsafeBufferPointer<UInt8>) {
    timeline.run(of: replica, from: first, linesMax: linesMax, bytesMax: bytesMax)
  }

  var linesToRequest: [LineRange] { timeline.lines.linesToRequest }

  func head(of replica: ReplicaID) -> (size: UInt64, note: [UInt8])? { timeline.head(of: replica) }

  func signedSize(of replica: ReplicaID) -> UInt64 { timeline.signedSize(of: replica) }

  func device(of replica: ReplicaID) -> DeviceID? { timeline.membership?.device(of: replica) }

  func follows(_ replica: ReplicaID, of device: DeviceID?) -> Bool {
    timeline.membership?.follows(replica, of: device) ?? false
  }

  var membershipVersion: Int { timeline.membershipVersion }

  func followed(of position: Position) -> Position {
    guard isAmongMembers, let membership = timeline.membership else { return position }
    return Position(
      Dictionary(
        position.sizes.compactMap { replica, size in
          let reach = membership.reach(of: replica)
          return reach == 0 ? nil : (replica, min(size, reach ?? .max))
        }
      ) { $1 })
  }
}

// A timeline's files while they are being opened: the logs, what is found in them, what is wrong with them.

import TimelineModel
import TransparencyLog

struct OpenedTimeline {
  private let directory: String
  private(set) var logs: [ReplicaLog] = []
  var index: EventIndex
  private(set) var damage: [LogDamage] = []

  /// What the index on disk knew, before anything else is read.
  var unread: Timeline.Unread { Timeline.Unread(logs: logs.map { ($0, $0.size) }) }

  /// Opens the logs as far as they are known: those in `replicas` first, in that order, which is that
  /// of their places in the index.
  init(
    _ index: EventIndex, _ directory: String, _ replicas: [ReplicaID],
    covers: [ReplicaID: ReplicaLog.Cover] = [:], _ fileSystem: any FileSystem
  ) throws(FileError) {
    self.index = index
    self.directory = directory
    let root = directory + "/logs"
    let known = try fileSystem.list(root).compactMap { ReplicaID($0) }
    for replica in replicas + known.filter({ !replicas.contains($0) }) {
      let path = "\(root)/\(replica)"
      logs.append(
        try ReplicaLog(replica, in: path, cover: covers[replica], fileSystem: fileSystem))
    }
  }

  /// Reads what is not known yet.
  mutating func readOn(_ fileSystem: any FileSystem) throws(FileError) {
    var (logs, damage) = (logs, damage)
    try index.inBulk { (index) throws(FileError) in
      for place in logs.indices {
        let others = logs
        let reason = try logs[place].readOn(
          LogReader(vocabulary: index.vocabulary, place: place), fileSystem: fileSystem,
          damage: &damage
        ) { entry, log in
          func all() -> [ReplicaLog] {
            var all = others
            all[place] = log()
            return all
          }
          index.apply(entry, logs: all())
        }
        let signed = SignedHead.size(
          of: logs[place].id, by: index.members[place]?.key, in: directory, fileSystem)
        try logs[place].settle(
          reason, signed: signed, fileSystem: fileSystem, damage: &damage)
      }
    }
    self.logs = logs
    self.damage = damage
  }
}

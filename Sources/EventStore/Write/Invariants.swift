// What holds between two calls of a timeline, said in code: tests ask after each of them.

import TimelineModel

extension Timeline {
  /// Stops the process where a rule is broken; does nothing in a release build.
  func checkInvariants() {
    #if DEBUG
      require(
        "this machine's log is the first", store.logs.first?.id == replica,
        ["own": replica, "first": store.logs.first.map { "\($0.id)" } ?? "none"])
      require(
        "a log is there once, and can be named",
        Set(store.logs.map(\.id)).count == store.logs.count && store.logs.count <= files.logsMax,
        ["logs": store.logs.count, "at most": files.logsMax])
      require(
        "words have one set of numbers", store.reader.vocabulary === store.index.vocabulary)
      require(
        "the index on disk knows no more than there is",
        store.indexedLines <= store.lineCount && store.mappedLines <= store.lineCount,
        ["lines": store.lineCount, "indexed": store.indexedLines, "mapped": store.mappedLines])
      require("what was emptied is empty", spare.isEmpty)
      require("a commit under way has lines", underWay.map { !$0.staging.isEmpty } ?? true)
      for log in store.logs { checkNumbers(of: log) }
      let known = Set(store.logs.map(\.id))
      for staging in [underWay?.staging, staged].compactMap({ $0 }) {
        require(
          "what is staged has a log", staging.others.keys.allSatisfy(known.contains),
          ["logs": known.count, "staged": staging.others.count])
      }
    #endif
  }

  /// Durable, under way and staged lines of a log are numbered in a row.
  private func checkNumbers(of log: ReplicaLog) {
    var next = log.size + 1
    for staging in [underWay?.staging, staged] {
      guard let batch = staging?.batch(of: log.id, own: replica) else { continue }
      require(
        "a batch has as many entries as lines, and their bytes",
        batch.entries.count == batch.lengths.count
          && batch.bytes.count == batch.lengths.reduce(0, +),
        [
          "log": log.id, "entries": batch.entries.count, "lines": batch.lengths.count,
          "bytes": batch.bytes.count,
        ])
      for entry in batch.entries {
        require(
          "lines are numbered in a row, at their log's index",
          entry.ref.seq == next && entry.replica == log.id
            && store.logs[entry.ref.replica].id == log.id,
          ["log": log.id, "line": entry.ref.seq, "due": next, "log index": entry.ref.replica])
        next += 1
      }
    }
  }
}

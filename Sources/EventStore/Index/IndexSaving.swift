// The index of a timeline, written to disk from time to time, and taken over at a start.

import TimelineModel

extension Timeline {
  /// Whether lines that the index on disk does not know are so many that a start would feel it. While
  /// appends come it is left for later, unless they are many.
  public func wantsIndexSaved(isQuiet: Bool) -> Bool {
    let lines = store.lineCount
    return isQuiet
      ? lines - store.mappedLines >= max(1000, lines / 100)
      : lines - store.indexedLines >= max(250_000, lines / 3)
  }

  /// The index as it stands, to be written by any thread; a failure costs the next start some time.
  public struct IndexSave: Sendable {
    let view: ReadView
    let path: String
    let fileSystem: any FileSystem
    let permit: IndexPermit

    public func write() throws(FileError) {
      try permit.whileValid { () throws(FileError) in try writeNow() }
    }

    private func writeNow() throws(FileError) {
      try fileSystem.createDirectory(String(path[..<path.lastIndex(of: "/")!]))
      try IndexFile.write(view, to: path, fileSystem)
    }

    /// What was written, as it stands in the file; nil where it cannot be read back.
    public func readBack() throws(FileError) -> SavedIndex? {
      guard var found = try IndexFile.read(path, vocabulary: view.index.vocabulary, fileSystem),
        found.replicas == view.logs.map(\.id), found.index.rows.count == view.rowCount,
        // Where nothing was written, since a log has damage, an older one may stand there.
        view.logs.allSatisfy({ UInt64(found.covers[$0.id]?.starts.count ?? 0) == $0.size }),
        found.index.restore(found.irregular, view.logs)
      else { return nil }
      return SavedIndex(
        index: found.index, covers: found.covers, view: view, permit: permit)
    }
  }

  /// An index in the memory of its file.
  public struct SavedIndex: Sendable {
    let index: EventIndex
    let covers: [ReplicaID: ReplicaLog.Cover]
    /// What it was made of.
    let view: ReadView
    let permit: IndexPermit
  }

  /// What is to be written now; nil while the index on disk knows enough. Handed out once.
  public func indexToSave(isQuiet: Bool) -> IndexSave? {
    guard wantsIndexSaved(isQuiet: isQuiet) else { return nil }
    store.indexedLines = store.lineCount
    if isQuiet { store.mappedLines = store.indexedLines }
    return IndexSave(
      view: view, path: files.index, fileSystem: fileSystem, permit: store.permit)
  }

  /// Goes on with the index in its file, and lets its own memory go; where lines have come since, of what
  /// these did not change.
  public func adopt(_ saved: SavedIndex) {
    guard saved.permit === store.permit else { return }
    let old = saved.view
    // All lines, since of those that do not count the index knows who is a member.
    if old.lineCount == store.lineCount, !hasStaged, !isCommitting {
      store.index = saved.index
    } else {
      // Of what is staged or under way the index knows nothing yet: what it holds stays as it is.
      store.index.adopt(saved.index, madeOf: old.index)
    }
    for (logIndex, log) in old.logs.enumerated() {
      if let cover = saved.covers[log.id] { store.logs[logIndex].adopt(cover, madeOf: log) }
    }
  }

  /// Lines that were taken over from the index on disk, unverified, to be read by any thread.
  public struct Unverified: Sendable {
    let logs: [(log: ReplicaLog, lines: UInt64)]
    /// Whether they are all what was written.
    public func isWhole() -> Bool { logs.allSatisfy { $0.log.isWhole(upTo: $0.lines) } }
  }

  /// Hands it out once: it keeps the file of the index that it came from, and that file's space.
  public func takeUnverified() -> Unverified? {
    defer { store.unverified = nil }
    return store.unverified
  }
}

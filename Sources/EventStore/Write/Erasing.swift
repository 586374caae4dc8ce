// Lines that are put in the place of others: stubs where words are to go, and what was damaged here.

import TimelineModel
import TransparencyLog

extension Timeline {
  /// Takes, for the next commit, that an event's words are to go: those of its first recording, of its
  /// copies and of its versions. They are gone when the commit has come back, from every file but
  /// the backups that were made before.
  public func stageErasure(
    of id: EventID, reason: String, _ recording: Recording
  ) throws(AppendError) -> Staged {
    if let readOnly { throw .readOnly(readOnly) }
    requireOpen()
    if let ref = store.index.erasures[id] {
      throw .wasErased(id, by: store.logs[ref.replica].id, ref.seq)
    }
    let lines = store.index.lines(of: id)
    guard !lines.isEmpty else { throw .unknownEvent(id) }
    let addresses = lines.map { LineAddress(store.logs[$0.replica].id, $0.seq) }
      .sorted { ($0.replica, $0.seq) < ($1.replica, $1.seq) }
    return stageErasure(of: id, addresses, reason: reason, recording)
  }

  private func stageErasure(
    of id: EventID, _ addresses: [LineAddress], reason: String, _ recording: Recording
  ) -> Staged {
    introduce(recording)
    staged.hasErasure = true
    return stamp(
      .logErase,
      [
        "erases": .string(id.description), "lines": .array(addresses.map(\.json)),
        "reason": .string(reason),
      ], .erase(id, lines: addresses), recording)
  }

  /// Takes, for the next commit, that further lines of erased events lose their words: those that were
  /// under way when the erasure was recorded, here or elsewhere. Until that is durable they keep them.
  public func stageFurtherErasures(_ recording: Recording) {
    requireOpen()
    for (id, addresses) in linesToName.sorted(by: { $0.key < $1.key }) {
      _ = stageErasure(
        of: id, addresses, reason: "further lines of an event that was erased", recording)
    }
    linesToName = [:]
  }

  /// Whether there are such lines.
  public var hasFurtherErasures: Bool { !linesToName.isEmpty && readOnly == nil }

  /// Replaces lines whose words are to go by their stubs. The index on disk goes first, which has some
  /// of these words too; what a crash or a full disk cuts short is done at the next start or commit.
  func eraseWhatIsDue() {
    let due = store.index.linesToErase(store.logs)
    unfinishedErasure = store.index.unreadableToErase(store.logs).map {
      "line \($0.seq) of replica \($0.replica), whose words were erased, is damaged: what is left of it "
        + "stands on the disk until it is fetched from a peer"
    }
    isErasureDue = false
    guard !due.isEmpty, readOnly == nil else { return }
    requireNothingStaged()
    store.endPermit()
    var failure: FileError?
    do throws(FileError) {
      try IndexFile.empty(in: directory, fileSystem)
      for (logIndex, seqs) in due.sorted(by: { $0.key < $1.key }) {
        let log = store.logs[logIndex]
        let ids = subjects(of: seqs, in: logIndex)
        // Also in the files kept with the other logs: an event may have been tried there first.
        for log in store.logs { try log.emptyAside(naming: ids, fileSystem) }
        try log.rewrite(
          stubs(of: seqs, in: log), forgetting: seqs, ids, signed: signed(logIndex), fileSystem)
        erased += seqs.sorted().map { LineAddress(log.id, $0) }
      }
    } catch { failure = error }
    let unsynced = failure?.cause == .full ? Array(due.keys) : []
    do throws(FileError) { try openRewritten(unsynced) } catch { failure = error }
    guard let failure else { return }
    unfinishedErasure = "words that were erased are still on the disk: \(failure.message)"
    isErasureDue = true
    if failure.cause != .full { _ = note(failure) }
  }

  /// Opens the logs anew after segments were rewritten, or may have been: which files stand there now has
  /// to be found out. Where it cannot be, nothing is written any more, whatever the reason: what is
  /// open may be a file that has no name any more, and a line in it would be lost.
  ///
  /// - Parameter unsynced: logs of which the renames may not be durable.
  private func openRewritten(_ unsynced: [Int]) throws(FileError) {
    do throws(FileError) {
      for logIndex in unsynced { try store.logs[logIndex].syncDirectory(fileSystem) }
      try readAgain()
    } catch {
      readOnly = "the timeline is read-only since \(error.message)"
      throw error
    }
  }

  /// Lines under the head of a log that is on disk.
  private func signed(_ logIndex: Int) -> UInt64 {
    SignedHead.size(
      of: store.logs[logIndex].id, by: store.index.keys[logIndex]?.key, in: directory, fileSystem
    )
  }

  /// Puts lines back that are damaged here, or miss their bodies: each is the line of its address, as
  /// `HeadKeeper.isProven` says. Damaged lines side by side come back together or not at all; what stood
  /// there is kept next to the segment. Nothing may be staged, and no commit be under way.
  public func repair(_ lines: [LineAddress: [UInt8]]) throws(AppendError) {
    requireNothingStaged()
    if let readOnly { throw .readOnly(readOnly) }
    let missing = Set(
      view.missingLines.flatMap { lines in lines.lines.map { LineAddress(lines.replica, $0) } })
    let reader = BodyReader(store.index.vocabulary)
    var hasher = SHA256()
    var failure: FileError?
    var unsynced: [Int] = []
    var hasChanged = false
    for (logIndex, log) in store.logs.enumerated() {
      var found: [UInt64: [UInt8]] = [:]
      var erased: [UInt64: EventID] = [:]
      for (name, line) in lines where name.replica == log.id && missing.contains(name) {
        line.withUnsafeBufferPointer { text in
          guard let parsed = try? Line(text) else { return }
          if let here = log.line(name.seq), let stub = try? Line(here) {
            // Where only the body is missing, what is here says which they were.
            guard !parsed.isStub,
              stub.leaf(of: here, using: &hasher) == parsed.leaf(of: text, using: &hasher)
            else { return }
          }
          let ref = LineRef(replica: logIndex, seq: name.seq)
          let entry = IndexEntry(parsed, text, ref: ref, reader)
          guard store.index.erasures.covers(entry) else {
            found[name.seq] = line
            return
          }
          found[name.seq] = parsed.stub(of: text, using: &hasher)
          erased[name.seq] = entry.subject
        }
      }
      guard !found.isEmpty, failure == nil else { continue }
      hasChanged = true
      do throws(FileError) {
        try log.rewrite(
          found, forgetting: Set(erased.keys), Array(erased.values), signed: signed(logIndex),
          fileSystem)
      } catch {
        failure = error
        if error.cause == .full { unsynced.append(logIndex) }
      }
    }
    guard hasChanged else { return }
    do throws(FileError) { try openRewritten(unsynced) } catch { throw .readOnly(readOnly!) }
    if let failure { throw note(failure) }
    if unfinishedErasure != nil { eraseWhatIsDue() }
  }

  private func stubs(of seqs: Set<UInt64>, in log: ReplicaLog) -> [UInt64: [UInt8]] {
    var hasher = SHA256()
    var stubs: [UInt64: [UInt8]] = [:]
    for seq in seqs {
      if let text = log.line(seq), let line = try? Line(text) {
        stubs[seq] = line.stub(of: text, using: &hasher)
      }
    }
    return stubs
  }

  private func subjects(of seqs: Set<UInt64>, in logIndex: Int) -> [EventID] {
    seqs.compactMap { seq in
      IndexEntry(reading: LineRef(replica: logIndex, seq: seq), store.logs, store.index.vocabulary)?
        .subject
    }
  }

  /// The lines that have lost their words since this was asked last.
  public func takeErased() -> [LineAddress] {
    defer { erased = [] }
    return erased
  }
}

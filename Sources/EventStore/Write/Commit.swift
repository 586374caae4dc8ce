// A commit in three steps, of which the second may be done on another thread while the owner goes on staging:
//
//     beginCommit    takes all that is staged             the owner's thread
//     perform        write → fdatasync, log by log        any thread
//     finishCommit   logs and index take it in            the owner's thread
//
// One is under way at a time. Until it is finished nothing of it shows: `position`, `view` and `lines` are
// what is durable and indexed. What is staged meanwhile counts it as taken, so it stands or falls with it.

import TimelineModel

/// One batch to be written: what `Timeline.beginCommit` took.
public struct Commit: Sendable {
  /// Lines for one log.
  struct Write: Sendable {
    let logIndex: Int
    let tail: LogTail
    let bytes: [UInt8]
    let lengths: [Int]
  }

  let number: Int
  let writes: [Write]
  let fileSystem: any FileSystem

  /// Bytes to be written.
  public var bytes: Int { writes.reduce(0) { $0 + $1.bytes.count } }

  /// Writes and syncs, on whatever thread; called once.
  public func perform() -> Done {
    var done = Done(number: number)
    var isStopped = false
    for write in writes where !isStopped {
      var tail = write.tail
      let (lines, error) = write.bytes.withUnsafeBufferPointer {
        tail.append($0, lengths: write.lengths, fileSystem)
      }
      done.written.append(
        Done.Written(logIndex: write.logIndex, tail: tail, lines: lines, error: error))
      isStopped = error.map { !$0.isPassing } ?? false
    }
    return done
  }

  /// What came of it.
  public struct Done: Sendable {
    struct Written: Sendable {
      let logIndex: Int
      let tail: LogTail
      /// Lines that are durable, the first ones of the batch.
      let lines: Int
      let error: FileError?
    }

    let number: Int
    fileprivate(set) var written: [Written] = []
  }
}

extension FileError {
  /// Whether it passes by itself, and leaves what is on the disk known.
  var isPassing: Bool { cause == .full || cause == .tooManyFiles }
}

extension Timeline {
  /// What a commit took, until it is finished.
  struct UnderWay {
    let number: Int
    var staging: Staging
  }

  /// Takes everything staged as one batch to be written; nil where nothing is staged. No commit may be
  /// under way.
  public func beginCommit() -> Commit? {
    require("one commit at a time", underWay == nil, ["under way": underWay?.number ?? 0])
    guard hasStaged else { return nil }
    commits += 1
    let taken = staged
    staged = spare
    spare = Staging()
    // What is asked behind it has a bound of its own.
    store.linkWalk.beginTurn()
    var writes: [Commit.Write] = []
    // Nothing is written any more where it is not known what the disk holds.
    if readOnly == nil {
      for (logIndex, log) in store.logs.enumerated() {
        guard let batch = taken.batch(of: log.id, own: replica) else { continue }
        writes.append(
          Commit.Write(
            logIndex: logIndex, tail: log.tail, bytes: batch.bytes, lengths: batch.lengths))
      }
    }
    underWay = UnderWay(number: commits, staging: taken)
    return Commit(number: commits, writes: writes, fileSystem: fileSystem)
  }

  /// Makes visible what a commit has made durable, and does what follows from it: erasures that are due.
  ///
  /// After an error only those staged lines that `isDurable` were taken, and all that was staged meanwhile is
  /// dropped: its numbers would be wrong.
  public func finishCommit(_ done: Commit.Done) throws(AppendError) {
    require(
      "what is finished is the commit under way", underWay?.number == done.number,
      ["finished": done.number, "under way": underWay?.number ?? 0])
    var taken = underWay!.staging
    underWay = nil
    var failure = readOnly.map { AppendError.readOnly($0) }
    let erasures = store.index.erasures.all.count
    var mayLack = false
    for written in done.written {
      guard let batch = taken.batch(of: store.logs[written.logIndex].id, own: replica) else {
        fatalError(
          "replica \(store.logs[written.logIndex].id) was written, but nothing staged for it")
      }
      store.take(written.tail, batch, lines: written.lines, logIndex: written.logIndex)
      let log = store.logs[written.logIndex]
      // Where not all of it was written the tree is that of other lines.
      store.trees[log.id] = taken.trees[log.id].flatMap { $0.size == log.size ? $0 : nil }
      if let error = written.error { failure = note(error) }
      mayLack =
        mayLack || erasures > 0 && batch.entries.contains(where: store.index.erasures.mayLack)
    }
    // What came from elsewhere was not walked, what was corrected links elsewhere now, and what was not
    // recorded nowhere.
    if failure != nil || taken.hasIngested || taken.events.changesEvents {
      store.linkWalk = LinkWalk()
    }
    if failure != nil {
      staged.removeAll()
      ended = (era, Dictionary(store.logs.map { ($0.id, $0.size) }) { $1 })
      era += 1
    }
    taken.removeAll()
    spare = taken
    let hasNewErasure = store.index.erasures.all.count > erasures
    if hasNewErasure || isErasureDue { eraseWhatIsDue() }
    if hasNewErasure || mayLack { linesToName = store.index.linesToName(store.logs) }
    if let failure { throw failure }
  }

  /// All three steps in a row: makes everything staged durable and visible. After an error only those
  /// staged lines that `isDurable` were taken.
  public func commit() throws(AppendError) {
    if let commit = beginCommit() { try finishCommit(commit.perform()) }
  }

  public var isCommitting: Bool { underWay != nil }

  /// Whether something is staged that no commit has taken yet.
  public var hasStaged: Bool { !staged.isEmpty }

  /// Bytes that are staged and no commit has taken yet.
  public var stagedBytes: Int { staged.bytes }

  /// Whether anything may be staged now: not while a commit is under way whose end will rewrite files,
  /// since then everything is read again. `check` may be asked at any time.
  public var isOpenForStaging: Bool {
    underWay.map { !$0.staging.hasErasure && !isErasureDue } ?? true
  }

  /// Whether a staged append has become part of the log. A duplicate of what was under way is durable once
  /// that is. Asked at the latest before a second commit fails behind it.
  public func isDurable(_ staged: Staged) -> Bool {
    if staged.era == era { return store.size(of: staged.replica) >= staged.seq }
    // The numbers were given out again behind a commit that failed.
    guard let ended, ended.era == staged.era else { return false }
    return ended.sizes[staged.replica, default: 0] >= staged.seq
  }

  /// What a failure of the disk means: a full disk is a state that passes, anything else ends writing,
  /// since what a failed sync left behind is unknown and a second one may lie.
  func note(_ error: FileError) -> AppendError {
    switch error.cause {
    case .full: return .full(error)
    case .tooManyFiles: return .busy(error)
    default: break
    }
    readOnly = "the timeline is read-only since \(error.message)"
    return .readOnly(readOnly!)
  }
}

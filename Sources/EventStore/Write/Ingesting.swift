// Lines of other machines: compared with what is here, or staged.

import TimelineModel
import TransparencyLog

extension Timeline {
  /// Takes whole lines of another replica, numbered from `first`, for the next commit; what is here
  /// already is compared and passed over.
  /// Nothing is taken where one of them is wrong. What was sent may be told to be here once `position` has it:
  /// some of it may be under way.
  public func ingest(
    _ bytes: UnsafeBufferPointer<UInt8>, of replica: ReplicaID, from first: UInt64,
    now: RecordedTime
  ) throws(IngestError) {
    if let readOnly { throw .disk(.readOnly(readOnly)) }
    requireOpen()
    followOthers(now: now)
    // A log is added with its first line: a name alone costs nothing.
    let known = store.logIndex(of: replica)
    let logIndex = known ?? store.logs.count
    guard logIndex < files.logsMax else { throw .tooManyLogs(replica, max: files.logsMax) }
    var batch = Batch()
    var hasher = SHA256()
    let last = lastBatch(of: replica)?.entries.last?.recorded
    var next = nextSeq(of: replica)
    var previous = last ?? known.flatMap { store.logs[$0].lastRecorded }
    var latest = clock
    var ahead = 0
    var expected = first
    for piece in PeerLine.all(in: bytes, logIndex: logIndex, store.index.vocabulary) {
      guard let text = piece.text else { throw .line(seq: next, .noLineEnd) }
      let line: Line
      do throws(LineError) { line = try piece.line.get() } catch { throw .line(seq: next, error) }
      guard line.replica == replica else {
        throw .wrongReplica(expected: replica, found: line.replica)
      }
      guard line.seq == expected else {
        throw .wrongSeq(expected: expected, found: line.seq)
      }
      expected += 1
      if line.seq < next {
        guard isHere(line, text, replica) else { throw .fork(seq: line.seq) }
        continue
      }
      guard line.seq == next, let entry = piece.entry else {
        throw .wrongSeq(expected: next, found: line.seq)
      }
      guard previous.map({ $0 < line.recorded }) ?? true else { throw .notRising(seq: next) }
      previous = line.recorded
      let isFollowed = latest.follow(line.recorded, now: now)
      if !isFollowed { ahead += 1 }
      // Our own log, which we had lost: what we write next comes after it.
      guard isFollowed || logIndex != 0 else { throw .notOurs(seq: next) }
      if store.index.erasures.covers(entry) {
        // Its words were to go before it came.
        line.stub(of: text, using: &hasher).withUnsafeBufferPointer { batch.add($0, entry.erased) }
      } else {
        batch.add(text, entry)
      }
      next += 1
    }
    if known == nil, !batch.isEmpty { try addLog(replica) }
    clock = latest
    self.ahead += ahead
    staged.add(batch, of: replica, own: self.replica)
  }

  /// Whether a line that a peer sent is the one that is here; one that is damaged here may be any. Either
  /// may have lost its words, so where the bytes differ their leaves are compared.
  private func isHere(_ line: Line, _ text: UnsafeBufferPointer<UInt8>, _ replica: ReplicaID)
    -> Bool
  {
    func isSame(_ here: UnsafeBufferPointer<UInt8>) -> Bool {
      if here.elementsEqual(text) { return true }
      guard let known = try? Line(here) else { return true }
      var hasher = SHA256()
      return (known.isStub || line.isStub)
        && known.leaf(of: here, using: &hasher) == line.leaf(of: text, using: &hasher)
    }
    let durable = store.size(of: replica)
    guard line.seq > durable else {
      return store.logIndex(of: replica).flatMap { store.logs[$0].line(line.seq) }.map(isSame)
        ?? true
    }
    var index = Int(line.seq - durable) - 1
    if let taken = underWay?.staging.batch(of: replica, own: self.replica) {
      if index < taken.lengths.count { return taken.withLine(index, isSame) }
      index -= taken.lengths.count
    }
    return staged.batch(of: replica, own: self.replica)?.withLine(index, isSame) ?? true
  }

  /// The number of the next line of a log, behind all that is staged or under way.
  private func nextSeq(of replica: ReplicaID) -> UInt64 {
    let taken = underWay?.staging.batch(of: replica, own: self.replica)?.lengths.count ?? 0
    let waiting = staged.batch(of: replica, own: self.replica)?.lengths.count ?? 0
    return store.size(of: replica) + UInt64(taken + waiting) + 1
  }

  /// The batch that has the last line of a log that is not durable yet; nil where all are.
  private func lastBatch(of replica: ReplicaID) -> Batch? {
    staged.batch(of: replica, own: self.replica)
      ?? underWay?.staging.batch(of: replica, own: self.replica)
  }

  /// Adds the log of another machine. Where files stand in its place, new lines would be written behind
  /// lines that nobody has read.
  private func addLog(_ replica: ReplicaID) throws(IngestError) {
    let path = files.log(replica)
    let found: Bool
    do throws(FileError) {
      found = try !ReplicaLog.segmentNames(in: path, fileSystem).isEmpty
    } catch { throw .disk(note(error)) }
    guard !found else { throw .unread(replica) }
    store.logs.append(ReplicaLog(replica, in: path))
  }
}

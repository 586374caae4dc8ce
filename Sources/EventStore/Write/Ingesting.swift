// Lines of other machines: compared with what is here, or staged.

import TimelineModel
import TransparencyLog

extension Timeline {
  /// Takes whole lines of another replica, numbered from `first`, for the next commit; what is here
  /// already is compared and passed over.
  /// Nothing is taken where one of them is wrong.
  public func ingest(
    _ bytes: UnsafeBufferPointer<UInt8>, of replica: ReplicaID, from first: UInt64,
    now: RecordedTime
  ) throws(IngestError) {
    if let readOnly { throw .disk(.readOnly(readOnly)) }
    followOthers(now: now)
    let place = try place(of: replica)
    var batch = Batch()
    var hasher = SHA256()
    var next = logs[place].size + UInt64(batches[place].lengths.count) + 1
    var previous = batches[place].entries.last?.recorded ?? logs[place].lastRecorded
    var latest = clock
    var ahead = 0
    var expected = first
    for piece in PeerLine.all(in: bytes, place: place, index.vocabulary) {
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
        guard isHere(line, text, place) else { throw .fork(seq: line.seq) }
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
      guard isFollowed || place != 0 else { throw .notOurs(seq: next) }
      if index.erasures.covers(entry) {
        // Its words were to go before it came.
        line.stub(of: text, using: &hasher).withUnsafeBufferPointer { batch.add($0, entry.erased) }
      } else {
        batch.add(text, entry)
      }
      next += 1
    }
    clock = latest
    self.ahead += ahead
    hasIngested = true
    batches[place].add(batch)
  }

  /// Whether a line that a peer sent is the one that is here; one that is damaged here may be any. Either
  /// may have lost its words, so where the bytes differ their leaves are compared.
  private func isHere(_ line: Line, _ text: UnsafeBufferPointer<UInt8>, _ place: Int) -> Bool {
    func isSame(_ here: UnsafeBufferPointer<UInt8>) -> Bool {
      if here.elementsEqual(text) { return true }
      guard let known = try? Line(here) else { return true }
      var hasher = SHA256()
      return (known.isStub || line.isStub)
        && known.leaf(of: here, using: &hasher) == line.leaf(of: text, using: &hasher)
    }
    guard line.seq > logs[place].size else { return logs[place].line(line.seq).map(isSame) ?? true }
    let staged = Int(line.seq - logs[place].size) - 1
    let start = batches[place].lengths[..<staged].reduce(0, +)
    return batches[place].bytes.withUnsafeBufferPointer {
      isSame(UnsafeBufferPointer(rebasing: $0[start..<start + batches[place].lengths[staged]]))
    }
  }

  private func place(of replica: ReplicaID) throws(IngestError) -> Int {
    if let place = logs.firstIndex(where: { $0.id == replica }) { return place }
    do throws(FileError) {
      let path = "\(directory)/logs/\(replica)"
      logs.append(try ReplicaLog(replica, in: path, cover: nil, fileSystem: fileSystem))
      batches.append(Batch())
      return logs.count - 1
    } catch { throw .disk(note(error)) }
  }
}

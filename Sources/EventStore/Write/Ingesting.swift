// Lines of other machines: compared with what is here, or staged. A line is staged only where its log's machine
// signed for it: the leaves that came go on the tree that is here, and that leads to the head, or by a proof of
// consistency into it. So what is on the disk of another machine's log is what that machine wrote, to the byte,
// and lines are checked run by run, however far ahead the head is.

import TimelineModel
import TransparencyLog

/// What a peer says that its lines are under; nothing of it has been checked.
public struct HeadClaim: Sendable {
  let note: [UInt8]
  let consistency: [SHA256Digest]

  /// - Parameters:
  ///   - note: the signed note of the log's head.
  ///   - consistency: from the tree that ends with the lines to that of the head; empty where both are one.
  public init(note: [UInt8], consistency: [SHA256Digest]) {
    self.note = note
    self.consistency = consistency
  }
}

extension Timeline {
  /// Who says that lines are what their machine wrote.
  public enum Provenance: Sendable {
    /// A peer, which has to show it; nil where it did not.
    case peer(HeadClaim?)
    /// A peer among members: what it sends is of their logs, and not behind their ends.
    case member(HeadClaim?)
    /// The owner of this machine, who puts back what he kept: to the last line, signed or not.
    case owner

    fileprivate var isOwner: Bool { if case .owner = self { true } else { false } }
    fileprivate var isMember: Bool { if case .member = self { true } else { false } }

    fileprivate var claim: HeadClaim? {
      switch self {
      case .peer(let claim), .member(let claim): claim
      case .owner: nil
      }
    }
  }

  /// Takes whole lines of another replica, numbered from `first`, for the next commit; what is here
  /// already is compared and passed over.
  /// Nothing is taken where one of them is wrong, or their machine did not sign for them. That they are here
  /// may be told once `size(of:)` has them: some may be under way. Returns the head where it ends with these lines.
  @discardableResult
  public func ingest(
    _ bytes: UnsafeBufferPointer<UInt8>, of replica: ReplicaID, from first: UInt64,
    by provenance: Provenance, now: RecordedTime
  ) throws(IngestError) -> SignedHead? {
    if let readOnly { throw .disk(.readOnly(readOnly)) }
    requireOpen()
    followOthers(now: now)
    // A log is added with its first line: a name alone costs nothing.
    let known = store.logIndex(of: replica)
    let logIndex = known ?? store.logs.count
    guard logIndex < files.logsMax else { throw .tooManyLogs(replica, max: files.logsMax) }
    var batch = Batch()
    var hasher = SHA256()
    let last = batches(of: replica).last?.entries.last?.recorded
    var next = nextSeq(of: replica)
    let pieces = PeerLine.all(
      in: bytes, logIndex: logIndex, hasLeaves: !provenance.isOwner, store.index.vocabulary)
    var leaves: [SHA256Digest] = []
    var previous = last ?? known.flatMap { store.logs[$0].lastRecorded }
    var latest = clock
    var ahead = 0
    var expected = first
    let reach = provenance.isMember ? try self.reach(of: replica, pieces.first?.entry) : nil
    for piece in pieces {
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
      // Who sent it need not know of the end yet.
      if let reach, line.seq > reach { break }
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
      if let leaf = piece.leaf { leaves.append(leaf) }
      next += 1
    }
    var head: SignedHead?
    if !provenance.isOwner, !batch.isEmpty {
      let tree = try tree(of: replica, with: leaves)
      head = try check(provenance.claim, tree, of: replica, key: key(of: replica, orIn: batch))
      staged.trees[replica] = tree
    }
    if known == nil, !batch.isEmpty { try addLog(replica) }
    clock = latest
    self.ahead += ahead
    staged.add(batch, of: replica, own: self.replica)
    return head
  }

  /// Up to which line a log is kept, as far as it is known who is a member; nil: to the last.
  private func reach(of replica: ReplicaID, _ entry: IndexEntry?) throws(IngestError) -> UInt64? {
    guard let membership = store.membership else { throw .noMember(replica) }
    if let index = store.logIndex(of: replica), store.logs[index].size > 0 {
      // Line 1, which says whose it is, may be the damaged one: it comes back, and then lines are taken again.
      guard membership.device(of: replica) != nil || !store.logs[index].hasDamage else {
        throw .treeUnknown(replica)
      }
      return membership.reach(of: replica)
    }
    // Line 1 may be under way.
    let first = batches(of: replica).first?.entries.first ?? entry
    guard case .replica(let record) = first?.membership, membership.follows(record) else {
      throw .noMember(replica)
    }
    return membership.reach(of: record)
  }

  // MARK: Heads

  /// Whether the tree of a log is known as far as its durable lines go.
  public func hasTree(of replica: ReplicaID) -> Bool {
    let size = store.size(of: replica)
    return size == 0 || store.trees[replica]?.size == size
  }

  /// Takes in what `HeadKeeper` found of trees.
  public func adopt(_ trees: [ReplicaID: TreeFrontier]) {
    for (replica, tree) in trees where tree.size == store.size(of: replica) {
      store.trees[replica] = tree
    }
  }

  /// The tree of all lines of a log that are here, staged ones included, and of those that come behind.
  private func tree(
    of replica: ReplicaID, with leaves: [SHA256Digest]
  ) throws(IngestError) -> TreeFrontier {
    let known =
      staged.trees[replica] ?? underWay?.staging.trees[replica] ?? store.trees[replica]
      ?? TreeFrontier()
    guard known.size == nextSeq(of: replica) - 1 else { throw .treeUnknown(replica) }
    var tree = known
    var hasher = SHA256()
    tree.append(contentsOf: leaves, using: &hasher)
    return tree
  }

  /// The key that a log names, as far as it is here, durable or not, or begins to come.
  private func key(of replica: ReplicaID, orIn batch: Batch) -> NoteVerifier? {
    if let index = store.logIndex(of: replica), let member = store.index.keys[index] {
      return member.key
    }
    return (batches(of: replica) + [batch]).lazy.compactMap {
      $0.entries.first { $0.key != nil }?.key
    }
    .first
  }

  /// Whether a tree is that of a signed head, or the beginning of it: in the first case, the head.
  private func check(
    _ claim: HeadClaim?, _ tree: TreeFrontier, of replica: ReplicaID, key: NoteVerifier?
  ) throws(IngestError) -> SignedHead? {
    guard let claim else { throw .noHead(replica) }
    // The line that names the key may be the damaged one.
    let isDamaged = store.logIndex(of: replica).map { store.logs[$0].hasDamage } ?? false
    guard key != nil || !isDamaged else { throw .treeUnknown(replica) }
    guard let key, key.name == SignedHead.name(replica, of: id) else { throw .noKey(replica) }
    let head: SignedHead
    do throws(SignedHead.Refusal) { head = try SignedHead(claim.note, by: key) } catch {
      throw .badHead(replica, error)
    }
    do throws(ConsistencyProofError) {
      try ConsistencyProof(oldSize: tree.size, newSize: head.size, hashes: claim.consistency)
        .verify(oldRoot: tree.root, newRoot: head.root)
    } catch { throw .notUnderHead(replica, size: head.size) }
    return tree.size == head.size ? head : nil
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
    for batch in batches(of: replica) {
      if index < batch.lengths.count { return batch.withLine(index, isSame) }
      index -= batch.lengths.count
    }
    return true
  }

  /// The number of the next line of a log, behind all that is staged or under way.
  private func nextSeq(of replica: ReplicaID) -> UInt64 {
    let coming = batches(of: replica).reduce(0) { $0 + $1.lengths.count }
    return store.size(of: replica) + UInt64(coming) + 1
  }

  /// The lines of a log that are not durable yet: those under way, then those staged. None is empty.
  private func batches(of replica: ReplicaID) -> [Batch] {
    [underWay?.staging, staged].compactMap { $0?.batch(of: replica, own: self.replica) }
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

// Signs the heads of this machine's log, checks those of others, and proves lines by them. It keeps the
// tree of each log between questions; it is called on one thread at a time, off the loop.
//
//     lines durable → tree goes on → head signed → published → head durable, within a second
//
// The head may wait for the disk, since the lines that it covers do not change, whatever happens: the next one
// goes on from them. A log signs one root for a size, ever. So before the first head of a run is signed, the last
// one that was is found again in the lines; on any doubt nothing is signed, and the reason is reported.

import Synchronization
import TimelineModel
import TransparencyLog

/// Why a log has no head that can be relied on.
public enum HeadProblem: Error, Sendable, Hashable {
  /// This machine has no key, or the log no member line that names one.
  case noKey(ReplicaID)
  case damaged(ReplicaID, seq: UInt64)
  /// The log is shorter than what was signed.
  case shorter(ReplicaID, size: UInt64, signed: UInt64)
  /// The lines are not those that were signed.
  case otherRoot(ReplicaID, size: UInt64, signed: SHA256Digest, found: SHA256Digest)
  case refused(ReplicaID, SignedHead.Refusal)
  /// No head covers the line yet.
  case notCovered(ReplicaID, seq: UInt64, signed: UInt64)
  case unknown(EventID)
  /// The daemon is about to end.
  case stopped
  case disk(FileError)

  public var message: String {
    switch self {
    case .noKey(let replica):
      "replica \(replica) has no key yet: its machine writes one with its next event, and sync brings it"
    case .damaged(let replica, let seq):
      "line \(seq) of replica \(replica) is damaged, so its tree cannot be made"
    case .shorter(let replica, let size, let signed):
      "replica \(replica) has \(size) lines, but a head of \(signed) lines was signed: lines that were "
        + "durable are gone"
    case .otherRoot(let replica, let size, let signed, let found):
      "the first \(size) lines of replica \(replica) have root \(found.base64), signed was "
        + "\(signed.base64): two histories were written under one id, or lines were changed"
    case .refused(let replica, let refusal):
      "the signed head of replica \(replica) cannot be relied on: \(refusal.message)"
    case .notCovered(let replica, let seq, let signed):
      "line \(seq) of replica \(replica) is not covered by a signed head yet (the newest covers \(signed) "
        + "lines): sync with its machine, or with one that did"
    case .stopped: "timelined is stopping"
    case .unknown(let id): "no line \(id) can be read"
    case .disk(let error): error.message
    }
  }
}

public final class HeadKeeper: Sendable {
  /// What is known of one log.
  private struct Kept {
    var tree = LogTree()
    /// The newest head that was found right.
    var head: SignedHead?
    /// Lines under the head on disk.
    var written: UInt64 = 0
    /// Why the head on disk is not relied on; found out once, since it may take long.
    var failure: HeadProblem?
    /// Whether the head on disk was read.
    var isRead = false
    /// Blocks of the tree that are kept on disk.
    var saved = 0
  }

  private let timeline: TimelineID
  private let own: ReplicaID
  /// What this machine signs with; nil for none.
  private let key: SigningKey?
  private let directory: String
  private let fileSystem: any FileSystem
  private static let stepLines: UInt64 = 65_536
  /// More than come between two heads.
  private static let manyLines: UInt64 = 500_000

  private let isStopping = Atomic(false)
  private let kept = Mutex<[ReplicaID: Kept]>([:])

  init(
    timeline: TimelineID, own: ReplicaID, key: SigningKey?, directory: String,
    fileSystem: any FileSystem
  ) {
    self.timeline = timeline
    self.own = own
    self.key = key
    self.directory = directory
    self.fileSystem = fileSystem
  }

  /// What came of looking at one log.
  public typealias Outcome = Result<SignedHead, HeadProblem>

  /// Has long work end soon, on whatever thread it is done.
  public func stop() { isStopping.store(true, ordering: .relaxed) }

  /// Finds the heads on disk in the lines, and signs this machine's lines that are not signed yet: also those of a
  /// log that it left when a line of it was damaged, once that is back. Without a head nobody else would get them.
  public func checkAll(_ view: ReadView) -> [ReplicaID: Outcome] {
    kept.withLock { kept in
      for replica in kept.keys { kept[replica]!.failure = nil }
      var outcomes: [ReplicaID: Outcome] = [:]
      for log in view.logs where log.size > 0 && view.key(of: log.id) != nil {
        outcomes[log.id] = Result { () throws(HeadProblem) in
          guard signer(of: log.id, view) != nil else {
            return try verifiedHead(&kept[log.id, default: Kept()], log, view)
          }
          return try sign(log, &kept, view, isKept: true)
        }.flatMap { $0.map { .success($0) } ?? .failure(.notCovered(log.id, seq: 1, signed: 0)) }
      }
      return outcomes
    }
  }

  /// The heads on disk as they stand there: signed, not yet found in the lines.
  public func stored(_ view: ReadView) -> [ReplicaID: Outcome] {
    Dictionary(
      view.members.compactMap { replica, key in
        let outcome = Result { () throws(HeadProblem) in try stored(replica, key) }
        switch outcome {
        case .success(nil): return nil
        case .success(let head?): return (replica, .success(head))
        case .failure(let problem): return (replica, .failure(problem))
        }
      }
    ) { $1 }
  }

  /// Keeps the trees on disk, for the next start; a cache, which is compared with the signed head.
  public func saveTrees() {
    kept.withLock { kept in
      for (replica, log) in kept where log.tree.blocks.count > log.saved && log.head != nil {
        let bytes = log.tree.blocks.flatMap(\.bytes)
        let isSaved: Void? = try? bytes.withTypedBuffer { (bytes) throws(FileError) in
          try fileSystem.createDirectory(directory + "/index")
          try fileSystem.replaceCache(treePath(replica), with: [UnsafeRawBufferPointer(bytes)])
        }
        if isSaved != nil { kept[replica]!.saved = log.tree.blocks.count }
      }
    }
  }

  private func treePath(_ replica: ReplicaID) -> String { "\(directory)/index/tree-\(replica)" }

  /// The tree as it was kept, as far as a head reaches.
  private func savedTree(_ replica: ReplicaID, upTo size: UInt64) -> LogTree {
    let bytes = (try? fileSystem.read(treePath(replica))) ?? nil
    let count = min((bytes?.count ?? 0) / 32, Int(clamping: size) / LogTree.blockLines)
    return LogTree(
      blocks: (0..<count).compactMap { SHA256Digest(Array(bytes![$0 * 32..<($0 + 1) * 32])) })
  }

  /// Signs what this machine wrote and has not signed yet; nil where it has written nothing.
  ///
  /// - Parameter isKept: whether the head is to be on the disk too. It has to be in time, for the next start.
  public func sign(_ view: ReadView, isKept: Bool) throws(HeadProblem) -> SignedHead? {
    guard let log = view.log(own), log.size > 0 else { return nil }
    return try kept.withLock { (kept) throws(HeadProblem) in
      try sign(log, &kept, view, isKept: isKept)
    }
  }

  /// The trees of logs, each over all of its lines; all logs where none is named. One that a damaged line
  /// keeps from being made is left out.
  public func trees(
    of replica: ReplicaID? = nil, _ view: ReadView
  ) -> [ReplicaID: TreeFrontier] {
    kept.withLock { kept in
      var trees: [ReplicaID: TreeFrontier] = [:]
      for log in view.logs where log.size > 0 && replica ?? log.id == log.id {
        trees[log.id] = try? tree(&kept[log.id, default: Kept()], log, view).frontier
      }
      return trees
    }
  }

  private func tree(
    _ kept: inout Kept, _ log: ReplicaLog, _ view: ReadView
  ) throws(HeadProblem) -> LogTree {
    _ = try headOrNone(&kept, log, view)
    try advance(&kept.tree, to: log.size, log)
    return kept.tree
  }

  /// That the first `old` lines of a log are the beginning of its first `size` (RFC 9162, 2.1.4).
  public func consistency(
    from old: UInt64, to size: UInt64, of replica: ReplicaID, _ view: ReadView
  ) throws(HeadProblem) -> [SHA256Digest] {
    try kept.withLock { (kept) throws(HeadProblem) in
      guard let log = view.log(replica), size <= log.size else {
        throw .notCovered(replica, seq: old, signed: size)
      }
      _ = try headOrNone(&kept[replica, default: Kept()], log, view)
      try advance(&kept[replica]!.tree, to: size, log)
      do throws(LogTree.Damaged) {
        return try kept[replica]!.tree.consistency(from: old, to: size, log)
      } catch { throw .damaged(replica, seq: error.seq) }
    }
  }

  /// What came of a head that a peer sent.
  public enum Taken: Sendable {
    /// The newest one that is here now, or why there is none to rely on.
    case here(Outcome)
    /// The peer should not have sent it.
    case refused(HeadProblem)
  }

  /// Takes the head of a log that a peer sent; what it covers must be here already.
  public func take(_ note: [UInt8], of replica: ReplicaID, _ view: ReadView) -> Taken {
    kept.withLock { kept in
      guard let log = view.log(replica), let key = view.key(of: replica) else {
        return .here(.failure(.noKey(replica)))
      }
      let head: SignedHead
      do throws(SignedHead.Refusal) { head = try read(note, key, replica) } catch {
        return .refused(.refused(replica, error))
      }
      guard head.size <= log.size else {
        return .refused(.shorter(replica, size: log.size, signed: head.size))
      }
      return .here(
        Result { () throws(HeadProblem) in
          try take(head, &kept[replica, default: Kept()], log, view)
        })
    }
  }

  private func take(
    _ head: SignedHead, _ kept: inout Kept, _ log: ReplicaLog, _ view: ReadView
  ) throws(HeadProblem) -> SignedHead {
    let newest = try headOrNone(&kept, log, view)
    if newest.map({ $0.size <= head.size }) ?? true { try check(head, &kept.tree, log) }
    if let newest, newest.size > head.size || newest.checkpoint == head.checkpoint {
      try write(newest, log, &kept)
      return newest
    }
    try write(head, log, &kept)
    kept.head = head
    kept.isRead = true
    return head
  }

  public struct Proof: Sendable {
    public let replica: ReplicaID
    public let seq: UInt64
    /// Holds the line itself.
    public let proof: LogProof
    public let head: SignedHead
    public let key: NoteVerifier

    /// The line itself.
    public var line: [UInt8] { proof.extra }
    /// The proof without it.
    public var bare: [UInt8] {
      (try? LogProof(index: proof.index, hashes: proof.hashes, checkpoint: proof.checkpoint))?.bytes
        ?? []
    }
  }

  /// A proof that a line is in its log, for verifiers that have the log's key alone.
  public func prove(
    _ id: EventID, _ view: ReadView
  ) throws(HeadProblem) -> Proof {
    guard let (log, seq) = view.location(of: id) else { throw .unknown(id) }
    return try prove(seq, of: log, view)
  }

  /// The same of as many lines in a row as can be proven, at most about `bytesMax`; and how many were
  /// looked at.
  public func prove(
    _ first: UInt64, count: UInt64, of replica: ReplicaID, bytesMax: Int, _ view: ReadView
  ) -> (proofs: [Proof], looked: UInt64) {
    guard let log = view.log(replica) else { return ([], count) }
    var proofs: [Proof] = []
    var bytes = 0
    for seq in first..<first + count {
      if let proof = try? prove(seq, of: log, view) {
        proofs.append(proof)
        bytes += proof.proof.extra.count
      }
      if bytes >= bytesMax { return (proofs, seq - first + 1) }
    }
    return (proofs, count)
  }

  private func prove(
    _ seq: UInt64, of log: ReplicaLog, _ view: ReadView
  ) throws(HeadProblem) -> Proof {
    guard let text = log.line(seq) else { throw .damaged(log.id, seq: seq) }
    return try kept.withLock { (kept) throws(HeadProblem) in
      let newest =
        log.id == own && key != nil
        ? try sign(log, &kept, view, isKept: false)
        : try newestHead(&kept[log.id, default: Kept()], log, view)
      guard let head = newest, head.size >= seq else {
        throw .notCovered(log.id, seq: seq, signed: newest?.size ?? 0)
      }
      guard let key = view.key(of: log.id) else { throw .noKey(log.id) }
      let hashes: [SHA256Digest]
      do throws(LogTree.Damaged) {
        hashes = try kept[log.id]!.tree.proof(of: seq, in: head.size, log)
      } catch { throw .damaged(log.id, seq: error.seq) }
      do throws(LogProofError) {
        let proof = try LogProof(
          index: seq - 1, hashes: hashes, checkpoint: head.note, extra: Array(text))
        return Proof(replica: log.id, seq: seq, proof: proof, head: head, key: key)
      } catch { fatalError("a proof was made that is none: \(error.message)") }
    }
  }

  /// Which of the lines that a peer sent are those of their addresses, by proofs under a head that
  /// their machine signed. Where the line that names the key is itself missing, it speaks for
  /// itself, unless the head that is here was signed with another key.
  public func proven(
    _ lines: [(address: LineAddress, proof: [UInt8], line: [UInt8])], _ view: ReadView
  ) -> [LineAddress: [UInt8]] {
    var found: [LineAddress: [UInt8]] = [:]
    var keys: [ReplicaID: NoteVerifier] = [:]
    for (address, proof, line) in lines {
      let key = view.key(of: address.replica) ?? keys[address.replica] ?? firstKey(line)
      guard let key, isProven(line, proof, at: address, by: key) else { continue }
      keys[address.replica] = key
      found[address] = line
    }
    return found
  }

  private func isProven(
    _ line: [UInt8], _ proof: [UInt8], at address: LineAddress, by key: NoteVerifier
  ) -> Bool {
    line.withUnsafeBufferPointer { text in
      guard let parsed = try? Line(text), parsed.replica == address.replica,
        parsed.seq == address.seq,
        let proof = try? LogProof(proof), proof.index == address.seq - 1,
        key.name == SignedHead.name(address.replica, of: timeline)
      else { return false }
      var hasher = SHA256()
      return (try? proof.verify(leaf: parsed.leaf(of: text, using: &hasher), by: key)) != nil
    }
  }

  private func firstKey(_ line: [UInt8]) -> NoteVerifier? {
    line.withUnsafeBufferPointer { text in
      guard let line = try? Line(text) else { return nil }
      let entry = IndexEntry(
        line, text, ref: LineRef(replica: 0, seq: line.seq), BodyReader(Vocabulary()))
      guard let key = entry.key else { return nil }
      do throws(HeadProblem) { _ = try stored(line.replica, key) } catch { return nil }
      return key
    }
  }

  // MARK: Steps

  /// What signs a log; nil for one that is not signed here.
  private func signer(of replica: ReplicaID, _ view: ReadView) -> NoteSigner? {
    guard let key, let named = view.key(of: replica), named.key == key.publicKey else { return nil }
    let signer = key.signer(named: SignedHead.name(replica, of: timeline))
    return signer.verifier == named ? signer : nil
  }

  private func sign(
    _ log: ReplicaLog, _ kept: inout [ReplicaID: Kept], _ view: ReadView, isKept: Bool
  ) throws(HeadProblem) -> SignedHead? {
    guard let signer = signer(of: log.id, view) else { throw .noKey(log.id) }
    let last = try verifiedHead(&kept[log.id, default: Kept()], log, view)
    if let last, last.size >= log.size {
      if isKept { try write(last, log, &kept[log.id]!) }
      return last
    }
    try advance(&kept[log.id]!.tree, to: log.size, log)
    let head: SignedHead
    do throws(CheckpointError) {
      let checkpoint = try Checkpoint(
        origin: signer.verifier.name.text, size: log.size, root: kept[log.id]!.tree.root)
      head = SignedHead(signing: checkpoint, by: signer)
    } catch { fatalError("a log's head is no checkpoint: \(error.message)") }
    if isKept { try write(head, log, &kept[log.id]!) }
    kept[log.id]!.head = head
    return head
  }

  /// The newest head of a log that was found in its lines: at first that on disk; nil where there is
  /// none.
  private func verifiedHead(
    _ kept: inout Kept, _ log: ReplicaLog, _ view: ReadView
  ) throws(HeadProblem) -> SignedHead? {
    guard !kept.isRead else { return kept.head }
    if let failure = kept.failure { throw failure }
    do throws(HeadProblem) { return try readHead(&kept, log, view) } catch {
      switch error {
      case .otherRoot, .refused: kept.failure = error
      default: break
      }
      throw error
    }
  }

  /// The same; none where what stands on the disk nobody signed. Of a log that is signed here only its owner
  /// can say what was; of another's a head that comes takes its place.
  private func headOrNone(
    _ kept: inout Kept, _ log: ReplicaLog, _ view: ReadView
  ) throws(HeadProblem) -> SignedHead? {
    do throws(HeadProblem) { return try verifiedHead(&kept, log, view) } catch {
      guard case .refused = error, log.id != own else { throw error }
      return nil
    }
  }

  /// That on disk, or a newer one that lines came under since.
  private func newestHead(
    _ kept: inout Kept, _ log: ReplicaLog, _ view: ReadView
  ) throws(HeadProblem) -> SignedHead? {
    let found = try verifiedHead(&kept, log, view)
    guard let known = view.heads[log.id], known.size > found?.size ?? 0 else { return found }
    try check(known, &kept.tree, log)
    kept.head = known
    return known
  }

  private func readHead(
    _ kept: inout Kept, _ log: ReplicaLog, _ view: ReadView
  ) throws(HeadProblem) -> SignedHead? {
    guard let key = view.key(of: log.id) else { return nil }
    if let head = try stored(log.id, key) {
      var tree = savedTree(log.id, upTo: head.size)
      kept.saved = tree.blocks.count
      do throws(HeadProblem) { try check(head, &tree, log) } catch {
        // The cache may be wrong: the lines are asked.
        kept.saved = 0
        tree = LogTree()
        try check(head, &tree, log)
      }
      kept.tree = tree
      kept.head = head
      kept.written = head.size
    }
    kept.isRead = true
    return kept.head
  }

  private func stored(
    _ replica: ReplicaID, _ key: NoteVerifier
  ) throws(HeadProblem) -> SignedHead? {
    let bytes: [UInt8]?
    do throws(FileError) { bytes = try SignedHead.read(replica, in: directory, fileSystem) } catch {
      throw .disk(error)
    }
    guard let bytes else { return nil }
    do throws(SignedHead.Refusal) { return try read(bytes, key, replica) } catch {
      throw .refused(replica, error)
    }
  }

  /// A key of another name would sign for another log.
  private func read(
    _ note: [UInt8], _ key: NoteVerifier, _ replica: ReplicaID
  ) throws(SignedHead.Refusal) -> SignedHead {
    let name = SignedHead.name(replica, of: timeline)
    guard key.name == name else {
      throw .checkpoint(.otherOrigin(found: key.name.text, expected: name.text))
    }
    return try SignedHead(note, by: key)
  }

  /// Whether the lines are those that a head speaks of.
  private func check(
    _ head: SignedHead, _ tree: inout LogTree, _ log: ReplicaLog
  ) throws(HeadProblem) {
    guard head.size <= log.size else {
      throw .shorter(log.id, size: log.size, signed: head.size)
    }
    if tree.size < head.size { try advance(&tree, to: head.size, log) }
    let root: SHA256Digest
    do throws(LogTree.Damaged) { root = try tree.root(of: head.size, log) } catch {
      throw .damaged(log.id, seq: error.seq)
    }
    guard root == head.root else {
      throw .otherRoot(log.id, size: head.size, signed: head.root, found: root)
    }
  }

  /// A call that is asked to stop does so between steps of some ten milliseconds.
  private func advance(
    _ tree: inout LogTree, to size: UInt64, _ log: ReplicaLog
  ) throws(HeadProblem) {
    // What came since the last head is hashed on one processor: others are taken by the loop, and by its
    // clients.
    let isMuch = size > tree.size + Self.manyLines
    while tree.size < size {
      let next = min(size, tree.size + Self.stepLines)
      guard next == size || !isStopping.load(ordering: .relaxed) else { throw .stopped }
      do throws(LogTree.Damaged) {
        try tree.advance(to: next, of: log, onAllProcessors: isMuch)
      } catch {
        throw .damaged(log.id, seq: error.seq)
      }
    }
  }

  /// Unless it is on the disk already.
  private func write(
    _ head: SignedHead, _ log: ReplicaLog, _ kept: inout Kept
  ) throws(HeadProblem) {
    guard head.size > kept.written else { return }
    do throws(FileError) { try head.write(log.id, in: directory, fileSystem) } catch {
      throw .disk(error)
    }
    kept.written = head.size
  }
}

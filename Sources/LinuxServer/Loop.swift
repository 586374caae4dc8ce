// The one loop that owns the network and the log. A cycle:
//
//     wait → read every ready socket → route requests, staging appends → one commit → replies
//
// So the appends of all connections that came together share one fdatasync.

import CLinux
import Dispatch
import EventStore
import Glibc
import TimelineModel

final class Loop {
  private var router: Router
  private let epoll: Int32
  private let listeners: [Int32: Bool]  // descriptor: whether it is the Unix socket
  private let signals: Int32
  private let wake: Int32
  private var connections: [Int32: Connection] = [:]
  private var connectionsMade = 0
  /// Given up for a moment where no descriptor is left, so that whoever knocks is told.
  private var spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
  private let mailbox: Mailbox
  /// When something was committed last, in microseconds.
  private var lastCommit: Int64
  /// After so long without a commit the index is saved.
  private static let quietTime: Int64 = 5_000_000
  private let workers = DispatchQueue(label: "questions", attributes: .concurrent)
  /// Writes the index, one at a time.
  private let indexer = DispatchQueue(label: "index", qos: .utility)

  static let connectionsMax = 1024
  /// Those over TCP, so that the machine's own user always finds a place.
  static let remoteMax = 768
  /// Taking in so much leaves memory behind, between what is in use, that is worth giving back.
  private static let muchBytes = 16 << 20
  /// How often a stream is filled again before others have their turn.
  private static let roundsMax = 16

  init(_ router: Router, listeners: [Int32: Bool], signals: Int32) {
    self.router = router
    self.listeners = listeners
    self.signals = signals
    lastCommit = router.now().microseconds
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    wake = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    mailbox = Mailbox(wake: wake)
    for descriptor in [signals, wake] + listeners.keys {
      control(EPOLL_CTL_ADD, descriptor, EPOLLIN.rawValue)
    }
  }

  private func control(_ operation: Int32, _ descriptor: Int32, _ interest: UInt32) {
    var event = epoll_event()
    event.events = interest
    event.data.fd = descriptor
    epoll_ctl(epoll, operation, descriptor, &event)
  }

  /// Serves until a signal asks to stop; returns the signal.
  func run() -> UInt32 {
    router.onDamage = { [unowned self] in readAgain() }
    router.onRepair = { [unowned self] in askAgain() }
    readUnread()
    noteErased()
    router.heads.report = { [mailbox] in mailbox.put($0) }
    router.heads.begin(router.timeline.lines)
    defer {
      router.heads.finish(router.timeline.lines)
      if let save = router.timeline.indexToSave(isQuiet: true) { saveIndex(save, isLast: true) }
      indexer.sync {}
    }
    var events = [epoll_event](repeating: epoll_event(), count: 256)
    while true {
      let count = epoll_wait(epoll, &events, Int32(events.count), patience)
      if count < 0 { continue }
      if clinux_take_bad_pages() > 0 {
        Journal.write(.error, "the disk cannot read a part of the log; everything is read again")
        readAgain()
      }
      var touched = connectPeers()
      if isQuiet, let save = router.timeline.indexToSave(isQuiet: true) {
        saveIndex(save)
      }
      signHead()
      var signal: UInt32?
      for event in events[..<Int(count)] {
        let descriptor = event.data.fd
        if descriptor == signals {
          signal = readSignal()
        } else if descriptor == wake {
          mailbox.open()
          touched += takeHeads()
          if mailbox.takeDamage() { readAgain() }
          if let index = mailbox.takeIndex() {
            router.timeline.adopt(index)
            // What the index held in memory of its own goes back to the system, once the saving that
            // is behind this has let it go too.
            indexer.async { malloc_trim(0) }
          }
          // Last: an answer may be one more line to append, and until here nothing may be.
          touched += takeAnswers()
        } else if let isUnix = listeners[descriptor] {
          accept(descriptor, isUnix: isUnix)
        } else if let connection = connections[descriptor] {
          if event.events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            connection.receive(into: buffer)
            // Nobody is left who could take the answer that is being made.
            if case .waiting = connection.mode, event.events & EPOLLHUP.rawValue != 0 {
              connection.isBroken = true
            }
          }
          connection.flush()
          touched.append(connection)
        }
      }
      serve(touched)
      dropRemovedPeers()
      if let signal { return signal }
    }
  }

  // MARK: Peers

  /// Milliseconds until a peer is to be tried again, the index to be saved, or a head to be signed;
  /// for ever where nothing is to be done.
  private var patience: Int32 {
    let quiet = router.timeline.wantsIndexSaved(isQuiet: true) ? lastCommit + Self.quietTime : nil
    guard
      let next = [router.peers.nextAttempt, quiet, router.heads.due].compactMap({ $0 }).min()
    else { return -1 }
    return Int32(clamping: max(0, (next - router.now().microseconds + 999) / 1000))
  }

  private var isQuiet: Bool { router.now().microseconds >= lastCommit + Self.quietTime }

  private func connectPeers() -> [Connection] {
    let now = router.now().microseconds
    return router.peers.due(now).compactMap { peer in
      guard let descriptor = Listener.connect(peer.port) else {
        router.peers.failed(peer.address, String(cString: strerror(errno)), now)
        return nil
      }
      let connection = add(descriptor, isRemote: true, isOutgoing: true)
      router.peers.connected(peer.address, descriptor)
      router.begin(connection)
      return connection
    }
  }

  /// Ends the connections of peers that were removed.
  private func dropRemovedPeers() {
    let kept = Set(router.peers.all.compactMap(\.descriptor))
    for connection in connections.values
    where connection.isOutgoing && !kept.contains(connection.descriptor) {
      connection.isBroken = true
      _ = finish(connection)
    }
  }

  private func readSignal() -> UInt32 {
    var info = signalfd_siginfo()
    _ = read(signals, &info, MemoryLayout<signalfd_siginfo>.size)
    return info.ssi_signo
  }

  private func add(_ descriptor: Int32, isRemote: Bool, isOutgoing: Bool = false) -> Connection {
    connectionsMade += 1
    let connection = Connection(
      descriptor, number: connectionsMade, author: Self.userName, isRemote: isRemote,
      isOutgoing: isOutgoing)
    connection.interest = EPOLLIN.rawValue | (isOutgoing ? EPOLLOUT.rawValue : 0)
    connections[descriptor] = connection
    control(EPOLL_CTL_ADD, descriptor, connection.interest)
    return connection
  }

  private func accept(_ listener: Int32, isUnix: Bool) {
    while true {
      let descriptor = clinux_accept(listener)
      if descriptor < 0 {
        guard errno == EMFILE || errno == ENFILE, turnAway(listener) else { return }
        continue
      }
      // The socket's directory keeps others out already; this says so where it does not.
      let isStranger = isUnix && clinux_peer_uid(descriptor) != Int64(getuid())
      let isFull =
        connections.count >= Self.connectionsMax
        || (!isUnix && connections.values.count(where: \.isRemote) >= Self.remoteMax)
      if isStranger {
        refuse(descriptor, "ERR denied this socket serves its owner alone\n")
      } else if isFull {
        refuse(descriptor, Self.tooMany)
      } else {
        _ = add(descriptor, isRemote: !isUnix)
      }
    }
  }

  private static let tooMany = "ERR busy too many connections; try again later\n"

  private func refuse(_ descriptor: Int32, _ reason: String) {
    _ = send(descriptor, reason, reason.utf8.count, Int32(MSG_NOSIGNAL))
    close(descriptor)
  }

  /// Tells one who knocks that no descriptor is left; false where nobody does.
  private func turnAway(_ listener: Int32) -> Bool {
    close(spare)
    let descriptor = clinux_accept(listener)
    if descriptor >= 0 { refuse(descriptor, Self.tooMany) }
    spare = open("/dev/null", O_RDONLY | O_CLOEXEC)
    return descriptor >= 0
  }

  private static let userName: String =
    getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "user-\(getuid())"

  /// Says which lines lost their words, and forgets what was kept of them.
  private func noteErased() {
    if router.timeline.takeWasReadAgain() { router.states.forget() }
    for place in router.timeline.takeErased() {
      Journal.write(
        .info,
        "line \(place.seq) of log \(place.replica) lost its words, as a line of the log asks for")
    }
  }

  // MARK: Heads

  private func signHead() {
    let now = router.now().microseconds
    guard router.heads.isDue(now) else { return }
    router.heads.sign(router.timeline.lines, own: router.timeline.replica, now)
  }

  /// Returns the peers that are to hear of a new head, and those that were told that theirs was wrong.
  private func takeHeads() -> [Connection] {
    for report in mailbox.takeHeads() {
      router.heads.took(report, router.timeline)
      mend(report.mends)
      if let (id, error) = report.blame, let connection = connections[id.descriptor],
        connection.id == id
      {
        router.end(connection, error)
      }
      if let (id, bytes) = report.reply, let connection = connections[id.descriptor],
        connection.id == id, case .syncing = connection.mode
      {
        connection.out += bytes
        connection.isProving = false
      }
    }
    return connections.values.filter { if case .syncing = $0.mode { true } else { false } }
  }

  /// Puts lines back that a peer proved.
  private func mend(_ lines: [LogPlace: [UInt8]]) {
    guard !lines.isEmpty else { return }
    let before = router.timeline.lines.lacking.reduce(0) { $0 + $1.lines.count }
    do throws(AppendError) { try router.timeline.mend(lines) } catch {
      return Journal.write(.error, "lines could not be put back: \(error.message)")
    }
    noteErased()
    let after = router.timeline.lines.lacking.reduce(0) { $0 + $1.lines.count }
    Journal.write(.info, "\(before - after) damaged lines were put back, \(after) are left")
    router.heads.begin(router.timeline.lines)
    if after < before { askAgain() }
  }

  /// Has every peer that is connected asked for what is lacking.
  private func askAgain() {
    for connection in connections.values {
      guard case .syncing(var session) = connection.mode else { continue }
      session.askAgain()
      connection.mode = .syncing(session)
      _ = finish(connection)
    }
  }

  // MARK: The index on disk

  /// Writes the index behind the loop, which goes on with it in its file.
  private func saveIndex(_ save: Timeline.IndexSave, isLast: Bool = false) {
    indexer.async { [mailbox] in
      do throws(FileError) {
        try save.write()
        guard !isLast, let index = try save.readBack() else { return }
        mailbox.put(index)
      } catch {
        Journal.write(
          .warning, "the index was not saved, the next start takes longer: \(error.message)")
      }
    }
  }

  /// What the start took over from the index on disk is read behind it.
  private func readUnread() {
    guard let unread = router.timeline.takeUnread() else { return }
    DispatchQueue.global(qos: .utility).async { [mailbox] in
      guard !unread.isWhole() else { return }
      mailbox.noteDamage()
    }
  }

  private func readAgain() {
    do throws(FileError) { try router.timeline.readAgain() } catch {
      return Journal.write(.error, error.message)
    }
    // Those of this reading are named already.
    _ = clinux_take_bad_pages()
    router.states.forget()
    for damage in router.timeline.damage { Journal.write(.warning, damage.message) }
    askAgain()
  }

  // MARK: A cycle

  private func serve(_ touched: [Connection]) {
    var active = touched
    while !active.isEmpty {
      let unfinished = active.filter { route($0) }
      var failure: AppendError?
      let hadPending = router.timeline.hasPending
      if hadPending {
        lastCommit = router.now().microseconds
        do throws(AppendError) { try router.timeline.commit() } catch {
          failure = error
          Journal.write(.error, error.message)
        }
        noteErased()
        if router.timeline.wantsHead { router.heads.want(lastCommit) }
      }
      for connection in active { router.settle(connection, failure) }
      if hadPending {
        for connection in connections.values {
          switch connection.mode {
          case .watching, .syncing: _ = finish(connection)
          default: break
          }
        }
      }
      let waiting = Set(unfinished.map(\.descriptor))
      active = unfinished + active.filter { !waiting.contains($0.descriptor) && finish($0) }
    }
    if let save = router.timeline.indexToSave(isQuiet: false) { saveIndex(save) }
  }

  /// Routes the lines of a connection; true where a read waits for the commit of its appends.
  private func route(_ connection: Connection) -> Bool {
    while !connection.isClosing, !connection.isBroken, !connection.isCongested {
      switch connection.mode {
      case .waiting: return false
      case .streaming, .backingUp:
        _ = router.pump(connection)
        guard case .requests = connection.mode else { return false }
      case .watching, .requests, .collecting, .syncing: break
      }
      let before = connection.splitter
      guard let piece = connection.splitter.next() else { return false }
      if case .line(let range) = piece, range.isEmpty, !connection.isCollecting { continue }
      router.endWatch(connection)
      switch piece {
      case .tooLong: router.tooLong(connection)
      case .line(let range):
        switch router.handle(range, connection) {
        case .goOn: break
        case .afterCommit:
          connection.splitter = before
          return true
        case .slow(let question): ask(question, connection)
        }
      }
    }
    return false
  }

  private func ask(_ question: SlowQuestion, _ connection: Connection) {
    let (id, isWanted) = (connection.id, connection.isWanted)
    workers.async { [mailbox] in
      func put(_ answer: SlowQuestion.Answer) {
        mailbox.put(Mailbox.Answer(connection: id, answer: answer))
      }
      put(question.answer(put, isWanted: { isWanted.value }))
    }
  }

  private func takeAnswers() -> [Connection] {
    mailbox.takeAnswers().compactMap { ready in
      guard let connection = connections[ready.connection.descriptor],
        connection.id == ready.connection, case .waiting = connection.mode
      else { return nil }
      let answer = ready.answer
      router.deliver(answer, connection)
      return connection
    }
  }

  /// Sends, and asks epoll for what comes next; true where the next request can be taken at once.
  private func finish(_ connection: Connection) -> Bool {
    guard connections[connection.descriptor] === connection else { return false }
    connection.flush()
    // As long as the other side takes all: an empty connection is woken by nobody. Then it is the
    // turn of others.
    var rounds = 0
    while connection.unsent == 0, !connection.isBroken, rounds < Self.roundsMax,
      router.pump(connection)
    {
      connection.flush()
      rounds += 1
    }
    if connection.isReadyForMore { return true }
    let mayHaveMore = rounds == Self.roundsMax
    let isIdle =
      switch connection.mode {
      case .requests, .collecting, .watching, .syncing: true
      case .streaming, .backingUp, .waiting: false
      }
    let isDone =
      connection.unsent == 0 && isIdle && !mayHaveMore
      && (connection.isClosing || connection.isInputDone)
    if connection.isBroken || isDone {
      control(EPOLL_CTL_DEL, connection.descriptor, 0)
      router.peers.ended(connection.descriptor, connection.reason, router.now().microseconds)
      connections[connection.descriptor] = nil
      connection.isWanted.clear()
      if connection.received > Self.muchBytes { indexer.async { malloc_trim(0) } }
      return false
    }
    var interest: UInt32 = 0
    let takesMore = isIdle && !connection.isCongested && !connection.isInputDone
    if takesMore { interest |= EPOLLIN.rawValue }
    if connection.unsent > 0 || mayHaveMore { interest |= EPOLLOUT.rawValue }
    if interest != connection.interest {
      connection.interest = interest
      control(EPOLL_CTL_MOD, connection.descriptor, interest)
    }
    return false
  }
}

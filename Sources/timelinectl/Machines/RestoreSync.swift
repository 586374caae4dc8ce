// Hands the lines of a backup to a daemon as a peer would (docs/reference/protocol.md, sync), and waits until they
// are on its disk.

import Foundation
import Glibc
import TimelineModel
import TimelineWire

final class RestoreSync {
  private let daemon: RestoreDaemon
  private let client: Client
  private let source: RestoreSource
  private var session: SyncSession
  private var splitter = LineSplitter()
  private var isGreeted = false
  /// What is to be sent, and how much of it was.
  private var out: [UInt8] = []
  private var sent = 0
  private var progress: Progress

  /// Fewer than a daemon looks at in a row.
  private static let headsAtATime = 32
  private static let headPatience = Duration.seconds(600)

  init(
    _ daemon: RestoreDaemon, _ source: RestoreSource, of timeline: TimelineID
  ) throws(Failure) {
    self.daemon = daemon
    self.source = source
    client = try Client(socket: daemon.socket)
    session = SyncSession(
      timeline: timeline, replica: ReplicaID(.random()), isUnderHeads: false)
    progress = Progress("restoring", total: source.position.lines)
  }

  func run() throws(Failure) {
    out = SyncMessage.hello(features: []).bytes + session.start(source)
    while !(session.isInSync(with: source) && out.isEmpty) {
      if out.isEmpty { out = session.pump(source).bytes }
      if let failure = source.failure { throw failure }
      try exchange(waits: true)
      progress.advance(to: session.taken.lines)
    }
    try source.finish()
    try sendHeads()
  }

  /// Sends the signed heads, some at a time, and waits until the daemon has found each in its lines.
  private func sendHeads() throws(Failure) {
    let control = try Client(socket: daemon.socket)
    var rest = source.signed.sorted[...]
    while !rest.isEmpty {
      let some = rest.prefix(Self.headsAtATime)
      rest = rest.dropFirst(some.count)
      source.offered = Set(some.map(\.replica))
      out = session.pump(source).bytes
      while !out.isEmpty { try exchange(waits: true) }
      let end = ContinuousClock.now + Self.headPatience
      while !(try areKnown(some, control)) {
        guard ContinuousClock.now < end else {
          throw Failure(.verificationFailed, "timelined does not take the signed heads")
        }
        // It says here what is wrong with one.
        try exchange(waits: false)
        usleep(5000)
      }
    }
  }

  private func areKnown(
    _ heads: ArraySlice<(replica: ReplicaID, size: UInt64)>, _ control: Client
  ) throws(Failure) -> Bool {
    var signed: [String: Int] = [:]
    _ = try control.stream(.keys) { _, row in
      let row = Client.json(row)
      signed[row["replica"]?.string ?? ""] = row["signed"]?.int
    }
    if heads.allSatisfy({ signed[$0.replica.description] ?? 0 >= Int($0.size) }) { return true }
    let problems = try control.ask(.status)["unsigned"]?.array ?? []
    guard let problem = problems.first?.string else { return false }
    throw Failure(.verificationFailed, "timelined does not take a signed head: \(problem)")
  }

  /// Sends and takes what can be sent and taken now; where that is nothing it may wait.
  private func exchange(waits: Bool) throws(Failure) {
    let sending = out.isEmpty ? 0 : POLLOUT
    var waiting = [
      pollfd(fd: client.descriptor, events: Int16(POLLIN | sending), revents: 0),
      pollfd(fd: daemon.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    try Interruption.wait(&waiting, milliseconds: waits ? -1 : 0)
    if waiting[1].revents != 0, !(try daemon.listen()) {
      throw Failure(.failed, "timelined ended: \(daemon.lastWords)")
    }
    if waiting[0].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { try receive() }
    if waiting[0].revents & Int16(POLLOUT) != 0 {
      sent += client.sendSome(out[sent...])
      if sent == out.count { (out, sent) = ([], 0) }
    }
  }

  private func receive() throws(Failure) {
    try client.receive { splitter.take($0.bindMemory(to: UInt8.self)) }
    while let piece = splitter.next() {
      let effects =
        switch piece {
        case .tooLong: [session.tooLong()]
        case .line where !isGreeted: greeted()
        case .line(let range):
          splitter.buffer.withUnsafeBufferPointer {
            session.receive(UnsafeBufferPointer(rebasing: $0[range]), source)
          }
        }
      for effect in effects { try apply(effect) }
    }
  }

  /// It greets as a peer does, which says nothing that is not known.
  private func greeted() -> [SyncSession.Effect] {
    isGreeted = true
    return []
  }

  private func apply(_ effect: SyncSession.Effect) throws(Failure) {
    switch effect {
    case .send(let bytes): out += bytes
    // There is nothing behind what is sent anyway.
    case .want(let lines): out += session.proved(lines)
    // It had nothing, and was asked for nothing.
    case .ingest, .head, .proof, .proved, .fork:
      throw Failure(.failed, "the new directory has lines of its own")
    case .end(let error):
      // What it said of them, or what we cannot take of it.
      let reply = session.refusal ?? error
      throw Failure(
        reply.code == .full ? .failed : .verificationFailed, code: reply.code.rawValue,
        "timelined did not take the lines: \(reply.code.rawValue) \(reply.text)")
    }
  }
}

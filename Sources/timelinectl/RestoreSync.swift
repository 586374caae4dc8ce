// Hands the lines of a backup to a daemon as a peer would (docs/protocol.md, sync), and waits until they
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
  private var out: [UInt8] = []
  private var progress: Progress

  init(_ daemon: RestoreDaemon, _ source: RestoreSource) throws(Failure) {
    self.daemon = daemon
    self.source = source
    client = try Client(socket: daemon.socket)
    session = SyncSession(
      timeline: .main, name: "main", device: ReplicaID(.random()), isInitiator: true)
    progress = Progress("restoring", total: source.position.lines)
  }

  func run() throws(Failure) {
    out = session.start(source)
    while !(session.isInSync(with: source) && out.isEmpty) {
      try Interruption.check()
      if out.isEmpty { out = session.pump(source) }
      if let failure = source.failure { throw failure }
      try exchange()
      progress.advance(to: session.taken.lines)
    }
    try source.finish()
  }

  /// Sends and takes what can be sent and taken now; waits where that is nothing.
  private func exchange() throws(Failure) {
    let sending = out.isEmpty ? 0 : POLLOUT
    var waits = [
      pollfd(fd: client.descriptor, events: Int16(POLLIN | sending), revents: 0),
      pollfd(fd: daemon.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    guard poll(&waits, 2, -1) > 0 else { return }
    if waits[1].revents != 0, !(try daemon.listen()) {
      throw Failure(.failed, "timelined ended: \(daemon.lastWords)")
    }
    if waits[0].revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 { try receive() }
    if waits[0].revents & Int16(POLLOUT) != 0 {
      let sent = client.sendSome(out)
      out.removeFirst(sent)
    }
  }

  private func receive() throws(Failure) {
    try client.receive { splitter.take($0) }
    while let piece = splitter.next() {
      let effects =
        switch piece {
        case .tooLong: [session.tooLong()]
        case .line(let range):
          splitter.buffer.withUnsafeBufferPointer {
            session.receive(UnsafeBufferPointer(rebasing: $0[range]), source)
          }
        }
      for effect in effects { try apply(effect) }
    }
  }

  private func apply(_ effect: SyncSession.Effect) throws(Failure) {
    switch effect {
    case .send(let bytes): out += bytes
    case .ingest: throw Failure(.failed, "the new directory has lines of its own")
    case .end(let error):
      let text = error.text.replacing("the peer says: ", with: "")
      let code = text.prefix { $0 != " " }
      throw Failure(
        code == "full" ? .failed : .verificationFailed, code: String(code),
        "timelined did not take the lines: \(text)")
    }
  }
}

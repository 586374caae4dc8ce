// The commands that lead to peers: which connection each is for, and what epoll tells of them.

import CLinux
import TimelineServer

final class PeerProcesses {
  private let poller: Poller
  /// By each of its two descriptors, as long as something may come of it.
  private var byDescriptor: [Int32: PeerProcess] = [:]
  /// Until both it and its connection have ended.
  private var byConnection: [ConnectionID: PeerProcess] = [:]

  init(_ poller: Poller) { self.poller = poller }

  enum Started {
    /// The socket that leads to it.
    case socket(Int32)
    case failure(String)
  }

  func start(_ command: PeerCommand, for id: ConnectionID) -> Started {
    switch PeerProcess.start(command) {
    case .failure(let reason): return .failure(reason)
    case .running(let process, let socket):
      byConnection[id] = process
      for descriptor in [process.process, process.errors] {
        byDescriptor[descriptor] = process
        poller.add(descriptor)
      }
      return .socket(socket)
    }
  }

  /// Something came of a descriptor; false where it is none of these.
  func take(_ descriptor: Int32) -> Bool {
    guard let process = byDescriptor[descriptor] else { return false }
    if descriptor == process.errors {
      if !process.takeErrors() { forget(descriptor) }
    } else if process.takeEnd() {
      _ = process.takeErrors()
      forget(process.process)
      forget(process.errors)
      // Where its connection has not ended, what it said last may be the reason of that.
      for (id, other) in byConnection where other === process && process.isLetGo {
        byConnection[id] = nil
      }
    }
    return true
  }

  private func forget(_ descriptor: Int32) {
    guard byDescriptor.removeValue(forKey: descriptor) != nil else { return }
    poller.remove(descriptor)
  }

  /// What the command of a connection said last, with its name.
  func lastWords(_ id: ConnectionID) -> String? {
    guard let process = byConnection[id] else { return nil }
    _ = process.takeErrors()
    return process.lastWords.map { "\(process.program) said: \($0)" }
  }

  /// The connection is over; its command, where there is one, ends with it.
  func end(_ id: ConnectionID, _ now: Int64) {
    guard let process = byConnection[id] else { return }
    process.end(now)
    if process.hasEnded { byConnection[id] = nil }
  }

  func endAll(_ now: Int64) { for process in byConnection.values { process.end(now) } }

  /// When the clock is to be looked at.
  var deadline: Int64? { byConnection.values.lazy.compactMap(\.killAt).min() }

  func passTime(_ now: Int64) {
    for process in byConnection.values where process.killAt ?? .max <= now { process.endAtOnce() }
  }
}

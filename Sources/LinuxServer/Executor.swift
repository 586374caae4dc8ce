// Where effects are done that the loop does not wait for: writes on a thread of their own, questions side
// by side, heads and the index each one after the other. What comes of it wakes the loop.

import CLinux
import Dispatch
import Glibc
import Synchronization
import TimelineModel
import TimelineServer

final class Executor: Sendable {
  private let arrived = Mutex<[Arrival]>([])
  /// Jobs that somebody waits for.
  private let wanted = Mutex<Set<JobID>>([])
  /// Readable when something has arrived.
  let wake: Int32

  private let writes = DispatchQueue(label: "writes", qos: .userInitiated)
  private let questions = DispatchQueue(label: "questions", attributes: .concurrent)
  private let heads = DispatchQueue(label: "heads", qos: .utility)
  private let index = DispatchQueue(label: "index", qos: .utility)
  /// Looking a name up takes as long as its servers take.
  private let names = DispatchQueue(label: "names", attributes: .concurrent)

  enum Arrival: Sendable {
    case input(Input)
    /// The addresses of a name that was looked up for a connection.
    case found(ConnectionID, SocketAddress.Found)
  }

  init() {
    wake = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    // Dispatch opens descriptors of its own for its first work, and ends the process where none is
    // left: that is before anybody connects.
    let first = DispatchWorkItem {}
    questions.async(execute: first)
    first.wait()
  }

  func write(_ write: Write) { writes.async { self.put(.input(.written(write.perform()))) } }

  func find(_ host: String, _ port: UInt16, for id: ConnectionID) {
    names.async { self.put(.found(id, SocketAddress.find(host, port, isNumeric: false))) }
  }

  func run(_ job: JobID, _ work: Work) {
    wanted.withLock { _ = $0.insert(job) }
    queue(work.lane).async {
      let result = work.perform(
        report: { self.put(.input(.progress(job, $0))) }, isWanted: { self.isWanted(job) })
      self.wanted.withLock { _ = $0.remove(job) }
      self.put(.input(.finished(job, result)))
      // What work of this size needed goes back to the system.
      if work.lane == .index { malloc_trim(0) }
    }
  }

  func cancel(_ job: JobID) { wanted.withLock { _ = $0.remove(job) } }

  private func isWanted(_ job: JobID) -> Bool { wanted.withLock { $0.contains(job) } }

  private func queue(_ lane: Work.Lane) -> DispatchQueue {
    switch lane {
    case .questions: questions
    case .heads: heads
    case .index: index
    }
  }

  private func put(_ arrival: Arrival) {
    let isFirst = arrived.withLock { arrivals in
      arrivals.append(arrival)
      return arrivals.count == 1
    }
    guard isFirst else { return }
    var one: UInt64 = 1
    _ = Glibc.write(wake, &one, 8)
  }

  /// What has arrived since.
  func take() -> [Arrival] {
    var count: UInt64 = 0
    _ = read(wake, &count, 8)
    return arrived.withLock { arrivals in
      defer { arrivals = [] }
      return arrivals
    }
  }

  /// Comes back once heads and index are done with what they were given.
  func finish() {
    heads.sync {}
    index.sync {}
  }
}

// Where effects are done that the loop does not wait for: writes on a thread of their own, questions side
// by side, heads and the index each one after the other. What comes of it wakes the loop.

import CLinux
import Dispatch
import Glibc
import Synchronization
import TimelineModel
import TimelineServer

final class Executor: Sendable {
  private let arrived = Mutex<[Input]>([])
  /// Jobs that somebody waits for.
  private let wanted = Mutex<Set<JobID>>([])
  /// Readable when something has arrived.
  let wake: Int32

  private let writes = DispatchQueue(label: "writes", qos: .userInitiated)
  private let questions = DispatchQueue(label: "questions", attributes: .concurrent)
  private let heads = DispatchQueue(label: "heads", qos: .utility)
  private let index = DispatchQueue(label: "index", qos: .utility)

  init() {
    wake = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    // Dispatch opens descriptors of its own for its first work, and ends the process where none is
    // left: that is before anybody connects.
    let first = DispatchWorkItem {}
    questions.async(execute: first)
    first.wait()
  }

  func write(_ write: Write) { writes.async { self.put(.written(write.perform())) } }

  func run(_ job: JobID, _ work: Work) {
    wanted.withLock { _ = $0.insert(job) }
    queue(work.lane).async {
      let result = work.perform(
        report: { self.put(.progress(job, $0)) }, isWanted: { self.isWanted(job) })
      self.wanted.withLock { _ = $0.remove(job) }
      self.put(.finished(job, result))
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

  private func put(_ input: Input) {
    let isFirst = arrived.withLock { inputs in
      inputs.append(input)
      return inputs.count == 1
    }
    guard isFirst else { return }
    var one: UInt64 = 1
    _ = Glibc.write(wake, &one, 8)
  }

  /// What has arrived since.
  func take() -> [Input] {
    var count: UInt64 = 0
    _ = read(wake, &count, 8)
    return arrived.withLock { inputs in
      defer { inputs = [] }
      return inputs
    }
  }

  /// Comes back once heads and index are done with what they were given.
  func finish() {
    heads.sync {}
    index.sync {}
  }
}

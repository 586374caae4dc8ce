// What other threads bring to the loop; each wakes it.

import EventStore
import Glibc
import Synchronization

final class Mailbox: Sendable {
  struct Answer: Sendable {
    /// The connection that asked.
    var connection: ConnectionID
    var answer: SlowQuestion.Answer
  }

  private struct Content {
    var answers: [Answer] = []
    /// What came of looking at heads.
    var heads: [Heads.Report] = []
    /// The index as it was saved last, to go on with.
    var index: Timeline.SavedIndex?
    /// Reading behind the start found that the log is not what the index on disk says.
    var isDamaged = false
  }

  private let content = Mutex(Content())
  private let wake: Int32

  init(wake: Int32) { self.wake = wake }

  func put(_ answer: Answer) { change { $0.answers.append(answer) } }
  func put(_ heads: Heads.Report) { change { $0.heads.append(heads) } }
  func put(_ index: Timeline.SavedIndex) { change { $0.index = index } }
  func noteDamage() { change { $0.isDamaged = true } }

  private func change(_ body: (inout Content) -> Void) {
    content.withLock { body(&$0) }
    var one: UInt64 = 1
    _ = write(wake, &one, 8)
  }

  /// Before anything is taken out, so that what comes meanwhile wakes the loop again.
  func open() {
    var count: UInt64 = 0
    _ = read(wake, &count, 8)
  }

  /// Lines to append come last: what the others tell may be that the log has to be read again, and
  /// then nothing may be staged.
  func takeAnswers() -> [Answer] {
    content.withLock { content in
      defer { content.answers = [] }
      return content.answers.filter { !$0.answer.isAppend }
        + content.answers.filter(\.answer.isAppend)
    }
  }

  func takeHeads() -> [Heads.Report] {
    content.withLock { content in
      defer { content.heads = [] }
      return content.heads
    }
  }

  func takeIndex() -> Timeline.SavedIndex? { content.withLock { $0.index.take() } }

  func takeDamage() -> Bool {
    content.withLock { content in
      defer { content.isDamaged = false }
      return content.isDamaged
    }
  }
}

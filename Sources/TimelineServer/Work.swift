// Work that is done off the engine's thread: each is a value that any thread can perform.

import EventStore
import TimelineModel

public enum Work: Sendable {
  /// In the order in which it was asked for, one after the other.
  public enum Lane: Sendable {
    case questions, heads, index
  }

  case question(SlowQuestion)
  case heads(HeadWork)
  case saveIndex(Timeline.IndexSave)
  /// Lines that a start took on trust.
  case scan(Timeline.Unread)

  /// Questions alone may be done side by side.
  public var lane: Lane {
    switch self {
    case .question: .questions
    case .heads: .heads
    case .saveIndex, .scan: .index
    }
  }

  /// - Parameters:
  ///   - report: takes what there is before the end.
  ///   - isWanted: whether somebody still waits.
  public func perform(
    report: (JSONValue) -> Void, isWanted: () -> Bool
  ) -> WorkResult {
    switch self {
    case .question(let question): .answer(question.answer(report, isWanted: isWanted))
    case .heads(let work): .heads(work.perform())
    case .saveIndex(let save):
      do throws(FileError) {
        try save.write()
        return .index(try save.readBack())
      } catch { return .indexNotSaved(error) }
    case .scan(let unread): .scanned(isWhole: unread.isWhole())
    }
  }
}

public enum WorkResult: Sendable {
  case answer(SlowQuestion.Answer)
  case heads(HeadReport)
  case index(Timeline.SavedIndex?)
  case indexNotSaved(FileError)
  case scanned(isWhole: Bool)
}

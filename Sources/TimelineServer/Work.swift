// Work that is done off the engine's thread: each is a value that any thread can perform.

import EventStore
import TimelineModel

public struct Work: Sendable {
  enum Kind: Sendable {
    case question(SlowQuestion)
    case heads(HeadWork)
    case saveIndex(Timeline.IndexSave)
    /// Lines that are unverified until this scan has read them.
    case scan(Timeline.Unverified)
  }

  /// Questions are done side by side; the work of each other lane in the order in which it was asked
  /// for, one after the other.
  public enum Lane: Sendable {
    case questions, heads, index
  }

  let kind: Kind

  public var lane: Lane {
    switch kind {
    case .question: .questions
    case .heads: .heads
    case .saveIndex, .scan: .index
    }
  }

  /// - Parameters:
  ///   - report: takes what there is before the end.
  ///   - isWanted: whether somebody still waits.
  public func perform(report: (JSONValue) -> Void, isWanted: () -> Bool) -> WorkResult {
    switch kind {
    case .question(let question):
      WorkResult(kind: .answer(question.answer(report, isWanted: isWanted)))
    case .heads(let work): WorkResult(kind: .heads(work.perform()))
    case .saveIndex(let save): WorkResult(kind: Self.write(save))
    case .scan(let unverified): WorkResult(kind: .scanned(isWhole: unverified.isWhole()))
    }
  }

  private static func write(_ save: Timeline.IndexSave) -> WorkResult.Kind {
    do throws(FileError) {
      try save.write()
      return .index(try save.readBack())
    } catch { return .indexNotSaved(error) }
  }
}

public struct WorkResult: Sendable {
  enum Kind: Sendable {
    case answer(SlowQuestion.Answer)
    case heads(HeadReport)
    case index(Timeline.SavedIndex?)
    case indexNotSaved(FileError)
    case scanned(isWhole: Bool)
  }

  let kind: Kind
}

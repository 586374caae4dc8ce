import TimelineModel

public struct Commit: Sendable {
  public struct Done: Sendable {}
  public let bytes: Int
  public func perform() -> Done { Done() }
}

extension Timeline {
  public var hasStaged: Bool { hasPending }
  public var isOpenForStaging: Bool { true }
  public var stagedBytes: Int { batches.reduce(0) { $0 + $1.bytes.count } }
  public func beginCommit() -> Commit? { hasPending ? Commit(bytes: stagedBytes) : nil }
  public func finishCommit(_ done: Commit.Done) throws(AppendError) { try commit() }
}

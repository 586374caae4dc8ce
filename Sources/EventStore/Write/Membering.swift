// Who is a member, as this machine records it.

import TimelineModel

extension Timeline {
  /// Takes a record of who is a member for the next commit. Whether it may be recorded, `membership` says.
  @discardableResult
  public func stage(
    _ record: MembershipRecord, _ recording: Recording
  ) throws(AppendError) -> Staged {
    if let readOnly { throw .readOnly(readOnly) }
    requireOpen()
    try checkPosition(recording)
    introduce(recording)
    return say(record, recording)
  }
}

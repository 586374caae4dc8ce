// Who is a member, as this machine records it.

import TimelineModel

extension Timeline {
  /// Takes a record of who is a member for the next commit. Whether it may be recorded, `membership` says.
  @discardableResult
  public func stage(
    _ record: MembershipRecord, _ recording: Recording
  ) throws(AppendError) -> Staged {
    // The recovery code asks for no role (M-16).
    if let readOnly { throw .readOnly(readOnly) }
    if !record.isSigned { try requireWritable() }
    requireOpen()
    try checkPosition(recording)
    introduce(recording)
    return say(record, recording)
  }

  /// Whether this machine may record. One that has just joined does not know of its role yet, and may.
  func requireWritable() throws(AppendError) {
    if let readOnly { throw .readOnly(readOnly) }
    if let refusal = store.refusal { throw refusal }
  }
}

// What kind of mistake an error is, or how to fix it, in one word for programs. Pure code says the
// fact and leaves it to the tool to say what to type next. On the wire it is the
// member `hint` of an error (docs/reference/protocol.md); one that a program does not know it passes over.

public enum ErrorHint: String, Sendable, Hashable, CaseIterable {
  /// The field has to be there.
  case missing
  /// Nobody is known by that name, nor by one that is like it.
  case unknownActor = "unknown-actor"
  /// Nobody is known by that name; the text says who may be meant.
  case similarActor = "similar-actor"
  /// No snapshot to cite is recorded by that name.
  case unknownSnapshot = "unknown-snapshot"
  /// No timeline is known by that name, or none was chosen.
  case unknownTimeline = "unknown-timeline"
  /// No machine of that address is synced with.
  case unknownPeer = "unknown-peer"
  /// The id of an event is wanted, or at least its first 4 characters.
  case eventID = "event-id"
  /// A position, a day or a time is wanted.
  case moment
  /// Lines are damaged or gone here; a peer may have them.
  case repair
  /// A line that the daemon makes, where a snapshot is named.
  case nameSnapshot = "name-snapshot"
}

// Who speaks on a connection. It is decided before the first word, by where the connection came from:
// nothing that a client claims changes it. What a verb needs stands in the verb table (TimelineWire).

import TimelineModel

/// The one at the other end of a connection.
public enum Principal: Sendable, Hashable {
  /// The user who runs the daemon, at the Unix socket; `name` is who records where an event does not
  /// say it.
  case owner(name: String)
  /// A machine that proved its key, with its role in the timeline of the connection.
  case device(DeviceID, Role)
  /// A machine that proved its key, and is no member.
  case stranger(DeviceID)
  /// Anybody else: whoever connects over plain TCP, and whatever answers there.
  case nobody

  public func may(_ right: Right) -> Bool {
    switch (self, right) {
    case (.owner, _): true
    // One that joins again is answered as before; an admin's machine records in its own log, never in this one.
    case (.device, .read), (.device, .sync), (.device, .join): true
    case (.device, .write), (.device, .own): false
    case (.stranger, .join): true
    case (.stranger, .read), (.stranger, .write), (.stranger, .sync), (.stranger, .own): false
    // Plain TCP still syncs, for tests.
    case (.nobody, .sync): true
    case (.nobody, .read), (.nobody, .write), (.nobody, .own), (.nobody, .join): false
    }
  }
}

/// What a request needs.
public enum Right: String, Sendable, CaseIterable {
  /// To answer from a timeline.
  case read
  /// To record in it.
  case write
  /// To exchange lines with another machine.
  case sync
  /// To become a member by an invitation.
  case join
  /// To change what belongs to this machine: its peers, its timelines, its key.
  case own
}

// Who speaks on a connection. It is decided before the first word, by where the connection came from:
// nothing that a client claims changes it. What a verb needs stands in the verb table (TimelineWire).

/// The one at the other end of a connection.
public enum Principal: Sendable, Hashable {
  /// The user who runs the daemon, at the Unix socket; `name` is who records where an event does not
  /// say it.
  case owner(name: String)
  /// Anybody else: callers over plain TCP, and whatever answers there.
  case nobody

  public func may(_ right: Right) -> Bool {
    switch (self, right) {
    case (.owner, _), (.nobody, .sync): true
    case (.nobody, .read), (.nobody, .write), (.nobody, .own): false
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
  /// To change what belongs to this machine: its peers, its timelines, its key.
  case own
}

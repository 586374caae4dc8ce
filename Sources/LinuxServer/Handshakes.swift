// Who is in the middle of a handshake: nobody knows yet who they are. It counts and tells the time; the
// sockets are Server's.
//
// Where all places are taken, the one that has been at it longest gives way: an honest handshake takes less than a
// second, so whoever holds places without going on keeps nobody out.

import TimelineServer

struct Handshakes {
  /// In microseconds of the monotonic clock.
  static let time: Int64 = 10_000_000

  /// In the order in which they began.
  private var all: [(id: ConnectionID, source: PeerSource, deadline: Int64)] = []
  private var places = Places.ofStrangers

  enum Answer: Equatable {
    case begun
    /// That one has to go for it.
    case begunFor(ConnectionID)
    /// Its address has as many as one may have.
    case refused
  }

  mutating func begin(_ id: ConnectionID, _ source: PeerSource, now: Int64) -> Answer {
    guard !places.isFull(for: source) else { return .refused }
    var answer = Answer.begun
    if places.isFull, let oldest = all.first {
      end(oldest.id)
      answer = .begunFor(oldest.id)
    }
    guard places.take(source) else { return .refused }
    all.append((id, source, now + Self.time))
    return answer
  }

  /// It is over, or has come to nothing; without effect where it is not one of these.
  mutating func end(_ id: ConnectionID) {
    guard let index = all.firstIndex(where: { $0.id == id }) else { return }
    places.leave(all.remove(at: index).source)
  }

  /// Those whose time is over.
  func overdue(_ now: Int64) -> [ConnectionID] {
    all.prefix { $0.deadline <= now }.map(\.id)
  }

  /// When the next one's time is over.
  var deadline: Int64? { all.first?.deadline }
}

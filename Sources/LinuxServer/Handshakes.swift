// Who is in the middle of a handshake: nobody knows yet who they are. It counts and tells the time; the
// sockets are Server's.
//
//     4 an address, 64 in all     of the places for strangers
//     at most 10 seconds          for a handshake
//     at least 1 second           is a place taken, however soon its handshake is over: an address begins no more
//                                 than four a second, all together no more than 64, which takes 4 % of the loop
//
// Where all places are taken, the handshake that has gone on longest gives way, if it had its second: an honest one
// takes less, so whoever holds places without going on keeps nobody out.

import TimelineServer

struct Handshakes {
  /// In microseconds of the monotonic clock.
  static let time: Int64 = 10_000_000
  static let leastTime: Int64 = 1_000_000

  private struct Entry {
    let id: ConnectionID
    let source: PeerSource
    let begun: Int64
    var isOver = false
  }

  /// In the order in which they began; each has a place.
  private var all: [Entry] = []
  private var places = Places.ofStrangers

  enum Answer: Equatable {
    case begun
    /// That one has to go for it.
    case begunFor(ConnectionID)
    /// There is no place for it.
    case refused
  }

  mutating func begin(_ id: ConnectionID, _ source: PeerSource, now: Int64) -> Answer {
    leave { $0.isOver && now - $0.begun >= Self.leastTime }
    guard !places.isFull(for: source) else { return .refused }
    var answer = Answer.begun
    if places.isFull {
      guard let oldest = all.first(where: { !$0.isOver }), now - oldest.begun >= Self.leastTime
      else { return .refused }
      leave { $0.id == oldest.id }
      answer = .begunFor(oldest.id)
    }
    guard places.take(source) else { return .refused }
    all.append(Entry(id: id, source: source, begun: now))
    return answer
  }

  /// It is over, or has come to nothing; without effect where it is not one of these.
  mutating func end(_ id: ConnectionID) {
    guard let index = all.firstIndex(where: { $0.id == id }) else { return }
    all[index].isOver = true
  }

  private mutating func leave(_ isLeaving: (Entry) -> Bool) {
    for entry in all where isLeaving(entry) { places.leave(entry.source) }
    all.removeAll(where: isLeaving)
  }

  /// Those whose time is over.
  func overdue(_ now: Int64) -> [ConnectionID] {
    all.filter { !$0.isOver && now - $0.begun >= Self.time }.map(\.id)
  }

  /// When the next one's time is over.
  var deadline: Int64? { all.first { !$0.isOver }.map { $0.begun + Self.time } }
}

// Those who have connected and are not known yet: nobody has to wait for what they say.
//
//     plain, on the loopback   until it has greeted
//     over TLS, a member       the same: it takes no stranger's place, and its first word may be long
//     over TLS, anybody else   until it is a member, however it greets: 64 at once, 4 an address
//
// Each has 10 seconds, and anybody else 16 KiB. What it says is counted line by line, once it is known that the line made
// it no member: the first word of one who has just become a member may be longer.

struct Strangers {
  static let time: Int64 = 10_000_000
  static let bytesMax = 16 << 10

  /// In the order of their deadlines, since all have the same time.
  private var all: [(connection: Connection, deadline: Int64)] = []
  private var places = Places.ofStrangers

  /// False where there is no place for one more.
  mutating func take(_ connection: Connection, _ isMember: Bool, _ now: Moment) -> Bool {
    if let source = connection.handshake?.source, !isMember {
      guard places.take(source) else { return false }
      connection.isStranger = true
    }
    all.append((connection, now.monotonic + Self.time))
    return true
  }

  /// It is known now, or gone.
  mutating func leave(_ connection: Connection) {
    guard let index = all.firstIndex(where: { $0.connection === connection }) else { return }
    all.remove(at: index)
    if connection.isStranger, let source = connection.handshake?.source { places.leave(source) }
    connection.isStranger = false
  }

  var deadline: Int64? { all.first?.deadline }

  /// The first whose time is over.
  func overdue(_ now: Moment) -> Connection? {
    all.first.flatMap { $0.deadline <= now.monotonic ? $0.connection : nil }
  }
}

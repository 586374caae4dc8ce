// Simulated connections: each direction is bytes in order, in segments that take their time, with a bound
// on what is under way, as the buffers of sockets are. A connection can be cut, which both sides are
// told, or go mute, which nobody is told.

import Support

/// What a connection tells the one at its end.
protocol Endpoint: AnyObject {
  func received(_ bytes: [UInt8])
  /// The other side will say no more.
  func ended()
  /// The connection is gone.
  func closed(_ reason: String?)
  /// Whether what was sent waits here.
  func blocked(_ isBlocked: Bool)
}

/// One direction.
private final class Direction {
  var waiting: ArraySlice<UInt8> = []
  /// Bytes between the two, those included that came and are not read.
  var underWay = 0
  var arrived: ArraySlice<UInt8> = []
  var isRead = true
  var isBlocked = false
  /// The sender has closed.
  var isEnded = false
  var isEndTold = false
  var lastDelivery: Int64 = 0
}

final class SimulatedConnection {
  private let world: World
  private var ends: [(any Endpoint)?]
  private let directions = [Direction(), Direction()]
  private let capacity: Int
  private let latency: ClosedRange<Int64>
  /// Both ends are on one machine.
  let isLocal: Bool
  /// Both sides have let go.
  var isGone: Bool { ends[0] == nil && ends[1] == nil }
  enum Happening {
    case sent([UInt8])
    /// Something came to this side.
    case reached
    /// This side has ended it.
    case closed
    /// The machine of this side is gone, or was told that the connection is.
    case lost
  }

  /// Takes what happens to a side, where somebody reads along.
  var heard: ((Happening, _ side: Int) -> Void)?
  /// Nothing comes through any more, and nobody knows.
  var isMute = false

  /// - Parameter capacity: bytes under way in a direction.
  init(
    _ world: World, _ first: any Endpoint, _ second: any Endpoint, capacity: Int,
    latency: ClosedRange<Int64>, isLocal: Bool
  ) {
    self.world = world
    ends = [first, second]
    self.capacity = capacity
    self.latency = latency
    self.isLocal = isLocal
  }

  /// - Parameter side: 0 is the one who called.
  func send(_ bytes: [UInt8], from side: Int) {
    guard !isGone, !directions[side].isEnded else { return }
    guard !directions[1 - side].isEnded || !directions[1 - side].isEndTold else {
      // Nobody is there to read it.
      return lose(side, "Broken pipe")
    }
    heard?(.sent(bytes), side)
    directions[side].waiting += bytes
    move(side)
  }

  func read(_ isWanted: Bool, at side: Int) {
    directions[1 - side].isRead = isWanted
    if isWanted { hand(1 - side) } else { tellEnd(1 - side) }
  }

  /// The side will send no more than what waits.
  func close(_ side: Int) {
    heard?(.closed, side)
    directions[side].isEnded = true
    ends[side] = nil
    move(side)
    tellEnd(side)
  }

  /// Both are told at once, and what was under way is lost.
  func cut(_ reason: String) {
    for side in [0, 1] { lose(side, reason) }
  }

  /// A machine is gone without a word: the other side is told when it speaks, or never.
  func vanish(_ side: Int, isTold: Bool) {
    heard?(.lost, side)
    ends[side] = nil
    if isTold { lose(1 - side, "Connection reset by peer") } else { isMute = true }
  }

  private func lose(_ side: Int, _ reason: String?) {
    guard let end = ends[side] else { return }
    heard?(.lost, side)
    ends[side] = nil
    world.after(0) { end.closed(reason) }
  }

  private func move(_ side: Int) {
    let direction = directions[side]
    let count = min(direction.waiting.count, capacity - direction.underWay)
    if count > 0, !isMute {
      let bytes = direction.waiting.prefix(count)
      direction.waiting = direction.waiting.dropFirst(count)
      direction.underWay += count
      let time = max(
        direction.lastDelivery, world.now + Int64.random(in: latency, using: &world.random))
      direction.lastDelivery = time
      world.at(time) { [self] in
        guard !isGone, !isMute else { return }
        direction.arrived += bytes
        hand(side)
      }
    }
    let isBlocked = !direction.waiting.isEmpty
    if isBlocked != direction.isBlocked {
      direction.isBlocked = isBlocked
      ends[side]?.blocked(isBlocked)
    }
  }

  /// Gives what came to the one who reads.
  private func hand(_ side: Int) {
    let direction = directions[side]
    guard direction.isRead, !isMute, let end = ends[1 - side] else { return }
    if !direction.arrived.isEmpty {
      // As it happens, in pieces.
      let count =
        Int.random(in: 0..<4, using: &world.random) == 0
        ? Int.random(in: 1...direction.arrived.count, using: &world.random)
        : min(direction.arrived.count, 256 << 10)
      let bytes = Array(direction.arrived.prefix(count))
      direction.arrived = direction.arrived.dropFirst(count)
      direction.underWay -= count
      heard?(.reached, 1 - side)
      end.received(bytes)
      move(side)
      if !direction.arrived.isEmpty { world.after(0) { [self] in hand(side) } }
    }
    tellEnd(side)
  }

  private func tellEnd(_ side: Int) {
    let direction = directions[side]
    guard direction.isEnded, !direction.isEndTold, !isMute, direction.waiting.isEmpty,
      let end = ends[1 - side]
    else { return }
    if direction.isRead {
      guard direction.underWay == 0 else { return }
      direction.isEndTold = true
      world.after(100) { end.ended() }
    } else {
      direction.isEndTold = true
      heard?(.lost, 1 - side)
      ends[1 - side] = nil
      world.after(100) { end.closed(nil) }
    }
  }
}

// The machines that this one syncs with: their addresses, kept in the data directory, and how each
// stands. When to try again is decided here; the engine does the trying.

import EventStore
import TimelineModel
import TransparencyLog

/// A machine that shares a timeline.
struct Peer {
  enum State: Equatable {
    /// Until then, in microseconds of the monotonic clock; why the last attempt ended.
    case waiting(until: Int64, reason: String?)
    case connecting
    case greeting
    /// Both know what the other has, and lines are on their way.
    case syncing
    case inSync
  }

  /// Where it may be reached, at least one; tried in this order.
  let addresses: [PeerAddress]
  /// Which of them is tried next, or is in use.
  fileprivate(set) var current = 0
  let timeline: TimelineID
  /// Which device is to answer there; nil on the loopback alone.
  var device: SHA256Digest?
  /// The connection that serves it now, or is being made.
  var connection: ConnectionID?
  var state = State.waiting(until: 0, reason: nil)
  /// Attempts in a row that led to no sync.
  var failures = 0

  init(_ addresses: [PeerAddress], _ timeline: TimelineID, device: SHA256Digest? = nil) {
    self.addresses = addresses
    self.timeline = timeline
    self.device = device
  }

  var address: PeerAddress { addresses[current] }

  var json: JSONValue {
    var reason: String?
    if case .waiting(_, let text) = state { reason = text }
    return .object([
      "address": .string(address.description),
      "device": device.map { .string(DeviceID($0).description) }, "state": .string(state.word),
      "connected": .bool(isLive), "in_sync": .bool(state == .inSync),
      "error": reason.map { .string($0) },
    ])
  }

  var isLive: Bool { state == .syncing || state == .inSync }

  fileprivate var nextAttempt: Int64? {
    switch state {
    case .waiting(let until, _): return until
    case .connecting, .greeting, .syncing, .inSync: return nil
    }
  }
}

extension Peer.State {
  /// What PEERS says: `waiting`, `connecting`, `greeting`, `syncing`, `in-sync`.
  var word: String {
    switch self {
    case .waiting: "waiting"
    case .connecting: "connecting"
    case .greeting: "greeting"
    case .syncing: "syncing"
    case .inSync: "in-sync"
    }
  }
}

final class Peers {
  private static let file = "peers.json"
  /// From one second to a minute, doubling, each longer or shorter by up to a fifth, so that machines
  /// that lost each other together do not come back together.
  private static let backoffMin: Int64 = 1_000_000
  private static let backoffMax: Int64 = 60_000_000

  /// So long after a change of the network, and no more often than this, peers are tried for it.
  private static let networkRest: Int64 = 1_000_000
  private static let networkTime: Int64 = 5_000_000

  private let directory: DataDirectory
  /// When peers are, or were last, tried since the network changed.
  private var lastNetworkTry: Int64 = -Peers.networkTime
  private(set) var all: [Peer] = []

  /// - Parameter main: of which timeline those are that name none, from before there were many.
  init(_ directory: DataDirectory, main: TimelineID?) throws(OpenError) {
    self.directory = directory
    guard let bytes = try directory.read(Self.file) else { return }
    let json = bytes.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let entries = json?["peers"]?.array else {
      throw .damagedFile(path: directory.path + "/" + Self.file, reason: "no list of peers in it")
    }
    for entry in entries {
      let texts =
        entry["addresses"]?.array?.compactMap(\.string)
        ?? [entry.string ?? entry["address"]?.string].compactMap { $0 }
      let addresses = texts.compactMap { try? PeerAddress(owner: $0) }
      guard !addresses.isEmpty,
        let timeline = entry["timeline"]?.string.flatMap({ TimelineID($0) }) ?? main
      else { continue }
      let device = entry["device"]?.string.flatMap { SHA256Digest(base64: $0) }
      all.append(Peer(addresses, timeline, device: device))
    }
  }

  func of(_ timeline: TimelineID) -> [Peer] { all.filter { $0.timeline == timeline } }

  /// False where it is one already.
  func add(_ address: PeerAddress, _ timeline: TimelineID) throws(OpenError) -> Bool {
    try add(Peer([address], timeline))
  }

  /// False where one of its addresses is a peer's already.
  func add(_ peer: Peer) throws(OpenError) -> Bool {
    guard peer.addresses.allSatisfy({ index($0, peer.timeline) == nil }) else { return false }
    try change(all + [peer])
    return true
  }

  /// What there was; nil for an unknown peer.
  func remove(_ address: PeerAddress, _ timeline: TimelineID) throws(OpenError) -> Peer? {
    guard let index = index(address, timeline) else { return nil }
    var peers = all
    let peer = peers.remove(at: index)
    try change(peers)
    return peer
  }

  private func change(_ peers: [Peer]) throws(OpenError) {
    let rows = peers.map {
      JSONValue.object([
        "timeline": .string($0.timeline.description),
        "address": .string($0.addresses[0].description),
        "addresses": $0.addresses.count > 1 ? .strings($0.addresses.map(\.description)) : nil,
        "device": $0.device.map { .string($0.base64) },
      ])
    }
    let json = JSONValue.object(["peers": .array(rows)])
    try directory.replace(Self.file, with: Array((json.text + "\n").utf8))
    all = peers
  }

  private func index(_ address: PeerAddress, _ timeline: TimelineID) -> Int? {
    all.firstIndex { $0.addresses.contains(address) && $0.timeline == timeline }
  }

  // MARK: Attempts

  /// Has those that wait tried at once.
  func tryNow(_ timeline: TimelineID) {
    for index in all.indices where all[index].timeline == timeline {
      if case .waiting(_, let reason) = all[index].state {
        all[index].state = .waiting(until: 0, reason: reason)
      }
    }
  }

  /// Has those that wait tried soon: what brings a network back says so many times in a second, and the
  /// first word of it comes before the way is there.
  func networkChanged(_ now: Moment) {
    let soon = max(now.monotonic + Self.networkRest, lastNetworkTry + Self.networkTime)
    for index in all.indices {
      guard case .waiting(let until, let reason) = all[index].state, until > soon, until < .max
      else { continue }
      all[index].state = .waiting(until: soon, reason: reason)
      all[index].failures = 0
      lastNetworkTry = soon
    }
  }

  /// The peers whose time has come.
  func due(_ now: Int64) -> [Peer] {
    all.filter { $0.nextAttempt ?? .max <= now }
  }

  var nextAttempt: Int64? { all.lazy.compactMap(\.nextAttempt).min() }

  func dialing(_ peer: Peer, _ connection: ConnectionID) {
    guard let index = index(peer.address, peer.timeline) else { return }
    all[index].connection = connection
    all[index].state = .connecting
  }

  /// Has it not tried until `tryNow`: its timeline is not served, or it is no member's.
  func rest(_ peer: Peer, _ reason: String? = nil) {
    guard let index = index(peer.address, peer.timeline) else { return }
    all[index].state = .waiting(until: .max, reason: reason)
  }

  /// How a connection stands, where it is a peer's.
  func note(_ connection: ConnectionID, _ state: Peer.State) {
    guard let index = all.firstIndex(where: { $0.connection == connection }) else { return }
    all[index].state = state
    if state == .inSync { all[index].failures = 0 }
  }

  /// A connection is over, or came to nothing.
  func ended(_ connection: ConnectionID, _ reason: String, _ now: Moment, random: UInt64) {
    guard let index = all.firstIndex(where: { $0.connection == connection }) else { return }
    let isNext = !all[index].isLive && all[index].current + 1 < all[index].addresses.count
    all[index].connection = nil
    if !all[index].isLive { all[index].current = isNext ? all[index].current + 1 : 0 }
    // Its other addresses are tried at once.
    if isNext {
      all[index].state = .waiting(until: now.monotonic, reason: reason)
      return
    }
    let wait = min(Self.backoffMax, Self.backoffMin << Int64(min(all[index].failures, 6)))
    let jitter = Int64(random % UInt64(wait * 2 / 5)) - wait / 5
    all[index].state = .waiting(until: now.monotonic + wait + jitter, reason: reason)
    all[index].failures += 1
  }
}

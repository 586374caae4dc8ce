// The machines that this one syncs with: their addresses, kept in the data directory, and how each
// stands. When to try again is reckoned here; Loop does the trying.

import EventStore
import TimelineModel

struct Peer {
  var address: String
  var host: String
  var port: UInt16
  /// The connection that serves it now, or is being made.
  var descriptor: Int32?
  /// Whether both have greeted each other on it.
  var isLive = false
  var isInSync = false
  /// Why the last attempt, or the last connection, ended.
  var error: String?
  /// Microseconds; nil while connected.
  var nextAttempt: Int64? = 0
  var failures = 0

  var json: JSONValue {
    .object([
      "address": .string(address), "connected": .bool(isLive),
      "in_sync": .bool(isInSync), "error": error.map { .string($0) },
    ])
  }
}

final class Peers {
  private static let file = "peers.json"
  /// From one second to a minute, doubling.
  private static let backoffMicroseconds: Int64 = 1_000_000
  private static let backoffMax: Int64 = 60_000_000

  private let directory: DataDirectory
  private(set) var all: [Peer] = []

  init(_ directory: DataDirectory) throws(OpenError) {
    self.directory = directory
    guard let bytes = try directory.read(Self.file) else { return }
    let json = bytes.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let addresses = json?["peers"]?.array else {
      throw .damagedFile(path: directory.path + "/" + Self.file, reason: "no list of peers in it")
    }
    for address in addresses.compactMap(\.string) {
      guard let place = try? Arguments.loopback(address) else { continue }
      all.append(Peer(address: address, host: place.host, port: place.port))
    }
  }

  func add(_ address: String) throws(OpenError) -> Bool {
    guard !all.contains(where: { $0.address == address }),
      let place = try? Arguments.loopback(address)
    else { return false }
    let peers = all + [Peer(address: address, host: place.host, port: place.port)]
    try save(peers)
    all = peers
    return true
  }

  /// The connection to end, where there was one; nil for an unknown peer.
  func remove(_ address: String) throws(OpenError) -> Peer? {
    guard let place = all.firstIndex(where: { $0.address == address }) else { return nil }
    var peers = all
    let peer = peers.remove(at: place)
    try save(peers)
    all = peers
    return peer
  }

  private func save(_ peers: [Peer]) throws(OpenError) {
    let json = JSONValue.object(["peers": .strings(peers.map(\.address))])
    try directory.replace(Self.file, with: Array((json.text + "\n").utf8))
  }

  func tryAllNow() {
    for place in all.indices where all[place].descriptor == nil { all[place].nextAttempt = 0 }
  }

  /// The peers whose time has come.
  func due(_ now: Int64) -> [Peer] {
    all.filter { peer in peer.nextAttempt.map { $0 <= now } ?? false }
  }

  var nextAttempt: Int64? { all.compactMap(\.nextAttempt).min() }

  func connected(_ address: String, _ descriptor: Int32) {
    update(address) {
      $0.descriptor = descriptor
      $0.nextAttempt = nil
      $0.isLive = false
      $0.isInSync = false
    }
  }

  func ended(_ descriptor: Int32, _ reason: String?, _ now: Int64) {
    guard let peer = all.first(where: { $0.descriptor == descriptor }) else { return }
    failed(peer.address, reason ?? "the connection ended", now)
  }

  func failed(_ address: String, _ reason: String, _ now: Int64) {
    update(address) {
      $0.descriptor = nil
      $0.isLive = false
      $0.isInSync = false
      $0.error = reason
      let wait = Self.backoffMicroseconds << Int64(min($0.failures, 6))
      $0.nextAttempt = now + min(Self.backoffMax, wait)
      $0.failures += 1
    }
  }

  func note(_ descriptor: Int32, isLive: Bool, isInSync: Bool) {
    guard let place = all.firstIndex(where: { $0.descriptor == descriptor }) else { return }
    all[place].isLive = isLive
    all[place].isInSync = isInSync
    if isInSync {
      all[place].error = nil
      all[place].failures = 0
    }
  }

  private func update(_ address: String, _ change: (inout Peer) -> Void) {
    guard let place = all.firstIndex(where: { $0.address == address }) else { return }
    change(&all[place])
  }
}

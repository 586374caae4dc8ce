// Servers with nothing behind them: what they bring in is kept, and what a test wants done is done.

import CLinux
import Glibc
import TimelineServer
import TransparencyLog
import TransportSecurity

@testable import LinuxServer

/// In the engine's place.
final class Recorder: Stepping {
  private(set) var inputs: [Input] = []
  var effects: [Effect] = []
  /// What came on each connection.
  private(set) var heard: [ConnectionID: [UInt8]] = [:]

  func step(_ inputs: [Input], now: Moment) -> [Effect] {
    for input in inputs {
      if case .bytes(let id, let bytes) = input { heard[id, default: []] += bytes }
      self.inputs.append(input)
    }
    defer { effects = [] }
    return effects
  }

  func finish() -> [String] { [] }

  /// Those that came over TLS, as they were told of.
  var opened: [(id: ConnectionID, handshake: DeviceHandshake)] {
    inputs.compactMap {
      if case .opened(let id, _, let handshake?) = $0 { (id, handshake) } else { nil }
    }
  }

  func dialed(_ id: ConnectionID) -> DeviceHandshake? {
    inputs.lazy.compactMap {
      if case .dialed(id, let handshake) = $0 { handshake } else { nil }
    }.first
  }

  /// Why a connection ended; nil while it has not, and empty where nobody says.
  func reason(_ id: ConnectionID) -> String? {
    inputs.lazy.compactMap {
      if case .closed(id, let reason) = $0 { reason ?? "" } else { nil }
    }.first
  }

  func count(_ isWanted: (Input) -> Bool) -> Int { inputs.count(where: isWanted) }
}

final class TestMachine {
  let recorder = Recorder()
  let tls: TLSContext
  let server: Server
  let port: UInt16
  private let listener: Int32?
  private static let noSignals = eventfd(0, 0)

  /// - Parameter host: what it listens on; nil for nothing.
  init(_ number: UInt8, host: String? = nil, port: UInt16 = 0, extra: [Int32: Listener.Kind] = [:])
    throws
  {
    tls = TLSContext(SigningKey(seed: [UInt8](repeating: number, count: 32))!)
    var listeners = extra
    var listening: UInt16 = 0
    var listener: Int32?
    if let host {
      let descriptor = try Listener.network(host, port)
      listeners[descriptor] = .devices
      listener = descriptor
      var address = sockaddr_in6()
      var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
      withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          _ = getsockname(descriptor, $0, &length)
        }
      }
      listening = UInt16(bigEndian: address.sin6_port)
    }
    self.port = listening
    self.listener = listener
    server = Server(
      stepping: recorder, listeners: listeners, tls: tls, signals: eventfd(0, Int32(EFD_CLOEXEC)))
  }

  deinit { if let listener { close(listener) } }

  var device: SHA256Digest { tls.publicKey.deviceID }

  func carryOut(_ effects: Effect...) {
    recorder.effects += effects
    server.wait(0)
  }

  private var dials: UInt64 = 0

  func dial(_ address: PeerAddress, expected: SHA256Digest?) -> ConnectionID {
    dials += 1
    let id = ConnectionID(Engine.dialedFrom + dials)
    carryOut(.dial(id, address, expected: expected))
    return id
  }
}

/// Turns the machines' loops until something is so; false where it does not come about.
func until(_ machines: TestMachine..., within seconds: Int = 20, _ isSo: () -> Bool) -> Bool {
  let end = ContinuousClock.now + .seconds(seconds)
  while !isSo() {
    if ContinuousClock.now > end { return false }
    for machine in machines { machine.server.wait(1) }
  }
  return true
}

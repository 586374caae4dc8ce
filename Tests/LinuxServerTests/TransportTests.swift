// TLS over real sockets, without an engine.

import CLinux
import Foundation
import Glibc
import Testing
import TimelineServer
import TransparencyLog
import TransportSecurity

@testable import LinuxServer

@Suite("TLS over sockets", .serialized)
struct TransportTests {
  private func address(_ host: String, _ machine: TestMachine) -> PeerAddress {
    .tls(host: host, port: machine.port)
  }

  /// Both ends of a connection that is open.
  private func connect(
    _ caller: TestMachine, _ called: TestMachine, host: String = "127.0.0.1"
  ) throws -> (caller: ConnectionID, called: ConnectionID) {
    let id = caller.dial(address(host, called), expected: called.device)
    let before = called.recorder.opened.count
    try #require(
      until(caller, called) {
        caller.recorder.dialed(id) != nil && called.recorder.opened.count > before
      },
      "\(caller.recorder.inputs)")
    return (id, called.recorder.opened.last!.id)
  }

  @Test(
    "Both know each other, and the same bytes of this connection alone",
    arguments: ["127.0.0.1", "::1", "localhost"])
  func known(host: String) throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "::"))
    let ids = try connect(caller, called, host: host)
    let (there, here) = (
      called.recorder.opened[0].handshake, try #require(caller.recorder.dialed(ids.caller))
    )
    #expect(here.device == called.device && there.device == caller.device)
    #expect(here.channelBinding == there.channelBinding && here.channelBinding.count == 32)
    #expect(there.source != .local)
    caller.carryOut(.send(ids.caller, Array("HELLO\n".utf8)))
    called.carryOut(.send(ids.called, Array("hello\n".utf8)))
    #expect(
      until(caller, called) {
        caller.recorder.heard[ids.caller]?.count == 6
          && called.recorder.heard[ids.called]?.count == 6
      })
    caller.carryOut(.close(ids.caller))
    #expect(
      until(caller, called) {
        called.recorder.count { if case .inputEnded = $0 { true } else { false } } == 1
      })
    let again = try connect(caller, called, host: host)
    #expect(caller.recorder.dialed(again.caller)?.channelBinding != here.channelBinding)
  }

  @Test("Of several addresses of a name the one that answers is used")
  func severalAddresses() throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "127.0.0.1"))
    _ = try connect(caller, called, host: "localhost")
  }

  @Test("Another device than the expected one is not spoken to, and hears nothing")
  func wrongDevice() throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "127.0.0.1"))
    let id = caller.dial(address("127.0.0.1", called), expected: caller.device)
    #expect(until(caller, called) { caller.recorder.reason(id) != nil })
    #expect(caller.recorder.reason(id)?.hasPrefix("another device answers there") == true)
    #expect(!until(caller, called, within: 1) { !called.recorder.opened.isEmpty })
  }

  @Test("Where which device is to answer is not known, nobody is called")
  func noPin() throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "127.0.0.1"))
    let id = caller.dial(address("127.0.0.1", called), expected: nil)
    #expect(
      until(caller) { caller.recorder.reason(id) == "which device is to answer is not known" })
  }

  @Test("Nobody there, and no such name")
  func nobody() throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "127.0.0.1", port: 0))
    let free = try TestMachine(3, host: "127.0.0.1").port
    var id = caller.dial(.tls(host: "127.0.0.1", port: free), expected: called.device)
    #expect(until(caller) { caller.recorder.reason(id) == "Connection refused" })
    id = caller.dial(.tls(host: "localhost", port: free), expected: called.device)
    #expect(until(caller) { caller.recorder.reason(id) == "127.0.0.1:\(free): Connection refused" })
    id = caller.dial(.tls(host: "no-such-machine.invalid", port: 9), expected: called.device)
    #expect(
      until(caller) { caller.recorder.reason(id)?.hasPrefix("no-such-machine.invalid: ") == true })
  }

  @Test("A call that is taken back comes to nothing")
  func takenBack() throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "127.0.0.1"))
    let id = caller.dial(address("127.0.0.1", called), expected: called.device)
    caller.carryOut(.close(id))
    #expect(
      !until(caller, called, within: 1) {
        caller.recorder.dialed(id) != nil || !called.recorder.opened.isEmpty
      })
    #expect(caller.recorder.reason(id) == nil)
  }

  /// A socket that knows nothing of TLS.
  private func plainSocket(_ machine: TestMachine) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    SocketAddress.loopback(machine.port).withPointer { _ = Glibc.connect(descriptor, $0, $1) }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    return descriptor
  }

  private func isEnded(_ descriptor: Int32) -> Bool {
    var byte: [UInt8] = [0]
    while true {
      let count = recv(descriptor, &byte, 1, 0)
      if count <= 0 { return count == 0 || errno == ECONNRESET }
    }
  }

  @Test("Plain text is refused at once, and the engine does not hear of it")
  func plainText() throws {
    let called = try TestMachine(2, host: "127.0.0.1")
    let descriptor = plainSocket(called)
    defer { close(descriptor) }
    _ = send(descriptor, "HELLO timeline-sync 1\n", 22, 0)
    #expect(until(called, within: 5) { isEnded(descriptor) })
    #expect(called.recorder.inputs.isEmpty)
  }

  @Test(
    "Of one address four shake hands at once; others wait outside no longer than it takes to say so"
  )
  func places() throws {
    let called = try TestMachine(2, host: "127.0.0.1")
    let silent = (0..<4).map { _ in plainSocket(called) }
    _ = until(called, within: 1) { false }
    let fifth = plainSocket(called)
    #expect(until(called, within: 5) { isEnded(fifth) })
    for descriptor in silent { #expect(!isEnded(descriptor)) }
    for descriptor in silent + [fifth] { close(descriptor) }
    _ = until(called, within: 1) { false }
    // The places are free again.
    let caller = try TestMachine(1)
    _ = try connect(caller, called)
  }

  @Test("What is not taken waits, the engine hears of it, and all of it arrives")
  func muchAtOnce() throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "127.0.0.1"))
    let ids = try connect(caller, called)
    func count(_ machine: TestMachine, _ wanted: String) -> Int {
      machine.recorder.count { "\($0)".hasPrefix(wanted) }
    }
    caller.carryOut(.read(ids.caller, false))
    let piece = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for _ in 0..<16 { called.carryOut(.send(ids.called, piece)) }
    #expect(count(called, "blocked") == 1 && count(called, "unblocked") == 0)
    #expect(!until(caller, called, within: 1) { caller.recorder.heard[ids.caller] != nil })
    // The other way is free meanwhile.
    caller.carryOut(.send(ids.caller, [1]))
    #expect(until(caller, called) { called.recorder.heard[ids.called] == [1] })
    caller.carryOut(.read(ids.caller, true))
    #expect(until(caller, called) { caller.recorder.heard[ids.caller]?.count == 16 << 20 })
    #expect(until(caller, called) { count(called, "unblocked") == 1 })
    #expect(caller.recorder.heard[ids.caller]?.suffix(1 << 20) == piece[...])
  }

  @Test("What was sent before the end arrives before it")
  func sentBeforeEnd() throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "127.0.0.1"))
    let ids = try connect(caller, called)
    let bytes = [UInt8](repeating: 9, count: 8 << 20)
    called.carryOut(.send(ids.called, bytes), .close(ids.called))
    #expect(
      until(caller, called) {
        caller.recorder.count { if case .inputEnded = $0 { true } else { false } } == 1
      })
    #expect(caller.recorder.heard[ids.caller] == bytes)
  }

  @Test("A connection that is cut off is told from one that ended")
  func cutOff() throws {
    let (caller, called) = (try TestMachine(1), try TestMachine(2, host: "127.0.0.1"))
    // In between stands one who only carries bytes, and ends it without a word.
    let listener = try Listener.network("127.0.0.1", 0)
    defer { close(listener) }
    var address = sockaddr_in()
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = getsockname(listener, $0, &length)
      }
    }
    let id = caller.dial(
      .tls(host: "127.0.0.1", port: UInt16(bigEndian: address.sin_port)), expected: called.device)
    let (there, back) = (clinux_accept(listener), plainSocket(called))
    func carry() {
      var buffer = [UInt8](repeating: 0, count: 4096)
      for (from, to) in [(there, back), (back, there)] {
        let count = recv(from, &buffer, buffer.count, 0)
        if count > 0 { _ = send(to, buffer, count, 0) }
      }
    }
    #expect(
      until(caller, called) {
        carry()
        return caller.recorder.dialed(id) != nil && !called.recorder.opened.isEmpty
      })
    close(there)
    close(back)
    #expect(until(caller, called) { caller.recorder.reason(id) == "the connection was cut off" })
    #expect(
      until(caller, called) {
        called.recorder.reason(called.recorder.opened[0].id) == "the connection was cut off"
      })
  }

  @Test("An address that comes is told, where the system lets us add one")
  func network() throws {
    let machine = try TestMachine(1)
    func ip(_ word: String) -> Bool {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["ip", "addr", word, "127.77.77.77/32", "dev", "lo"]
      process.standardError = FileHandle.nullDevice
      guard (try? process.run()) != nil else { return false }
      process.waitUntilExit()
      return process.terminationStatus == 0
    }
    guard ip("add") else { return }
    defer { _ = ip("del") }
    #expect(
      until(machine) {
        machine.recorder.count { if case .networkChanged = $0 { true } else { false } } > 0
      })
  }

  // MARK: Commands

  private func via(_ command: String) throws -> PeerAddress { .via(try PeerCommand(command)) }

  @Test("A command that does not get there says why")
  func failingCommand() throws {
    let caller = try TestMachine(1)
    var id = caller.dial(
      try via(#"sh -c "echo no way to lab >&2; exit 3""#), expected: caller.device)
    #expect(until(caller) { caller.recorder.reason(id) != nil })
    #expect(caller.recorder.reason(id)?.hasSuffix("; sh said: no way to lab") == true)
    id = caller.dial(try via("no-such-program-here"), expected: caller.device)
    #expect(
      until(caller) {
        caller.recorder.reason(id) == "no-such-program-here: No such file or directory"
      })
    id = caller.dial(try via("cat"), expected: caller.device)
    #expect(until(caller) { caller.recorder.reason(id) != nil })
  }

  @Test("A command ends with its connection, and what it started too")
  func endedCommand() throws {
    let caller = try TestMachine(1)
    let mark = "31\(getpid())"
    let id = caller.dial(try via("sh -c 'sleep \(mark) & wait'"), expected: caller.device)
    func isThere() -> Bool {
      ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).contains { name in
        guard Int(name) != nil,
          let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline")
        else { return false }
        return line.split(separator: 0).last.map { String(decoding: $0, as: UTF8.self) } == mark
      }
    }
    _ = until(caller, within: 1) { isThere() }
    #expect(isThere())
    caller.carryOut(.close(id))
    #expect(until(caller, within: 10) { !isThere() })
  }

  @Test("Through a command both are known, as over a network")
  func throughCommand() throws {
    let path = "/tmp/timeline-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let called = try TestMachine(2, extra: [try Listener.unix(path): .relayed])
    defer { unlink(path) }
    let caller = try TestMachine(1)
    // Python is what the tests have everywhere.
    let program = """
      import socket, sys, threading, os
      s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
      def there():
          while (b := os.read(0, 65536)): s.sendall(b)
          s.shutdown(socket.SHUT_WR)
      threading.Thread(target=there, daemon=True).start()
      while (b := s.recv(65536)): os.write(1, b)
      """
    let file = path + ".py"
    let descriptor = open(file, O_CREAT | O_WRONLY, 0o600)
    _ = write(descriptor, program, program.utf8.count)
    close(descriptor)
    defer { unlink(file) }
    let id = caller.dial(try via("python3 '\(file)' \"\(path)\""), expected: called.device)
    #expect(
      until(caller, called) {
        caller.recorder.dialed(id) != nil && !called.recorder.opened.isEmpty
      }, "\(caller.recorder.inputs)")
    guard let there = called.recorder.opened.first else { return }
    #expect(there.handshake.source == .local && there.handshake.device == caller.device)
    let bytes = (0..<4 << 20).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    caller.carryOut(.send(id, bytes))
    called.carryOut(.send(there.id, bytes))
    #expect(
      until(caller, called) {
        caller.recorder.heard[id] == bytes && called.recorder.heard[there.id] == bytes
      })
    caller.carryOut(.close(id))
    // The command is told to end at once: whether it still passes the good-bye on is its own affair.
    #expect(
      until(caller, called) {
        called.recorder.count {
          switch $0 {
          case .inputEnded, .closed: true
          default: false
          }
        } > 0
      })
  }
}

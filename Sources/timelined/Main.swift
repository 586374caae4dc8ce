// timelined: opens the data directory, serves it, stops when asked. Wiring alone: what it does is in
// TimelineServer, how on Linux in LinuxServer.

import CLinux
import EventStore
import Foundation
import Glibc
import LinuxServer
import TimelineServer
import TransparencyLog
import TransportSecurity

@main
enum Main {
  static func main() {
    let words = Array(CommandLine.arguments.dropFirst())
    do throws(UsageError) {
      switch try Arguments.parse(words, environment: ProcessInfo.processInfo.environment) {
      case .print(let text): print(text)
      case .run(let arguments): exit(run(arguments))
      }
    } catch {
      Journal.say("timelined: \(error.text)")
      exit(2)
    }
  }

  private static func run(_ arguments: Arguments) -> Int32 {
    let signals = blockSignals()
    clinux_raise_open_files()
    clinux_survive_bad_pages()
    // What is large goes back to the system when it is done with, instead of staying in the heap.
    // A batch of appends is not large: its memory is used again for the next one.
    mallopt(M_MMAP_THRESHOLD, 4 << 20)
    mallopt(M_TRIM_THRESHOLD, 8 << 20)
    do {
      let directory = try DataDirectory(arguments.data, fileSystem: PosixFileSystem())
      let entropy = EntropySource()
      let keys = try keys(of: directory, entropy)
      let engine = try Engine(
        Engine.World(
          directory: directory, keys: keys, version: Arguments.version, random: entropy.word,
          newID: entropy.id, addresses: { OwnAddresses.of(arguments.listen) }),
        now: .now)
      // What reading the log needed and the daemon does not.
      malloc_trim(0)
      // The Unix socket last: it is there only once everything else is.
      var listeners = try listeners(arguments.listen)
      listeners[try Listener.unix(arguments.peerSocketPath)] = .relayed
      listeners[try Listener.unix(arguments.socket)] = .owner
      let server = Server(
        engine, listeners: listeners, tls: keys.map { TLSContext($0.device) },
        signals: signals)
      Journal.write(
        .info,
        "serving \(arguments.data) on unix:\(arguments.socket)"
          + arguments.listen.map { " and \($0)" }.joined())
      let signal = server.run()
      unlink(arguments.socket)
      unlink(arguments.peerSocketPath)
      Journal.write(.info, "stopped by \(name(of: signal))")
      return withExtendedLifetime(directory) { 0 }
    } catch let error as OpenError {
      Journal.write(.error, error.message)
    } catch let error as FileError {
      Journal.write(.error, error.message)
    } catch {
      Journal.write(.error, "\(error)")
    }
    return 1
  }

  private static func listeners(
    _ addresses: [PeerAddress]
  ) throws -> [Int32: Listener.Kind] {
    var listeners: [Int32: Listener.Kind] = [:]
    for address in addresses {
      switch address {
      case .loopback(let port): listeners[try Listener.loopback(port)] = .loopback
      case .tls(let host, let port): listeners[try Listener.network(host, port)] = .devices
      case .via: break
      }
    }
    return listeners
  }

  private static let stopSignals = [SIGTERM: "SIGTERM", SIGINT: "SIGINT", SIGHUP: "SIGHUP"]

  /// Those that ask to stop are read from a descriptor, by the loop. One that was ignored at the start,
  /// as SIGHUP under nohup, stays so: blocked, it would be kept and read.
  private static func blockSignals() -> Int32 {
    var mask = sigset_t()
    sigemptyset(&mask)
    for signal in stopSignals.keys where !isIgnored(signal) { sigaddset(&mask, signal) }
    sigprocmask(SIG_BLOCK, &mask, nil)
    signal(SIGPIPE, SIG_IGN)
    return signalfd(-1, &mask, Int32(SFD_CLOEXEC))
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    return clinux_is_ignored(&action) != 0
  }

  private static func name(of signal: UInt32) -> String {
    stopSignals[Int32(signal)] ?? "signal \(signal)"
  }

  /// Nil where the disk is too full to keep them: they are made at the next start.
  private static func keys(
    of directory: DataDirectory, _ entropy: EntropySource
  ) throws(OpenError) -> MachineKeys? {
    func seed() -> [UInt8] {
      (0..<4).flatMap { _ in withUnsafeBytes(of: entropy.word()) { Array($0) } }
    }
    do throws(OpenError) {
      return MachineKeys(
        heads: try directory.signingKey(newSeed: seed),
        device: try directory.deviceKey(newSeed: seed))
    } catch {
      guard case .disk(let failure) = error, failure.cause == .full else { throw error }
      Journal.write(.warning, "the keys of this machine were not made: \(failure.message)")
      return nil
    }
  }
}

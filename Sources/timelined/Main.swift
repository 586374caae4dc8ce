// timelined: opens the data directory, serves it, stops when asked.

import CLinux
import EventStore
import Foundation
import Glibc
import TimelineModel
import TransparencyLog

/// Lines on stderr; the number in front is the priority that the journal reads (sd-daemon(3)).
enum Journal {
  enum Priority: Int {
    case error = 3
    case warning = 4
    case info = 6
  }

  static func write(_ priority: Priority, _ text: String) {
    say("<\(priority.rawValue)>timelined: \(text)")
  }

  /// A daemon goes on when nobody reads what it says.
  static func say(_ text: String) {
    _ = clinux_write_all(STDERR_FILENO, text + "\n", text.utf8.count + 1)
  }
}

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
    // Both are read from a descriptor by the loop.
    var mask = sigset_t()
    sigemptyset(&mask)
    sigaddset(&mask, SIGTERM)
    sigaddset(&mask, SIGINT)
    sigprocmask(SIG_BLOCK, &mask, nil)
    signal(SIGPIPE, SIG_IGN)
    clinux_raise_open_files()
    clinux_survive_bad_pages()
    // Dispatch opens descriptors of its own for its first work, and ends the process where none is left:
    // that is before anybody connects.
    let firstWork = DispatchWorkItem {}
    DispatchQueue.global().async(execute: firstWork)
    firstWork.wait()
    // What is large goes back to the system when it is done with, instead of staying in the heap.
    // A batch of appends is not large: its memory is used again for the next one.
    mallopt(M_MMAP_THRESHOLD, 4 << 20)
    mallopt(M_TRIM_THRESHOLD, 8 << 20)
    do {
      let directory = try DataDirectory(arguments.data, fileSystem: PosixFileSystem())
      let key = try signingKey(directory)
      let timeline = try directory.openTimeline(
        "main", newReplica: ReplicaID(.random()), key: key, nonce: randomBytes(16))
      // What reading the log needed and the daemon does not.
      malloc_trim(0)
      if let left = timeline.leftLog {
        Journal.write(
          .warning,
          "this machine goes on in log \(timeline.replica): its log \(left) is damaged, or was signed "
            + "with a key that is not here; all that can be read of it is served as before")
      }
      for damage in timeline.damage { Journal.write(.warning, damage.message) }
      // The Unix socket last: it is there only once everything else is.
      var listeners: [Int32: Bool] = [:]
      for place in arguments.listen {
        listeners[try Listener.loopback(place.port)] = false
      }
      listeners[try Listener.unix(arguments.socket)] = true
      let signals = signalfd(-1, &mask, Int32(SFD_CLOEXEC))
      let peers = try Peers(directory)
      let chance = Chance()
      let router = Router(
        timeline: timeline, heads: Heads(timeline.headKeeper()), key: key, peers: peers,
        now: Clock.now, random: chance.word, newID: chance.id)
      let loop = Loop(router, listeners: listeners, signals: signals)
      Journal.write(
        .info,
        "serving \(arguments.data) on unix:\(arguments.socket)"
          + arguments.listen.map { " and \($0.address)" }.joined())
      let signal = loop.run()
      unlink(arguments.socket)
      Journal.write(.info, "stopped by \(signal == UInt32(SIGTERM) ? "SIGTERM" : "SIGINT")")
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
}

extension Main {
  private static func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  /// Nil where the disk is too full to keep one: it is made at the next start.
  private static func signingKey(_ directory: DataDirectory) throws(OpenError) -> SigningKey? {
    do throws(OpenError) {
      return try directory.signingKey { randomBytes(32) }
    } catch {
      guard case .disk(let failure) = error, failure.cause == .full else { throw error }
      Journal.write(.warning, "no key to sign with was made: \(failure.message)")
      return nil
    }
  }
}

enum Clock {
  @Sendable static func now() -> RecordedTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return RecordedTime(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }
}

/// Sockets that wait for clients.
enum Listener {
  /// A socket that a dead daemon left behind is taken over; that of a live one never is, since the
  /// data directory's lock was taken first and another --data has another socket.
  static func unix(_ path: String) throws(FileError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    guard path.utf8.count < capacity else {
      throw FileError(
        "bind", path,
        .other(code: ENAMETOOLONG, text: "a socket's path has at most \(capacity - 1) bytes"))
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    if !parent.isEmpty { try PosixFileSystem().createDirectory(parent) }
    guard clinux_is_socket_or_absent(path) != 0 else {
      throw FileError(
        "bind", path,
        .other(code: EEXIST, text: "something that is no socket is there; give another --socket"))
    }
    if isServed(address) { throw FileError("bind", path, .isLocked) }
    unlink(path)
    let before = umask(0o077)
    defer { umask(before) }
    return try listen(AF_UNIX, path) { descriptor in
      withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
      }
    }
  }

  private static func isServed(_ address: sockaddr_un) -> Bool {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    return withUnsafePointer(to: address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
  }

  private static func loopbackAddress(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }

  /// A connection that is being made; what comes of it, epoll says. Nil with errno.
  static func connect(_ port: UInt16) -> Int32? {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    let outcome = withUnsafePointer(to: loopbackAddress(port)) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if outcome == 0 || errno == EINPROGRESS { return descriptor }
    close(descriptor)
    return nil
  }

  static func loopback(_ port: UInt16) throws(FileError) -> Int32 {
    var address = loopbackAddress(port)
    return try listen(AF_INET, "tcp://127.0.0.1:\(port)") { descriptor in
      var yes: Int32 = 1
      setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, 4)
      return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
    }
  }

  private static func listen(
    _ family: Int32, _ name: String, _ bind: (Int32) -> Int32
  ) throws(FileError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, type, 0)
    guard descriptor >= 0, bind(descriptor) == 0, Glibc.listen(descriptor, 128) == 0 else {
      let text = String(cString: strerror(errno))
      throw FileError("listen on", name, .other(code: errno, text: text))
    }
    return descriptor
  }
}

// A command that leads to another daemon: its standard input and output are one end of a socket pair, whose other
// end is served as any socket. What it says besides (ssh: why it does not get there) goes to the journal, some of
// it, and the last of that is the reason where nothing comes of the connection.
//
//     started ─▶ its connection ends ─▶ SIGTERM ─ 5 s ─▶ SIGKILL ─▶ ended, reaped
//
// The signals go to its process group, so what it started itself goes with it.

import CLinux
import Glibc
import TimelineServer

final class PeerProcess {
  let program: String
  /// Readable when it has ended.
  let process: Int32
  /// What it says besides.
  let errors: Int32
  private let number: pid_t
  /// Its connection has ended.
  private(set) var isLetGo = false
  /// When it is killed, in microseconds of the monotonic clock.
  private(set) var killAt: Int64?
  private(set) var hasEnded = false

  private var line: [UInt8] = []
  private var linesSaid = 0
  /// The last that it said; for a person.
  private(set) var lastWords: String?

  private static let grace: Int64 = 5_000_000
  private static let linesMax = 20
  private static let lineBytesMax = 300

  private init(_ program: String, _ number: pid_t, process: Int32, errors: Int32) {
    self.program = program
    self.number = number
    self.process = process
    self.errors = errors
  }

  deinit {
    close(process)
    close(errors)
  }

  enum Started {
    case running(PeerProcess, socket: Int32)
    case failure(String)
  }

  static func start(_ command: PeerCommand) -> Started {
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    var pair: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, type, 0, &pair) == 0 else { return .failure(reason(errno)) }
    var pipe: [Int32] = [-1, -1]
    guard clinux_pipe(&pipe) == 0 else {
      let error = errno
      for descriptor in pair { close(descriptor) }
      return .failure(reason(error))
    }
    // Ours do not block; the command's do, as any program expects of them.
    for descriptor in [pair[0], pipe[0]] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    var number: pid_t = 0
    var arguments: [UnsafeMutablePointer<CChar>?] = command.arguments.map { strdup($0) }
    arguments.append(nil)
    let error = clinux_start_joined(&number, arguments, pair[1], pipe[1])
    for argument in arguments { free(argument) }
    close(pair[1])
    close(pipe[1])
    let process = error == 0 ? clinux_open_process(number) : -1
    guard process >= 0 else {
      let failure = error == 0 ? errno : error
      if error == 0 {
        kill(-number, SIGKILL)
        waitpid(number, nil, 0)
      }
      close(pair[0])
      close(pipe[0])
      return .failure("\(command.program): \(reason(failure))")
    }
    return .running(
      PeerProcess(command.program, number, process: process, errors: pipe[0]), socket: pair[0])
  }

  private static func reason(_ error: Int32) -> String { String(cString: strerror(error)) }

  /// Its connection is over.
  func end(_ now: Int64) {
    guard !isLetGo else { return }
    isLetGo = true
    guard !hasEnded else { return }
    kill(-number, SIGTERM)
    killAt = now + Self.grace
  }

  /// It did not go by itself.
  func endAtOnce() {
    guard !hasEnded else { return }
    kill(-number, SIGKILL)
    killAt = nil
  }

  /// Takes note of its end; false where it goes on.
  func takeEnd() -> Bool {
    var status: Int32 = 0
    guard waitpid(number, &status, WNOHANG) == number else { return false }
    hasEnded = true
    killAt = nil
    return true
  }

  /// Reads what it says besides; false where it says no more.
  func takeErrors() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(errors, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN { return true }
      guard count > 0 else {
        sayLine()
        return false
      }
      for byte in buffer[..<count] {
        if byte == UInt8(ascii: "\n") {
          sayLine()
        } else if line.count < Self.lineBytesMax {
          line.append(byte)
        }
      }
    }
  }

  private func sayLine() {
    let text = String(
      String.UnicodeScalarView(
        String(decoding: line, as: UTF8.self).unicodeScalars.filter {
          $0.value >= 0x20 && $0.value != 0x7F
        }))
    line.removeAll(keepingCapacity: true)
    guard !text.isEmpty else { return }
    lastWords = text
    linesSaid += 1
    if linesSaid <= Self.linesMax { Journal.write(.info, "\(program): \(text)") }
    if linesSaid == Self.linesMax {
      Journal.write(.info, "\(program): what it says from here on is left out")
    }
  }
}

// The daemon that takes the lines of a backup into a new directory, for as long as that takes: lines
// that are restored go the way that a peer's lines go, and are checked by the same code.

import CLinux
import Foundation

final class RestoreDaemon {
  let socket: String

  private let directory: String
  private let child: pid_t
  /// What it says, for people.
  private let output: Int32
  private var said: [UInt8] = []
  private var isRunning = true

  /// Starts it, and waits until it serves.
  init(data: String, _ environment: [String: String]) throws(Failure) {
    let program = try Self.program(environment)
    // A socket's name has room for a hundred characters: not for any directory's.
    var template = Array("/tmp/timeline-restore-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw OutputFile.failure("make", "/tmp/timeline-restore")
    }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    socket = directory + "/sock"
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      rmdir(directory)
      throw OutputFile.failure("make", "a pipe")
    }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // The passphrase is none of its business.
    let variables = environment.filter { $0.key != PassphraseInput.variable }
    child = Self.start([program, "--data", data, "--socket", socket], variables, errors: ends[1])
    close(ends[1])
    output = ends[0]
    guard child > 0 else {
      isRunning = false
      throw OutputFile.failure("start", program)
    }
    while !hasSaid("timelined: serving ") {
      guard try listen() else {
        _ = wait()
        throw Failure(.failed, "\(program) did not start: \(lastWords)")
      }
    }
  }

  deinit {
    if isRunning {
      kill(child, SIGTERM)
      _ = wait()
    }
    close(output)
    unlink(socket)
    rmdir(directory)
  }

  /// The descriptor to wait for, so that it is never held up by what it says.
  var descriptor: Int32 { output }

  /// Takes what it says; false where it has ended.
  func listen() throws(Failure) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 4096)
    try Interruption.wait(toRead: output)
    let count = read(output, &buffer, buffer.count)
    guard count > 0 else { return count < 0 }
    said = (said + buffer[..<count]).suffix(4096)
    return true
  }

  /// The last thing that it said, without the priority in front.
  var lastWords: String {
    let line =
      String(decoding: said, as: UTF8.self).split(separator: "\n").last ?? "it said nothing"
    return line.hasPrefix("<") ? String(line.drop { $0 != " " }.dropFirst()) : String(line)
  }

  /// Stops it with everything on disk.
  func stop() throws(Failure) {
    kill(child, SIGTERM)
    guard wait() == 0 else {
      while try listen() {}
      throw Failure(.failed, "timelined did not stop as it should: \(lastWords)")
    }
  }

  private static func start(
    _ words: [String], _ environment: [String: String], errors: Int32
  ) -> pid_t {
    let words: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    let variables: [UnsafeMutablePointer<CChar>?] =
      environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + variables { free(text) } }
    return clinux_start(words[0], words, variables, errors)
  }

  private func hasSaid(_ text: String) -> Bool {
    String(decoding: said, as: UTF8.self).contains(text)
  }

  private func wait() -> Int32 {
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 && errno == EINTR {}
    isRunning = false
    return status
  }

  /// The daemon that belongs to this timelinectl: the one beside it, else the one that the shell finds.
  private static func program(_ environment: [String: String]) throws(Failure) -> String {
    let beside =
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let directories =
      [OutputFile.parent(of: beside)]
      + (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    for directory in directories where access(directory + "/timelined", X_OK) == 0 {
      return directory + "/timelined"
    }
    throw Failure(
      .noDaemon,
      "timelined, which takes the lines in, is neither beside timelinectl nor on the PATH")
  }
}

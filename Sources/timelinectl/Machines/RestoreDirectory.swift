// The directory that a backup is restored to: made next to its name, and given the name once it is whole.
// Whatever happens before that, what stood there stays.

import Foundation
import TimelineModel
import TransparencyLog

final class RestoreDirectory {
  /// Its name in the end.
  let path: String
  /// Where it is made.
  private(set) var work: String
  /// Parents that were made for it, the outermost first.
  private var made: [String] = []
  /// The directories whose entries change, each open from before its change: an error in writing one
  /// out is reported to those that had it open by then.
  private var changed: [Int32] = []
  private var isPlaced = false

  /// The name must be that of nothing, or of an empty directory.
  init(_ path: String) throws(Failure) {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    if let resolved = realpath(path, nil) {
      path = String(cString: resolved)
      free(resolved)
      try Self.checkEmpty(path)
    }
    self.path = path
    work = path
    do throws(Failure) {
      try makeParents(OutputFile.parent(of: path))
      try hold(OutputFile.parent(of: path))
      var template = Array((path + ".restoring-XXXXXX").utf8CString)
      guard mkdtemp(&template) != nil else { throw OutputFile.failure("make", path) }
      work = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    } catch {
      removeParents()
      isPlaced = true
      throw error
    }
  }

  deinit {
    for directory in changed { close(directory) }
    guard !isPlaced else { return }
    try? FileManager.default.removeItem(atPath: work)
    removeParents()
  }

  private static func checkEmpty(_ path: String) throws(Failure) {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw Failure(
        .failed, code: "exists", "\(path) is no directory; give one that is new or empty")
    }
    guard names.isEmpty else {
      throw Failure(
        .failed, code: "exists",
        "\(path) is not empty; a backup is restored to a directory that is new or empty")
    }
  }

  private func makeParents(_ path: String) throws(Failure) {
    guard access(path, F_OK) != 0 else { return }
    let parent = OutputFile.parent(of: path)
    try makeParents(parent)
    try hold(parent)
    guard mkdir(path, 0o700) == 0 else { throw OutputFile.failure("make", path) }
    made.append(path)
  }

  private func hold(_ path: String) throws(Failure) {
    let directory = retried { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard directory >= 0 else { throw OutputFile.failure("open", path) }
    changed.append(directory)
  }

  private func removeParents() {
    for parent in made.reversed() { rmdir(parent) }
  }

  /// Puts the key there that the machine is to sign with, before its daemon makes one.
  func put(_ key: SigningKey) throws(Failure) {
    let keys = work + "/keys"
    try hold(work)
    guard mkdir(keys, 0o700) == 0 else { throw OutputFile.failure("make", keys) }
    let file = try OutputFile(keys + "/heads.pem", replaces: false)
    try file.write(key.pem)
    try file.finish()
  }

  /// Says of which timeline it is to be, before its daemon makes one. What is recorded there stands in a
  /// log of its own.
  func put(_ timeline: TimelineID, named name: String) throws(Failure) {
    try hold(work)
    let directory = work + "/timelines/" + name
    for path in [work + "/timelines", directory] {
      guard mkdir(path, 0o700) == 0 else { throw OutputFile.failure("make", path) }
      try hold(path)
    }
    try write(
      .object([
        "timeline": .string("\(timeline)"), "name": .string(name),
        "replica": .string("\(ReplicaID(.random()))"),
      ]), to: directory + "/timeline.json")
    try write(
      .object(["format": .string("timeline-data"), "version": .int(2)]), to: work + "/data.json")
  }

  private func write(_ json: JSONValue, to path: String) throws(Failure) {
    let file = try OutputFile(path, replaces: false)
    try file.write(Array((json.text + "\n").utf8))
    try file.finish()
  }

  /// Gives it its name, durably.
  func moveInPlace() throws(Failure) {
    guard rename(work, path) == 0 else {
      guard errno != EBUSY else {
        throw Failure(
          .failed, code: "file", "\(path) is where a disk is mounted; give a directory below it")
      }
      throw OutputFile.failure("rename what was restored to", path)
    }
    isPlaced = true
    for directory in changed {
      guard retried({ fsync(directory) }) == 0 else {
        throw OutputFile.failure("sync the directory of", path)
      }
    }
  }
}

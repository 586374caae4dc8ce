// A file that is there only once it is whole and durable: written next to its name as NAME.new, synced,
// renamed. Until then what stood there stays.

import CLinux
import Glibc

final class OutputFile {
  private let path: String
  private let temporary: String
  private let replaces: Bool
  private var descriptor: Int32

  /// - Parameter replaces: whether a file of that name may be replaced.
  init(_ path: String, replaces: Bool) throws(Failure) {
    self.path = path
    self.replaces = replaces
    temporary = path + ".new"
    guard !path.hasSuffix("/") else {
      throw Failure(.usage, "\(path) names a directory; give a file")
    }
    guard replaces || access(path, F_OK) != 0 else { throw Self.exists(path) }
    let name = temporary
    descriptor = retried { open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) }
    guard descriptor >= 0 else { throw Self.failure("create", temporary) }
    guard isOurs else {
      // It is another's: it stays.
      close(descriptor)
      descriptor = -1
      throw Failure(.failed, code: "busy", "\(temporary) is being written by another program")
    }
    // What an earlier attempt left.
    let file = descriptor
    guard retried({ ftruncate(file, 0) }) == 0 else { throw Self.failure("empty", temporary) }
  }

  /// Whether nobody else writes it, and it is what stands there: the one that had it before may have
  /// renamed it since it was opened.
  private var isOurs: Bool {
    var (mine, there) = (stat(), stat())
    return retried { flock(descriptor, LOCK_EX | LOCK_NB) } == 0 && fstat(descriptor, &mine) == 0
      && lstat(temporary, &there) == 0 && mine.st_ino == there.st_ino
      && mine.st_dev == there.st_dev && mine.st_mode & S_IFMT == S_IFREG
  }

  /// Takes away what was written, where it did not become whole.
  deinit {
    guard descriptor >= 0 else { return }
    unlink(temporary)
    close(descriptor)
  }

  func write(_ bytes: [UInt8]) throws(Failure) {
    let error = clinux_write_all(descriptor, bytes, bytes.count)
    guard error == 0 else {
      errno = error
      throw Self.failure("write", temporary)
    }
  }

  /// Makes it durable, and gives it its name.
  func finish() throws(Failure) {
    guard retried({ fsync(descriptor) }) == 0 else { throw Self.failure("sync", temporary) }
    // Open before it changes: an error in writing it out is reported to those that had it open by then.
    let parent = retried { open(Self.parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard parent >= 0 else { throw Self.failure("open the directory of", path) }
    defer { close(parent) }
    // Not every file system can refuse to replace in one step; it was looked for at the start too.
    if replaces || clinux_rename_new(temporary, path) != 0 {
      guard replaces || errno != EEXIST else { throw Self.exists(path) }
      guard rename(temporary, path) == 0 else { throw Self.failure("rename", temporary) }
    }
    close(descriptor)
    descriptor = -1
    guard retried({ fsync(parent) }) == 0 else { throw Self.failure("sync the directory of", path) }
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func failure(_ verb: String, _ path: String) -> Failure {
    let error = errno
    return Failure(
      error == EACCES || error == EPERM || error == EROFS ? .notAllowed : .failed,
      code: error == ENOSPC || error == EDQUOT ? "full" : "file",
      "cannot \(verb) \(path): \(String(cString: strerror(error)))")
  }

  private static func exists(_ path: String) -> Failure {
    Failure(.failed, code: "exists", "\(path) is there already; --force replaces it")
  }
}

/// What a signal interrupted is done again: it did not fail.
func retried(_ call: () -> Int32) -> Int32 {
  while true {
    let outcome = call()
    if outcome >= 0 || errno != EINTR { return outcome }
  }
}

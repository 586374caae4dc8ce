// The file of a backup, read from its beginning as often as needed.

import Backup
import Glibc
import TimelineModel

final class BackupInput {
  let path: String
  private let descriptor: Int32

  private static let pieceBytes = 256 << 10

  init(_ path: String) throws(Failure) {
    self.path = path
    descriptor = retried { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw OutputFile.failure("read", path) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Failure(
        .failed, code: "file", "cannot read \(path): it is no file, and a backup is read twice")
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func rewind() { lseek(descriptor, 0, SEEK_SET) }

  /// Takes the next piece of the file; false at its end.
  func read(
    _ body: (UnsafeBufferPointer<UInt8>) throws(BackupError) -> Void
  ) throws(Failure) -> Bool {
    try Interruption.check()
    let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.pieceBytes)
    defer { buffer.deallocate() }
    let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
    if count < 0 && errno == EINTR { return try read(body) }
    guard count >= 0 else { throw OutputFile.failure("read", path) }
    guard count > 0 else { return false }
    do throws(BackupError) {
      try body(UnsafeBufferPointer(rebasing: UnsafeBufferPointer(buffer)[..<count]))
    } catch { throw failure(error) }
    return true
  }

  func failure(_ error: BackupError) -> Failure {
    Failure(
      .verificationFailed, code: error == .notABackup ? "not-a-backup" : "damaged",
      "\(path): \(error.message)")
  }

  /// Reads all of it, and says what it holds.
  func check() throws(Failure) -> BackupContents {
    rewind()
    var reader = BackupFileReader()
    var progress: Progress?
    var lines = 0
    while try read({ (bytes) throws(BackupError) in
      try reader.take(bytes) { _, _, _ in lines += 1 }
    }) {
      if progress == nil, let position = reader.position {
        progress = Progress("checking", total: position.lines)
      }
      progress?.advance(to: lines)
    }
    do throws(BackupError) { return try reader.end() } catch { throw failure(error) }
  }
}

extension Position {
  /// Lines of all logs.
  var lines: Int { sizes.values.reduce(0) { $0 + Int($1) } }
}

// A file that is read whole: by its name, or standard input as `-`.

import Foundation

enum InputFile {
  static func read(_ path: String) throws(Failure) -> Data {
    if path == "-" { return try standardInput() }
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw failure(path) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure(path) }
    guard status.st_mode & S_IFMT != S_IFDIR else {
      throw Failure(.failed, code: "file", "cannot read \(path): it is a directory")
    }
    // A pipe or a device has no size to map.
    guard status.st_mode & S_IFMT == S_IFREG else { return try all(of: file, path) }
    do { return try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe) } catch {
      throw Failure(.failed, code: "file", "cannot read \(path): \(error.localizedDescription)")
    }
  }

  private static func standardInput() throws(Failure) -> Data {
    try all(of: STDIN_FILENO, "standard input")
  }

  /// By read(2): FileHandle ends the program where there is nothing to read from.
  private static func all(of file: Int32, _ name: String) throws(Failure) -> Data {
    var data = Data()
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = Foundation.read(file, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure(name) }
      guard count > 0 else { return data }
      // Else a device such as /dev/zero would be read until memory is gone.
      guard !buffer[..<count].contains(0) else {
        throw Failure(
          .failed, code: "file", "cannot read \(name): it is no text, it holds a byte 0")
      }
      data.append(contentsOf: buffer[..<count])
    }
  }

  private static func failure(_ name: String) -> Failure {
    Failure(.failed, code: "file", "cannot read \(name): \(String(cString: strerror(errno)))")
  }
}

// The real disk.

import CLinux
import Glibc
import TimelineModel

extension FileError {
  /// The error that errno holds now.
  static func last(_ operation: String, _ path: String) -> FileError {
    let code = errno
    let cause: Cause =
      switch code {
      case ENOENT: .notFound
      case ENOSPC, EDQUOT: .full
      case EACCES, EPERM, EROFS: .denied
      case EWOULDBLOCK: .isLocked
      case EMFILE, ENFILE: .tooManyFiles
      default: .other(code: code, text: String(cString: strerror(code)))
      }
    return FileError(operation, path, cause)
  }
}

/// Linux, through system calls.
public struct PosixFileSystem: FileSystem {
  public init() {}

  public func createDirectory(_ path: String) throws(FileError) {
    let parent: Directory
    do throws(FileError) { parent = try openParent(of: path) } catch {
      // Where we may not even read, it was somebody else who made it.
      if error.cause == .denied, access(path, F_OK) == 0 { return }
      guard error.cause == .notFound, Self.parent(path) != path else { throw error }
      try createDirectory(Self.parent(path))
      parent = try openParent(of: path)
    }
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw FileError.last("make directory", path)
    }
    // Also one that is there: its maker may have been killed before the sync.
    try parent.sync()
  }

  public func sync(directory path: String) throws(FileError) {
    try Directory(path).sync()
  }

  public func list(_ path: String) throws(FileError) -> [String] {
    let descriptor = retried { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      if errno == ENOENT { return [] }
      throw FileError.last("list", path)
    }
    guard let directory = fdopendir(descriptor) else {
      let error = FileError.last("list", path)
      close(descriptor)
      throw error
    }
    defer { closedir(directory) }
    var names: [String] = []
    while true {
      // Nothing more to read and a failure look the same but for errno.
      errno = 0
      guard let entry = readdir(directory) else {
        guard errno == 0 else { throw FileError.last("list", path) }
        return names.sorted()
      }
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  public func read(_ path: String) throws(FileError) -> [UInt8]? {
    let descriptor = retried { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw FileError.last("open", path)
    }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileError.last("read", path) }
      if count == 0 { return content }
      content.append(contentsOf: buffer[..<count])
    }
  }

  public func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
    let parent = try openParent(of: path)
    try bytes.withTypedBuffer { (bytes) throws(FileError) in
      try moveInPlace(path, [bytes], synced: true)
    }
    try parent.sync()
  }

  public func replaceCache(
    _ path: String, with pieces: [UnsafeRawBufferPointer]
  ) throws(FileError) {
    try moveInPlace(path, pieces.map { $0.bindMemory(to: UInt8.self) }, synced: false)
  }

  public func remove(_ path: String) throws(FileError) {
    let parent = try openParent(of: path)
    guard unlink(path) == 0 || errno == ENOENT else { throw FileError.last("remove", path) }
    try parent.sync()
  }

  /// Small pieces are gathered: an index has thousands.
  private func writeAll(
    _ pieces: [UnsafeBufferPointer<UInt8>], _ descriptor: Int32, _ path: String
  ) throws(FileError) {
    var gathered: [UInt8] = []
    func flush() throws(FileError) {
      try gathered.withTypedBuffer { (bytes) throws(FileError) in
        try PosixSegment.writeAll(descriptor, bytes, path)
      }
      gathered.removeAll(keepingCapacity: true)
    }
    for piece in pieces {
      if gathered.count + piece.count > Self.gatheredMax { try flush() }
      if piece.count > Self.gatheredMax {
        try PosixSegment.writeAll(descriptor, piece, path)
      } else {
        gathered += piece
      }
    }
    try flush()
  }

  private static let gatheredMax = 256 << 10

  /// Writes NAME.new and renames it; a failure leaves nothing behind.
  private func moveInPlace(
    _ path: String, _ pieces: [UnsafeBufferPointer<UInt8>], synced: Bool
  ) throws(FileError) {
    let temporary = path + ".new"
    let descriptor = retried {
      open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    }
    guard descriptor >= 0 else { throw FileError.last("create", temporary) }
    defer { close(descriptor) }
    do throws(FileError) {
      try writeAll(pieces, descriptor, temporary)
      if synced, retried({ fsync(descriptor) }) != 0 { throw FileError.last("sync", temporary) }
      guard rename(temporary, path) == 0 else { throw FileError.last("rename", path) }
    } catch {
      unlink(temporary)
      throw error
    }
  }

  public func map(_ path: String) throws(FileError) -> Memory? {
    let descriptor = retried { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw FileError.last("open", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw FileError.last("stat", path) }
    let length = Int(status.st_size)
    guard length > 0 else { return nil }
    guard let start = mmap(nil, length, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED
    else { throw FileError.last("map", path) }
    let memory = Memory(UnsafeRawBufferPointer(start: start, count: length)) {
      munmap(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
    }
    guard Self.isReadable(memory.bytes) else { throw FileError.last("read", path) }
    return memory
  }

  /// Whether the disk gives all of a mapped file. To look at a part that it does not would end the process,
  /// and every start after it.
  static func isReadable(_ file: UnsafeRawBufferPointer) -> Bool {
    let start = UnsafeMutableRawPointer(mutating: file.baseAddress)
    // A kernel that cannot say (before 5.14) answers EINVAL.
    return retried { madvise(start, file.count, MADV_POPULATE_READ) } == 0 || errno == EINVAL
  }

  public func openSegment(_ path: String, capacity: Int) throws(FileError) -> any SegmentFile {
    var parent: Directory?
    var descriptor = retried { open(path, O_RDWR | O_APPEND | O_CLOEXEC) }
    if descriptor < 0 && errno == ENOENT {
      parent = try openParent(of: path)
      descriptor = retried { open(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
    }
    guard descriptor >= 0 else { throw FileError.last("open", path) }
    let segment = try PosixSegment(owning: descriptor, path: path, capacity: capacity)
    // One that is empty was made by somebody who did not get as far as its first line.
    if parent == nil && segment.size == 0 { parent = try openParent(of: path) }
    try parent?.sync()
    return segment
  }

  public func lock(_ path: String) throws(FileError) -> any DirectoryLock {
    let file = path + "/lock"
    let descriptor = retried { open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
    guard descriptor >= 0 else { throw FileError.last("open", file) }
    guard retried({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 else {
      let error = FileError.last("lock", file)
      close(descriptor)
      throw error
    }
    // The holder's process number, for those that find it held: advice alone, so that a full disk is no reason not to start.
    let process = "\(getpid())\n"
    if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, process, process.utf8.count, 0) }
    return PosixLock(descriptor)
  }

  /// The directory that holds a file, to be opened before a change of its entries.
  private func openParent(of path: String) throws(FileError) -> Directory {
    try Directory(Self.parent(path))
  }

  private static func parent(_ path: String) -> String {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }
}

/// What a signal interrupted is done again: it did not fail.
private func retried(_ call: () -> Int32) -> Int32 {
  while true {
    let outcome = call()
    if outcome >= 0 || errno != EINTR { return outcome }
  }
}

/// A directory held open over a change of its entries: an error in writing them out is reported to
/// those that had it open by then, and perhaps to nobody else.
private final class Directory {
  private let descriptor: Int32
  private let path: String

  init(_ path: String) throws(FileError) {
    descriptor = retried { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    self.path = path
    guard descriptor >= 0 else { throw FileError.last("open", path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// A new, renamed or removed entry is durable only once its directory is.
  func sync() throws(FileError) {
    guard retried({ fsync(descriptor) }) != 0 else { return }
    // Whatever the reason was: what the disk holds is not known, and asking again may be answered
    // with a lie.
    let error = FileError.last("sync directory", path)
    throw FileError(error.operation, path, .unsynced(error.cause.text))
  }
}

private final class PosixLock: DirectoryLock {
  private let descriptor: Int32
  init(_ descriptor: Int32) { self.descriptor = descriptor }
  deinit { close(descriptor) }
}

/// A segment that is written by descriptor and read by mapping. The mapping is as long as the file
/// may ever be; only bytes below `size` are touched, so its end is never read past the file's.
/// One thread writes; `size` is read by that thread, and readers hold ranges that were there before.
private final class PosixSegment: SegmentFile, @unchecked Sendable {
  private let descriptor: Int32
  private let path: String
  private let base: UnsafeMutableRawPointer
  private let capacity: Int
  private(set) var size: Int

  init(owning descriptor: Int32, path: String, capacity: Int) throws(FileError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let error = FileError.last("stat", path)
      close(descriptor)
      throw error
    }
    let length = max(capacity, Int(status.st_size))
    guard let base = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED
    else {
      let error = FileError.last("map", path)
      close(descriptor)
      throw error
    }
    clinux_name_mapping(base, length)
    self.descriptor = descriptor
    self.path = path
    self.base = base
    self.capacity = length
    size = Int(status.st_size)
  }

  deinit {
    clinux_forget_mapping(base)
    munmap(base, capacity)
    close(descriptor)
  }

  func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: base.assumingMemoryBound(to: UInt8.self) + range.lowerBound, count: range.count)
  }

  func setAside() { madvise(base, capacity, MADV_DONTNEED) }

  func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(FileError) {
    try Self.writeAll(descriptor, bytes, path)
    size += bytes.count
  }

  func sync() throws(FileError) {
    guard retried({ fdatasync(descriptor) }) == 0 else { throw FileError.last("sync", path) }
  }

  func truncate(to size: Int) throws(FileError) {
    guard retried({ ftruncate(descriptor, off_t(size)) }) == 0,
      retried({ fsync(descriptor) }) == 0
    else {
      throw FileError.last("cut", path)
    }
    self.size = size
  }

  static func writeAll(
    _ descriptor: Int32, _ bytes: UnsafeBufferPointer<UInt8>, _ path: String
  ) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count = write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileError.last("write", path) }
      done += count
    }
  }
}

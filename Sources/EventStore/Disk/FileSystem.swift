// What the store asks of a disk, handed in, so that a crash can be rehearsed in memory. Every
// dangerous act has one function here: a change of a directory, a sync, a cut.

import TimelineModel

/// A system call that failed: which one, on what, and why.
public struct FileError: Error, Sendable, Hashable {
  public enum Cause: Sendable, Hashable {
    case notFound
    case full
    case denied
    case isLocked
    /// The process has too many files open.
    case tooManyFiles
    /// A sync failed: what is on the disk is not known any more.
    case unsynced(String)
    case other(code: Int32, text: String)

    public var text: String {
      switch self {
      case .notFound: "no such file or directory"
      case .full: "the disk is full"
      case .denied: "permission denied"
      case .isLocked: "another process holds it"
      case .tooManyFiles: "too many files are open"
      case .unsynced(let text), .other(_, let text): text
      }
    }
  }

  public var operation: String
  public var path: String
  public var cause: Cause

  public init(_ operation: String, _ path: String, _ cause: Cause) {
    self.operation = operation
    self.path = path
    self.cause = cause
  }

  public var message: String { "\(operation) \(path): \(cause.text)" }
}

/// A file that grows at its end and is read through memory.
public protocol SegmentFile: AnyObject, Sendable {
  /// The bytes that are there, in memory that stays where it is while the file grows.
  func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8>
  var size: Int { get }
  /// Writes all the bytes at the end, or throws; what a failed write left is cut by `truncate`.
  func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(FileError)
  /// Returns once everything appended is durable (fdatasync).
  func sync() throws(FileError)
  func truncate(to size: Int) throws(FileError)
  /// Says that the bytes are not needed for now: they stay readable, and count as nobody's memory.
  func setAside()
}

extension SegmentFile {
  public func setAside() {}
}

/// A lock that dies with the process, or when it is let go.
public protocol DirectoryLock: AnyObject, Sendable {}

public protocol FileSystem: Sendable {
  /// Makes the directory and its parents, durably; it may be there already, and is durable then too.
  /// Parents that are there are somebody else's care.
  func createDirectory(_ path: String) throws(FileError)
  /// Makes durable what was made, renamed and removed in a directory, by whomever.
  func sync(directory path: String) throws(FileError)
  /// The names in a directory, sorted; none where it does not exist.
  func list(_ path: String) throws(FileError) -> [String]
  /// The whole of a small file; nil where there is none.
  func read(_ path: String) throws(FileError) -> [UInt8]?
  /// Replaces a small file in one step, durably: a reader finds the old one or the new one.
  func replace(_ path: String, with bytes: [UInt8]) throws(FileError)
  /// Replaces a file that may be lost or torn in a crash, in one step for concurrent readers.
  func replaceCache(_ path: String, with pieces: [UnsafeRawBufferPointer]) throws(FileError)
  /// Removes a file, durably; it may be gone already.
  func remove(_ path: String) throws(FileError)
  /// A file as memory that stays as it is while the file is replaced; nil where there is none.
  func map(_ path: String) throws(FileError) -> Memory?
  /// Opens a segment, making it where it is not there. The entry of an empty one is durable then.
  func openSegment(_ path: String, capacity: Int) throws(FileError) -> any SegmentFile
  /// Takes the lock of a directory; `isLocked` where another process has it.
  func lock(_ path: String) throws(FileError) -> any DirectoryLock
}

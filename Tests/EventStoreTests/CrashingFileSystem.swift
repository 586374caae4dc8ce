// The file system of the store, in memory, step by step as `PosixFileSystem` does it on Linux: each
// system call that changes something is one operation in one list over all files, so that a test can
// ask afterwards what a power cut or a kill behind any of them would have left (CrashStates.swift).
//
//     replace       open the directory · create NAME.new · write · fsync · rename · fsync of the directory
//     replaceCache  create NAME.new · writes · rename          (a failure of either removes NAME.new)
//     remove        open the directory · unlink · fsync of the directory
//     openSegment   open the directory · create · fsync of the directory
//                                                              (of a file with bytes in it: nothing)
//     append        write;  sync: fdatasync;  truncate: ftruncate · fsync
//
// It can be told to fail a call, once or from there on, and to leave a sync out: a mutant, which the
// checks have to notice, else they would notice nothing. Like the owner of a timeline it belongs to
// one thread at a time; the memory that it hands out may be read by any.
//
// A change of `PosixFileSystem` is a change of this file too.

import Glibc

@testable import EventStore

final class CrashingFileSystem: FileSystem, @unchecked Sendable {
  /// A call that fails.
  struct Fault {
    enum Cause: CaseIterable {
      case inputOutput
      /// Found out late: a sync, too, may be the one that says so.
      case full
      /// No block is left for a new file or for more bytes; what is there is as it was.
      case noRoom
      case tooManyFiles

      var error: FileError.Cause {
        switch self {
        case .inputOutput: .other(code: EIO, text: "Input/output error")
        case .full, .noRoom: .full
        case .tooManyFiles: .tooManyFiles
        }
      }

      /// Only what opens a file can lack a descriptor; only what may need a block can lack one.
      func strikes(_ call: Call) -> Bool {
        switch self {
        case .inputOutput: true
        case .full: call != .open
        case .noRoom: call == .create || call == .makeDirectory || call == .write
        case .tooManyFiles: call == .open || call == .create
        }
      }
    }

    /// Counted from 1 over the calls that the cause may strike.
    var number: Int
    var cause: Cause
    var goesOn: Bool
  }

  enum Call { case open, create, makeDirectory, write, cut, rename, remove, sync, syncDirectory }

  /// A step that is left out, or done too late.
  enum Mutant: CaseIterable {
    case noSyncOfSegment
    case noSyncOfSegmentsDirectory
    case noSyncOfParentDirectory
    case noSyncInReplace
    case acknowledgesBeforeSync
  }

  private(set) var disk: SimulatedDisk
  private(set) var operations: [SimulatedDisk.Operation] = []
  /// Calls that the fault's cause may strike.
  private(set) var calls = 0
  /// Whether a cut was among the calls that failed.
  private(set) var hasFailedToCut = false
  var fault: Fault?
  private let mutant: Mutant?
  private var lateSync: SimulatedDisk.Operation?
  private weak var holder: MemoryLock?

  init(_ disk: SimulatedDisk = SimulatedDisk(), mutant: Mutant? = nil) {
    self.disk = disk
    self.mutant = mutant
  }

  // MARK: Steps

  fileprivate func perform(_ operation: SimulatedDisk.Operation) {
    if let late = lateSync {
      lateSync = nil
      perform(late)
    }
    operations.append(operation)
    disk.apply(operation)
  }

  fileprivate func enter(_ call: Call, _ name: String, _ path: String) throws(FileError) {
    guard let fault, fault.cause.strikes(call) else { return }
    calls += 1
    guard fault.goesOn ? calls >= fault.number : calls == fault.number else { return }
    if call == .cut { hasFailedToCut = true }
    throw FileError(name, path, fault.cause.error)
  }

  private func split(_ path: String) -> (parent: String, name: String) {
    let slash = path.lastIndex(of: "/")!
    return (String(path[..<slash]), String(path[path.index(after: slash)...]))
  }

  private func directory(_ path: String, _ operation: String) throws(FileError) -> Int {
    guard case .directory(let number)? = disk.node(path) else {
      throw FileError(operation, path, .notFound)
    }
    return number
  }

  /// The number of a file; nil where there is none.
  private func file(_ path: String) -> Int? {
    if case .file(let number)? = disk.node(path) { number } else { nil }
  }

  private func syncDirectory(_ path: String, _ mutant: Mutant?) throws(FileError) {
    do throws(FileError) {
      try enter(.syncDirectory, "sync directory", path)
    } catch {
      throw FileError(error.operation, path, .unsynced(error.cause.text))
    }
    guard mutant == nil || mutant != self.mutant else { return }
    perform(.syncDirectory(try directory(path, "open")))
  }

  /// Opens NAME.new, empty.
  private func openTemporary(_ path: String) throws(FileError) -> Int {
    try enter(.create, "create", path)
    if let file = file(path) {
      perform(.cut(file, to: 0))
      return file
    }
    let (parent, name) = split(path)
    perform(.create(name, in: try directory(parent, "create")))
    return disk.files.count - 1
  }

  /// A write that fails leaves its first half.
  fileprivate func write(
    _ bytes: UnsafeBufferPointer<UInt8>, to file: Int, _ path: String
  ) throws(FileError) {
    do throws(FileError) {
      try enter(.write, "write", path)
    } catch {
      perform(.append(Array(bytes.prefix(bytes.count / 2)), to: file))
      throw error
    }
    perform(.append(Array(bytes), to: file))
  }

  private func rename(_ path: String, to new: String) throws(FileError) {
    try enter(.rename, "rename", new)
    let (parent, name) = split(path)
    perform(.rename(name, to: split(new).name, in: try directory(parent, "rename")))
  }

  fileprivate func sync(
    _ file: Int, _ name: String, _ path: String, _ mutant: Mutant?
  ) throws(FileError) {
    do throws(FileError) {
      try enter(.sync, name, path)
    } catch {
      perform(.failSync(file))
      throw error
    }
    guard mutant == nil || mutant != self.mutant else { return }
    if self.mutant == .acknowledgesBeforeSync && mutant == .noSyncOfSegment {
      lateSync = .syncFile(file)
    } else {
      perform(.syncFile(file))
    }
  }

  fileprivate func cut(_ file: Int, to size: Int, _ path: String) throws(FileError) {
    try enter(.cut, "cut", path)
    perform(.cut(file, to: size))
    do throws(FileError) {
      try enter(.sync, "cut", path)
    } catch {
      hasFailedToCut = true
      throw error
    }
    perform(.syncFile(file))
  }

  // MARK: FileSystem

  func createDirectory(_ path: String) throws(FileError) {
    let (parent, name) = split(path)
    try enter(.open, "open", parent)
    if disk.node(parent) == nil {
      try createDirectory(parent)
      try enter(.open, "open", parent)
    }
    // One that is there says so first, however full the disk is.
    if disk.node(path) == nil {
      try enter(.makeDirectory, "make directory", path)
      perform(.makeDirectory(name, in: try directory(parent, "make directory")))
    }
    try syncDirectory(parent, .noSyncOfParentDirectory)
  }

  func sync(directory path: String) throws(FileError) {
    try syncDirectory(path, .noSyncOfParentDirectory)
  }

  func list(_ path: String) throws(FileError) -> [String] {
    try enter(.open, "list", path)
    guard case .directory(let number)? = disk.node(path) else { return [] }
    return disk.directories[number].current.keys.sorted()
  }

  func read(_ path: String) throws(FileError) -> [UInt8]? {
    try enter(.open, "open", path)
    return file(path).map { disk.files[$0].current.bytes }
  }

  func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
    let parent = split(path).parent
    try enter(.open, "open", parent)
    try bytes.withTypedBuffer { (bytes) throws(FileError) in
      try moveInPlace(path, [bytes], synced: true)
    }
    try syncDirectory(parent, nil)
  }

  func replaceCache(
    _ path: String, with pieces: [UnsafeRawBufferPointer]
  ) throws(FileError) {
    try moveInPlace(
      path, pieces.filter { !$0.isEmpty }.map { $0.bindMemory(to: UInt8.self) }, synced: false)
  }

  private func moveInPlace(
    _ path: String, _ pieces: [UnsafeBufferPointer<UInt8>], synced: Bool
  ) throws(FileError) {
    let temporary = path + ".new"
    let file = try openTemporary(temporary)
    do throws(FileError) {
      for piece in pieces { try write(piece, to: file, temporary) }
      if synced { try sync(file, "sync", temporary, .noSyncInReplace) }
      try rename(temporary, to: path)
    } catch {
      let (parent, name) = split(temporary)
      perform(.remove(name, in: try directory(parent, "remove")))
      throw error
    }
  }

  func remove(_ path: String) throws(FileError) {
    let (parent, name) = split(path)
    try enter(.open, "open", parent)
    try enter(.remove, "remove", path)
    if file(path) != nil { perform(.remove(name, in: try directory(parent, "remove"))) }
    try syncDirectory(parent, nil)
  }

  func map(_ path: String) throws(FileError) -> Memory? {
    try enter(.open, "open", path)
    guard let file = file(path), disk.files[file].current.count > 0 else { return nil }
    let memory = Self.memory(of: disk.files[file].current, room: 0)
    return Memory(UnsafeRawBufferPointer(memory)) {
      munmap(UnsafeMutableRawPointer(mutating: $0.baseAddress), $0.count)
    }
  }

  func openSegment(_ path: String, capacity: Int) throws(FileError) -> any SegmentFile {
    try enter(.open, "open", path)
    let (parent, name) = split(path)
    let isNew = file(path) == nil
    if isNew {
      try enter(.open, "open", parent)
      try enter(.create, "open", path)
      perform(.create(name, in: try directory(parent, "open")))
    }
    let segment = MemorySegment(self, file(path)!, path)
    guard segment.size == 0 else { return segment }
    if !isNew { try enter(.open, "open", parent) }
    try syncDirectory(parent, .noSyncOfSegmentsDirectory)
    return segment
  }

  func lock(_ path: String) throws(FileError) -> any DirectoryLock {
    let name = path + "/lock"
    try enter(file(name) == nil ? .create : .open, "open", name)
    if file(name) == nil { perform(.create("lock", in: try directory(path, "open"))) }
    guard holder == nil else { throw FileError("lock", name, .isLocked) }
    let lock = MemoryLock()
    holder = lock
    return lock
  }

  /// A content in memory of its own, with room to grow where it is.
  fileprivate static func memory(
    of content: SimulatedDisk.Content, room: Int
  ) -> UnsafeMutableRawBufferPointer {
    let length = content.count + room
    let start = mmap(
      nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)!
    precondition(start != MAP_FAILED, "no memory for a simulated file")
    if let image = content.image {
      _ = mmap(
        start, image.count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, image.descriptor, 0)
    }
    content.bytes.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      (start + (content.count - bytes.count)).copyMemory(from: base, byteCount: bytes.count)
    }
    return UnsafeMutableRawBufferPointer(start: start, count: length)
  }
}

private final class MemoryLock: DirectoryLock {}

/// A segment: its memory stays where it is while the file grows.
private final class MemorySegment: SegmentFile, @unchecked Sendable {
  /// More than any of these tests appends to one segment while it is open.
  private static let room = 1 << 20

  private let fileSystem: CrashingFileSystem
  private let file: Int
  private let path: String
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var size: Int

  init(_ fileSystem: CrashingFileSystem, _ file: Int, _ path: String) {
    self.fileSystem = fileSystem
    self.file = file
    self.path = path
    let content = fileSystem.disk.files[file].current
    memory = CrashingFileSystem.memory(of: content, room: Self.room)
    size = content.count
  }

  deinit { munmap(memory.baseAddress, memory.count) }

  func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
      start: memory.baseAddress!.assumingMemoryBound(to: UInt8.self) + range.lowerBound,
      count: range.count)
  }

  func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(FileError) {
    try fileSystem.write(bytes, to: file, path)
    // A cut that failed leaves the file longer than this segment knows: the kernel appends there.
    let end = fileSystem.disk.files[file].current.count
    precondition(end <= memory.count, "a simulated segment has outgrown its memory")
    let content = fileSystem.disk.files[file].current
    let known = content.count - bytes.count
    UnsafeMutableRawBufferPointer(rebasing: memory[known..<end]).copyMemory(
      from: UnsafeRawBufferPointer(bytes))
    size += bytes.count
  }

  func sync() throws(FileError) { try fileSystem.sync(file, "sync", path, .noSyncOfSegment) }

  func truncate(to size: Int) throws(FileError) {
    try fileSystem.cut(file, to: size, path)
    self.size = size
  }
}

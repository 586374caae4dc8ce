// The disk of one simulated machine: what is synced stays, what is not may go in a crash, in part or
// whole. After each operation the power may fail (`fuse`); then every call fails until `restart`, and
// whatever the machine did in that step is not seen by anybody.

import EventStore
import Glibc
import Support

/// A file's content, in memory that stays where it is.
private final class Inode: @unchecked Sendable {
  /// A segment at its longest, and some more.
  static let room = 65 << 20

  private(set) var memory: UnsafeMutableRawBufferPointer
  var size = 0
  /// Bytes that a crash cannot take.
  var durable = 0

  private static let mappedFrom = 1 << 20
  private var isMapped: Bool { memory.count >= Self.mappedFrom }

  init(room: Int) {
    guard room >= Self.mappedFrom else {
      memory = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
      return
    }
    let start = mmap(
      nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)!
    guard start != MAP_FAILED else { fatalError("no memory for a simulated file") }
    memory = UnsafeMutableRawBufferPointer(start: start, count: room)
  }

  deinit { if isMapped { munmap(memory.baseAddress, memory.count) } else { memory.deallocate() } }

  func append(_ bytes: UnsafeRawBufferPointer) {
    guard size + bytes.count <= memory.count else { fatalError("a simulated file is too long") }
    UnsafeMutableRawBufferPointer(rebasing: memory[size...]).copyMemory(from: bytes)
    size += bytes.count
  }

  var bytes: [UInt8] { Array(UnsafeRawBufferPointer(rebasing: memory[..<size])) }
}

final class SimulatedFileSystem: FileSystem, @unchecked Sendable {
  private var random: SplitMix
  /// What the names lead to now, and what they would after a crash.
  private var names: [String: Inode] = [:]
  private var durableNames: [String: Inode] = [:]
  private weak var holder: Lock?

  /// The power fails after so many operations; nil: not at all.
  var fuse: Int?
  private(set) var isOff = false
  /// Whether there is no room for more.
  var isFull = false
  /// The next sync of a segment fails.
  var failsSync = false
  /// Whether something could not be written since the start.
  private(set) var hasFailed = false

  init(seed: UInt64) { random = SplitMix(seed: seed) }

  // MARK: Crashes

  /// The power is off: nothing more is done.
  func cutPower() { isOff = true }

  /// What a crash left is what there is.
  func restart() {
    for path in Set(names.keys).union(durableNames.keys).sorted() {
      if names[path] !== durableNames[path], Bool.random(using: &random) {
        names[path] = durableNames[path]
      }
    }
    for path in names.keys.sorted() {
      let inode = names[path]!
      guard inode.size > inode.durable else { continue }
      // Of what was not synced a part is there, some of it perhaps as blocks that were never written.
      inode.size = Int.random(in: inode.durable...inode.size, using: &random)
      if inode.size > inode.durable, Int.random(in: 0..<4, using: &random) == 0 {
        let from = Int.random(in: inode.durable..<inode.size, using: &random)
        memset(inode.memory.baseAddress! + from, 0, inode.size - from)
      }
      inode.durable = inode.size
    }
    durableNames = names
    (isOff, fuse, isFull, failsSync, hasFailed, holder) = (false, nil, false, false, false, nil)
  }

  /// Turns a bit of a byte of a file, behind the back of its readers; false where there is no such byte.
  func damage(_ path: String, at place: Int) -> Bool {
    guard let inode = names[path], place < inode.size else { return false }
    inode.memory[place] ^= 1
    return true
  }

  /// Turns a byte of a line that is on the disk, behind the back of whoever has it open.
  func damage(_ directory: String) -> Bool {
    let segments = names.keys.filter { $0.hasPrefix(directory) && $0.hasSuffix(".jsonl") }.sorted()
    guard let path = segments.randomElement(using: &random), let inode = names[path],
      inode.durable > 0
    else { return false }
    let place = Int.random(in: 0..<inode.durable, using: &random)
    inode.memory[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    return true
  }

  private var hasRoom: Bool {
    hasFailed = hasFailed || isFull
    return !isFull
  }

  private func act(_ operation: String, _ path: String) throws(FileError) {
    if let left = fuse {
      fuse = left - 1
      if left <= 0 { isOff = true }
    }
    guard !isOff else { throw FileError(operation, path, .other(code: EIO, text: "no power")) }
  }

  // MARK: FileSystem

  func createDirectory(_ path: String) throws(FileError) { try act("make directory", path) }

  func sync(directory path: String) throws(FileError) {
    try act("sync", path)
    for name in names.keys.filter({ $0.hasPrefix(path + "/") }) { durableNames[name] = names[name] }
    for name in durableNames.keys.filter({ $0.hasPrefix(path + "/") }) where names[name] == nil {
      durableNames[name] = nil
    }
  }

  func list(_ path: String) throws(FileError) -> [String] {
    guard !isOff else { throw FileError("list", path, .other(code: EIO, text: "no power")) }
    let prefix = path + "/"
    var found: Set<String> = []
    for name in names.keys where name.hasPrefix(prefix) {
      found.insert(String(name.dropFirst(prefix.count).prefix { $0 != "/" }))
    }
    return found.sorted()
  }

  func read(_ path: String) throws(FileError) -> [UInt8]? {
    guard !isOff else { throw FileError("read", path, .other(code: EIO, text: "no power")) }
    return names[path]?.bytes
  }

  func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
    guard hasRoom else { throw FileError("write", path, .full) }
    try act("write", path)
    let inode = Inode(room: max(4096, bytes.count))
    bytes.withUnsafeBytes { inode.append($0) }
    inode.durable = inode.size
    names[path] = inode
    try act("sync", path)
    durableNames[path] = inode
  }

  func replaceCache(
    _ path: String, with pieces: [UnsafeRawBufferPointer]
  ) throws(FileError) {
    guard hasRoom else { throw FileError("write", path, .full) }
    try act("write", path)
    let inode = Inode(room: max(4096, pieces.reduce(0) { $0 + $1.count }))
    for piece in pieces { inode.append(piece) }
    names[path] = inode
  }

  func remove(_ path: String) throws(FileError) {
    try act("remove", path)
    names[path] = nil
    try act("sync", path)
    durableNames[path] = nil
  }

  func map(_ path: String) throws(FileError) -> Memory? {
    guard !isOff else { throw FileError("map", path, .other(code: EIO, text: "no power")) }
    guard let inode = names[path], inode.size > 0 else { return nil }
    return Memory(UnsafeRawBufferPointer(rebasing: inode.memory[..<inode.size])) { _ in
      withExtendedLifetime(inode) {}
    }
  }

  func openSegment(_ path: String, capacity: Int) throws(FileError) -> any SegmentFile {
    if names[path] == nil {
      guard hasRoom else { throw FileError("open", path, .full) }
      try act("open", path)
      names[path] = Inode(room: Inode.room)
      try act("sync", path)
      durableNames[path] = names[path]
    }
    guard !isOff else { throw FileError("open", path, .other(code: EIO, text: "no power")) }
    let inode = names[path]!
    // One that was put in place as a whole grows from here on.
    if inode.memory.count < Inode.room {
      let grown = Inode(room: Inode.room)
      inode.bytes.withUnsafeBytes { grown.append($0) }
      grown.durable = inode.durable
      if durableNames[path] === inode { durableNames[path] = grown }
      names[path] = grown
    }
    return Segment(self, names[path]!, path)
  }

  func lock(_ path: String) throws(FileError) -> any DirectoryLock {
    guard holder == nil else { throw FileError("lock", path, .isLocked) }
    let lock = Lock()
    holder = lock
    return lock
  }

  private final class Lock: DirectoryLock {}

  private final class Segment: SegmentFile, @unchecked Sendable {
    private let fileSystem: SimulatedFileSystem
    private let inode: Inode
    private let path: String

    init(_ fileSystem: SimulatedFileSystem, _ inode: Inode, _ path: String) {
      self.fileSystem = fileSystem
      self.inode = inode
      self.path = path
    }

    var size: Int { inode.size }

    func bytes(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
      UnsafeBufferPointer(
        start: inode.memory.baseAddress!.assumingMemoryBound(to: UInt8.self) + range.lowerBound,
        count: range.count)
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) throws(FileError) {
      guard fileSystem.hasRoom else {
        // Some of it found room.
        inode.append(
          UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: bytes[..<(bytes.count / 2)])))
        throw FileError("write", path, .full)
      }
      do throws(FileError) { try fileSystem.act("write", path) } catch {
        inode.append(
          UnsafeRawBufferPointer(
            UnsafeBufferPointer(
              rebasing: bytes[..<Int.random(in: 0...bytes.count, using: &fileSystem.random)])))
        throw error
      }
      inode.append(UnsafeRawBufferPointer(bytes))
    }

    func sync() throws(FileError) {
      if fileSystem.failsSync {
        fileSystem.failsSync = false
        throw FileError("sync", path, .other(code: EIO, text: "Input/output error"))
      }
      try fileSystem.act("sync", path)
      inode.durable = inode.size
    }

    func truncate(to size: Int) throws(FileError) {
      try fileSystem.act("truncate", path)
      inode.size = size
      inode.durable = min(inode.durable, size)
    }
  }
}

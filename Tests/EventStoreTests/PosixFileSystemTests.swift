import Foundation
import Testing

@testable import EventStore

/// The real disk; what it does when its calls fail is in Tests/Daemon/test_faults.py.
@Suite("The real disk")
struct PosixFileSystemTests {
  @Test("A file that cannot be replaced leaves nothing behind")
  func replaceFails() throws {
    let scratch = Scratch()
    let system = PosixFileSystem()
    try system.createDirectory(scratch.path + "/in the way")
    let path = scratch.path + "/in the way"
    #expect(throws: FileError.self) { try system.replace(path, with: [1, 2, 3]) }
    #expect(throws: FileError.self) { try system.replaceCache(path, with: []) }
    #expect(try system.list(scratch.path) == ["in the way"])
  }

  @Test("Directories are made with their parents, and may be there already")
  func directories() throws {
    let scratch = Scratch()
    let system = PosixFileSystem()
    for _ in 0..<2 {
      try system.createDirectory(scratch.path + "/a/b/c/")
      #expect(try system.list(scratch.path + "/a/b") == ["c"])
    }
    // Behind a link that leads nowhere there is none to be made.
    try FileManager.default.createSymbolicLink(
      atPath: scratch.path + "/link", withDestinationPath: scratch.path + "/nowhere")
    #expect(throws: FileError.self) { try system.createDirectory(scratch.path + "/link/d") }
  }

  @Test("A mapped file of which the disk does not give a part is none, and ends nothing")
  func unreadable() throws {
    let path = Scratch().path + "-pages"
    let file = Array(repeating: UInt8(1), count: 3 * 4096)
    try PosixFileSystem().replace(path, with: file)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let memory = try #require(try PosixFileSystem().map(path))
    #expect(memory.bytes.elementsEqual(file))
    // What lies behind the end of a file raises the same signal as a sector that cannot be read.
    #expect(truncate(path, 4096) == 0)
    #expect(!PosixFileSystem.isReadable(memory.bytes))
    #expect(
      PosixFileSystem.isReadable(UnsafeRawBufferPointer(rebasing: memory.bytes[..<4096])))
  }
}

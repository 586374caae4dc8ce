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
}

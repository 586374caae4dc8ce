// A disk as a value: what is on it for good, and what a power cut may still take. Operations are what
// a file system does, one at a time, over all files and directories in one order:
//
//     append ─▶ pending ──(sync of the file)──────────▶ durable
//     create, rename ─▶ pending ──(sync of the directory)──▶ durable
//
// The present (`current`) is what a process sees: the page cache. It survives the death of a process;
// after a power cut there is the durable part, and of each pending change a part, or garbage, or
// nothing: CrashStates.swift. A sync of a file says nothing of its name, and the other way round, as
// POSIX has it; journals of real file systems promise more, and nothing here leans on that.
//
// To add a kind of operation: a case here, its effect in `apply`, and what a power cut may make of it.

import Glibc

/// Bytes that a file begins with, too many to be copied: those of a nearly full segment.
final class DiskImage: Sendable {
  let descriptor: Int32
  let count: Int

  init(_ bytes: [UInt8]) {
    // A file without a name goes with its last descriptor.
    var name = Array("/tmp/timeline-image-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    unlink(name)
    count = bytes.count
    var done = 0
    bytes.withUnsafeBytes { bytes in
      while done < bytes.count {
        done += write(descriptor, bytes.baseAddress! + done, bytes.count - done)
      }
    }
  }

  deinit { close(descriptor) }
}

struct SimulatedDisk: Sendable {
  enum Node: Sendable, Hashable {
    case file(Int)
    case directory(Int)
  }

  /// Files and directories by number; the root is directory 0. A name stays within its directory.
  enum Operation: Sendable {
    case makeDirectory(String, in: Int)
    case create(String, in: Int)
    case append([UInt8], to: Int)
    case cut(Int, to: Int)
    case rename(String, to: String, in: Int)
    case remove(String, in: Int)
    case syncFile(Int)
    case syncDirectory(Int)
    /// A sync that failed: the page cache goes on showing what the disk will never hold, and the next
    /// sync says that all is well.
    case failSync(Int)
  }

  struct Content: Sendable {
    var image: DiskImage?
    /// What follows the image.
    var bytes: [UInt8] = []

    private var start: Int { image?.count ?? 0 }
    var count: Int { start + bytes.count }

    mutating func write(_ new: [UInt8], at offset: Int) {
      let from = offset - start
      if bytes.count < from { bytes += [UInt8](repeating: 0, count: from - bytes.count) }
      let covered = min(bytes.count - from, new.count)
      bytes.replaceSubrange(from..<from + covered, with: new)
    }

    /// Cuts off, or fills up with zeros.
    mutating func resize(to size: Int) {
      let kept = size - start
      if kept < bytes.count {
        bytes.removeSubrange(kept...)
      } else {
        bytes += [UInt8](repeating: 0, count: kept - bytes.count)
      }
    }
  }

  enum Change: Sendable {
    case write([UInt8], at: Int)
    case cut(to: Int)
  }

  struct File: Sendable {
    var durable = Content()
    var current = Content()
    /// What leads from the durable content to the current one; a change that a failed sync dropped
    /// is in the current one alone.
    var pending: [Change] = []
  }

  enum EntryChange: Sendable {
    case add(String, Node)
    case remove(String)
  }

  struct Directory: Sendable {
    var durable: [String: Node] = [:]
    var current: [String: Node] = [:]
    var pending: [EntryChange] = []

    mutating func change(_ change: EntryChange) {
      pending.append(change)
      Self.apply(change, to: &current)
    }

    static func apply(_ change: EntryChange, to entries: inout [String: Node]) {
      switch change {
      case .add(let name, let node): entries[name] = node
      case .remove(let name): entries[name] = nil
      }
    }
  }

  var files: [File] = []
  var directories = [Directory()]

  var isSynced: Bool {
    files.allSatisfy { $0.pending.isEmpty } && directories.allSatisfy { $0.pending.isEmpty }
  }

  /// What a path names now; nil where there is nothing.
  func node(_ path: String) -> Node? {
    var node = Node.directory(0)
    for name in path.split(separator: "/") {
      guard case .directory(let number) = node,
        let next = directories[number].current[String(name)]
      else { return nil }
      node = next
    }
    return node
  }

  /// The paths of all files, sorted.
  var paths: [String] {
    func below(_ number: Int, _ path: String) -> [String] {
      directories[number].current.flatMap { name, node in
        switch node {
        case .file: [path + "/" + name]
        case .directory(let number): below(number, path + "/" + name)
        }
      }
    }
    return below(0, "").sorted()
  }

  subscript(file path: String) -> [UInt8] {
    get {
      guard case .file(let number)? = node(path) else { return [] }
      return files[number].current.bytes
    }
    set {
      guard case .file(let number)? = node(path) else { return }
      files[number].current.bytes = newValue
      files[number].durable = files[number].current
    }
  }

  mutating func apply(_ operation: Operation) {
    switch operation {
    case .makeDirectory(let name, let parent):
      directories.append(Directory())
      directories[parent].change(.add(name, .directory(directories.count - 1)))
    case .create(let name, let parent):
      files.append(File())
      directories[parent].change(.add(name, .file(files.count - 1)))
    case .append(let bytes, let file):
      let offset = files[file].current.count
      if case .write(let before, let start)? = files[file].pending.last {
        files[file].pending[files[file].pending.count - 1] = .write(before + bytes, at: start)
      } else {
        files[file].pending.append(.write(bytes, at: offset))
      }
      files[file].current.write(bytes, at: offset)
    case .cut(let file, let size):
      files[file].pending.append(.cut(to: size))
      files[file].current.resize(to: size)
    case .rename(let name, let new, let directory):
      // As two changes, either of which a power cut may undo: both names, or none.
      directories[directory].change(.add(new, directories[directory].current[name]!))
      directories[directory].change(.remove(name))
    case .remove(let name, let directory):
      directories[directory].change(.remove(name))
    case .syncFile(let file):
      for change in files[file].pending { files[file].durable.apply(change) }
      files[file].pending = []
    case .syncDirectory(let directory):
      for change in directories[directory].pending {
        Directory.apply(change, to: &directories[directory].durable)
      }
      directories[directory].pending = []
    case .failSync(let file):
      files[file].pending = []
    }
  }
}

extension SimulatedDisk.Content {
  mutating func apply(_ change: SimulatedDisk.Change) {
    switch change {
    case .write(let bytes, let offset): write(bytes, at: offset)
    case .cut(let size): resize(to: size)
    }
  }
}

// A daemon's data directory: one lock, one format version, its timelines.
//
//     DATA/lock                       held while a daemon runs
//     DATA/data.json                  {"format":"timeline-data","version":1}
//     DATA/keys/heads.pem             what this machine signs the heads of its logs with
//     DATA/timelines/NAME/…           Timeline

import TimelineModel
import TransparencyLog

/// Why a data directory was not opened.
public enum OpenError: Error, Sendable, Hashable {
  case inUse(path: String)
  case otherVersion(path: String, found: String)
  case notOurs(path: String)
  case damagedFile(path: String, reason: String)
  case disk(FileError)

  public var message: String {
    switch self {
    case .inUse(let path):
      "\(path) is in use by another timelined; stop that one, or give another --data"
    case .otherVersion(let path, let found):
      "\(path) has format version \(found), this timelined reads version "
        + "\(DataDirectory.formatVersion); install a newer one (nothing was written)"
    case .notOurs(let path):
      "\(path) is not empty and not a data directory of timelined; give another --data"
    case .damagedFile(let path, let reason):
      "\(path) cannot be read (\(reason)); put back a copy of it from a backup"
    case .disk(let error): error.message
    }
  }
}

public final class DataDirectory {
  public static let formatVersion = 1

  public let path: String
  private let fileSystem: any FileSystem
  private let lock: any DirectoryLock

  /// Opens or makes a data directory, and holds it until it goes away. Nothing is written to one of
  /// another format version.
  public init(_ path: String, fileSystem: any FileSystem) throws(OpenError) {
    self.path = path
    self.fileSystem = fileSystem
    let marker = path + "/data.json"
    let found = try Self.onDisk { () throws(FileError) in try fileSystem.read(marker) }
    if let found {
      try Self.check(found, path)
    } else {
      let isOurs = try Self.onDisk { () throws(FileError) in
        let names = try fileSystem.list(path)
        let timelines = try fileSystem.list(path + "/timelines")
        // A first start that a crash cut short may have left these; a restore puts the key there.
        let ours = ["lock", "timelines", "keys"]
        return timelines.isEmpty
          && names.allSatisfy { ours.contains($0) || $0.hasSuffix(".new") }
      }
      guard isOurs else { throw .notOurs(path: path) }
    }
    do throws(FileError) {
      try fileSystem.createDirectory(path)
      lock = try fileSystem.lock(path)
      if found == nil {
        let text = JSONValue.object([
          "format": .string("timeline-data"), "version": .int(Self.formatVersion),
        ]).text
        try fileSystem.replace(marker, with: Array((text + "\n").utf8))
      }
    } catch {
      throw error.cause == .isLocked ? .inUse(path: path) : .disk(error)
    }
  }

  private static func check(_ marker: [UInt8], _ path: String) throws(OpenError) {
    let json = marker.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let json, json["format"]?.string == "timeline-data" else { throw .notOurs(path: path) }
    guard json["version"]?.int == formatVersion else {
      throw .otherVersion(path: path, found: json["version"]?.text ?? "unknown")
    }
  }

  /// Opens a timeline; `main` is made where it is not there yet.
  ///
  /// - Parameters:
  ///   - newReplica: the id of this machine's log, should the timeline be new, or its log be one that
  ///     it cannot sign any more: of a key that was lost, or with a damaged line.
  ///   - key: what signs this machine's heads; nil for none.
  public func openTimeline(
    _ name: String, newReplica: ReplicaID, key: SigningKey? = nil
  ) throws(OpenError) -> Timeline {
    let directory = path + "/timelines/" + name
    let file = directory + "/timeline.json"
    let found = try Self.onDisk { () throws(FileError) in try fileSystem.read(file) }
    guard let found else {
      let logs = try Self.onDisk { () throws(FileError) in try fileSystem.list(directory + "/logs")
      }
      guard logs.isEmpty else {
        throw .damagedFile(path: file, reason: "it is missing, while logs are there")
      }
      return try begin(name, .main, newReplica, key, directory)
    }
    let json = found.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let id = json?["timeline"]?.string.flatMap({ TimelineID($0) }),
      let replica = json?["replica"]?.string.flatMap({ ReplicaID($0) })
    else { throw .damagedFile(path: file, reason: "no timeline and replica in it") }
    let timeline = try open(name, id, replica, key, directory)
    guard timeline.wantsNewLog else { return timeline }
    let next = try begin(name, id, newReplica, key, directory)
    next.leftLog = replica
    return next
  }

  private func begin(
    _ name: String, _ id: TimelineID, _ replica: ReplicaID, _ key: SigningKey?, _ directory: String
  ) throws(OpenError) -> Timeline {
    let text = JSONValue.object([
      "timeline": .string(id.description), "name": .string(name),
      "replica": .string(replica.description),
    ]).text
    try Self.onDisk { () throws(FileError) in
      try fileSystem.createDirectory(path + "/timelines")
      try fileSystem.createDirectory(directory)
      try fileSystem.replace(directory + "/timeline.json", with: Array((text + "\n").utf8))
    }
    return try open(name, id, replica, key, directory)
  }

  private func open(
    _ name: String, _ id: TimelineID, _ replica: ReplicaID, _ key: SigningKey?, _ directory: String
  ) throws(OpenError) -> Timeline {
    try Self.onDisk { () throws(FileError) in
      try Timeline(
        id: id, name: name, replica: replica, key: key, directory: directory,
        fileSystem: fileSystem)
    }
  }

  /// The key that this machine signs with: made at the first start, and never without room for it.
  ///
  /// - Parameter newSeed: 32 random bytes.
  public func signingKey(newSeed: () -> [UInt8]) throws(OpenError) -> SigningKey {
    let file = path + "/keys/heads.pem"
    let found = try Self.onDisk { () throws(FileError) in try fileSystem.read(file) }
    let key = found.map { SigningKey(pem: $0) } ?? SigningKey(seed: newSeed())
    guard let key else {
      throw .damagedFile(
        path: file,
        reason:
          "no Ed25519 key in PKCS#8 without a passphrase; without the file this machine goes on "
          + "with a new key, in a log of its own")
    }
    try Self.onDisk { () throws(FileError) in
      try fileSystem.createDirectory(path + "/keys")
      if found == nil {
        try fileSystem.replace(file, with: key.pem)
      } else {
        // It is about to be named in the log: whoever made it may have been killed before he could
        // sync it.
        try fileSystem.sync(directory: path + "/keys")
      }
    }
    return key
  }

  /// A small file of the daemon's own beside the timelines; nil where there is none.
  public func read(_ name: String) throws(OpenError) -> [UInt8]? {
    try Self.onDisk { () throws(FileError) in try fileSystem.read(path + "/" + name) }
  }

  public func replace(_ name: String, with bytes: [UInt8]) throws(OpenError) {
    try Self.onDisk { () throws(FileError) in
      try fileSystem.replace(path + "/" + name, with: bytes)
    }
  }

  private static func onDisk<Result>(
    _ body: () throws(FileError) -> Result
  ) throws(OpenError) -> Result {
    do throws(FileError) { return try body() } catch { throw .disk(error) }
  }
}

// A daemon's data directory: one lock, one format version, its timelines.
//
//     DATA/lock                       held while a daemon runs
//     DATA/data.json                  {"format":"timeline-data","version":3}
//     DATA/keys/heads.pem             what this machine signs the heads of its logs with
//     DATA/keys/device.pem            what this machine is known by to others, in TLS
//     DATA/keys/recovery-ID.pem       the recovery code of a timeline made here, until it is forgotten
//     DATA/timelines/DIRECTORY/…      HostedTimeline, Timeline

import TimelineModel
import TransparencyLog

/// Why a data directory was not opened.
public enum OpenError: Error, Sendable, Hashable {
  /// By the process of that number, where it is known.
  case inUse(path: String, process: Int?)
  case otherVersion(path: String, found: String)
  case notOurs(path: String)
  case damagedFile(path: String, reason: String)
  case badName(String)
  case timelineExists(String)
  case noTimeline(String)
  case disk(FileError)

  public var message: String {
    switch self {
    case .inUse(let path, let process):
      "\(path) is in use by another timelined\(process.map { " (process \($0))" } ?? ""); stop that one, "
        + "or give another --data"
    case .otherVersion(let path, let found):
      "\(path) has format version \(found), this timelined reads version "
        + "\(DataDirectory.formatVersion); install a newer one (nothing was written)"
    case .notOurs(let path):
      "\(path) is not empty and not a data directory of timelined; give another --data"
    case .damagedFile(let path, let reason):
      "\(path) cannot be read (\(reason)); put back a copy of it from a backup"
    case .badName(let name):
      "\(JSONValue.string(String(name.prefix(80))).text) is no name of a timeline: "
        + TimelineFounding.nameRule
    case .timelineExists(let name): "there is a timeline \(name) here already"
    case .noTimeline(let name): "there is no timeline \(name) here"
    case .disk(let error): error.message
    }
  }
}

public final class DataDirectory {
  public static let formatVersion = 3
  /// 1 had one timeline, 2 no devices: what their files say still holds.
  private static let versions = 1...formatVersion

  public let path: String
  let fileSystem: any FileSystem
  private let lock: any DirectoryLock

  /// Opens or makes a data directory, and holds it until it goes away. One of an older version is of this
  /// version from then on; nothing is written to one of any other.
  public init(_ path: String, fileSystem: any FileSystem) throws(OpenError) {
    self.path = path
    self.fileSystem = fileSystem
    let marker = path + "/data.json"
    let found = try Self.onDisk { () throws(FileError) in try fileSystem.read(marker) }
    var isCurrent = false
    if let found {
      isCurrent = try Self.version(found, path) == Self.formatVersion
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
      if !isCurrent {
        let text = JSONValue.object([
          "format": .string("timeline-data"), "version": .int(Self.formatVersion),
        ]).text
        try fileSystem.replace(marker, with: Array((text + "\n").utf8))
      }
    } catch {
      guard error.cause == .isLocked else { throw .disk(error) }
      let holder = (try? fileSystem.read(path + "/lock")) ?? nil
      throw .inUse(
        path: path,
        process: holder.flatMap { Int(String(decoding: $0, as: UTF8.self).prefix { $0.isNumber }) })
    }
  }

  private static func version(_ marker: [UInt8], _ path: String) throws(OpenError) -> Int {
    let json = marker.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }
    guard let json, json["format"]?.string == "timeline-data" else { throw .notOurs(path: path) }
    guard let version = json["version"]?.int, versions.contains(version) else {
      throw .otherVersion(path: path, found: json["version"]?.text ?? "unknown")
    }
    return version
  }

  /// The key that this machine signs with: made at the first start, and never without room for it.
  ///
  /// - Parameter newSeed: 32 random bytes.
  public func signingKey(newSeed: () -> [UInt8]) throws(OpenError) -> SigningKey {
    try key(
      "heads.pem",
      without: "without the file this machine goes on with a new key, in a log of its own", newSeed)
  }

  /// The key that this machine is known by to others: made at the first start. It never leaves the machine,
  /// in no backup either: a machine without it is a new device.
  ///
  /// - Parameter newSeed: 32 random bytes.
  public func deviceKey(newSeed: () -> [UInt8]) throws(OpenError) -> SigningKey {
    try key(
      "device.pem",
      without: "without the file this machine is a new device, which the others have to invite",
      newSeed)
  }

  private func key(
    _ name: String, without: String, _ newSeed: () -> [UInt8]
  ) throws(OpenError) -> SigningKey {
    let file = path + "/keys/" + name
    let found = try Self.onDisk { () throws(FileError) in try fileSystem.read(file) }
    let key = found.map { SigningKey(pem: $0) } ?? SigningKey(seed: newSeed())
    guard let key else {
      throw .damagedFile(
        path: file,
        reason: "no Ed25519 key in PKCS#8 without a passphrase; \(without)")
    }
    try Self.onDisk { () throws(FileError) in
      try fileSystem.createDirectory(path + "/keys")
      if found == nil {
        try fileSystem.replace(file, with: key.pem)
      } else {
        // It is about to be named to others: its maker may have been killed before the
        // sync.
        try fileSystem.sync(directory: path + "/keys")
      }
    }
    return key
  }

  /// A small file of the daemon's own next to the timelines; nil where there is none.
  public func read(_ name: String) throws(OpenError) -> [UInt8]? {
    try Self.onDisk { () throws(FileError) in try fileSystem.read(path + "/" + name) }
  }

  public func replace(_ name: String, with bytes: [UInt8]) throws(OpenError) {
    try Self.onDisk { () throws(FileError) in
      try fileSystem.replace(path + "/" + name, with: bytes)
    }
  }

  func list(_ name: String) throws(OpenError) -> [String] {
    try Self.onDisk { () throws(FileError) in try fileSystem.list(path + "/" + name) }
  }

  func createDirectory(_ name: String) throws(OpenError) {
    try Self.onDisk { () throws(FileError) in
      try fileSystem.createDirectory(path + "/" + name)
    }
  }

  static func onDisk<Result>(
    _ body: () throws(FileError) -> Result
  ) throws(OpenError) -> Result {
    do throws(FileError) { return try body() } catch { throw .disk(error) }
  }
}

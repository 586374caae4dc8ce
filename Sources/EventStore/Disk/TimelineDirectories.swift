// The timelines of a data directory: found, made, followed, renamed, put aside, opened. All of it changes
// one file, timeline.json, in one step: a crash leaves the timeline as it was or as it is to be, and of one
// that was being made nothing or an empty directory, which counts as none.

import TimelineModel
import TransparencyLog

extension DataDirectory {
  /// The timelines that are here.
  public func timelines() throws(OpenError) -> HostedTimelines {
    var found = HostedTimelines()
    for name in try list("timelines") where Self.isOurs(name) {
      do throws(OpenError) {
        guard let hosted = try hosted(in: name) else { continue }
        if let other = found[hosted.name] ?? found[hosted.id] {
          throw .damagedFile(
            path: "\(path)/\(file(of: name))",
            reason:
              "timelines/\(other.directory) has its name or its id; one is a copy of the other")
        }
        found.timelines.append(hosted)
      } catch {
        found.unreadable.append((name, error))
      }
    }
    found.timelines.sort { $0.name < $1.name }
    return found
  }

  /// The same; where there is none at all, `main` is made.
  public func timelines(by maker: LogMaker) throws(OpenError) -> HostedTimelines {
    var found = try timelines()
    if found.timelines.isEmpty, found.unreadable.isEmpty {
      found.timelines = [try createTimeline("main", by: maker)]
    }
    return found
  }

  /// Founds a timeline with an id of its own, and keeps the key of its recovery code until that is forgotten;
  /// `badName` or `timelineExists` where it cannot be called so.
  public func createTimeline(_ name: String, by maker: LogMaker) throws(OpenError) -> HostedTimeline
  {
    let found = try timelines()
    try checkFree(name, found)
    let (founding, recovery) = maker.founding(name)
    if let recovery { try keep(recovery, of: founding.id) }
    return try make(
      HostedTimeline(
        id: founding.id, name: name, directory: try freeDirectory(name, founding.id),
        log: maker.log(of: founding.hash), founding: founding))
  }

  /// Joins a timeline of another machine. One of this machine's own that has the name, and no line yet,
  /// gives way: it must not be open. `badName`, or `timelineExists` where the name or the timeline is here.
  ///
  /// - Parameters:
  ///   - hash: the whole one that the id is the beginning of, where it is known.
  ///   - founding: what it is the hash of, where that is known.
  public func joinTimeline(
    _ id: TimelineID, hash: SHA256Digest?, founding: TimelineFounding? = nil, name: String,
    by maker: LogMaker
  ) throws(OpenError) -> HostedTimeline {
    let found = try timelines()
    if let hosted = found[id] { throw .timelineExists(hosted.name) }
    let directory: String
    if let own = found[name], own.isOwn, try !hasLines(own) {
      directory = own.directory
    } else {
      try checkFree(name, found)
      directory = try freeDirectory(name, id)
    }
    return try make(
      HostedTimeline(
        id: id, name: name, directory: directory, log: maker.log(of: hash), founding: founding))
  }

  /// Calls a timeline something else here; `noTimeline`, `badName` or `timelineExists`.
  public func renameTimeline(
    _ id: TimelineID, to name: String
  ) throws(OpenError) -> HostedTimeline {
    let found = try timelines()
    if found[id]?.name != name { try checkFree(name, found) }
    return try change(id, found) { $0.name = name }
  }

  /// Puts a timeline aside, or takes it back; `noTimeline` where it is not here.
  public func setArchived(
    _ id: TimelineID, _ isArchived: Bool
  ) throws(OpenError) -> HostedTimeline {
    try change(id, try timelines()) { $0.isArchived = isArchived }
  }

  /// Opens a timeline. This machine goes on in another log of its own where it cannot sign the one that it has any
  /// more: of a key that was lost, or with a damaged line.
  public func openTimeline(
    _ hosted: HostedTimeline, by maker: LogMaker
  ) throws(OpenError) -> Timeline {
    let timeline = try open(hosted, maker.keys)
    guard timeline.wantsNewLog else { return timeline }
    let next = try open(
      try make(hosted.with(log: maker.log(of: timeline.hash))), maker.keys)
    if timeline.size(of: hosted.replica) > 0 { next.leftLog = hosted.replica }
    return next
  }

  /// Opens a timeline by its name. It is made where there is none at all; else `noTimeline`: it may be here, with a
  /// name that a bad disk changed.
  public func openTimeline(_ name: String, by maker: LogMaker) throws(OpenError) -> Timeline {
    let found = try timelines()
    if let lost = found.unreadable.first(where: { $0.directory == name }), found[name] == nil {
      throw lost.error
    }
    if let hosted = found[name] { return try openTimeline(hosted, by: maker) }
    guard found.timelines.isEmpty, found.unreadable.isEmpty else { throw .noTimeline(name) }
    return try open(try createTimeline(name, by: maker), maker.keys)
  }

  // MARK: Recovery codes

  /// The key of a timeline's recovery code, which this machine made and still keeps; nil where it does not.
  public func recoveryKey(of id: TimelineID) throws(OpenError) -> SigningKey? {
    let file = recoveryFile(of: id)
    guard let pem = try read(file) else { return nil }
    guard let key = SigningKey(pem: pem) else {
      throw .damagedFile(
        path: "\(path)/\(file)", reason: "no Ed25519 key in PKCS#8; the code on paper still counts")
    }
    return key
  }

  /// Removes it: from then on only what was written down counts.
  public func forgetRecoveryKey(of id: TimelineID) throws(OpenError) {
    guard try read(recoveryFile(of: id)) != nil else { return }
    try Self.onDisk { () throws(FileError) in
      try fileSystem.remove("\(path)/\(recoveryFile(of: id))")
    }
  }

  private func keep(_ recovery: SigningKey, of id: TimelineID) throws(OpenError) {
    try createDirectory("keys")
    try replace(recoveryFile(of: id), with: recovery.pem)
  }

  private func recoveryFile(of id: TimelineID) -> String { "keys/recovery-\(id).pem" }

  // MARK: Files

  private func file(of directory: String) -> String { "timelines/\(directory)/timeline.json" }

  /// What else may lie there, such as a file manager's, is passed over.
  private static func isOurs(_ directory: String) -> Bool {
    TimelineFounding.isName(directory) || TimelineID(directory) != nil
  }

  /// What a directory holds; nil where it holds nothing yet.
  private func hosted(in directory: String) throws(OpenError) -> HostedTimeline? {
    let file = file(of: directory)
    guard let bytes = try read(file) else {
      guard try list("timelines/\(directory)/logs").isEmpty else {
        throw .damagedFile(
          path: "\(path)/\(file)", reason: "it is missing, while logs are there")
      }
      return nil
    }
    do throws(HostedTimeline.Fault) {
      return try HostedTimeline(bytes, directory: directory)
    } catch {
      throw .damagedFile(path: "\(path)/\(file)", reason: error.reason)
    }
  }

  private func checkFree(_ name: String, _ found: HostedTimelines) throws(OpenError) {
    guard TimelineFounding.isName(name) else { throw .badName(name) }
    guard found[name] == nil else { throw .timelineExists(name) }
  }

  /// The directory of a new timeline: its name where that is free, else its id.
  private func freeDirectory(_ name: String, _ id: TimelineID) throws(OpenError) -> String {
    guard try read(file(of: name)) == nil, try list("timelines/\(name)/logs").isEmpty else {
      return id.description
    }
    return name
  }

  private func hasLines(_ hosted: HostedTimeline) throws(OpenError) -> Bool {
    let logs = "timelines/\(hosted.directory)/logs"
    for log in try list(logs) {
      for segment in try list("\(logs)/\(log)") where segment.hasSuffix(".jsonl") {
        if try read("\(logs)/\(log)/\(segment)")?.isEmpty == false { return true }
      }
    }
    return false
  }

  private func change(
    _ id: TimelineID, _ found: HostedTimelines, _ body: (inout HostedTimeline) -> Void
  ) throws(OpenError) -> HostedTimeline {
    guard var hosted = found[id] else { throw .noTimeline(id.description) }
    body(&hosted)
    try replace(file(of: hosted.directory), with: hosted.bytes)
    return hosted
  }

  private func make(_ hosted: HostedTimeline) throws(OpenError) -> HostedTimeline {
    try createDirectory("timelines")
    try createDirectory("timelines/\(hosted.directory)")
    try replace(file(of: hosted.directory), with: hosted.bytes)
    return hosted
  }

  private func open(_ hosted: HostedTimeline, _ keys: MachineKeys?) throws(OpenError) -> Timeline {
    try Self.onDisk { () throws(FileError) in
      try Timeline(
        hosted, keys: keys, directory: "\(path)/timelines/\(hosted.directory)",
        fileSystem: fileSystem)
    }
  }
}

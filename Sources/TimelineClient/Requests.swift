// The requests as values, a function for each verb: `connection.ask(.count(filter))`. An answer that is
// looked into is a struct, one that is only shown stays the JSON of docs/reference/protocol.md. A new verb: one
// function here.

import TimelineModel
import TimelineWire

/// A request of one reply, and how that reply is read.
public struct Ask<Answer>: Sendable {
  let verb: String
  let bytes: [UInt8]
  /// Nil where the reply lacks what it should have.
  let read: @Sendable (JSONValue) -> Answer?

  fileprivate init(
    _ verb: Verb, _ words: [String] = [], _ json: JSONValue? = nil,
    _ read: @escaping @Sendable (JSONValue) -> Answer?
  ) {
    self.verb = verb.rawValue
    bytes = request(verb.rawValue, words, json)
    self.read = read
  }
}

/// A request that is answered by a stream.
public struct AskStream: Sendable {
  let bytes: [UInt8]

  fileprivate init(_ verb: Verb, _ words: [String] = [], _ json: JSONValue? = nil) {
    bytes = request(verb.rawValue, words, json)
  }
}

/// One line, whatever the words hold.
private func request(_ verb: String, _ words: [String], _ json: JSONValue?) -> [UInt8] {
  var bytes = Array(verb.utf8)
  for word in words {
    bytes.append(UInt8(ascii: " "))
    bytes += word.utf8.map { $0 < 0x20 ? UInt8(ascii: " ") : $0 }
  }
  if let json {
    bytes.append(UInt8(ascii: " "))
    json.append(to: &bytes)
  }
  bytes.append(0x0A)
  return bytes
}

// MARK: Answers

/// What `OPEN` says of a timeline.
public struct OpenedTimeline: Sendable, Hashable {
  public var id: TimelineID
  /// Of the log that this daemon writes.
  public var replica: ReplicaID
  public var position: Position

  init?(_ json: JSONValue) {
    guard let id = json["timeline"]?.string.flatMap({ TimelineID($0) }),
      let replica = json["replica"]?.string.flatMap({ ReplicaID($0) }),
      let position = json["position"].flatMap({ Position(json: $0) })
    else { return nil }
    self.id = id
    self.replica = replica
    self.position = position
  }
}

/// Where an event was recorded; it is on disk.
public struct RecordedEvent: Sendable, Hashable {
  public var id: EventID
  public var address: LineAddress
  /// It was there already, word for word.
  public var isDuplicate: Bool
  /// The reply as it came, for callers that pass it on.
  public var json: JSONValue

  init?(_ json: JSONValue) {
    guard let id = json["id"]?.string.flatMap({ EventID($0) }),
      let replica = json["replica"]?.string.flatMap({ ReplicaID($0) }),
      let seq = json["seq"]?.int.flatMap({ UInt64(exactly: $0) })
    else { return nil }
    self.id = id
    address = LineAddress(replica, seq)
    isDuplicate = json["duplicate"]?.bool ?? false
    self.json = json
  }
}

/// How many lines of an `APPENDMANY` were taken: all of them.
public struct RecordedMany: Sendable, Hashable {
  public var count: Int
  /// Of these, those that were there already.
  public var duplicates: Int

  init?(_ json: JSONValue) {
    guard let count = json["count"]?.int, let duplicates = json["duplicates"]?.int else {
      return nil
    }
    self.count = count
    self.duplicates = duplicates
  }
}

/// What `END` of a `CHECKMANY` says: of `count` lines so many are new, there already, or would be refused.
public struct CheckedMany: Sendable, Hashable {
  public var count: Int
  public var new: Int
  public var duplicates: Int
  public var bad: Int

  public init?(_ json: JSONValue) {
    guard let count = json["count"]?.int, let new = json["new"]?.int,
      let duplicates = json["duplicates"]?.int, let bad = json["bad"]?.int
    else { return nil }
    self.count = count
    self.new = new
    self.duplicates = duplicates
    self.bad = bad
  }
}

/// How many events fit.
public struct Counted: Sendable, Hashable {
  public var count: Int
  /// The reply as it came: with the snapshot, where one was cited.
  public var json: JSONValue

  init?(_ json: JSONValue) {
    guard let count = json["count"]?.int else { return nil }
    self.count = count
    self.json = json
  }
}

// MARK: Verbs of one reply

extension Ask where Answer == OpenedTimeline {
  public static func open(_ name: String) -> Ask { Ask(.open, [name]) { OpenedTimeline($0) } }
}

extension Ask where Answer == RecordedEvent {
  public static func append(_ event: JSONValue) -> Ask {
    Ask(.append, [], event) { RecordedEvent($0) }
  }
}

extension Ask where Answer == RecordedMany {
  /// The lines, each with its LF, are to be sent behind it.
  public static func appendMany(_ count: Int) -> Ask {
    Ask(.appendMany, ["\(count)"]) { RecordedMany($0) }
  }
}

extension Ask where Answer == Counted {
  public static func count(_ filter: JSONValue) -> Ask { Ask(.count, [], filter) { Counted($0) } }
}

extension Ask where Answer == Position {
  /// Where the watch begins. `Watch` does what is behind it.
  static func watch(_ filter: JSONValue) -> Ask {
    Ask(.watch, [], filter) { $0["position"].flatMap { Position(json: $0) } }
  }
}

extension Ask where Answer == Void {
  public static var ping: Ask { Ask(.ping) { _ in () } }
}

extension Ask where Answer == JSONValue {
  /// The verbs whose answer is a document.
  public static var status: Ask { document(.status) }
  public static var sync: Ask { document(.sync) }
  public static var repair: Ask { document(.repair) }

  public static func state(_ question: JSONValue) -> Ask { document(.state, [], question) }
  public static func explain(_ question: JSONValue) -> Ask { document(.explain, [], question) }
  public static func changes(_ question: JSONValue) -> Ask { document(.changes, [], question) }

  /// The lines, each with its LF, are to be sent behind it.
  public static func whatIf(_ count: Int, _ question: JSONValue) -> Ask {
    document(.whatIf, ["\(count)"], question)
  }

  public static func table(_ question: JSONValue) -> Ask { document(.rules, [], question) }
  public static func snapshot(_ naming: JSONValue) -> Ask { document(.snapshot, [], naming) }
  public static func snapshot(named name: String) -> Ask { document(.snapshots, [name]) }
  public static func erase(_ erasure: JSONValue) -> Ask { document(.erase, [], erasure) }
  public static func prove(_ id: String) -> Ask { document(.prove, [id]) }
  public static func addPeer(_ address: String) -> Ask { document(.peer, ["add", address]) }
  /// A device, and where it is reached.
  public static func addPeer(_ peer: JSONValue) -> Ask { document(.peer, ["add"], peer) }
  public static func removePeer(_ address: String) -> Ask {
    document(.peer, ["remove"], .object(["address": .string(address)]))
  }

  public static func invite(_ wanted: JSONValue) -> Ask { document(.invite, [], wanted) }
  public static func join(_ invitation: JSONValue) -> Ask { document(.join, [], invitation) }
  /// Ends a device, or lowers what it may.
  public static func member(_ change: JSONValue) -> Ask { document(.member, [], change) }

  /// Makes, renames, archives, restores or follows a timeline, as docs/reference/protocol.md has it.
  public static func changeTimelines(_ words: [String], _ more: JSONValue? = nil) -> Ask {
    document(.timeline, words, more)
  }

  private static func document(
    _ verb: Verb, _ words: [String] = [], _ json: JSONValue? = nil
  ) -> Ask {
    Ask(verb, words, json) { $0 }
  }
}

// MARK: Verbs of a stream

extension AskStream {
  public static var peers: AskStream { AskStream(.peers) }
  public static var timelines: AskStream { AskStream(.timelines) }
  public static var members: AskStream { AskStream(.members) }
  public static var keys: AskStream { AskStream(.keys) }
  public static var verify: AskStream { AskStream(.verify) }
  public static var snapshots: AskStream { AskStream(.snapshots) }

  /// - Parameter id: or its first 4 characters.
  public static func get(_ id: String) -> AskStream { AskStream(.get, [id]) }
  public static func query(_ filter: JSONValue) -> AskStream { AskStream(.query, [], filter) }
  public static func lint(_ filter: JSONValue) -> AskStream { AskStream(.lint, [], filter) }
  public static func duplicates(_ filter: JSONValue) -> AskStream {
    AskStream(.duplicates, [], filter)
  }
  public static func conflicts(_ filter: JSONValue) -> AskStream {
    AskStream(.conflicts, [], filter)
  }
  public static func actors(_ moment: JSONValue? = nil) -> AskStream {
    AskStream(.actors, [], moment)
  }
  public static func tables(_ question: JSONValue? = nil) -> AskStream {
    AskStream(.rules, [], question)
  }
  public static func backup(_ question: JSONValue? = nil) -> AskStream {
    AskStream(.backup, [], question)
  }

  /// The lines, each with its LF, are to be sent behind it; rows are read by `ErrorReply(row:)`, the end by
  /// `CheckedMany`.
  public static func checkMany(_ count: Int) -> AskStream { AskStream(.checkMany, ["\(count)"]) }
}

// The grammar of the wire: one request a line, one reply or stream for each, in order.
//
//     APPEND {"type":"test",…}            OK {"id":"…","replica":"…","seq":7}
//     QUERY {"actor":"PRK","limit":2}     EVENT {…}  EVENT {…}  END {"count":2}
//     FROB                                ERR bad-request unknown verb "FROB"; …
//
// docs/reference/protocol.md has every verb.

import Access
import TimelineModel

public enum Verb: String, Sendable, CaseIterable {
  case hello = "HELLO"
  case open = "OPEN"
  case timelines = "TIMELINES"
  case timeline = "TIMELINE"
  case append = "APPEND"
  case appendMany = "APPENDMANY"
  case checkMany = "CHECKMANY"
  case get = "GET"
  case query = "QUERY"
  case count = "COUNT"
  case state = "STATE"
  case explain = "EXPLAIN"
  case changes = "CHANGES"
  case whatIf = "WHATIF"
  case lint = "LINT"
  case duplicates = "DUPLICATES"
  case conflicts = "CONFLICTS"
  case watch = "WATCH"
  case snapshot = "SNAPSHOT"
  case snapshots = "SNAPSHOTS"
  case actors = "ACTORS"
  case rules = "RULES"
  case status = "STATUS"
  case erase = "ERASE"
  case repair = "REPAIR"
  case verify = "VERIFY"
  case prove = "PROVE"
  case keys = "KEYS"
  case backup = "BACKUP"
  case peers = "PEERS"
  case peer = "PEER"
  case sync = "SYNC"
  case invite = "INVITE"
  case join = "JOIN"
  case members = "MEMBERS"
  case member = "MEMBER"
  case ping = "PING"
  case help = "HELP"
  case quit = "QUIT"

  /// What it needs.
  public var right: Right {
    switch self {
    case .hello, .ping, .help, .quit: .sync
    case .append, .appendMany, .snapshot, .erase: .write
    case .timeline, .peer, .sync, .repair, .backup, .invite, .join, .member: .own
    case .open, .timelines, .checkMany, .get, .query, .count, .state, .explain, .changes, .whatIf,
      .lint, .duplicates, .conflicts, .watch, .snapshots, .actors, .rules, .status, .verify, .prove,
      .keys, .peers, .members:
      .read
    }
  }

  /// Whether it is asked of a timeline, rather than of the machine.
  public var isOfTimeline: Bool {
    switch self {
    case .hello, .open, .timelines, .timeline, .join, .ping, .help, .quit: false
    default: true
    }
  }

  /// Whether lines follow it.
  public var takesLines: Bool {
    switch self {
    case .appendMany, .checkMany, .whatIf: true
    default: false
    }
  }

  /// Whether it stands alone on its line.
  public var isBare: Bool {
    switch self {
    case .ping, .help, .quit, .status, .peers, .sync, .verify, .keys, .repair, .timelines, .members:
      true
    default: false
    }
  }

  /// What HELP says.
  public var usage: String {
    switch self {
    case .hello: "HELLO timeline 1 - greet; may be left out on the Unix socket"
    case .open: "OPEN NAME - choose a timeline; main is chosen at first"
    case .timelines: "TIMELINES - the timelines of this machine, a ROW each"
    case .timeline:
      "TIMELINE create NAME, rename OLD NEW, archive NAME, restore NAME, recovery NAME, forget-recovery NAME, follow ADDRESS - change which there are"
    case .append: "APPEND {event}, or APPEND {position} {event} - record one event"
    case .appendMany: "APPENDMANY N, then N lines of events - record all of them or none"
    case .checkMany: "CHECKMANY N, then N lines of events - what APPENDMANY would say of each"
    case .get: "GET ID - one event by its id or the first characters of it"
    case .query: "QUERY {filter} - the events that fit, oldest first"
    case .count: "COUNT {filter} - how many events fit"
    case .state: "STATE {\"parties\":[A,B],\"as_of\":DAY,\"known_at\":TIME} - how parties stand"
    case .explain: "EXPLAIN {\"parties\":[A,B],\"figure\":WORD} - the events behind a figure"
    case .changes:
      "CHANGES {\"parties\":[A,B],\"from\":DAY,\"to\":DAY} - what changed; with \"every\":\"day\" day by day"
    case .whatIf:
      "WHATIF N {\"parties\":[A,B],\"without\":[ID]}, then N lines of events - the state as if it were so"
    case .lint: "LINT {filter, \"day\":DAY,\"limit\":n} - gaps and faults of the events, a ROW each"
    case .duplicates:
      "DUPLICATES {filter, \"limit\":n} - pairs of events that may be one, a ROW each"
    case .conflicts:
      "CONFLICTS {filter, \"limit\":n} - events whose versions nobody settled, a ROW each"
    case .watch: "WATCH {filter, \"after\":{position}} - lines as they come, until the next request"
    case .snapshot: "SNAPSHOT {\"name\":WORD,\"note\":TEXT} - name what is here, to be cited"
    case .snapshots:
      "SNAPSHOTS, or SNAPSHOTS NAME - those to cite, or one held against what is here"
    case .actors: "ACTORS - the codes that events may name, a ROW each"
    case .rules:
      "RULES, or RULES {\"table\":WORD} - which tables states are reckoned by, or one of them whole"
    case .status: "STATUS - position, events, size, damage"
    case .verify: "VERIFY - read everything again: checks, numbers, times, each log's root"
    case .erase: "ERASE {\"id\":ID,\"reason\":TEXT} - an event's words go, from every machine"
    case .repair: "REPAIR - ask the peers for lines that are damaged here"
    case .prove: "PROVE ID - that a line is in its log, for whoever has the log's key alone"
    case .keys: "KEYS - what the heads of each log are checked with, a ROW each"
    case .backup:
      "BACKUP, or BACKUP {\"passphrase\":…} - all lines of all logs at one position; with the key"
    case .peers: "PEERS - the machines that this one syncs with"
    case .peer:
      "PEER add {\"addresses\":[…],\"device\":ID}, PEER add ADDRESS, PEER remove ADDRESS - which machines those are"
    case .sync: "SYNC - connect to the peers now, without waiting for the next attempt"
    case .invite:
      "INVITE {\"role\":WORD,\"seconds\":n,\"addresses\":[…]} - a code by which a machine can join the timeline"
    case .join:
      "JOIN {\"code\":CODE,\"device_name\":NAME,\"as\":NAME,\"via\":COMMAND} - join by a code"
    case .members: "MEMBERS - the devices of the timeline, a ROW each"
    case .member:
      "MEMBER {\"device\":ID,\"end\":true}, {\"device\":ID,\"role\":WORD} or {\"recovery\":CODE,\"name\":NAME} - end, lower, bring in"
    case .ping: "PING - answered with OK"
    case .help: "HELP - this list"
    case .quit: "QUIT - end the connection"
    }
  }
}

/// A request taken apart; `json` is a range of its line.
public struct Request: Sendable {
  public var verb: Verb
  public var arguments: [String]
  /// The JSON that closes the line.
  public var json: Range<Int>?

  public init(_ line: UnsafeBufferPointer<UInt8>) throws(ErrorReply) {
    let space = UInt8(ascii: " ")
    var at = line.firstIndex(of: space) ?? line.count
    let word = String(decoding: line[..<at], as: UTF8.self)
    guard let verb = Verb(rawValue: word) else {
      let advice = EditDistance.advice(
        on: word, in: Verb.allCases.map(\.rawValue), else: "HELP lists all")
      throw ErrorReply(.badRequest, "unknown verb \"\(word.prefix(40))\"; \(advice)")
    }
    self.verb = verb
    arguments = []
    while at < line.count {
      at += 1
      guard at < line.count else { break }
      if line[at] == UInt8(ascii: "{") {
        json = at..<line.count
        break
      }
      let end = line[at...].firstIndex(of: space) ?? line.count
      if end > at { arguments.append(String(decoding: line[at..<end], as: UTF8.self)) }
      at = end
    }
    if verb.isBare, !isBare {
      throw ErrorReply(.badRequest, "\(verb.rawValue) takes no arguments")
    }
  }

  private var isBare: Bool { arguments.isEmpty && json == nil }

  /// The JSON object of the request, whose keys must be among these; an empty one where it has none.
  ///
  /// - Parameter words: how many arguments stand before it.
  public func value(
    behind words: Int = 0, in line: UnsafeBufferPointer<UInt8>, keys: [String]
  ) throws(ErrorReply) -> JSONValue {
    guard arguments.count <= words else {
      throw ErrorReply(
        .badRequest,
        "\(verb.rawValue) takes one JSON object {…}, not \(arguments[words].prefix(40))")
    }
    let value = try parsed(line)
    for member in value.members ?? [] where !keys.contains(member.key) {
      let advice = EditDistance.advice(
        on: member.key, in: keys, else: "keys are \(keys.joined(separator: ", "))")
      throw ErrorReply(
        .badRequest, "unknown key \"\(member.key.prefix(40))\"; \(advice)")
    }
    return value
  }

  private func parsed(_ line: UnsafeBufferPointer<UInt8>) throws(ErrorReply) -> JSONValue {
    guard let json else { return .object([JSONValue.Member]()) }
    do throws(JSONError) {
      return try JSONValue(parsing: UnsafeBufferPointer(rebasing: line[json]))
    } catch { throw ErrorReply(.badRequest, "\(verb.rawValue): \(error.message)") }
  }
}

/// How replies are written.
public enum Reply {
  public static func ok(_ json: JSONValue? = nil, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "OK".utf8)
    if let json {
      bytes.append(UInt8(ascii: " "))
      json.append(to: &bytes)
    }
    bytes.append(0x0A)
  }

  public static func row(_ json: JSONValue, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "ROW ".utf8)
    json.append(to: &bytes)
    bytes.append(0x0A)
  }

  public static func end(_ json: JSONValue, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "END ".utf8)
    json.append(to: &bytes)
    bytes.append(0x0A)
  }
}

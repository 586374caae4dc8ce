// What is asked of the machine rather than of a timeline, and is answered where none is chosen: HELLO, PING,
// HELP, QUIT, and OPEN, TIMELINES, TIMELINE, by which a connection comes to one.

import EventStore
import TimelineModel
import TimelineWire

struct Reception {
  let service: Service
  let timelines: Timelines
  let peers: Peers

  private static let noTimeline = ErrorReply(
    .notFound, "no timeline is chosen: OPEN NAME", hint: .unknownTimeline)
  static let tooLong = ErrorReply(
    .tooLarge, "a request has at most \(LineLimits.requestBytesMax) bytes; this one was skipped")

  // MARK: Where no timeline is chosen

  /// Answers a line.
  func handle(_ line: UnsafeBufferPointer<UInt8>, _ connection: Connection) -> Router.Step {
    if case .collecting(let many) = connection.mode {
      skip(many, connection)
      return .goOn
    }
    do throws(ErrorReply) {
      let request = try connection.request(line)
      guard request.verb.isOfTimeline else { return try answer(request, line, connection) }
      guard request.verb.takesLines, case let many = try ManyLines(request), many.left > 0 else {
        throw Self.noTimeline
      }
      connection.mode = .collecting(many)
    } catch { Reply.error(error, to: &connection.out) }
    return .goOn
  }

  func tooLong(_ connection: Connection) {
    if case .collecting(let many) = connection.mode { return skip(many, connection) }
    Reply.error(Self.tooLong, to: &connection.out)
  }

  /// Passes over a line that was announced.
  private func skip(_ many: ManyLines, _ connection: Connection) {
    var many = many
    many.refuse(Self.noTimeline)
    connection.mode = many.left > 0 ? .collecting(many) : .requests
    if many.left == 0 { Reply.error(Self.noTimeline, to: &connection.out) }
  }

  // MARK: Answers

  func answer(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) -> Router.Step {
    switch request.verb {
    case .hello:
      guard request.arguments == ["timeline", "1"] else {
        throw ErrorReply(.unsupported, "this daemon speaks: HELLO timeline 1")
      }
      Reply.ok(.object(["version": .string(service.version)]), to: &connection.out)
    case .open: try open(request, connection)
    case .timelines: list(to: &connection.out)
    case .timeline: return try change(request, line, connection)
    case .join: return try join(request, line, connection)
    case .help:
      for verb in Verb.allCases { Reply.row(.string(verb.usage), to: &connection.out) }
      Reply.end(.object(["count": .int(Verb.allCases.count)]), to: &connection.out)
    case .quit:
      Reply.ok(to: &connection.out)
      connection.isClosing = true
    case .ping: Reply.ok(to: &connection.out)
    default:
      throw ErrorReply(
        .internal, "\(request.verb.rawValue) is answered by no timeline and not here")
    }
    return .goOn
  }

  private func open(_ request: Request, _ connection: Connection) throws(ErrorReply) {
    guard request.arguments.count == 1, request.json == nil else {
      throw ErrorReply(.badRequest, "OPEN takes the name of a timeline")
    }
    let hosted = try hosted(request.arguments[0])
    guard !hosted.isArchived else {
      throw ErrorReply(
        .notFound,
        "timeline \(hosted.name) is archived; TIMELINE restore \(hosted.name) takes it back")
    }
    let found = try Router.onDisk { () throws(OpenError) in try timelines.host(hosted.id) }
    guard let host = found else { throw ErrorReply(.notFound, "timeline \(hosted.name) is gone") }
    connection.host = host
    connection.hasChosen = true
    Reply.ok(
      .object([
        "timeline": .string(host.id.description),
        "replica": .string(host.timeline.replica.description),
        "position": host.timeline.position.json,
      ]), to: &connection.out)
  }

  private func list(to out: inout [UInt8]) {
    for hosted in timelines.hosted.timelines {
      let here = timelines.open.first { $0.id == hosted.id }?.timeline
      Reply.row(
        .object([
          "name": .string(hosted.name), "timeline": .string(hosted.id.description),
          "replica": .string(hosted.replica.description),
          "archived": hosted.isArchived ? .bool(true) : nil,
          "events": here.map { .int($0.view.count(Query())) },
          "lines": here.map { .int($0.lines.lineCount) },
        ]), to: &out)
    }
    Reply.end(.object(["count": .int(timelines.hosted.timelines.count)]), to: &out)
  }

  private func change(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) -> Router.Step {
    let words = request.arguments
    if words.first == "follow" { return try follow(request, line) }
    guard request.json == nil else { throw Self.timelineForm }
    let hosted: HostedTimeline
    switch (words.first, words.count) {
    case ("recovery", 2), ("forget-recovery", 2):
      try recovery(try self.hosted(words[1]), isForgotten: words[0] != "recovery", connection)
      return .goOn
    case ("create", 2):
      hosted = try Router.onDisk { () throws(OpenError) in try timelines.create(words[1]) }
    case ("rename", 3):
      let id = try self.hosted(words[1]).id
      hosted = try Router.onDisk { () throws(OpenError) in try timelines.rename(id, to: words[2]) }
    case ("archive", 2), ("restore", 2):
      let (id, isArchived) = (try self.hosted(words[1]).id, words[0] == "archive")
      if isArchived, let host = timelines.open.first(where: { $0.id == id }), !host.isIdle {
        return .whenIdle(host)
      }
      hosted = try Router.onDisk { () throws(OpenError) in
        try timelines.setArchived(id, isArchived)
      }
      if !isArchived, !peers.of(id).isEmpty {
        _ = try Router.onDisk { () throws(OpenError) in try timelines.host(id) }
        peers.tryNow(id)
      }
    default: throw Self.timelineForm
    }
    Reply.ok(
      .object(["name": .string(hosted.name), "timeline": .string(hosted.id.description)]),
      to: &connection.out)
    return .goOn
  }

  private static let timelineForm = ErrorReply(
    .badRequest,
    "TIMELINE create NAME, rename OLD NEW, archive NAME, restore NAME, recovery NAME, forget-recovery NAME "
      + "or follow ADDRESS")

  /// The recovery code as long as it is kept here, or its end here.
  private func recovery(
    _ hosted: HostedTimeline, isForgotten: Bool, _ connection: Connection
  ) throws(ErrorReply) {
    let key = try Router.onDisk { () throws(OpenError) in
      try service.directory.recoveryKey(of: hosted.id)
    }
    guard let key else {
      throw ErrorReply(
        .notFound,
        "the recovery code of \(hosted.name) is not on this machine: it was made elsewhere, or forgotten here"
      )
    }
    if isForgotten {
      try Router.onDisk { () throws(OpenError) in
        try service.directory.forgetRecoveryKey(of: hosted.id)
      }
    }
    Reply.ok(
      .object([
        "name": .string(hosted.name), "timeline": .string(hosted.id.description),
        "code": isForgotten ? nil : .string(RecoveryCode.text(of: key)),
      ]), to: &connection.out)
  }

  private func follow(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> Router.Step {
    guard request.arguments.count == 2 else { throw Self.timelineForm }
    let address = try Router.loopback(request.arguments[1])
    let value = try request.value(behind: 2, in: line, keys: ["from", "as"])
    let name = value["from"]?.string ?? "main"
    let localName = value["as"]?.string
    for name in [name, localName].compactMap({ $0 }) where !TimelineFounding.isName(name) {
      throw ErrorReply(
        .badRequest, "a timeline's name has \(TimelineFounding.nameRule)", value: name)
    }
    return .follow(address, name: name, localName: localName)
  }

  /// `via` is the owner's word alone: no code can name a command.
  private func join(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) -> Router.Step {
    let value = try request.value(in: line, keys: ["code", "device_name", "as", "via"])
    guard let own = service.device else {
      throw ErrorReply(
        .notFound, "this machine has no key yet; make room on its disk and start it again")
    }
    let invitation: Invitation
    do throws(InvitationError) {
      invitation = try Invitation(code: value["code"]?.string ?? "")
    } catch { throw ErrorReply(.badRequest, error.text) }
    guard invitation.device != own else {
      throw ErrorReply(.badRequest, "this code is from this machine; say it on the other one")
    }
    guard let deviceName = value["device_name"]?.string, MemberRecord.isName(deviceName) else {
      throw ErrorReply(
        .badRequest, "a device's name is one line of 1 to \(MemberRecord.nameBytesMax) bytes")
    }
    let localName = value["as"]?.string
    if let localName, !TimelineFounding.isName(localName) {
      throw ErrorReply(
        .badRequest, "a timeline's name has \(TimelineFounding.nameRule)", value: localName)
    }
    guard localName == nil || invitation.timelines.count == 1 else {
      throw ErrorReply(
        .badRequest, "the code is for several timelines, which cannot all have one name")
    }
    let addresses =
      if let via = value["via"]?.string {
        [try Router.address("via:" + via, PeerAddress.init(owner:))]
      } else {
        try invitation.addresses.map { (text) throws(ErrorReply) in try Router.address(text) }
      }
    return .join(
      Joining(
        asker: connection.id, invitation: invitation, addresses: addresses, deviceName: deviceName,
        localName: localName))
  }

  private func hosted(_ name: String) throws(ErrorReply) -> HostedTimeline {
    guard let hosted = timelines.hosted[name] else {
      let names = timelines.hosted.timelines.map(\.name).joined(separator: ", ")
      throw ErrorReply(
        .notFound, "there is no timeline \"\(name.prefix(64))\"; there is: \(names)", value: name)
    }
    return hosted
  }
}

extension Router {
  static func onDisk<Result>(
    _ body: () throws(OpenError) -> Result
  ) throws(ErrorReply) -> Result {
    do throws(OpenError) { return try body() } catch { throw ErrorReply(error) }
  }
}

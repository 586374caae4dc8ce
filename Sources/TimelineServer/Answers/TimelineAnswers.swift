// OPEN, TIMELINES, TIMELINE: which timelines there are, which one a connection speaks of, and what changes
// that.

import EventStore
import TimelineModel
import TimelineWire

extension Router {
  func open(_ request: Request, _ connection: Connection) throws(ErrorReply) {
    guard request.arguments.count == 1, request.json == nil else {
      throw ErrorReply(.badRequest, "OPEN takes the name of a timeline")
    }
    let hosted = try hosted(request.arguments[0])
    guard !hosted.isArchived else {
      throw ErrorReply(
        .notFound, "timeline \(hosted.name) is archived; TIMELINE restore \(hosted.name) takes it back")
    }
    let found = try Self.onDisk { () throws(OpenError) in try timelines.host(hosted.id) }
    guard let host = found else { throw ErrorReply(.notFound, "timeline \(hosted.name) is gone") }
    connection.host = host
    Reply.ok(
      .object([
        "timeline": .string(host.id.description),
        "replica": .string(host.timeline.replica.description),
        "position": host.timeline.position.json,
      ]), to: &connection.out)
  }

  func listTimelines(to out: inout [UInt8]) {
    for hosted in timelines.hosted.timelines {
      let here = timelines.open.first { $0.id == hosted.id }?.timeline
      Reply.row(
        .object([
          "name": .string(hosted.name), "timeline": .string(hosted.id.description),
          "replica": .string(hosted.replica.description),
          "archived": hosted.isArchived ? .bool(true) : nil,
          "events": here.map { .int($0.snapshot.count(Query())) },
          "lines": here.map { .int($0.lines.lineCount) },
        ]), to: &out)
    }
    Reply.end(.object(["count": .int(timelines.hosted.timelines.count)]), to: &out)
  }

  func changeTimelines(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) -> Step {
    let words = request.arguments
    if words.first == "follow" { return try follow(request, line) }
    guard request.json == nil else { throw Self.timelineForm }
    let hosted: HostedTimeline
    switch (words.first, words.count) {
    case ("create", 2):
      hosted = try Self.onDisk { () throws(OpenError) in try timelines.create(words[1]) }
    case ("rename", 3):
      let id = try self.hosted(words[1]).id
      hosted = try Self.onDisk { () throws(OpenError) in try timelines.rename(id, to: words[2]) }
    case ("archive", 2), ("restore", 2):
      let id = try self.hosted(words[1]).id
      hosted = try Self.onDisk { () throws(OpenError) in
        try timelines.setArchived(id, words[0] == "archive")
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
    "TIMELINE create NAME, rename OLD NEW, archive NAME, restore NAME or follow ADDRESS")

  private func follow(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> Step {
    guard request.arguments.count == 2 else { throw Self.timelineForm }
    let address = try Self.address(request.arguments[1])
    var bare = request
    bare.arguments = []
    let value = try bare.value(in: line, keys: ["from", "as"])
    let name = value["from"]?.string ?? "main"
    let localName = value["as"]?.string
    for name in [name, localName].compactMap({ $0 }) where !TimelineFounding.isName(name) {
      throw ErrorReply(.badRequest, "a timeline's name has \(TimelineFounding.nameRule)", value: name)
    }
    return .follow(address, name: name, localName: localName)
  }

  private func hosted(_ name: String) throws(ErrorReply) -> HostedTimeline {
    guard let hosted = timelines.hosted[name] else {
      let names = timelines.hosted.timelines.map(\.name).joined(separator: ", ")
      throw ErrorReply(
        .notFound, "there is no timeline \"\(name.prefix(64))\"; there is: \(names)", value: name)
    }
    return hosted
  }

  static func address(_ text: String) throws(ErrorReply) -> PeerAddress {
    do throws(PeerAddress.Invalid) { return try PeerAddress(text) } catch {
      throw ErrorReply(.badRequest, error.text, value: text)
    }
  }

  static func onDisk<Result>(
    _ body: () throws(OpenError) -> Result
  ) throws(ErrorReply) -> Result {
    do throws(OpenError) { return try body() } catch { throw ErrorReply(error) }
  }
}

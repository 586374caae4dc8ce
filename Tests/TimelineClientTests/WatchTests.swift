import Testing
import TimelineModel
import TimelineWire

@testable import TimelineClient

struct WatchTests {
  private static let replica = "0192f3a4-0000-7000-8000-000000000001"
  private static let other = "0192f3a4-0000-7000-8000-000000000002"

  private static func event(_ seq: Int, _ replica: String = replica) -> String {
    "EVENT {\"id\":\"e\(seq)\",\"replica\":\"\(replica)\",\"seq\":\(seq)}\n"
  }

  private static func begins(at lines: Int) -> ScriptedDaemon.Step {
    .say("OK {\"position\":{\"\(replica)\":\(lines)}}\n")
  }

  private static func asked(after position: String) -> String {
    "WATCH {\"actor\":\"PRK\",\"after\":{\(position)}}"
  }

  private static let filter = [JSONValue.Member("actor", .string("PRK"))]

  @Test("A watch goes on over lost connections: no line is missed, none comes twice")
  func reconnects() throws {
    let daemon = ScriptedDaemon(
      [
        .receive, Self.begins(at: 4), .say(Self.event(5) + Self.event(7)),
        // Half of it does not count.
        .say(String(Self.event(8).dropLast(9))), .hangUp,
      ],
      [.say("ERR busy too many connections; try again later\n"), .hangUp],
      [
        .receive, Self.begins(at: 7), .say(Self.event(8) + Self.event(1, Self.other)), .hangUp,
      ],
      // One that begins too early.
      [.receive, Self.begins(at: 7), .say(Self.event(8) + Self.event(9))])
    var attempts: [Int] = []
    var watch = try Watch(
      Self.filter, connect: { () throws(ClientError) in try daemon.connect() },
      retry: { attempt, why in
        attempts.append(attempt)
        #expect(why.isRetryable)
        return true
      })
    #expect(watch.position.sizes.values.map(\.self) == [4])
    var seen: [String] = []
    for _ in 0..<5 { seen.append(try #require(try watch.next()?.json["id"]?.string)) }
    #expect(seen == ["e5", "e7", "e8", "e1", "e9"])
    #expect(attempts == [1, 2, 1])
    #expect(
      daemon.requests == [
        "WATCH {\"actor\":\"PRK\"}", Self.asked(after: "\"\(Self.replica)\":7"),
        Self.asked(after: "\"\(Self.replica)\":8,\"\(Self.other)\":1"),
      ])
  }

  @Test("A caller that does not want to try again gets the error")
  func givesUp() throws {
    let daemon = ScriptedDaemon([.receive, Self.begins(at: 0), .hangUp])
    var attempts = 0
    var watch = try Watch(
      [], connect: { () throws(ClientError) in try daemon.connect() },
      retry: { attempt, _ in
        attempts = attempt
        return attempt < 3
      })
    #expect(
      error { () throws(ClientError) in _ = try watch.next() }
        == .noDaemon(path: "scripted", errno: 111))
    #expect(attempts == 3)
  }

  @Test("What waiting does not help is thrown at once")
  func refused() throws {
    let lost = ErrorReply(.wrongPosition, "this machine lacks line 5")
    let daemon = ScriptedDaemon(
      [.receive, Self.begins(at: 4), .say(Self.event(5)), .hangUp],
      [.receive, .say("ERR wrong-position this machine lacks line 5\n")])
    var watch = try Watch(
      [], after: .string("2026-11-01"),
      connect: { () throws(ClientError) in try daemon.connect() }, retry: { _, _ in true })
    _ = try watch.next()
    #expect(error { () throws(ClientError) in _ = try watch.next() } == .refused(lost))
    #expect(daemon.requests.first == "WATCH {\"after\":\"2026-11-01\"}")
  }

  @Test("Nil where nothing comes in time, and catching up moves over what does not fit")
  func catchesUp() throws {
    let daemon = ScriptedDaemon([
      .receive, Self.begins(at: 4), .receive,
      .say(Self.event(6) + "END {\"position\":{\"\(Self.replica)\":9}}\nOK\n"), .receive,
      Self.begins(at: 9), .say(Self.event(10)),
    ])
    var watch = try Watch(
      Self.filter, connect: { () throws(ClientError) in try daemon.connect() })
    #expect(try watch.next(until: .now - .seconds(1)) == nil)
    var came: [UInt64] = []
    try watch.catchUp { came.append($0.address.seq) }
    #expect(came == [6])
    #expect(watch.position.sizes.values.map(\.self) == [9])
    #expect(try watch.next()?.address.seq == 10)
    #expect(daemon.requests.dropFirst() == ["PING", Self.asked(after: "\"\(Self.replica)\":9")])
  }

  @Test("A line that does not say where it stands ends the watch")
  func noAddress() throws {
    let daemon = ScriptedDaemon([.receive, Self.begins(at: 4), .say("EVENT {\"seq\":5}\n")])
    var watch = try Watch([], connect: { () throws(ClientError) in try daemon.connect() })
    #expect(
      error { () throws(ClientError) in _ = try watch.next() }
        == .protocolViolation(.noAddress("{\"seq\":5}")))
  }
}

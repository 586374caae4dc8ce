import Foundation
import Glibc
import Synchronization
import Testing
import TimelineModel
import TimelineWire

@testable import TimelineClient

struct ConnectionTests {
  @Test("A reply that comes in pieces is one reply, and two in one piece are two")
  func pieces() throws {
    let daemon = ScriptedDaemon([
      .receive, .receive, .say("OK {\"cou"), .say("nt\":7"), .say("}\nOK"), .say("\n"),
    ])
    let connection = try daemon.connect()
    try connection.send(.count(.object(["party": .string("PRK")])), [])
    try connection.send(Ask<Void>.ping, [])
    #expect(try connection.answer(to: .count(.null)).count == 7)
    try connection.answer(to: .ping)
    #expect(daemon.requests == ["COUNT {\"party\":\"PRK\"}", "PING"])
  }

  @Test("Half a line at the end is no reply")
  func halfALine() throws {
    let daemon = ScriptedDaemon([.receive, .say("OK {\"count\":7}"), .hangUp])
    let connection = try daemon.connect()
    #expect(error { () throws(ClientError) in _ = try connection.ask(.count(.null)) } == .ended)
  }

  @Test("A stream is pulled to its end, and an error in it is thrown")
  func streams() throws {
    let daemon = ScriptedDaemon([
      .receive, .say("EVENT {\"id\":1}\nROW {\"n\":2}\nEND {\"count\":1}\n"), .receive,
      .say("EVENT {}\nERR damaged line 3 is damaged\t{\"hint\":\"repair\"}\n"),
    ])
    let connection = try daemon.connect()
    var stream = try connection.stream(.get("abcd"))
    #expect(try stream.next() == .event(Array("{\"id\":1}".utf8)[...]))
    #expect(stream.end == nil)
    #expect(try stream.next() == .row(Array("{\"n\":2}".utf8)[...]))
    #expect(try stream.next() == nil)
    #expect(try stream.next() == nil)
    #expect(stream.end?["count"]?.int == 1)
    var broken = try connection.stream(.query(.object([JSONValue.Member]())))
    _ = try broken.next()
    #expect(
      error { () throws(ClientError) in _ = try broken.next() }
        == .refused(ErrorReply(.damaged, "line 3 is damaged", hint: .repair)))
  }

  @Test("An error has its structure, or none")
  func errors() throws {
    let daemon = ScriptedDaemon([
      .receive,
      .say(
        "ERR bad-event line 2: date: \"x\": no date\t{\"line\":2,\"field\":\"date\",\"value\":\"x\"}\n"
      ),
      .receive, .say("ERR not-found no event whose id begins with abcd\n"),
      .receive, .say("ERR of-tomorrow some text\n"), .receive, .say("OK {\n"), .receive,
      .say("OK {}\n"),
    ])
    let connection = try daemon.connect()
    func ask() -> ClientError? {
      error { () throws(ClientError) in _ = try connection.ask(.append(.null)) }
    }
    #expect(
      ask()
        == .refused(
          ErrorReply(.badEvent, "\"x\": no date", line: 2, field: "date", value: "x")))
    #expect(ask() == .refused(ErrorReply(.notFound, "no event whose id begins with abcd")))
    #expect(ask() == .protocolViolation(.notAReply("ERR of-tomorrow some text")))
    #expect(ask() == .protocolViolation(.notJSON("{")))
    #expect(ask() == .protocolViolation(.incomplete(verb: "APPEND", "OK {}")))
  }

  @Test("A line without an end does not fill the memory")
  func longLine() throws {
    let daemon = ScriptedDaemon([.receive, .say(String(repeating: "x", count: 5000)), .hangUp])
    let scripted = try daemon.connect()
    let connection = Connection(dup(scripted.descriptor), ReplyLines(bytesMax: 1000), { -1 })
    #expect(
      error { () throws(ClientError) in _ = try connection.ask(.status) }
        == .protocolViolation(.lineTooLong(bytesMax: 1000)))
  }

  @Test("What was said before the connection was closed is read, though nothing can be sent")
  func refusedConnection() throws {
    let busy = ErrorReply(.busy, "too many connections; try again later")
    let daemon = ScriptedDaemon(
      [.say("ERR busy too many connections; try again later\n"), .hangUp], [.hangUp],
      [.say("OK\nERR busy no file can be opened\n"), .hangUp])
    func ask() -> ClientError? {
      error { () throws(ClientError) in _ = try daemon.connect().ask(.status) }
    }
    #expect(ask() == .refused(busy))
    #expect(ask() == .ended)
    // The first line is no refusal of a connection.
    #expect(ask() == .ended)
  }

  @Test("No daemon, no socket's path, and what may be tried again")
  func noDaemon() {
    func connect(_ path: String) -> ClientError? {
      error { () throws(ClientError) in _ = try Connection(path: path) }
    }
    #expect(connect("/nosuch/sock") == .noDaemon(path: "/nosuch/sock", errno: ENOENT))
    let long = "/" + String(repeating: "x", count: 200)
    #expect(connect(long) == .noDaemon(path: long, errno: ENAMETOOLONG))
    let again: [ClientError] = [.ended, .noDaemon(path: "", errno: ENOENT)]
    #expect(again.allSatisfy { $0.isRetryable })
    let never: [ClientError] = [
      .denied(path: ""), .interrupted, .protocolViolation(.notAReply("")),
    ]
    #expect(never.allSatisfy { !$0.isRetryable })
    for code in ErrorCode.allCases {
      #expect(ClientError.refused(ErrorReply(code, "")).isRetryable == (code == .busy))
    }
  }

  @Test("A wait ends by the clock, or by the descriptor that was handed in")
  func waits() throws {
    var ends: [Int32] = [-1, -1]
    var signal: [Int32] = [-1, -1]
    precondition(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    precondition(pipe(&signal) == 0)
    defer { for descriptor in [ends[1]] + signal { close(descriptor) } }
    let connection = Connection(descriptor: ends[0], interruption: { [signal] in signal[0] })
    #expect(try connection.line(until: .now - .seconds(1)) == nil)
    #expect(write(signal[1], "x", 1) == 1)
    #expect(error { () throws(ClientError) in _ = try connection.line() } == .interrupted)
  }
}

// The daemon, asked for a command: what TimelineClient throws becomes the failure of the command, here and
// nowhere else.

import Glibc
import TimelineClient
import TimelineModel
import TimelineWire

final class Client {
  private let connection: Connection

  init(socket path: String) throws(Failure) {
    do throws(ClientError) {
      connection = try Connection(path: path, interruption: Self.signal)
    } catch {
      throw Failure(error)
    }
  }

  /// What ends a wait.
  static let signal: @Sendable () -> Int32 = { Interruption.descriptor }

  func ask<Answer>(_ ask: Ask<Answer>) throws(Failure) -> Answer {
    do throws(ClientError) { return try connection.ask(ask) } catch { throw Failure(error) }
  }

  /// Sends a request whose answer is taken later, in the order of the requests.
  func send<Answer>(_ ask: Ask<Answer>, _ lines: some Sequence<[UInt8]>) throws(Failure) {
    do throws(ClientError) { try connection.send(ask, lines) } catch { throw Failure(error) }
  }

  func send(_ ask: AskStream, _ lines: some Sequence<[UInt8]>) throws(Failure) {
    do throws(ClientError) { try connection.send(ask, lines) } catch { throw Failure(error) }
  }

  func answer<Answer>(to ask: Ask<Answer>) throws(Failure) -> Answer {
    do throws(ClientError) { return try connection.answer(to: ask) } catch { throw Failure(error) }
  }

  /// Gives each event and row of a stream as it comes, and returns what END says.
  func stream(
    _ ask: AskStream, _ each: (_ word: String, _ json: ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) -> JSONValue {
    try send(ask, [])
    return try rest(each)
  }

  /// The answer of a stream that was asked for already.
  func rest(
    _ each: (_ word: String, _ json: ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) -> JSONValue {
    var stream = connection.rest()
    while let item = try next(&stream) {
      switch item {
      case .event(let json): try each("EVENT", json)
      case .row(let json): try each("ROW", json)
      }
    }
    return stream.end ?? .null
  }

  private func next(_ stream: inout ReplyStream) throws(Failure) -> ReplyStream.Item? {
    do throws(ClientError) { return try stream.next() } catch { throw Failure(error) }
  }

  static func json(_ bytes: ArraySlice<UInt8>) -> JSONValue {
    (try? JSONValue(reply: bytes)) ?? .null
  }

  // MARK: Another protocol

  var descriptor: Int32 { connection.descriptor }

  func sendSome(_ bytes: ArraySlice<UInt8>) -> Int { connection.sendSome(bytes) }

  func receive(_ body: (UnsafeRawBufferPointer) -> Void) throws(Failure) {
    do throws(ClientError) { try connection.receive(body) } catch { throw Failure(error) }
  }
}

/// A watch of a command: it ends where the daemon does.
struct Watching {
  private var watch: Watch

  init(
    _ context: Context, _ filter: [JSONValue.Member] = [], after: JSONValue? = nil
  ) throws(Failure) {
    do throws(ClientError) {
      watch = try Watch(
        filter, after: after,
        connect: { () throws(ClientError) in
          let connection = try Connection(path: context.socket, interruption: Client.signal)
          if let timeline = context.timeline { _ = try connection.ask(.open(timeline)) }
          return connection
        })
    } catch { throw Failure(error) }
  }

  var position: Position { watch.position }

  mutating func next(until end: ContinuousClock.Instant? = nil) throws(Failure) -> Watch.Line? {
    do throws(ClientError) { return try watch.next(until: end) } catch { throw Failure(error) }
  }

  mutating func catchUp(_ each: (Watch.Line) -> Void) throws(Failure) {
    do throws(ClientError) { try watch.catchUp(each) } catch { throw Failure(error) }
  }
}

extension Failure {
  init(_ error: ClientError) {
    switch error {
    case .noDaemon(let path, ENAMETOOLONG):
      self.init(.usage, "--socket: the path is too long for a socket: \(path)")
    case .noDaemon(let path, _):
      self.init(
        .noDaemon,
        "no timelined answers at \(path); start one with `timelined --socket \(path) &`")
    case .denied(let path):
      self.init(
        .notAllowed, code: "denied",
        "no permission for the socket \(path): it is another user's; name your own daemon's with"
          + " --socket PATH")
    case .ended: self.init(.noDaemon, "timelined ended the connection")
    case .refused(let reply): self.init(reply)
    case .protocolViolation(let violation): self.init(.failed, Self.text(violation))
    case .interrupted: self = Interruption.failure
    }
  }

  /// - Parameter form: how the event was given that the reply is about.
  init(_ reply: ErrorReply, _ form: MessageTranslation.Form = .json) {
    self.init(reply.code.exit, code: reply.code.rawValue, MessageTranslation.text(reply, form))
    self.reply = reply
  }

  private static func text(_ violation: ClientError.Violation) -> String {
    switch violation {
    case .lineTooLong(let bytes): "timelined answered with a line of more than \(bytes) bytes"
    case .notAReply(let line), .notJSON(let line), .noAddress(let line), .incomplete(_, let line):
      "timelined answered: \(line)"
    }
  }
}

extension ErrorCode {
  /// What a command asks is made from what the person wrote: what is wrong with it is theirs.
  fileprivate var exit: ExitCode {
    switch self {
    case .denied, .readOnly: .notAllowed
    case .badRequest: .usage
    case .damaged: .verificationFailed
    case .badEvent, .tooLarge, .notFound, .exists, .wrongPosition, .full, .busy, .unsupported,
      .internal:
      .failed
    }
  }
}

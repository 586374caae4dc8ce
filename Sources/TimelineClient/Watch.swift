// Lines as they come, over as many connections as that takes: a client that loses the daemon goes on behind the
// last line it saw, by its position, so no line is missed and none comes twice.
//
//     WATCH {"after":{…}} ── EVENT, EVENT, ✂ ── connect, WATCH {"after":{… as far as it came}} ── EVENT …
//
// When to connect again is the caller's: `retry` waits as long as it likes, and says whether to go on.

import TimelineModel

public struct Watch {
  public struct Line: Sendable, Hashable {
    /// One JSON object, as it stands in the log.
    public var bytes: [UInt8]
    public var json: JSONValue
    public var address: LineAddress
  }

  /// Every line up to here that fits was handed out; a new watch `after` it goes on where this one was.
  public private(set) var position: Position
  /// Nil, or one on which a watch is under way.
  private var connection: Connection?
  /// Attempts in a row that failed.
  private var failures = 0

  private let filter: [JSONValue.Member]
  private let connect: () throws(ClientError) -> Connection
  private let retry: (_ attempt: Int, _ why: ClientError) -> Bool

  /// Connects and begins; what goes wrong here is thrown, and not tried again.
  /// - Parameters:
  ///   - filter: the members of a filter, without `after`.
  ///   - moment: a position, a day or a time, as the protocol takes it; nil to begin with what comes from
  ///     now on.
  ///   - connect: a new connection, the timeline chosen.
  ///   - retry: asked before each attempt to connect again, counted from 1, with what happened. False gives
  ///     up: `next` throws what happened. By itself it never tries again.
  public init(
    _ filter: [JSONValue.Member], after moment: JSONValue? = nil,
    connect: @escaping () throws(ClientError) -> Connection,
    retry: @escaping (_ attempt: Int, _ why: ClientError) -> Bool = { _, _ in false }
  ) throws(ClientError) {
    self.filter = filter
    self.connect = connect
    self.retry = retry
    position = Position()
    position = try begin(after: moment)
  }

  /// Where the watch on the new connection begins.
  @discardableResult
  private mutating func begin(after moment: JSONValue?) throws(ClientError) -> Position {
    let connection = try connect()
    let after = moment.map { [JSONValue.Member("after", $0)] } ?? []
    let start = try connection.ask(.watch(.object(filter + after)))
    self.connection = connection
    failures = 0
    return start
  }

  /// The next line that fits; nil where none comes in time.
  public mutating func next(
    until end: ContinuousClock.Instant? = nil
  ) throws(ClientError) -> Line? {
    while true {
      do throws(ClientError) {
        guard let connection else {
          try begin(after: position.json)
          continue
        }
        guard let line = try connection.line(until: end) else { return nil }
        guard line.starts(with: "EVENT ".utf8) else { throw Connection.error(line) }
        if let line = try take(line[6...]) { return line }
      } catch {
        connection = nil
        guard error.isRetryable else { throw error }
        failures += 1
        guard retry(failures, error) else { throw error }
      }
    }
  }

  /// Nil for a line that was handed out already.
  private mutating func take(_ bytes: ArraySlice<UInt8>) throws(ClientError) -> Line? {
    let json = try JSONValue(reply: bytes)
    guard let replica = json["replica"]?.string.flatMap({ ReplicaID($0) }),
      let seq = json["seq"]?.int.flatMap({ UInt64(exactly: $0) })
    else { throw .protocolViolation(.noAddress(ClientError.Violation.shown(bytes))) }
    guard seq > position[replica] else { return nil }
    position[replica] = seq
    return Line(bytes: Array(bytes), json: json, address: LineAddress(replica, seq))
  }

  /// Asks how far the daemon has looked, and moves the position there: lines that do not fit, or that are
  /// damaged, are passed over without a word. What came on the way is handed to `each`. A lost connection
  /// is thrown; the watch goes on with the next `next` all the same.
  public mutating func catchUp(_ each: (Line) -> Void) throws(ClientError) {
    guard let connection else {
      try begin(after: position.json)
      return
    }
    self.connection = nil
    // The next request ends a watch.
    try connection.send(Ask<Void>.ping.bytes)
    var stream = connection.rest()
    while let item = try stream.next() {
      if case .event(let bytes) = item, let line = try take(bytes) { each(line) }
    }
    try connection.answer(to: .ping)
    guard let end = stream.end?["position"].flatMap({ Position(json: $0) }) else {
      throw .protocolViolation(.incomplete(verb: "WATCH", stream.end?.text ?? ""))
    }
    position = end
    _ = try connection.ask(.watch(.object(filter + [JSONValue.Member("after", end.json)])))
    self.connection = connection
  }
}

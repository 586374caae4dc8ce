// `EVENT`s and `ROW`s up to `END`, pulled one at a time: no more of a stream is held than the line that is
// looked at and what one read brought. It has to be pulled to its end before the connection is asked again.

import TimelineModel

public struct ReplyStream {
  public enum Item: Sendable, Equatable {
    /// A line of the log, or an event as it shows: the bytes that the daemon sent, one JSON object.
    case event(ArraySlice<UInt8>)
    /// What else the verb answers with, one JSON object.
    case row(ArraySlice<UInt8>)
  }

  private let connection: Connection
  /// What END says; nil until it came.
  public private(set) var end: JSONValue?

  init(_ connection: Connection) { self.connection = connection }

  /// Nil once END came. An error in the middle is thrown as `.refused`.
  public mutating func next() throws(ClientError) -> Item? {
    guard end == nil else { return nil }
    let line = try connection.line()
    let space = line.firstIndex(of: UInt8(ascii: " ")) ?? line.count
    let rest = line.dropFirst(space + 1)
    switch String(decoding: line[..<space], as: UTF8.self) {
    case "EVENT": return .event(rest)
    case "ROW": return .row(rest)
    case "END":
      end = try JSONValue(reply: rest)
      return nil
    default: throw Connection.error(line)
    }
  }
}

// Answers of questions that were asked off the loop, and those that go out as the connection has room.

import EventStore
import TimelineModel
import TimelineWire

extension Router {
  /// Lines that a watch looks at before others have their turn.
  private static let watchedLinesMax = 500

  func deliver(_ answer: SlowQuestion.Answer, _ connection: Connection) {
    switch answer {
    case .json(let json):
      connection.mode = .requests
      Reply.ok(json, to: &connection.out)
    case .state(let json, let kept, let era):
      states.keep(kept, of: era)
      connection.mode = .requests
      Reply.ok(json, to: &connection.out)
    case .events(let events):
      connection.mode = .streaming(events, sent: 0)
    case .backup(let backup):
      if let head = backup.newestHead { timeline.publish(head, of: timeline.replica) }
      connection.mode = .backingUp(backup)
    case .proof(let proof):
      connection.mode = .requests
      timeline.publish(proof.head, of: proof.replica)
      Reply.ok(proof.json, to: &connection.out)
    case .named(let named, let author):
      connection.mode = .requests
      do throws(AppendError) {
        let staged = try timeline.stage(named, author: author, recording(connection))
        promise(.snapshot(staged, named), connection)
      } catch { Reply.error(ErrorReply(error), to: &connection.out) }
    case .end(let end):
      connection.mode = .requests
      do throws(ErrorReply) { try record(end, connection) } catch {
        Reply.error(error, to: &connection.out)
      }
    case .error(let error):
      connection.mode = .requests
      Reply.error(error, to: &connection.out)
    case .rows(let rows, let end):
      connection.mode = .requests
      for row in rows { Reply.row(row, to: &connection.out) }
      Reply.end(end, to: &connection.out)
    case .verified(let rows, let end, let damaged):
      states.damagedLines = damaged
      deliver(.rows(rows, end: end), connection)
    }
  }

  /// Writes what a stream has, as far as the connection has room; whether there may be more.
  func pump(_ connection: Connection) -> Bool {
    let before = connection.out.count
    switch connection.mode {
    case .streaming(let events, var sent):
      while sent < events.count, connection.hasRoom {
        let isSent =
          events[sent].map { Self.append($0, events.view, to: &connection.out) } ?? false
        if !isSent, let cited = events.query.cited {
          let error = CitationError.damaged(cited, events.line(of: sent))
          Reply.error(ErrorReply(error), to: &connection.out)
          connection.mode = .requests
          return true
        }
        sent += 1
      }
      connection.mode = .streaming(events, sent: sent)
      guard sent == events.count else { break }
      let cited = events.query.cited
      let position = cited?.position ?? events.view.position
      Reply.end(
        JSONValue.object([
          "count": .int(sent), "position": position.json,
          "contested": events.contested == 0 ? nil : .int(events.contested),
        ]).citing(cited),
        to: &connection.out)
      connection.mode = .requests
    case .backingUp(var backup):
      // Emptied first, so that what the walk knows is not copied.
      connection.mode = .requests
      while connection.hasRoom {
        guard backup.next(to: &connection.out) else { return true }
      }
      connection.mode = .backingUp(backup)
    case .watching(let filter, var position):
      let hasMore =
        connection.hasRoom
        && timeline.lines.follow(filter, from: &position, linesMax: Self.watchedLinesMax) { line in
          connection.out.append(contentsOf: "EVENT ".utf8)
          connection.out.append(contentsOf: line)
          return connection.hasRoom
        }
      connection.mode = .watching(filter, position)
      // Lines that nobody wants are looked at in turns too.
      return hasMore || connection.out.count > before
    case .requests, .collecting, .waiting, .following, .linked: break
    }
    return connection.out.count > before
  }

  /// `EVENT` and its line; nothing, and false, where the line has been damaged since it was read.
  static func append(
    _ event: ShownEvent, _ view: ReadView, to out: inout [UInt8]
  ) -> Bool {
    let start = out.count
    out.append(contentsOf: "EVENT ".utf8)
    guard view.append(event, to: &out) else {
      out.removeSubrange(start...)
      return false
    }
    out.append(0x0A)
    return true
  }

  /// A request on a watching connection ends the watch.
  func endWatch(_ connection: Connection) {
    guard case .watching(_, let position) = connection.mode else { return }
    Reply.end(.object(["position": position.json]), to: &connection.out)
    connection.mode = .requests
    host.listeners.removeAll { $0 === connection }
  }
}

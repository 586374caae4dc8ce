// What is to be recorded: staged as it comes, answered by `settle` after the commit that covers it.

import EventStore
import TimelineModel
import TimelineWire

extension Router {
  func recording(_ connection: Connection) -> Timeline.Recording {
    Timeline.Recording(
      author: connection.author, now: now(), random: random, newID: newID)
  }

  func append(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(RequestError) {
    guard let json = request.json else {
      throw RequestError(.badRequest, "APPEND takes an event: APPEND {\"type\":…}")
    }
    var recording = recording(connection)
    var event = UnsafeBufferPointer(rebasing: line[json])
    if let split = Self.endOfFirstObject(event) {
      let text = UnsafeBufferPointer(rebasing: event[..<split])
      guard let value = try? JSONValue(parsing: text), let position = Position(json: value) else {
        throw RequestError(
          .badRequest, "the position before the event is {\"REPLICA\": number of lines, …}")
      }
      recording.position = position
      event = UnsafeBufferPointer(rebasing: event[split...])
    }
    do throws(AppendError) {
      connection.deferred.append(.appended(try timeline.stage(event, recording)))
    } catch { throw RequestError(error) }
  }

  func erase(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(RequestError) {
    let value = try request.value(in: line, keys: ["id", "reason", "author"])
    guard let id = value["id"]?.string.flatMap({ EventID($0) }),
      let reason = value["reason"]?.string,
      !reason.isEmpty, reason.utf8.count <= 1000
    else {
      throw RequestError(
        .badRequest,
        "ERASE takes a whole id, and a reason of at most 1000 bytes that holds none of "
          + "the words: ERASE {\"id\":ID,\"reason\":TEXT}")
    }
    var recording = recording(connection)
    if let author = value["author"]?.string, !author.isEmpty,
      author.utf8.count <= LineLimits.authorBytesMax
    {
      recording.author = author
    }
    do throws(AppendError) {
      connection.deferred.append(
        .erased(try timeline.stageErasure(of: id, reason: reason, recording)))
    } catch { throw RequestError(error) }
  }

  /// Where a position stands before the event: the end of the first of two objects. A position is
  /// `{}`, or begins with a replica's id, as no event does.
  private static func endOfFirstObject(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
    let quote = UInt8(ascii: "\"")
    let afterKey = 2 + UUIDBytes.textLength
    let isPosition =
      text.count > afterKey
      && (text[1] == UInt8(ascii: "}") || (text[1] == quote && text[afterKey] == quote))
    guard isPosition, let end = text.firstIndex(of: UInt8(ascii: "}")) else { return nil }
    let rest = text[(end + 1)...].drop { $0 == UInt8(ascii: " ") }
    return rest.first == UInt8(ascii: "{") ? rest.startIndex : nil
  }

  func collected(_ many: ManyLines, _ connection: Connection) -> Step {
    guard many.left == 0 else {
      connection.mode = .collecting(many)
      return .goOn
    }
    connection.mode = .requests
    if let refusal = many.refusal {
      reply(connection) { Reply.error(refusal, to: &$0) }
      return .goOn
    }
    return many.withTexts { texts in
      switch many.purpose {
      case .append: append(texts, connection)
      case .check: check(texts, connection)
      case .whatIf(let question?): return whatIf(question, texts, connection)
      case .whatIf(nil): break
      }
      return .goOn
    }
  }

  /// What a WHATIF asks; where that is wrong, its lines are passed over.
  func hypotheses(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(RequestError) -> ManyLines {
    var many = try ManyLines(request)
    do throws(RequestError) {
      many.purpose = .whatIf(try questions.whatIf(request, line))
    } catch { many.refuseAll(error) }
    return many
  }

  private func whatIf(
    _ question: StateQuestion, _ texts: [UnsafeBufferPointer<UInt8>], _ connection: Connection
  ) -> Step {
    do throws(RequestError) {
      var question = question
      try question.lay(Hypotheses(texts), timeline, recording(connection))
      return state(question, connection)
    } catch {
      Reply.error(error, to: &connection.out)
      return .goOn
    }
  }

  private func check(_ texts: [UnsafeBufferPointer<UInt8>], _ connection: Connection) {
    let verdicts = timeline.check(texts, recording(connection))
    reply(connection) { out in
      var bad = 0
      var duplicates = 0
      for (place, verdict) in verdicts.enumerated() {
        switch verdict {
        case .success(let staged): duplicates += staged.isDuplicate ? 1 : 0
        case .failure(let failure):
          bad += 1
          var error = ErrorReply(failure)
          error.line = place + 1
          Reply.row(error.row, to: &out)
        }
      }
      Reply.end(
        .object([
          "count": .int(verdicts.count), "new": .int(verdicts.count - bad - duplicates),
          "duplicates": .int(duplicates), "bad": .int(bad),
        ]), to: &out)
    }
  }

  private func append(_ texts: [UnsafeBufferPointer<UInt8>], _ connection: Connection) {
    switch timeline.stageAll(texts, recording(connection)) {
    case .success(let staged): connection.deferred.append(.appendedMany(staged))
    case .failure(let failure):
      var error = ErrorReply(failure.error)
      error.line = failure.place + 1
      reply(connection) { Reply.error(error, to: &$0) }
    }
  }

  /// Answers the appends of a connection after a commit; `failure` where it failed.
  func settle(_ connection: Connection, _ failure: AppendError?) {
    for deferred in connection.deferred {
      switch deferred {
      case .ready(let bytes): connection.out.append(contentsOf: bytes)
      case .took(let replica, let last):
        guard case .syncing(var session) = connection.mode else { break }
        if let failure {
          end(connection, RequestError(failure))
        } else {
          connection.out.append(contentsOf: session.committed(replica, last: last))
          connection.mode = .syncing(session)
        }
      case .appended(let staged):
        if let failure, !timeline.isDurable(staged) {
          Reply.error(RequestError(failure), to: &connection.out)
        } else {
          Self.acknowledge(staged, to: &connection.out)
        }
      case .snapshot(let staged, let named):
        if let failure, !timeline.isDurable(staged) {
          Reply.error(RequestError(failure), to: &connection.out)
        } else {
          Reply.ok(staged.json(of: named), to: &connection.out)
        }
      case .erased(let staged):
        if let failure, !timeline.isDurable(staged) {
          Reply.error(RequestError(failure), to: &connection.out)
        } else {
          Reply.ok(
            .object([
              "id": .string(staged.id.description), "replica": .string(staged.replica.description),
              "seq": .int(Int(staged.seq)),
              "unfinished": timeline.unfinishedErasure.map { .string($0) },
            ]), to: &connection.out)
        }
      case .appendedMany(let staged):
        if let failure, let last = staged.last, !timeline.isDurable(last) {
          Reply.error(RequestError(failure), to: &connection.out)
        } else {
          let new = staged.filter { !$0.isDuplicate }
          Reply.ok(
            .object([
              "count": .int(staged.count), "duplicates": .int(staged.count - new.count),
              "replica": .string(timeline.replica.description),
              "first": new.first.map { .int(Int($0.seq)) },
              "last": new.last.map { .int(Int($0.seq)) },
            ]), to: &connection.out)
        }
      }
    }
    connection.deferred.removeAll(keepingCapacity: true)
  }

  /// `OK {"id":"…","replica":"…","seq":7}`, written without a tree: it is the hottest reply.
  private static func acknowledge(_ staged: Timeline.Staged, to out: inout [UInt8]) {
    out.append(contentsOf: #"OK {"id":""#.utf8)
    staged.id.uuid.append(to: &out)
    out.append(contentsOf: #"","replica":""#.utf8)
    staged.replica.uuid.append(to: &out)
    out.append(contentsOf: #"","seq":"#.utf8)
    out.append(contentsOf: String(staged.seq).utf8)
    if staged.isDuplicate { out.append(contentsOf: #","duplicate":true"#.utf8) }
    out.append(contentsOf: "}\n".utf8)
  }
}

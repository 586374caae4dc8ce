// What is to be recorded: staged as it comes, answered by `keep` once the write that covers it came back.

import EventStore
import TimelineModel
import TimelineWire

extension Router {
  func recording(_ connection: Connection) -> Timeline.Recording {
    Timeline.Recording(
      author: connection.author, now: service.now.wall, random: service.random,
      newID: service.newID)
  }

  func append(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) {
    guard let json = request.json else {
      throw ErrorReply(.badRequest, "APPEND takes an event: APPEND {\"type\":…}")
    }
    var recording = recording(connection)
    var event = UnsafeBufferPointer(rebasing: line[json])
    if let split = Self.endOfFirstObject(event) {
      let text = UnsafeBufferPointer(rebasing: event[..<split])
      guard let value = try? JSONValue(parsing: text), let position = Position(json: value) else {
        throw ErrorReply(
          .badRequest, "the position before the event is {\"REPLICA\": number of lines, …}")
      }
      recording.position = position
      event = UnsafeBufferPointer(rebasing: event[split...])
    }
    do throws(AppendError) {
      promise(.appended(try timeline.stage(event, recording)), connection)
    } catch { throw ErrorReply(error) }
  }

  func erase(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, _ connection: Connection
  ) throws(ErrorReply) {
    let value = try request.value(in: line, keys: ["id", "reason", "author"])
    guard let id = value["id"]?.string.flatMap({ EventID($0) }),
      let reason = value["reason"]?.string,
      !reason.isEmpty, reason.utf8.count <= 1000
    else {
      throw ErrorReply(
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
      promise(.erased(try timeline.stageErasure(of: id, reason: reason, recording)), connection)
    } catch { throw ErrorReply(error) }
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
  ) throws(ErrorReply) -> ManyLines {
    var many = try ManyLines(request)
    do throws(ErrorReply) {
      many.purpose = .whatIf(try questions.whatIf(request, line))
    } catch { many.refuseAll(error) }
    return many
  }

  private func whatIf(
    _ question: StateQuestion, _ texts: [UnsafeBufferPointer<UInt8>], _ connection: Connection
  ) -> Step {
    do throws(ErrorReply) {
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
      for (index, verdict) in verdicts.enumerated() {
        switch verdict {
        case .success(let staged): duplicates += staged.isDuplicate ? 1 : 0
        case .failure(let failure):
          bad += 1
          var error = ErrorReply(failure)
          error.line = index + 1
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
    case .success(let staged): promise(.appendedMany(staged), connection)
    case .failure(let failure):
      var error = ErrorReply(failure.error)
      error.line = failure.index + 1
      reply(connection) { Reply.error(error, to: &$0) }
    }
  }

  /// Says what was promised for a write; `failure` where it failed.
  func keep(_ promise: Promise.Kind, _ failure: AppendError?, _ connection: Connection) {
    if let failure, !isDurable(promise) {
      Reply.error(ErrorReply(failure), to: &connection.out)
    } else {
      acknowledge(promise, to: &connection.out)
    }
    connection.replies.kept(to: &connection.out)
  }

  private func isDurable(_ promise: Promise.Kind) -> Bool {
    switch promise {
    case .appended(let staged), .snapshot(let staged, _), .erased(let staged):
      timeline.isDurable(staged)
    case .appendedMany(let staged): staged.allSatisfy { timeline.isDurable($0) }
    case .took, .joined: false
    }
  }

  private func acknowledge(_ promise: Promise.Kind, to out: inout [UInt8]) {
    switch promise {
    case .appended(let staged): Self.acknowledge(staged, to: &out)
    case .snapshot(let staged, let named): Reply.ok(staged.json(of: named), to: &out)
    case .erased(let staged):
      Reply.ok(
        .object([
          "id": .string(staged.id.description), "replica": .string(staged.replica.description),
          "seq": .int(Int(staged.seq)),
          "unfinished": timeline.unfinishedErasure.map { .string($0) },
        ]), to: &out)
    case .appendedMany(let staged):
      let new = staged.filter { !$0.isDuplicate }
      Reply.ok(
        .object([
          "count": .int(staged.count), "duplicates": .int(staged.count - new.count),
          "replica": .string(timeline.replica.description),
          "first": new.first.map { .int(Int($0.seq)) },
          "last": new.last.map { .int(Int($0.seq)) },
        ]), to: &out)
    case .took, .joined: break
    }
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

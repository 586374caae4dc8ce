// From the JSON of a question to what is asked: keys, actors, days and positions are checked here, once.

import Engagement
import EventStore
import TimelineModel
import TimelineWire

struct QuestionReader {
  /// What the log holds, and which actors it knows.
  let log: ReadView
  let today: Day

  private static let filterKeys = Filter.keys + ["where", "from", "to"]
  private static let momentKeys = ["known_at", "at"]
  private static let stateKeys = ["parties", "as_of"] + momentKeys
  private static let seriesKeys = ["every", "from", "to"]
  private static let changesKeys = ["parties", "from", "since", "to", "every"] + momentKeys

  // MARK: Events

  func query(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> Query {
    let value = try request.value(
      in: line, keys: Self.filterKeys + Self.momentKeys + ["order", "limit"])
    var query = try moment(value)
    query.filter = try filter(value, query.knownAt)
    if let order = value["order"] {
      guard let order = order.string.flatMap(Query.Order.init(rawValue:)) else {
        throw ErrorReply(.badRequest, "order is \"asc\" or \"desc\"")
      }
      query.order = order
    }
    if let limit = value["limit"] {
      guard let limit = limit.int, limit >= 0 else {
        throw ErrorReply(.badRequest, "limit is a whole number, not below 0")
      }
      query.limit = limit
    }
    return query
  }

  /// How the log stood that is asked about.
  private func moment(_ value: JSONValue) throws(ErrorReply) -> Query {
    var query = Query()
    if let known = value["known_at"] { query.knownAt = try positionHere(known) }
    if let word = value["at"] {
      guard query.knownAt == nil else {
        throw ErrorReply(.badRequest, "known_at and at: give one of the two")
      }
      guard let word = word.string else {
        throw ErrorReply(.badRequest, "at is the name of a snapshot, or its id")
      }
      query.cited = try cited(word)
    }
    return query
  }

  private func cited(_ word: String) throws(ErrorReply) -> RecordedSnapshot {
    do throws(CitationError) { return try log.cited(word) } catch { throw ErrorReply(error) }
  }

  /// Those that could be named at a moment.
  func actors(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> [Actor] {
    let value = try request.value(in: line, keys: Self.momentKeys)
    return log.registry(knownAt: try moment(value).knownAt).all
  }

  /// Which tables of rules are wanted: all, or one whole.
  func rules(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> RulesQuestion {
    let value = try request.value(
      in: line, keys: ["table", "event", "shipped", "lines"] + Self.momentKeys)
    var question = RulesQuestion(query: try moment(value))
    if let word = value["table"] {
      let kinds = RuleTable.Kind.allCases.map(\.rawValue)
      guard let kind = word.string.flatMap(RuleTable.Kind.init(rawValue:)) else {
        throw ErrorReply(.badRequest, "table is one of \(kinds.joined(separator: ", "))")
      }
      question.kind = kind
    }
    if let word = value["event"] {
      guard let word = word.string, word.utf8.count >= EventID.shownLengthMin else {
        throw ErrorReply(
          .badRequest, "event is an id, or at least its first \(EventID.shownLengthMin) characters")
      }
      question.event = word.lowercased()
    }
    for key in ["shipped", "lines"] where value[key] != nil {
      guard value[key] == .bool(true) else {
        throw ErrorReply(.badRequest, "\(key) is true, or left out")
      }
    }
    question.isShipped = value["shipped"] != nil
    question.isLines = value["lines"] != nil
    let given = [question.event != nil, question.isShipped].count { $0 }
    guard given == 0 || (question.kind != nil && given == 1),
      !question.isLines || question.kind == nil
    else {
      throw ErrorReply(
        .badRequest, "event or shipped go with table, and name one; lines stands without table")
    }
    return question
  }

  /// What is watched, and from where on.
  func watch(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> (Filter, Position) {
    let value = try request.value(in: line, keys: Self.filterKeys + ["after"])
    let here = log.position
    var start = here
    if let after = value["after"] { start = try position(after) }
    guard here.covers(start) else {
      throw ErrorReply(
        .wrongPosition, "this log does not hold that position; it stands at \(here.json.text)")
    }
    return (try filter(value, nil), start)
  }

  private func filter(
    _ value: JSONValue, _ knownAt: Position?
  ) throws(ErrorReply) -> Filter {
    let filter: Filter
    do throws(FilterError) { filter = try Filter(json: value) } catch {
      throw ErrorReply(.badRequest, error.message)
    }
    let codes = filter.actors.union(filter.targets).union(filter.parties)
    guard !codes.isEmpty else { return filter }
    let registry = log.registry(knownAt: knownAt)
    for code in codes.sorted() { _ = try actor(code.description, registry) }
    return filter
  }

  // MARK: States

  func state(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> StateQuestion {
    if request.verb == .changes { return try changes(request, line) }
    let isWhy = request.verb == .explain
    let value = try request.value(
      in: line, keys: Self.stateKeys + (isWhy ? ["figure"] : Self.seriesKeys))
    var state = try parties(value)
    guard state.parties.count == 2 || !isWhy && value["every"] == nil else {
      throw ErrorReply(
        .badRequest, "the events behind a figure, and series, are those of two parties")
    }
    state.series = try series(value, through: state.day)
    if let text = value["as_of"] { state.day = try day(text, "as_of") }
    if isWhy {
      let word = value["figure"]?.string ?? ""
      guard DyadHistory.figures.contains(word) else {
        let advice = EditDistance.advice(
          on: word, in: DyadHistory.figures,
          else: "figures are \(DyadHistory.figures.joined(separator: ", "))")
        throw ErrorReply(.badRequest, "no figure \"\(word.prefix(40))\"; \(advice)")
      }
      state.figure = word
    }
    return state
  }

  /// Whose state is asked for, and how the log stood; on the last day that makes sense.
  private func parties(_ value: JSONValue) throws(ErrorReply) -> StateQuestion {
    let query = try moment(value)
    let registry = log.registry(knownAt: query.knownAt)
    var codes: Set<ActorCode> = []
    let names = value["parties"]?.array ?? []
    for name in names { codes.insert(try actor(name.string ?? "", registry)) }
    guard codes.count == names.count, codes.count > 1 else {
      throw ErrorReply(
        .badRequest, "a state is that of two parties: {\"parties\":[\"USA\",\"PRK\"]}")
    }
    guard codes.count <= StateQuestion.partiesMax else {
      throw ErrorReply(.badRequest, "a group has at most \(StateQuestion.partiesMax) parties")
    }
    // What is cited says the same on any day that it is asked for.
    return StateQuestion(
      parties: codes.sorted(), day: query.cited?.recorded.day ?? today, query: query)
  }

  /// What changed from one day to another, or on one day by what came into the log.
  private func changes(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> StateQuestion {
    let value = try request.value(in: line, keys: Self.changesKeys)
    var state = try parties(value)
    if let to = value["to"] { state.day = try day(to, "to") }
    if let every = value["every"] {
      guard every.string == "day" else {
        throw ErrorReply(.badRequest, "every is \"day\", or left out: the two days alone")
      }
    }
    switch (value["from"], value["since"]) {
    case (let from?, nil):
      let first = try day(from, "from")
      guard first <= state.day else {
        throw ErrorReply(
          .badRequest, "\(first) is after \(state.day): changes go from a day to a later one")
      }
      state.changes = value["every"] == nil ? .days(from: first) : .daily(from: first)
    case (nil, let since?) where value["every"] == nil:
      state.changes = .log(since: try positionHere(since), as: since)
    default:
      throw ErrorReply(
        .badRequest,
        "CHANGES takes from and to, the days that are compared, or since, the moment after which"
          + " lines came into the log")
    }
    return state
  }

  /// What a WHATIF asks of the events that follow it.
  func whatIf(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> StateQuestion {
    let value = try request.value(behind: 1, in: line, keys: Self.stateKeys + ["without"])
    var state = try parties(value)
    var without: [EventID] = []
    for text in value["without"].map({ $0.array ?? [.null] }) ?? [] {
      guard let id = text.string.flatMap({ EventID($0) }) else {
        throw ErrorReply(.badRequest, "without is a list of whole ids of events")
      }
      switch log.find(id, knownAt: state.query.knownAt) {
      case .shown, .retracted: if !without.contains(id) { without.append(id) }
      case .line: throw ErrorReply(.badRequest, "\(id) is a line of the log, not an event")
      case .unknown: throw ErrorReply(.notFound, "no event \(id) here")
      }
    }
    let asOf = try value["as_of"].map { (text) throws(ErrorReply) in try day(text, "as_of") }
    state.whatIf = StateQuestion.Hypothesis(without: without, isDayGiven: asOf != nil)
    state.day = asOf ?? state.day
    return state
  }

  private func day(_ json: JSONValue, _ key: String) throws(ErrorReply) -> Day {
    guard let day = json.string.flatMap({ Day($0) }) else {
      throw ErrorReply(.badRequest, "\(key) is a day such as 2017-11-30")
    }
    return day
  }

  private func series(_ value: JSONValue, through today: Day) throws(ErrorReply) -> StateQuestion
    .Series?
  {
    guard let every = value["every"] else {
      guard value["from"] == nil, value["to"] == nil else {
        throw ErrorReply(.badRequest, "from and to go with every")
      }
      return nil
    }
    let words = SeriesStep.allCases.map(\.rawValue).joined(separator: ", ")
    guard let step = every.string.flatMap(SeriesStep.init(rawValue:)) else {
      throw ErrorReply(.badRequest, "every is one of \(words)")
    }
    guard let from = value["from"], value["as_of"] == nil else {
      throw ErrorReply(.badRequest, "a series has from and to, and no as_of")
    }
    let first = try day(from, "from")
    let last = try value["to"].map { (json) throws(ErrorReply) in try day(json, "to") } ?? today
    guard first <= last else {
      throw ErrorReply(.badRequest, "the series ends before it begins: from \(first) to \(last)")
    }
    guard let days = step.days(from: first, through: last, max: StateQuestion.rowsMax) else {
      throw ErrorReply(
        .badRequest, "a series has at most \(StateQuestion.rowsMax) rows; ask for fewer days")
    }
    return StateQuestion.Series(step: step, days: days)
  }

  // MARK: Gaps and faults

  func lint(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> (LintQuestion, Query) {
    let value = try request.value(
      in: line, keys: Self.filterKeys + Self.momentKeys + ["day", "limit"])
    var query = try moment(value)
    query.filter = try filter(value, query.knownAt)
    var lint = LintQuestion(
      day: query.cited?.recorded.day ?? today, limit: LintQuestion.limitUsual)
    if let text = value["day"] { lint.day = try day(text, "day") }
    if let limit = value["limit"] {
      guard let limit = limit.int, (0...LintQuestion.limitMax).contains(limit) else {
        throw ErrorReply(
          .badRequest, "limit is a number of rows of each kind, from 0 to \(LintQuestion.limitMax)")
      }
      lint.limit = limit
    }
    return (lint, query)
  }

  /// Of which events a list is wanted, and how long it is at most.
  func listing(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>, usual: Int, max: Int
  ) throws(ErrorReply) -> (limit: Int, query: Query) {
    let value = try request.value(
      in: line, keys: Self.filterKeys + Self.momentKeys + ["limit"])
    var query = try moment(value)
    query.filter = try filter(value, query.knownAt)
    guard let limit = value["limit"] else { return (usual, query) }
    guard let limit = limit.int, (0...max).contains(limit) else {
      throw ErrorReply(.badRequest, "limit is a number of rows, from 0 to \(max)")
    }
    return (limit, query)
  }

  // MARK: Snapshots to cite

  /// What is to be named.
  struct Naming: Sendable {
    var name: SnapshotName
    var note: String?
    var author: String?
  }

  func naming(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(ErrorReply) -> Naming {
    let value = try request.value(in: line, keys: ["name", "note", "author"])
    for member in value.members ?? [] where member.value.string == nil {
      throw ErrorReply(.badRequest, "\(member.key) is a text")
    }
    guard let name = value["name"]?.string else {
      throw ErrorReply(.badRequest, "SNAPSHOT takes a name: SNAPSHOT {\"name\":\"paper-2026\"}")
    }
    do throws(EventError) {
      return Naming(
        name: try SnapshotName(name), note: value["note"]?.string, author: value["author"]?.string)
    } catch { throw ErrorReply(error) }
  }

  /// The one that SNAPSHOTS is asked for; nil for all.
  func snapshot(_ request: Request) throws(ErrorReply) -> RecordedSnapshot? {
    guard request.arguments.count <= 1, request.json == nil else {
      throw ErrorReply(.badRequest, "SNAPSHOTS, or SNAPSHOTS NAME")
    }
    guard let word = request.arguments.first else { return nil }
    do throws(CitationError) { return try log.recordedSnapshot(word) } catch {
      throw ErrorReply(error)
    }
  }

  // MARK: Words

  private func actor(
    _ name: String, _ registry: ActorRegistry
  ) throws(ErrorReply) -> ActorCode {
    if let code = ActorCode(name), registry.contains(code) { return code }
    let near = registry.nearest(to: name).map(\.code.description)
    throw ErrorReply(
      .badRequest,
      "unknown actor \"\(name.prefix(40))\""
        + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: ", "))?"),
      value: name, hint: near.isEmpty ? .unknownActor : .similarActor)
  }

  /// One that this machine holds whole.
  private func positionHere(_ json: JSONValue) throws(ErrorReply) -> Position {
    let position = try position(json)
    let missing = log.position.missing(position)
    guard missing.isEmpty else {
      throw ErrorReply(
        .wrongPosition,
        "this machine lacks \(missing.map(\.description).joined(separator: ", "))")
    }
    return position
  }

  /// A position, or a moment: a position object, `2026-11-23T22:20:00.123456Z`, or a day (its end).
  private func position(_ json: JSONValue) throws(ErrorReply) -> Position {
    if let position = Position(json: json) { return position }
    let text = json.string ?? ""
    if let time = RecordedTime(text) { return log.position(at: time) }
    if let date = try? EventDate(text), date.precision != .time, let end = date.endOfTime {
      return log.position(at: end)
    }
    throw ErrorReply(
      .badRequest,
      "a position is {\"REPLICA\": lines, …}, a day, or a time such as 2026-11-23T22:20:00Z",
      value: text, hint: .moment)
  }
}

extension EventDate {
  /// The last microsecond of the last day, in UTC; nil for an open end, and beyond what a line can
  /// say of when it was recorded.
  var endOfTime: RecordedTime? {
    guard !isOpenEnd, !isOpenStart, (0...9999).contains(last.civil.year) else { return nil }
    return RecordedTime(microseconds: (Int64(last.number) + 1) * 86_400_000_000 - 1)
  }
}

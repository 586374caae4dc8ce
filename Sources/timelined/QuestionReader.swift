// From the JSON of a question to what is asked: keys, actors, days and positions are checked here, once.

import Engagement
import EventStore
import TimelineModel
import TimelineWire

struct QuestionReader {
  /// What the log holds, and which actors it knows.
  let log: Snapshot
  let today: Day

  private static let filterKeys = Filter.keys + ["where", "from", "to"]
  private static let stateKeys = ["parties", "as_of", "known_at"]

  // MARK: Events

  func query(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(RequestError) -> Query {
    let value = try request.value(in: line, keys: Self.filterKeys + ["known_at", "order", "limit"])
    var query = Query(try filter(value))
    if let order = value["order"] {
      guard let order = order.string.flatMap(Query.Order.init(rawValue:)) else {
        throw RequestError(.badRequest, "order is \"asc\" or \"desc\"")
      }
      query.order = order
    }
    if let limit = value["limit"] {
      guard let limit = limit.int, limit >= 0 else {
        throw RequestError(.badRequest, "limit is a whole number, not below 0")
      }
      query.limit = limit
    }
    if let known = value["known_at"] { query.knownAt = try position(known) }
    return query
  }

  /// What is watched, and from where on.
  func watch(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(RequestError) -> (Filter, Position) {
    let value = try request.value(in: line, keys: Self.filterKeys + ["after"])
    let here = log.position
    var start = here
    if let after = value["after"] { start = try position(after) }
    guard here.covers(start) else {
      throw RequestError(
        .wrongPosition, "this log does not hold that position; it stands at \(here.json.text)")
    }
    return (try filter(value), start)
  }

  private func filter(_ value: JSONValue) throws(RequestError) -> Filter {
    let filter: Filter
    do throws(FilterError) { filter = try Filter(json: value) } catch {
      throw RequestError(.badRequest, error.message)
    }
    for code in filter.actors.union(filter.targets).union(filter.parties).sorted() {
      _ = try actor(code.description)
    }
    return filter
  }

  // MARK: States

  /// What is asked of the state of a dyad.
  struct State {
    var dyad: Dyad
    var day: Day
    var knownAt: Position?
    /// The figure whose events are wanted; nil for the state itself.
    var figure: String?
  }

  func state(
    _ request: Request, _ line: UnsafeBufferPointer<UInt8>
  ) throws(RequestError) -> State {
    let isWhy = request.verb == .explain
    let value = try request.value(in: line, keys: Self.stateKeys + (isWhy ? ["figure"] : []))
    var codes: [ActorCode] = []
    for name in value["parties"]?.array ?? [] { codes.append(try actor(name.string ?? "")) }
    guard codes.count == 2, let dyad = Dyad(codes[0], codes[1]) else {
      throw RequestError(
        .badRequest, "a state is that of two parties: {\"parties\":[\"USA\",\"PRK\"]}")
    }
    var state = State(dyad: dyad, day: today)
    if let text = value["as_of"] {
      guard let day = text.string.flatMap({ Day($0) }) else {
        throw RequestError(.badRequest, "as_of is a day such as 2017-11-30")
      }
      state.day = day
    }
    if let known = value["known_at"] { state.knownAt = try position(known) }
    if isWhy {
      let word = value["figure"]?.string ?? ""
      guard DyadHistory.figures.contains(word) else {
        let near = EditDistance.nearest(to: word, in: DyadHistory.figures)
        throw RequestError(
          .badRequest,
          "no figure \"\(word.prefix(40))\"; "
            + (near.isEmpty
              ? "figures are \(DyadHistory.figures.joined(separator: ", "))"
              : "did you mean \(near.joined(separator: ", "))?"))
      }
      state.figure = word
    }
    return state
  }

  // MARK: Words

  private func actor(_ name: String) throws(RequestError) -> ActorCode {
    if let code = ActorCode(name), log.registry.contains(code) { return code }
    let near = log.registry.nearest(to: name).map(\.code.description)
    throw RequestError(
      .badRequest,
      "unknown actor \"\(name.prefix(40))\"; "
        + (near.isEmpty ? "ACTORS lists all" : "did you mean \(near.joined(separator: ", "))?"))
  }

  /// A position, or a moment: a position object, `2026-11-23T22:20:00.123456Z`, or a day (its end).
  private func position(_ json: JSONValue) throws(RequestError) -> Position {
    if let position = Position(json: json) { return position }
    let text = json.string ?? ""
    if let time = RecordedTime(text) { return log.position(at: time) }
    if let date = try? EventDate(text), date.precision != .time, let end = date.endOfTime {
      return log.position(at: end)
    }
    throw RequestError(
      .badRequest,
      "a position is {\"REPLICA\": lines, …}, a day, or a time such as 2026-11-23T22:20:00Z")
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

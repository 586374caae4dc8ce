// Answers of the rules without a daemon, for the second implementation in Tests/Interop. A line in:
//
//     {"parties":["PRK","USA"],"events":[…],"days":["2017-11-30"],"every":"month","from":…,"to":…,
//      "diary":[first,last]}
//
// A line out: the states of these days, the rows of the series, `why` of the figures that are asked for, what
// changed between each of the days and the next (of the last: the first), and the diary. An event may say
// "contested": true; "tables" are bodies of log.rules lines.

import Engagement
import TimelineModel

func event(_ body: JSONValue) -> Event {
  let bytes = Array(body.text.utf8)
  let event = bytes.withUnsafeBufferPointer { text -> Event? in
    var document = JSONDocument()
    guard (try? document.parse(text)) != nil, let id = body["id"]?.string.flatMap({ EventID($0) })
    else { return nil }
    return Event(
      id: id, document: document, in: text, isContested: body["contested"]?.bool ?? false)
  }
  guard let event else { fatalError("no event: \(body.text)") }
  return event
}

func day(_ value: JSONValue?) -> Day {
  guard let day = value?.string.flatMap({ Day($0) }) else {
    fatalError("no day: \(value?.text ?? "")")
  }
  return day
}

func rules(_ bodies: [JSONValue]) -> Rules {
  var tables = RuleTables.shipped
  for body in bodies {
    guard let kind = body["table"]?.string.flatMap(RuleTable.Kind.init(rawValue:)) else {
      fatalError("no table: \(body.text)")
    }
    do throws(RuleTable.Fault) {
      tables.use(
        try RuleTable(
          kind, version: body["name"]?.string ?? "", rows: body["rows"]?.array ?? [],
          registry: .shipped))
    } catch { fatalError("\(error.location): \(error.message)") }
  }
  return Rules(tables)
}

while let line = readLine() {
  guard let asked = try? JSONValue(parsing: line) else { fatalError("no JSON: \(line)") }
  let parties = (asked["parties"]?.array ?? []).compactMap(\.string).compactMap { ActorCode($0) }
  guard parties.count == 2, let dyad = Dyad(parties[0], parties[1]) else {
    fatalError("no parties")
  }
  var history = DyadHistory(dyad, rules: rules(asked["tables"]?.array ?? []))
  history.insert((asked["events"]?.array ?? []).map(event))
  let days = (asked["days"]?.array ?? []).map { day($0) }
  var rows: [SeriesRow] = []
  if let every = asked["every"]?.string.flatMap(SeriesStep.init(rawValue:)) {
    let days = every.days(from: day(asked["from"]), through: day(asked["to"]), max: 10_000)
    rows = history.series(days ?? [], every: every)
  }
  let why = days.map { day in
    JSONValue.array(
      (asked["figures"]?.array ?? []).compactMap(\.string).map {
        Figure(rawValue: $0).map { history.why($0, on: day).json } ?? .null
      })
  }
  let states = days.map { history.state(on: $0) }
  let changes = zip(states, states.dropFirst() + states.prefix(1)).map { before, after in
    JSONValue.array(StateChanges.between(before, after).map(\.json))
  }
  let span = (asked["diary"]?.array ?? []).map { day($0) }
  let diary = span.count == 2 ? history.diary(from: span[0], through: span[1]) : []
  print(
    JSONValue.object([
      "states": .array(states.map(\.json)), "rows": .array(rows.map { $0.json(of: dyad) }),
      "why": .array(why),
      "changes": .array(changes), "diary": .array(diary.map(\.json)),
    ]).text)
}

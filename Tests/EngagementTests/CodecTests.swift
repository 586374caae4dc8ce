import Engagement
import Foundation
import Support
import Testing
import TimelineModel

@Suite("The JSON of a state, both ways")
struct CodecTests {
  @Test(
    "Read back, a state is the same value and the same bytes", arguments: HistoryPropertyTests.seeds
  )
  func bothWays(seed: UInt64) throws {
    var random = RandomEvents(seed: seed)
    let rules = random.next(3) == 0 ? .shipped : random.rules()
    var history = DyadHistory(Dyad(us, dprk)!, rules: rules)
    history.insert(random.events(80))
    for _ in 0..<12 {
      let day = random.day()
      let state = history.state(on: day)
      let text = state.json.text
      let read = try DyadState(json: JSONValue(parsing: text))
      #expect(read.json.text == text, "seed \(seed), \(day)")
      #expect(read == state, "seed \(seed), \(day)")
    }
  }

  @Test(
    "Days of any year are read back",
    arguments: [-1_800_000_000, -719_529, -719_528, -1, 0, 2_932_896, 2_932_897, 1_800_000_000])
  func days(number: Int32) throws {
    let day = Day(number: number)
    let state = DyadHistory(Dyad(us, dprk)!).state(on: day)
    #expect(try DyadState(json: JSONValue(parsing: state.json.text)) == state)
  }

  @Test("What cannot be read says where, what should stand there and what does")
  func errors() throws {
    let letter = event("m", .message, nil, "2001-01-01")
    let text = DyadHistory.empty(with: [letter]).state(on: Day("2001-02-01")!).json.text
    func message(_ old: String, _ new: String) -> String? {
      #expect(text.contains(old))
      do throws(StateJSONError) {
        _ = try DyadState(json: try! JSONValue(parsing: text.replacing(old, with: new)))
        return nil
      } catch { return error.message }
    }
    #expect(
      message(#""name":"probing""#, #""name":"thawing""#)
        == #"phase.name: a known word expected, found "thawing""#)
    #expect(
      message(#""state":"open""#, #""state":7"#)
        == "messages[0].state: a known word expected, found 7")
    #expect(
      message(#""neglect":31"#, #""neglect":"long""#)
        == #"contact.neglect: a whole number expected, found "long""#)
    #expect(
      message(#""parties":["PRK","USA"]"#, #""parties":["PRK"]"#)
        == #"parties: two parties expected, found ["PRK"]"#)
    // A later daemon may say more.
    #expect(message(#""events":1"#, #""events":1,"more":[2]"#) == nil)
    #expect(message(#""parties":["PRK","USA"],"#, "") == "parties: a list expected, found nothing")
  }

  @Test("Numbers to three decimals are rounded half away from zero, and −0 is 0")
  func thousandths() {
    for number in [0.0005, -0.0005, 0.00049, -0.00049, 1.0005, -2.5, 1234.5678, -0.0] {
      #expect(Thousandths(number).number == Double(JSONValue.threeDecimals(number)))
    }
  }

  /// Answers of before there was a codec: states, series, `why`, changes and a diary, of events of 1994, 1995 and
  /// 2018 as they shipped then.
  @Test("Answers are the same bytes as those that are kept")
  func kept() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Fixtures/engagement")
    func lines(_ name: String) throws -> [Substring] {
      try String(contentsOf: folder.appending(path: name), encoding: .utf8).split(separator: "\n")
    }
    let (questions, answers) = (try lines("questions.jsonl"), try lines("answers.jsonl"))
    #expect(questions.count == answers.count && !answers.isEmpty)
    for (question, answer) in zip(questions, answers) {
      let asked = try JSONValue(parsing: String(question))
      let told = Answers(to: asked).json.text
      // All of it is too long to be shown.
      let index = zip(told.utf8, answer.utf8).prefix { $0 == $1 }.count
      let near = String(told.utf8.dropFirst(max(0, index - 80)).prefix(160)) ?? ""
      #expect(told.utf8.elementsEqual(answer.utf8), "first different at byte \(index): \(near)")
    }
  }
}

/// What engagement-states says of a question that is a line of JSON.
private struct Answers {
  let json: JSONValue

  init(to asked: JSONValue) {
    func day(_ value: JSONValue?) -> Day { Day(value?.string ?? "")! }
    let parties = (asked["parties"]?.array ?? []).compactMap(\.string).compactMap { ActorCode($0) }
    let history = {
      var history = DyadHistory(Dyad(parties[0], parties[1])!)
      history.insert((asked["events"]?.array ?? []).map(Self.event))
      return history
    }()
    let days = (asked["days"]?.array ?? []).map { day($0) }
    let figures = (asked["figures"]?.array ?? []).compactMap(\.string)
    let states = days.map { history.state(on: $0) }
    let every = SeriesStep(rawValue: asked["every"]?.string ?? "")!
    let rows = every.days(from: day(asked["from"]), through: day(asked["to"]), max: 100)!
    let span = (asked["diary"]?.array ?? []).map { day($0) }
    let changes = zip(states, states.dropFirst() + states.prefix(1)).map {
      JSONValue.array(StateChanges.between($0, $1).map(\.json))
    }
    json = .object([
      "states": .array(states.map(\.json)),
      "rows": .array(history.series(rows, every: every).map { $0.json(of: history.dyad) }),
      "why": .array(
        days.map { day in .array(figures.map { history.answer($0, on: day) ?? .null }) }),
      "changes": .array(changes),
      "diary": .array(history.diary(from: span[0], through: span[1]).map(\.json)),
    ])
  }

  private static func event(_ body: JSONValue) -> Event {
    Array(body.text.utf8).withUnsafeBufferPointer { text in
      var document = JSONDocument()
      try! document.parse(text)
      return Event(id: EventID(body["id"]?.string ?? "")!, document: document, in: text)!
    }
  }
}

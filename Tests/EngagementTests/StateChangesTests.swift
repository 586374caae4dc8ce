import Engagement
import Testing
import TimelineModel

@Suite("E-16, E-17: what changed, and what if")
struct StateChangesTests {
  let offer = event(
    "offer", .message, "letter", "2003-01-01", [dprk], [us],
    offer: Offer(
      if: ["a"], then: ["b"], condition: .prior, expires: try! EventDate("2003-02"),
      interests: ["nuclear-freeze"]))

  private func state(_ events: [Event], _ day: String) -> DyadState {
    DyadHistory.empty(with: events).state(on: Day(day)!)
  }

  private func between(_ events: [Event], _ first: String, _ last: String) -> [String] {
    StateChanges.between(state(events, first), state(events, last)).map(\.json.text)
  }

  private func told(_ events: [Event], _ first: String, _ last: String) -> [String] {
    DyadHistory.empty(with: events).diary(from: Day(first)!, through: Day(last)!).map { entry in
      [
        "\(entry.day)", entry.change.what.rawValue, entry.change.from?.json.string ?? "-",
        entry.change.to?.json.string ?? "-", entry.change.by?.isEmpty == true ? "time" : "events",
      ].joined(separator: " ")
    }
  }

  @Test("E-16.4: time alone lets an offer expire, a silence begin, a phase end")
  func time() {
    #expect(
      told([offer], "2003-01-01", "2004-02-01") == [
        "2003-01-01 phase estranged probing events", "2003-01-01 offer - open events",
        "2003-03-01 offer open expired time", "2003-04-01 silence - 2003-01-01 time",
        "2003-07-01 phase probing estranged time",
      ])
    // An answer after its end is an answer still, and breaks no silence: a statement is no contact.
    let answer = event(
      "no", .statement, "position", "2003-05-01", links: [(.declines, "offer", nil)])
    #expect(
      told([offer, answer], "2003-04-02", "2003-06-30") == [
        "2003-05-01 offer expired declined events"
      ])
    let contact = event("yes", .message, "letter", "2003-05-01", [us], [dprk])
    #expect(
      told([offer, contact], "2003-05-01", "2003-05-01") == [
        "2003-05-01 silence 2003-01-01 - events", "2003-05-01 message - open events",
      ])
  }

  @Test("E-16.4: a promise is reported as it falls due, is overdue, and is kept")
  func promises() {
    let agreement = event(
      "deal", .agreement, "accord", "2007-02-13", [us, dprk], [],
      commitments: [
        Commitment(
          key: "shut", by: [dprk], to: [us], what: "w", due: try! EventDate("2007-04-14"))
      ])
    let step = event(
      "done", .step, "fulfilment", "2007-07-14", [dprk], [us], links: [(.fulfils, "deal", "shut")])
    let promises = told([agreement, step], "2007-01-01", "2007-12-31").filter {
      $0.contains("commitment")
    }
    #expect(
      promises == [
        "2007-02-13 commitment - open events", "2007-04-14 commitment open due time",
        "2007-04-15 commitment due overdue time", "2007-07-14 commitment overdue fulfilled events",
      ])
  }

  @Test("E-16.1: what matters most comes first, and each thing says what it was")
  func order() {
    let summit = event("summit", .talks, "summit", "2003-01-20", [us, dprk], [])
    #expect(
      between([offer, summit], "2003-01-19", "2003-01-20") == [
        #"{"what":"phase","from":"probing","to":"negotiating","by":[\#(id("summit").text)]}"#,
        #"{"what":"criterion","key":"joint_action","from":"not met","to":"partly"}"#,
        #"{"what":"reciprocity","from":0.000,"to":0.778}"#,
        #"{"what":"climate","key":"total","from":1.741,"to":8.728}"#,
        #"{"what":"climate","key":"trend","from":1.741,"to":8.728}"#,
        #"{"what":"climate","key":"PRK","from":1.741,"to":1.728}"#,
        #"{"what":"climate","key":"joint","from":0.000,"to":7.000}"#,
        #"{"what":"contact","key":"PRK","title":"summit","from":\#(id("offer").text),"#
          + #""to":\#(id("summit").text)}"#,
        #"{"what":"contact","key":"USA","title":"summit","to":\#(id("summit").text)}"#,
        #"{"what":"neglect","from":18,"to":0}"#,
        #"{"what":"under_way","id":\#(id("summit").text),"title":"summit","to":"under way"}"#,
        #"{"what":"events","from":1,"to":2}"#,
      ])
  }

  @Test("What is gone is said, and a correction that adds an offer is no new message")
  func gone() {
    var plain = offer
    plain.offer = nil
    let day = "2003-01-10"
    let changes = StateChanges.between(state([plain], day), state([offer], day))
    #expect(changes.map(\.what) == [.criterion, .approach, .interest])
    let left = StateChanges.between(state([offer], day), state([], day))
    #expect(left.first?.what == .phase)
    let lost = left.first { $0.what == .offer }
    #expect(lost?.from == .word("open") && lost?.to == nil && lost?.by == [])
  }

  // MARK: What holds for any events

  @Test("A state and itself have no difference", arguments: HistoryPropertyTests.seeds)
  func nothing(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let history = DyadHistory.empty(with: random.events(60))
    for _ in 0..<6 {
      let state = history.state(on: random.day())
      #expect(StateChanges.between(state, state).isEmpty, "seed \(seed)")
      // Nor have it and what a client reads of it.
      let read = try! DyadState(json: JSONValue(parsing: state.json.text))
      #expect(StateChanges.between(state, read).isEmpty, "seed \(seed)")
      #expect(StateChanges.between(read, state).isEmpty, "seed \(seed)")
    }
  }

  @Test("The way back is the same changes turned around", arguments: HistoryPropertyTests.seeds)
  func back(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let history = DyadHistory.empty(with: random.events(60))
    func names(_ changes: [StateChange], _ from: Bool) -> Set<String> {
      Set(
        changes.map { change in
          let (one, other) = from ? (change.from, change.to) : (change.to, change.from)
          return [
            change.what.rawValue, change.party?.description, change.key, change.id?.description,
            one?.json.text, other?.json.text,
          ]
          .map { $0 ?? "-" }.joined(separator: " ")
        })
    }
    for _ in 0..<6 {
      let (one, other) = (history.state(on: random.day()), history.state(on: random.day()))
      #expect(
        names(StateChanges.between(one, other), true)
          == names(StateChanges.between(other, one), false), "seed \(seed)")
    }
  }

  @Test(
    "A diary is what two states of neighbouring days say", arguments: HistoryPropertyTests.seeds)
  func diary(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let history = DyadHistory.empty(with: random.events(60))
    let first = random.day()
    let last = first.advanced(by: 150)
    var expected: [DiaryEntry] = []
    var before = history.state(on: first.advanced(by: -1))
    for day in (0...150).map({ first.advanced(by: $0) }) {
      let after = history.state(on: day)
      for change in StateChanges.between(before, after) where change.what.isTold {
        expected.append(DiaryEntry(day: day, change: change))
      }
      before = after
    }
    #expect(history.diary(from: first, through: last) == expected, "seed \(seed), \(first)")
  }

  @Test(
    "Events laid over a history are the history that has them",
    arguments: HistoryPropertyTests.seeds)
  func whatIf(seed: UInt64) {
    var random = RandomEvents(seed: seed)
    let events = random.events(60)
    let history = DyadHistory.empty(with: Array(events[..<48]))
    let gone = Set(events[..<48].map(\.id).filter { _ in random.next(6) == 0 })
    let laid = Array(events[48...])
    let whole = DyadHistory.empty(with: events.filter { !gone.contains($0.id) })
    let one = WhatIf(events: laid, without: Array(gone)).laid(over: history)
    let other = WhatIf(events: laid.reversed(), without: gone.reversed()).laid(over: history)
    for _ in 0..<6 {
      let day = random.day()
      let state = whole.state(on: day)
      #expect(one.state(on: day) == state, "seed \(seed), \(day)")
      #expect(other.state(on: day) == state, "seed \(seed), \(day)")
      #expect(
        WhatIf(events: []).laid(over: history).state(on: day) == history.state(on: day),
        "seed \(seed), \(day)")
    }
  }
}

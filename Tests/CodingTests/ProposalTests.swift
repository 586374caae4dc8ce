import Coding
import Engagement
import Testing
import TimelineModel

@Suite("Which links an event could have, from the states of its pairs")
struct ProposalTests {
  private let offer = Offer(if: ["x"], then: ["y"], condition: .prior)

  private var events: [Event] {
    func event(
      _ name: String, _ type: EventType, _ date: String, _ actors: [String], _ targets: [String],
      offer: Offer? = nil, commitments: [Commitment] = []
    ) -> Event {
      Event(
        id: id(name), type: type, date: try! EventDate(date), actors: actors.map { ActorCode($0)! },
        targets: targets.map { ActorCode($0)! }, title: name, offer: offer,
        commitments: commitments)
    }
    let prk = ActorCode("PRK")!
    let usa = ActorCode("USA")!
    return [
      event("letter", .message, "2007-01-01", ["PRK"], ["USA"]),
      event("offer", .message, "2007-01-05", ["PRK"], ["USA"], offer: offer),
      event("ours", .message, "2007-01-06", ["USA"], ["PRK"], offer: offer),
      event("round", .talks, "2007-02-08/2007-02-13", ["PRK", "USA"], []),
      event(
        "deal", .agreement, "2007-02-13", ["PRK", "USA"], [],
        commitments: [
          Commitment(key: "shut", by: [prk], to: [usa], what: "shut the reactor down"),
          Commitment(
            key: "seal", by: [prk], to: [usa], what: "seal the plant",
            due: try! EventDate("2007-04-14")),
          Commitment(key: "oil", by: [usa], to: [prk], what: "fuel oil"),
        ]),
    ]
  }

  private func words(_ body: String) -> [String] {
    let draft = Draft(try! JSONValue(parsing: body))!
    let states = draft.pairs.map { one, other in
      var history = DyadHistory(Dyad(one, other)!)
      history.insert(events)
      return history.state(on: draft.date.first).json
    }
    return Proposals.all(for: draft, states).map { proposal in
      let name = events.first { $0.id == proposal.id }?.title ?? "?"
      return "\(proposal.relation.rawValue):\(name)" + (proposal.key.map { "#\($0)" } ?? "")
    }
  }

  @Test("A statement answers what is open to its side, the newest first")
  func answers() {
    #expect(
      words(#"{"type":"statement","date":"2007-01-20","actors":["USA"],"targets":["PRK"]}"#)
        == ["answers:offer", "answers:letter"])
    #expect(
      words(#"{"type":"statement","date":"2007-01-20","actors":["KOR"],"targets":["USA"]}"#) == [])
    #expect(
      words(#"{"type":"statement","date":"2006-12-31","actors":["USA"],"targets":["PRK"]}"#) == [])
    #expect(
      words(#"{"type":"incident","date":"2007-01-20","actors":["USA"],"targets":["PRK"]}"#) == [])
  }

  @Test("A step speaks of promises of its side: the words that both have, then what presses")
  func promises() {
    func steps(_ subtype: String, _ actor: String, _ title: String) -> [String] {
      words(
        #"{"type":"step","subtype":"\#(subtype)","date":"2007-05-01","actors":["\#(actor)"],"#
          + #""targets":["\#(actor == "PRK" ? "USA" : "PRK")"],"title":"\#(title)"}"#
      ).filter { $0.contains("deal") }
    }
    #expect(steps("fulfilment", "PRK", "x") == ["fulfils:deal#seal", "fulfils:deal#shut"])
    #expect(
      steps("fulfilment", "PRK", "The reactor is shut") == [
        "fulfils:deal#shut", "fulfils:deal#seal",
      ])
    #expect(steps("fulfilment", "USA", "x") == ["fulfils:deal#oil"])
    #expect(steps("suspension", "USA", "x") == ["suspends:deal#oil"])
    #expect(steps("violation", "PRK", "x").first == "violates:deal#seal")
    #expect(
      steps("verification", "USA", "x") == [
        "verifies:deal#seal", "verifies:deal#oil", "verifies:deal#shut",
      ])
  }

  @Test("An offer follows an open one of its own side; what is said in talks is part of them")
  func others() {
    let said =
      #"{"type":"message","date":"2007-02-09","actors":["USA"],"targets":["PRK"],"offer":{}}"#
    #expect(
      words(said) == ["answers:offer", "answers:letter", "follows:ours", "part-of:round"])
    // Where both act there is a pair without a target.
    #expect(
      words(#"{"type":"agreement","date":"2007-02-13","actors":["PRK","USA"]}"#).last
        == "part-of:round")
  }

  @Test("A third party verifies what it was named for, of whom it acts on")
  func verifications() throws {
    let deal = try JSONValue(
      parsing: #"{"id":"\#(id("deal"))","title":"deal","commitments":["#
        + #"{"key":"oil","by":["USA"],"what":"oil","verifier":["IAE"]},"#
        + #"{"key":"seal","by":["PRK"],"what":"seal the plant","verifier":["IAE"]},"#
        + #"{"key":"shut","by":["PRK"],"what":"shut the reactor","verifier":["IAE"]},"#
        + #"{"key":"own","by":["PRK"],"what":"reactor"}]}"#)
    func keys(_ subtype: String, _ actor: String) throws -> [String?] {
      let draft = Draft(
        try JSONValue(
          parsing: #"{"type":"step","subtype":"\#(subtype)","date":"2007-07-18","#
            + #""actors":["\#(actor)"],"targets":["PRK"],"title":"The reactor is shut"}"#))!
      return Proposals.verifications(for: draft, [deal]).map(\.key)
    }
    #expect(try keys("verification", "IAE") == ["shut", "seal"])
    #expect(try keys("verification", "CHN") == [])
    #expect(try keys("fulfilment", "IAE") == [])
  }

  @Test("What is no event yet has no pairs to ask for")
  func drafts() {
    #expect(Draft(try! JSONValue(parsing: #"{"type":"tset","date":"2007"}"#)) == nil)
    #expect(Draft(try! JSONValue(parsing: #"{"type":"test","date":"../2007"}"#)) == nil)
    let many = #"{"type":"talks","date":"2007","actors":["CHN","JPN","KOR","PRK","RUS","USA"]}"#
    #expect(Draft(try! JSONValue(parsing: many))!.pairs.count == 6)
  }
}

import Engagement
import Testing
import TimelineModel

@Suite("Why: every event of a figure, and shares that add up to it")
struct WhyPropertyTests {
  static let seeds = (0..<24).map { UInt64($0) &* 104_729 &+ 3 }

  /// A history by random tables, a day, and what is said there.
  private struct Case {
    let history: DyadHistory
    let day: Day
    let state: JSONValue
    let comment: Comment

    func why(_ figure: String) -> JSONValue { history.answer(figure, on: day) ?? .null }
    func rows(_ figure: String) -> [JSONValue] { why(figure)["events"]?.array ?? [] }
    func ids(_ figure: String) -> [JSONValue?] { rows(figure).map { $0["id"] } }
    func ids(in list: JSONValue?) -> [JSONValue?] { (list?.array ?? []).map { $0["id"] } }

    /// The sum of the shares for which something holds.
    func sum(_ rows: [JSONValue], _ holds: (JSONValue) -> Bool = { _ in true }) -> Double {
      rows.filter(holds).reduce(0) { $0 + ($1["share"]?.number ?? 0) }
    }
  }

  private func cases(_ seed: UInt64, _ body: (Case) -> Void) {
    var random = RandomEvents(seed: seed)
    var events = random.events(80)
    // Some leave each other alone but for what strains.
    if random.next(2) == 0 {
      events.removeAll {
        [.message, .talks, .agreement, .step, .release, .exchange].contains($0.type)
          || $0.offer != nil || $0.subtype == "attack" || $0.subtype == "nuclear"
      }
    }
    // The shipped tables too.
    let rules = random.next(4) == 0 ? .shipped : random.rules()
    var history = DyadHistory(Dyad(us, dprk)!, rules: rules)
    history.insert(events)
    for _ in 0..<6 {
      let day = random.day()
      body(
        Case(
          history: history, day: day, state: history.state(on: day).json,
          comment: "seed \(seed), \(day), \(rules.tables.all.map(\.version))"))
    }
  }

  private func isBy(_ row: JSONValue, _ party: String) -> Bool {
    row["by"]?.array?.contains(.string(party)) ?? false
  }

  private func isNear(_ left: Double, _ right: Double?) -> Bool {
    abs(left - (right ?? .nan)) < 1e-9
  }

  /// Which part of the climate an event counts in.
  private func isPart(_ row: JSONValue, _ part: String) -> Bool {
    part == "joint"
      ? row["by"]?.array?.count == 2 : row["by"] == .array([.string(part)])
  }

  @Test("Shares of climate and trend add up to the figure and to each part", arguments: seeds)
  func climate(seed: UInt64) {
    cases(seed) { one in
      for figure in ["climate", "trend"] {
        let (why, rows) = (one.why(figure), one.rows(figure))
        #expect(isNear(one.sum(rows), why["value"]?.number), one.comment)
        for part in ["PRK", "USA", "joint"] {
          #expect(
            isNear(one.sum(rows) { isPart($0, part) }, why["parts"]?[part]?.number), one.comment)
          if figure == "climate" {
            #expect(
              why["parts"]?[part]?.number.map { JSONValue.threeDecimals($0) }
                == one.state["climate"]?[part]?.text, one.comment)
          }
        }
        let shares = rows.map { abs($0["share"]?.number ?? .nan) }
        #expect(shares == shares.sorted(by: >), one.comment)
      }
      #expect(
        one.why("trend")["value"]?.number.map { JSONValue.threeDecimals($0) }
          == one.state["climate"]?["trend"]?.text, one.comment)
    }
  }

  @Test("Shares of what each side gave add up to it", arguments: seeds)
  func gifts(seed: UInt64) {
    cases(seed) { one in
      for figure in ["reciprocity", "rewards"] {
        let why = one.why(figure)
        for party in ["PRK", "USA"] {
          let gave = one.sum(one.rows(figure)) { isBy($0, party) }
          #expect(isNear(gave, why["parts"]?[party]?.number), one.comment)
          if figure == "reciprocity" {
            #expect(
              JSONValue.threeDecimals(gave) == one.state["reciprocity"]?[party]?.text, one.comment)
          }
        }
      }
    }
  }

  @Test("A phase that rests on sums names them, and they are met", arguments: seeds)
  func phase(seed: UInt64) {
    cases(seed) { one in
      let (why, rows, phase) = (one.why("phase"), one.rows("phase"), one.state["phase"])
      let supporting = Set((phase?["events"]?.array ?? []) + (phase?["moved"]?.array ?? []))
      #expect(
        Set(rows.filter { $0["side"] != .string("against") }.compactMap { $0["id"] })
          .isSubset(of: supporting), one.comment)
      #expect(supporting.isSubset(of: Set(rows.compactMap { $0["id"] })), one.comment)
      let sums = why["sums"]?.array ?? []
      switch phase?["name"]?.string {
      case "crisis" where sums.isEmpty:
        let causes = phase?["events"]?.array ?? []
        #expect(causes.count > 0, one.comment)
        for row in rows where phase?["events"]?.array?.contains(row["id"] ?? .null) ?? false {
          #expect(
            row["subtype"] == .string("attack") || row["subtype"] == .string("nuclear"), one.comment
          )
        }
      case "crisis": #expect(sums.count == 1, one.comment)
      case "confrontation": #expect(sums.count == 3, one.comment)
      default: #expect(sums.isEmpty, one.comment)
      }
      for sum in sums {
        let party = sum["of"]?.string ?? ""
        let shares = one.sum(rows) { row in
          row["side"] == .string("for") && (party == "all" || isBy(row, party))
        }
        #expect(isNear(shares, sum["value"]?.number), one.comment)
        #expect(shares <= sum["threshold"]?.number ?? .nan, one.comment)
        if party == "all", sums.count == 3 {
          let against = one.sum(rows) { $0["side"] == .string("against") }
          #expect(isNear(-3 * against, sum["threshold"]?.number), one.comment)
        }
      }
    }
  }

  @Test("Counts are the number of events, lists are the events", arguments: seeds)
  func counts(seed: UInt64) {
    cases(seed) { one in
      let state = one.state
      for name in ["conducive", "joint_action", "rewards", "respect"] {
        for side in ["for", "against"] {
          let ids = one.rows(name).filter { $0["side"] == .string(side) }.map { $0["id"] }
          let stated = state["criteria"]?[name]?[side]
          #expect(ids.count == stated?["count"]?.int, one.comment)
          let latest = stated?["latest"]?.array ?? []
          #expect(ids.suffix(5).compactMap { $0 } == latest, one.comment)
        }
      }
      for figure in ["messages", "unanswered", "offers", "under_way"] {
        #expect(one.ids(figure) == one.ids(in: state[figure]), one.comment)
      }
      #expect(one.ids("tests") == one.ids(in: state["tests"]?["last"]), one.comment)
      #expect(one.ids("contact") == one.ids(in: state["contact"]?["last"]), one.comment)
      let neglect = state["contact"]?["neglect"]
      let days = one.rows("neglect").compactMap { $0["days"] }
      #expect(days == [neglect].compactMap { $0 }, one.comment)
      #expect(one.why("neglect")["value"] == neglect, one.comment)
      let spoken = (state["interests"]?.array ?? []).flatMap { one.ids(in: $0["offers"]) }
      #expect(Set(one.ids("interests")) == Set(spoken), one.comment)
      #expect(one.ids("interests").count == Set(spoken).count, one.comment)
      let agreements = state["agreements"]?.array ?? []
      let moves = agreements.flatMap { one.ids(in: $0["moves"]) }
      #expect(
        Set(one.ids("commitments")) == Set(agreements.map { $0["id"] } + moves), one.comment)
      for party in ["PRK", "USA"] {
        for condition in ["prior", "simultaneous", "none"] {
          let count = one.rows("approach").count {
            $0["from"] == .string(party) && $0["condition"] == .string(condition)
          }
          #expect(count == state["approach"]?[party]?[condition]?.int, one.comment)
        }
      }
    }
  }

  @Test("Both kinds of crisis and confrontations are met")
  func coverage() {
    var met: [String: Int] = [:]
    for seed in Self.seeds {
      cases(seed) { one in
        let count = one.why("phase")["sums"]?.array?.count ?? 0
        met["\(one.state["phase"]?["name"]?.string ?? "") by \(count)", default: 0] += 1
      }
    }
    for kind in ["crisis by 0", "crisis by 1", "confrontation by 3"] {
      #expect(met[kind] ?? 0 > 0, "\(met)")
    }
  }
}

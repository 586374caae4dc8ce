// The state of a dyad on a day, as one JSON object whose keys are the model's words.

import TimelineModel

extension DyadHistory {
  /// The state on a day, from the events that began by then.
  public func state(on day: Day) -> JSONValue {
    let past = upTo(day)
    let messages = messages(on: day)
    let unanswered = messages.filter(\.isOpen).sorted { $0.age > $1.age }
    let parties = [dyad.first, dyad.second]
    var members: [JSONValue.Member] = []
    func add(_ key: String, _ value: JSONValue) { members.append(JSONValue.Member(key, value)) }
    add("parties", .strings(parties))
    add("day", .string(day.description))
    add("rules", .object(["version": .string("1"), "weights": .string(weights.version)]))
    add("events", .int(past.count))
    add("provisional", .strings(ids(kinds.contested[past])))
    add("phase", phaseJSON(day))
    add("contact", contact(day))
    add("messages", .array(messages.filter { $0.event.type == .message }.map(\.json)))
    add("unanswered", .array(unanswered.map(\.json)))
    add("offers", .array(messages.compactMap(\.offerJSON)))
    add("commitments", .array(commitments(on: day).map(\.json)))
    add("under_way", .array(underWay(day).map { brief($0, day) }))
    add("tests", .object(["last": lastTests(day)]))
    add("climate", climateJSON(day))
    add("reciprocity", reciprocity(day).map { .thousandths($0) } ?? .string("none"))
    add(
      "approach",
      .object(parties.map { JSONValue.Member($0.description, approach(of: $0, messages)) }))
    return .object(members)
  }

  private func phaseJSON(_ day: Day) -> JSONValue {
    let phase = phase(on: day)
    return .object([
      "name": .string(phase.phase.rawValue), "since": .string(phase.since.description),
      "days": .int(day - phase.since), "events": .strings(phase.causes),
    ])
  }

  private func climateJSON(_ day: Day) -> JSONValue {
    let climate = climate(on: day)
    let trend = climate.total - self.climate(on: day.advanced(by: -90)).total
    return .object([
      "total": .thousandths(climate.total), "trend": .thousandths(trend),
      "\(dyad.first)": .thousandths(climate.first),
      "\(dyad.second)": .thousandths(climate.second), "joint": .thousandths(climate.joint),
    ])
  }

  /// The last contact that each side took part in, and the days since anybody did.
  private func contact(_ day: Day) -> JSONValue {
    let last = lastContacts(day).map { party, event in
      brief(event, day, ["from": .string(party.description)])
    }
    let neglect = last.compactMap { $0["days"]?.int }.min()
    return .object(["last": .array(last), "neglect": neglect.map { .int($0) }])
  }

  private func lastContacts(_ day: Day) -> [(ActorCode, Event)] {
    let past = upTo(day)
    return [dyad.first, dyad.second].compactMap { party in
      // By its last day, up to this one: of those that begin and end on a day the one that began last.
      let candidates =
        kinds.longContacts[past].filter { acts(party, in: events[$0]) }
        + [kinds.contacts[past].last { acts(party, in: events[$0]) }].compactMap { $0 }
      return candidates.max { left, right in
        (min(events[left].date.last, day), left) < (min(events[right].date.last, day), right)
      }.map { (party, events[$0]) }
    }
  }

  private func brief(
    _ event: Event, _ day: Day, _ more: KeyValuePairs<String, JSONValue?> = [:]
  ) -> JSONValue {
    var members: [JSONValue.Member] = more.compactMap { key, value in
      value.map { JSONValue.Member(key, $0) }
    }
    func add(_ key: String, _ value: JSONValue) { members.append(JSONValue.Member(key, value)) }
    add("id", .string(event.id.description))
    add("date", .string(event.date.text))
    add("type", .string(event.type.word))
    if let subtype = event.subtype { add("subtype", .string(subtype)) }
    add("title", .string(event.title))
    add("days", .int(max(0, day - min(event.date.last, day))))
    return .object(members)
  }

  /// E-9: an interval of exercises, talks, deployments that covers the day; sanctions in force: those
  /// imposed that no later event withdraws or suspends.
  private func underWay(_ day: Day) -> [Event] {
    kinds.lasting[upTo(day)].filter { isUnderWay($0, day) }.map { events[$0] }
  }

  private func isUnderWay(_ place: Int, _ day: Day) -> Bool {
    switch (events[place].type, events[place].subtype) {
    case (.exercise, "cancelled"), (.exercise, "postponed"), (.talks, "breakdown"),
      (.deployment, "withdrawal"):
      false
    case (.exercise, _), (.talks, _), (.deployment, _): events[place].date.last >= day
    case (.sanction, "impose"), (.sanction, "extend"), (.sanction, "designate"):
      links(to: events[place], [.withdraws, .suspends], upTo: day).isEmpty
    default: false
    }
  }

  /// E-10: the last test of each kind, the latest first.
  private func lastTests(_ day: Day) -> JSONValue {
    let past = upTo(day)
    return .array(
      kinds.tests.values.compactMap { $0[past].last }.sorted(by: >).map { brief(events[$0], day) })
  }

  /// E-11: the smaller of what each gave, over the larger, in 365 days; nil where both gave nothing.
  private func reciprocity(_ day: Day) -> Double? {
    let (_, first, second) = sums.over(over(365, to: day))
    let larger = max(first.given, second.given)
    return larger == 0 ? nil : Double(min(first.given, second.given)) / Double(larger)
  }

  /// E-12: what most of a side's offers ask first.
  private func approach(of party: ActorCode, _ messages: [MessageState]) -> JSONValue {
    let offers = messages.filter { $0.from == party }.compactMap(\.event.offer)
    guard !offers.isEmpty else { return .string("no offers") }
    let prior = offers.count { $0.condition == .prior }
    return .string(
      prior * 2 > offers.count
        ? "sticks and carrots" : prior * 2 < offers.count ? "engagement" : "mixed")
  }

  /// The figures that `why` explains.
  public static let figures = [
    "phase", "climate", "trend", "contact", "neglect", "messages", "unanswered", "offers",
    "commitments", "under_way", "tests", "reciprocity", "approach",
  ]

  /// The events behind a figure, with their share where it is a sum; nil for an unknown figure.
  public func why(_ figure: String, on day: Day) -> JSONValue? {
    guard let rows = rows(of: figure, on: day) else { return nil }
    return .object([
      "parties": .strings([dyad.first, dyad.second]), "day": .string(day.description),
      "figure": .string(figure), "events": .array(rows),
    ])
  }

  private func rows(of figure: String, on day: Day) -> [JSONValue]? {
    let messages = messages(on: day)
    func rows(_ events: [Event]) -> [JSONValue] { events.map { brief($0, day) } }
    switch figure {
    case "climate":
      return climateShares(on: day).map { brief($0.event, day, ["share": .double($0.share)]) }
    case "trend":
      return trendShares(on: day).map { brief($0.event, day, ["share": .double($0.share)]) }
    case "phase":
      let causes = Set(phase(on: day).causes)
      return rows(events[upTo(day)].filter { causes.contains($0.id) })
    case "contact": return rows(lastContacts(day).map(\.1))
    case "neglect":
      return rows(lastContacts(day).map(\.1).max { $0.date.last < $1.date.last }.map { [$0] } ?? [])
    case "messages": return rows(messages.filter { $0.event.type == .message }.map(\.event))
    case "unanswered": return rows(messages.filter(\.isOpen).map(\.event))
    case "offers", "approach":
      return messages.filter { $0.event.offer != nil }.map { message in
        brief(
          message.event, day,
          [
            "from": .string(message.from.description),
            "condition": message.event.offer.map { .string($0.condition.rawValue) },
          ])
      }
    case "commitments":
      let agreements = kinds.agreements[upTo(day)].map { events[$0] }
      let said = agreements.flatMap { saidOfCommitments(of: $0, upTo: day).joined().map(\.event) }
      let ids = Set((agreements + said).map(\.id))
      return rows(events[upTo(day)].filter { ids.contains($0.id) })
    case "under_way": return rows(underWay(day))
    case "tests": return lastTests(day).array
    case "reciprocity":
      return events[over(365, to: day)].filter { weight($0) > 0 }.map { event in
        let givers = [dyad.first, dyad.second].filter { acts($0, in: event) }
        return brief(
          event, day, ["share": .double(Double(weight(event)) / 1000), "by": .strings(givers)])
      }
    default: return nil
    }
  }
}

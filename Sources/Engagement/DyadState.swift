// The state of a dyad on a day, as one JSON object whose keys are the model's words.

import TimelineModel

extension DyadHistory {
  /// The version of docs/reference/engagement.md.
  public static let rulesVersion = "4"

  /// The state on a day, from the events that began by then.
  public func state(on day: Day) -> JSONValue {
    let past = upTo(day)
    let messages = messages(on: day)
    // Most that stand open stand in two lists.
    let told = messages.map { (message: $0, json: $0.json) }
    let agreements = agreements(on: day)
    let parties = [dyad.first, dyad.second]
    var members: [JSONValue.Member] = []
    func add(_ key: String, _ value: JSONValue) { members.append(JSONValue.Member(key, value)) }
    add("parties", .strings(parties))
    add("day", .string(day.description))
    add("rules", rulesJSON)
    add("events", .int(past.count))
    add("provisional", .strings(ids(kinds.contested[past])))
    add("left_out", .array(leftOut.filter { $0.seen <= day }.map(leftOutJSON)))
    add("phase", phaseJSON(day))
    add("contact", contact(day))
    add("messages", .array(told.filter { $0.message.event.type == .message }.map(\.json)))
    // They are in order of their first days already, the oldest first.
    add("unanswered", .array(told.filter(\.message.isOpen).map(\.json)))
    add("offers", .array(messages.compactMap(\.offerJSON)))
    add("interests", interestsJSON(messages))
    add("commitments", .array(agreements.flatMap { $0.commitments.map(\.json) }))
    add("agreements", .array(agreements.map(\.json)))
    add("under_way", .array(underWay(day).map { brief($0, day) }))
    add("tests", .object(["last": .array(lastTests(day).map { brief($0, day) })]))
    add("climate", climateJSON(day))
    add("reciprocity", reciprocityJSON(day))
    add("criteria", criteriaJSON(on: day))
    add(
      "approach",
      .object(parties.map { JSONValue.Member($0.description, approach(of: $0, messages)) }))
    return .object(members)
  }

  public var rulesJSON: JSONValue { rules.json }

  private func leftOutJSON(_ link: LeftOutLink) -> JSONValue {
    .object([
      "id": .string(entries[link.place].event.id.description),
      "rel": .string(link.link.relation.rawValue), "to": .string(link.link.id.description),
      "reason": .string(link.reason.rawValue),
    ])
  }

  func phaseJSON(_ day: Day) -> JSONValue {
    let phase = phase(on: day)
    return .object([
      "name": .string(phase.phase.rawValue), "since": .string(phase.since.description),
      "days": .int(day - phase.since), "from": phase.before.map { .string($0.rawValue) },
      "moved": .strings(phase.moved), "events": .strings(phase.causes),
    ])
  }

  private func climateJSON(_ day: Day) -> JSONValue {
    let climate = climate(on: day)
    return .object([
      "total": .thousandths(climate.total), "trend": .thousandths(trend(on: day)),
      "\(dyad.first)": .thousandths(climate.first),
      "\(dyad.second)": .thousandths(climate.second), "joint": .thousandths(climate.joint),
    ])
  }

  func contact(_ day: Day) -> JSONValue {
    let last = lastContacts(day).map { party, entry in
      brief(entry.event, day, ["from": .string(party.description)])
    }
    return .object([
      "last": .array(last), "neglect": neglect(on: day).map { .int($0) },
      "longest_silence": longestSilence(on: day).map { silence in
        .object([
          "days": .int(silence.days), "from": .string(silence.from.description),
          "to": .string(silence.to.description),
        ])
      },
      "silent_since": silentSince(on: day).map { .string($0.description) },
    ])
  }

  func brief(
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

  /// E-9.
  func underWay(_ day: Day) -> [Event] {
    kinds.lasting[upTo(day)].map { entries[$0].event }.filter { event in
      guard event.type == .sanction else { return event.date.last >= day }
      return (!event.date.isInterval || event.date.last >= day)
        && links(to: event, [.withdraws, .suspends], upTo: day).isEmpty
    }
  }

  /// E-10: the last test of each kind, the latest first.
  func lastTests(_ day: Day) -> [Event] {
    let past = upTo(day)
    return kinds.tests.values.compactMap { $0[past].last }.sorted(by: >).map { entries[$0].event }
  }

  /// E-11: the smaller of what each gave, over the larger.
  private func reciprocityJSON(_ day: Day) -> JSONValue {
    let (_, first, second) = sums.over(over(windows.reciprocityDays, to: day))
    let larger = max(first.given, second.given)
    let ratio = Double(min(first.given, second.given)) / Double(larger)
    return .object([
      "ratio": larger == 0 ? .string("none") : .thousandths(ratio),
      "\(dyad.first)": .thousandths(Double(first.given) / 1000),
      "\(dyad.second)": .thousandths(Double(second.given) / 1000),
    ])
  }

  /// E-12: what most of a side's offers ask first.
  private func approach(of party: ActorCode, _ messages: [MessageState]) -> JSONValue {
    let offers = messages.filter { $0.from == party }.compactMap(\.event.offer)
    func count(_ condition: Offer.Condition) -> Int { offers.count { $0.condition == condition } }
    let prior = count(.prior)
    let word =
      if offers.isEmpty {
        "no offers"
      } else if prior * 2 == offers.count {
        "mixed"
      } else {
        prior * 2 > offers.count ? "sticks and carrots" : "engagement"
      }
    return .object([
      "word": .string(word), "prior": .int(prior), "simultaneous": .int(count(.simultaneous)),
      "none": .int(count(.none)),
    ])
  }
}
